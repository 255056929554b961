"""The alert rules in the Prometheus of a site that runs, `meridian alerts`, and the notices. The rules' cases one by one:
test_alert_rules.py."""

import contextlib
import json
import os
import re
import signal
import socket
import time
import urllib.parse

import pytest

from notice_receiver import NoticeReceiver
from site_under_test import PYTHON_APP, ROOT, Site, curl, wait_until
from test_alert_rules import RULES, groups, series_selectors

pytestmark = [pytest.mark.covers("cli", "watch", "agent", "dns", "edge", "session", "queue"), pytest.mark.long]

# Those that are evaluated often enough to wait for.
FAST = {"datacenter", "processes", "replication", "queue", "visitors", "watch", "slo"}
# There only while somebody consumes, or where a container's kernel tells it.
NOT_ALWAYS_THERE = {"meridian_queue_group_lag_messages", "meridian_host_pressure_seconds_total", "meridian_host_clock_synchronized",
                    "meridian_host_state_filesystem_inodes", "meridian_host_state_filesystem_free_inodes",
                    "meridian_host_disk_busy_seconds_total", "meridian_host_network_bytes_total"}


def ask(site, path, at):
    """GET of the Prometheus at a data center, as an operator does: the data, or None."""
    token = (site.state / "admin.token").read_text().strip()
    code, _, body = curl(f"http://{site.addresses[at]}:9000/prometheus/api/v1/{path}", "-H", f"Authorization: Bearer {token}")
    return json.loads(body)["data"] if code == 200 else None


def query(site, text, at):
    data = ask(site, f"query?query={urllib.parse.quote(text)}", at)
    return data["result"] if data else []


def evaluations(site, at):
    """When each group was evaluated last, and what is wrong with rules."""
    found = ask(site, "rules", at)["groups"]
    return {group["name"]: group["lastEvaluation"] for group in found}, [rule["lastError"] for group in found for rule in group["rules"] if rule["health"] == "err"]


def wait_for_evaluations(site, at):
    """Until every fast group has been evaluated after now."""
    before, _ = evaluations(site, at)
    assert set(before) > FAST
    wait_until(lambda: all(evaluations(site, at)[0][name] != before[name] for name in FAST), what="the rules are evaluated")


def alerts(site, *options):
    """What `meridian alerts` says: the alerts that fire, by name."""
    done = site.run("alerts", "--json", *options, check=False)
    shown = json.loads(done.stdout)
    firing = {each["name"]: each for each in shown["alerts"] if each["state"] == "firing"}
    assert done.returncode == (1 if firing or shown["missing"] else 0), done
    return firing


@pytest.fixture(scope="module")
def receiver():
    one = NoticeReceiver()
    yield one
    one.close()


@pytest.fixture(scope="module")
def site(receiver):
    """A tier that hangs is left alone for long enough to look at its alert."""
    extra = ('\n[agent]\nhung_timeout = "5m"\n[queue]\n[worker.idle]\ncommand = ["sleep", "1000"]\ntopic = "idle"\nretries = 1\n'
             f'\n[watch]\nwebhook = "{receiver.url}"\n')
    with Site(app=PYTHON_APP, instances=1, extra=extra) as up:
        for name in up.addresses:
            wait_until(lambda at=name: ask(up, "query?query=up", at), what="Prometheus answers")
            wait_until(lambda at=name: (now := query(up, "up", at)) and all(each["value"][1] == "1" for each in now), what="every target is up")
        yield up


def test_nothing_fires_on_an_idle_site_and_every_series_of_the_rules_is_there(site):
    wait_for_evaluations(site, "us-west")
    wait_for_evaluations(site, "us-west")
    assert evaluations(site, "us-west")[1] == []
    wait_until(lambda: not alerts(site), what="nothing fires")
    wanted = {text for _, group in groups(RULES) for rule in group["rules"] for name, text in series_selectors(rule["expr"])
              if name not in NOT_ALWAYS_THERE and ":" not in name}
    assert len(wanted) > 40
    assert [text for text in sorted(wanted) if not query(site, text, "us-west")] == []


def test_a_tier_that_hangs_is_listed_with_its_runbook_until_it_goes_on(site, receiver):
    """From the process to `meridian alerts` and to people, with the rules and times of production."""
    pid = site.tier("us-west", "balancer")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        hung = wait_until(lambda: alerts(site).get("TierHung"), what="TierHung fires")
        assert hung["datacenters"] == ["us-west"] and hung["labels"]["tier_name"] == "balancer" and not hung["silenced"]
        assert (ROOT / hung["runbook"]).exists() and hung["runbook"] == "docs/runbooks/TierHung.md"
        shown = site.run("alerts", check=False)
        assert shown.returncode == 1 and "The balancer tier of us-west runs, but has not answered" in shown.stdout and f"See {hung['runbook']}" in shown.stdout
        assert "TierHung" not in alerts(site, "--dc", "us-east")
        wait_until(lambda: [status for _, status in receiver.of("TierHung")] == ["firing"], what="people are told")
        assert site.addresses["us-west"] in receiver.of("TierHung")[0][0]
        silence_and_look(site)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    # It fires on for a minute, so that a tier which hangs again and again is one alert.
    wait_until(lambda: "TierHung" not in alerts(site), what="the alert is over")
    assert site.tier("us-west", "balancer")["pid"] == pid
    wait_until(lambda: [status for _, status in receiver.of("TierHung")] == ["firing", "resolved"], what="people are told that it is over")
    wait_until(lambda: site.run("alerts", check=False).stdout == "No alert fires or is pending in us-east, us-west.\n", what="nothing is wrong")


def silence_and_look(site):
    """While TierHung fires: it is silenced, shown as that, and no longer silenced."""
    assert site.run("alerts", "silences").stdout == "Nothing is silenced in us-east, us-west.\n"
    done = site.run("alerts", "silence", "TierHung", "--for", "10m", "--comment", "it is looked at")
    assert "in us-east, us-west" in done.stdout
    wait_until(lambda: alerts(site)["TierHung"]["silenced"], what="it is shown as silenced")
    assert re.search(r"TierHung .*, silenced$", site.run("alerts", check=False).stdout, re.M)
    shown = json.loads(site.run("alerts", "silences", "--json").stdout)
    assert [(each["datacenter"], each["alert"], each["comment"]) for each in shown["silences"]] == [
        ("us-east", "TierHung", "it is looked at"), ("us-west", "TierHung", "it is looked at")] and shown["missing"] == []
    text = site.run("alerts", "silences", "--dc", "us-west").stdout
    assert "it is looked at" in text and "us-east" not in text
    assert site.run("alerts", "unsilence", "TierHung").stdout == "TierHung is silenced no more in us-east, us-west\n"
    wait_until(lambda: not alerts(site)["TierHung"]["silenced"], what="it is no longer shown as silenced")
    done = site.run("alerts", "unsilence", "TierHung", check=False)
    assert done.returncode == 1 and "silences" in done.stderr


def test_the_loss_of_a_data_center_is_told_once_within_20_s_and_its_return_too(site, receiver):
    # us-east told of the site so far, so that its notices end with it.
    wait_until(lambda: query(site, "meridian_agent_notices_owner == 1", "us-east"), what="us-east is the owner")
    site.run("dc", "kill", "us-east")
    killed = time.monotonic()
    wait_until(lambda: receiver.of("DataCenterDown"), what="people are told")
    assert time.monotonic() - killed < 20
    (url, status), = receiver.of("DataCenterDown")
    assert status == "firing" and site.addresses["us-west"] in url
    firing = alerts(site)
    assert set(firing) == {"DataCenterDown"}
    down = firing["DataCenterDown"]
    assert down["summary"] == "us-east is down: neither its agent nor its edge answers. Data centers that see it: 1."
    assert (down["datacenters"], down["labels"]["datacenter"]) == (["us-west"], "us-east")
    assert "us-east: its agent does not answer" in site.run("alerts", check=False).stderr
    site.run("dc", "start", "us-east")
    wait_until(lambda: len(receiver.of("DataCenterDown")) > 1, what="people are told that it is back")
    assert receiver.of("DataCenterDown") == [(url, "firing"), (url, "resolved")]
    wait_until(lambda: not alerts(site), what="nothing fires")


def test_a_drained_data_center_may_be_switched_off(site, receiver):
    site.run("dc", "drain", "us-east")
    wait_until(lambda: query(site, 'meridian_agent_datacenter_drained{datacenter="us-east"} == 1', "us-west"), what="the drain is seen")
    told = len(receiver.told)
    site.run("dc", "kill", "us-east")
    wait_until(lambda: query(site, 'meridian_agent_peer_lost{datacenter="us-east"} == 1', "us-west"), what="the loss is seen")
    wait_for_evaluations(site, "us-west")
    assert alerts(site, "--dc", "us-west") == {} and len(receiver.told) == told


def test_a_url_that_is_a_secret_is_in_no_log_though_alertmanager_prints_it():
    """At a receiver that answers 404, and at one that is gone: the two errors in which Alertmanager names the URL."""
    secret = "services/{T0}/B1?key=s3cr3t&x=%22{y}"
    receiver = NoticeReceiver(answer=404)
    site = Site(("us-east",), app=PYTHON_APP, instances=1, extra='\n[watch]\nwebhook = "$HOOK"\n')
    site.environment["HOOK"] = receiver.url.replace("http://", "http://u:pa!sword@").replace("alerts", secret)
    log = site.state / "logs/us-east/alertmanager.log"
    try:
        with site:
            def post(name):
                token = (site.state / "admin.token").read_text().strip()
                return curl(f"http://{site.addresses['us-east']}:9000/alertmanager/api/v2/alerts", "-H", f"Authorization: Bearer {token}",
                            "-H", "Content-Type: application/json", "-d", json.dumps([{"labels": {"alertname": name, "dc": "us-east"}}]))[0]

            wait_until(lambda: post("Refused") == 200, 60, "Alertmanager takes an alert")
            wait_until(lambda: receiver.of("Refused") and "unexpected status code 404" in log.read_text(), 60, "the refusal is in the log")
            receiver.close()
            assert post("Lost") == 200
            wait_until(lambda: "connection refused" in log.read_text(), 60, "the loss is in the log")
            wait_until(lambda: "connection refused" in site.run("logs", "--tier", "alertmanager", "--count", "1000").stdout, 60, "the log store has it")
            shown = [log.read_text(), site.run("logs", "--count", "5000", "--json").stdout, site.run("status", "--json", check=False).stdout]
            shown += [path.read_text() for path in (site.state / "logs/us-east").glob("*.log")]
            assert "[secret]" in shown[0] and "[secret]" in shown[1]
            assert [line for text in shown for line in text.splitlines() if any(part in line for part in ("services", "B1", "s3cr3t", "sword"))] == []
    finally:
        receiver.close()


def test_what_only_another_data_center_than_the_owner_sees_is_told_once():
    """us-west no longer reaches london, an edge place; us-east, which sends the notices of the site, still does."""
    receiver = NoticeReceiver()
    try:
        with Site(app=PYTHON_APP, instances=1, edge_places=("london",), wan=True, extra=f'\n[watch]\nwebhook = "{receiver.url}"\n') as site:
            wait_until(lambda: query(site, "meridian_agent_notices_owner == 1", "us-east"), 60, "us-east is the owner")
            wait_until(lambda: query(site, 'up{job="peers"} == 1', "us-east") and query(site, 'up{job="peers"} == 1', "us-west"), 60, "they read each other")
            site.link("us-west", "london", "--cut")
            wait_until(lambda: receiver.of("DataCenterDown"), 60, "people are told")
            seen = 'dc_datacenter:meridian_datacenter_down:max{datacenter="london"}'
            assert query(site, seen, "us-west") and not query(site, seen, "us-east")
            assert alerts(site)["DataCenterDown"]["labels"]["datacenter"] == "london"
            assert [(site.addresses["us-east"] in url, status) for url, status in receiver.of("DataCenterDown")] == [(True, "firing")]
    finally:
        receiver.close()


def test_a_data_center_whose_alertmanager_does_not_run_is_told_of_by_another():
    receiver = NoticeReceiver()
    site = Site(app=PYTHON_APP, instances=1, extra=f'\n[watch]\nwebhook = "{receiver.url}"\n')
    stranger = socket.create_server((site.addresses["us-east"], 9602))
    try:
        with site:
            wait_until(lambda: receiver.of("NoticesSilent"), 180, "us-west tells people")
            (url, status), = receiver.of("NoticesSilent")
            assert site.addresses["us-west"] in url and status == "firing"
            assert [labels["datacenter"] for _, _, labels in receiver.told if labels["alertname"] == "NoticesSilent"] == ["us-east"]
            wait_until(lambda: alerts(site).get("EngineDown"), 180, "us-east has an alert of its own")
    finally:
        stranger.close()
        receiver.close()


def test_a_data_center_that_cannot_be_asked_is_named_and_the_status_says_so():
    with Site(app=PYTHON_APP, instances=1, edge_places=("london",), extra="\n[watch]\n") as site:
        for arguments, needle in ((["--dc", "us-eat"], "us-east"), (["--dc", "london"], "edge place"), (["--severity", "page"], "--severity"),
                                  (["silence", "A", "--for", "never"], "--for"), (["silence", "A", "--for", "31d"], "30d"),
                                  (["silence", "A", "--comment", ""], "--comment"), (["silence", "a/b"], "no alert has such a name"),
                                  (["silence"], "alert"), (["silence", "A", "--dc", "london"], "edge place"),
                                  (["unsilence", ""], "no alert has such a name"), (["unsilence", "a/b"], "no alert has such a name")):
            done = site.run("alerts", *arguments, check=False)
            assert done.returncode == 2 and needle in done.stderr and done.stdout == "", done
        site.run("dc", "kill", "us-west")
        done = site.run("alerts", "--json", check=False)
        assert done.returncode == 1 and "us-west: its agent does not answer" in done.stderr and "london" not in done.stderr
        shown = json.loads(done.stdout)
        assert "us-west" in [each["datacenter"] for each in shown["missing"]] and set(shown) == {"alerts", "missing"}
        alone = site.run("alerts", "--dc", "us-west", check=False)
        assert (alone.returncode, alone.stdout) == (1, "") and "us-east" not in alone.stderr
        # A silence that one of two took is none of the site.
        wait_until(lambda: (now := ask(site, "query?query=1", "us-east")) and now, what="the engines of us-east answer")
        done = wait_until(lambda: (now := site.run("alerts", "silence", "DataCenterDown", check=False)).stdout and now, what="us-east takes the silence")
        assert done.returncode == 1 and "in us-east." in done.stdout and "us-west: its agent does not answer" in done.stderr


def test_without_the_table_the_command_says_what_to_add():
    with Site(app=PYTHON_APP, instances=1, data_centers=("us-east",)) as site:
        for command in (["alerts"], ["alerts", "silences"], ["alerts", "silence", "A"], ["alerts", "unsilence", "A"]):
            done = site.run(*command, check=False)
            assert done.returncode == 1 and "[watch]" in done.stderr and str(site.file) in done.stderr
