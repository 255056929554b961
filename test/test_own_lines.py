"""The lines of Meridian's own processes in the log store, and the copies that the other data centers keep."""

import datetime
import json
import os
import re
import signal
import time
import uuid

import pytest

from site_under_test import PYTHON_APP, Site, curl, wait_until, whole_lines

pytestmark = pytest.mark.covers("watch", "agent", "base", "cli", "site")

HANGUP = "SIGHUP is ignored"  # a tier writes a line with it for each SIGHUP


@pytest.fixture(scope="module")
def site():
    with Site(app=PYTHON_APP, instances=1, extra="\n[watch]\naccess_log = true\n") as up:
        yield up


def logs(site, *arguments):
    """The lines that `meridian logs` finds, as JSON."""
    return [json.loads(line) for line in site.run("logs", "--json", "--count", "10000", *arguments).stdout.splitlines()]


def metric(site, name, data_center="us-east", labels=""):
    text = curl(f"http://{site.addresses[data_center]}:19600/metrics")[2].decode()
    found = re.search(rf"^{name}{re.escape(labels)} (\S+)$", text, re.M)
    return float(found[1]) if found else None


def pid_of(site, tier, data_center="us-east"):
    return wait_until(lambda: site.tier(data_center, tier)["pid"], what=f"{tier} runs")


def written(site, tier, data_center="us-east"):
    """The times of a tier's lines about SIGHUP, in its files."""
    folder = site.state / "logs" / data_center
    lines = [line for file in folder.glob(f"{tier}.log*") for line in whole_lines(file) if HANGUP in line]
    return sorted(json.loads(line)["time"] for line in lines)


def write_lines(site, tier, count, data_center="us-east"):
    """Makes a tier write lines: their times are all that tells them apart."""
    pid = pid_of(site, tier, data_center)
    for _ in range(count):
        before = len(written(site, tier, data_center))
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda before=before: len(written(site, tier, data_center)) > before, what="the line is written")


def stored(site, tier, data_center="us-east"):
    return sorted(line["time"] for line in logs(site, "SIGHUP ignored", "--tier", tier, "--dc", data_center))


def assert_each_once(site, tier, data_center="us-east"):
    wait_until(lambda: len(stored(site, tier, data_center)) >= len(written(site, tier, data_center)), what="all lines are stored")
    assert stored(site, tier, data_center) == written(site, tier, data_center)


def test_a_tiers_lines_are_found_by_its_name(site):
    write_lines(site, "edge", 1)
    line, *_ = wait_until(lambda: logs(site, "SIGHUP", "--tier", "edge"), what="the line is found")
    assert (line["dc"], line["tier"], line["level"]) == ("us-east", "edge", "info")
    assert line["host"] and line["text"].startswith(HANGUP) and "process" not in line.get("fields", {})
    assert_each_once(site, "edge")
    assert logs(site, "SIGHUP", "--tier", "dns") == []
    shown = site.run("logs", "SIGHUP", "--tier", "edge").stdout
    assert " us-east edge info " in shown


def test_agent_guard_lab_and_watch_have_lines_too(site):
    guard, agent = site.guard_and_agent("us-east")
    lab = int((site.state / "lock").read_text())
    for tier, pid in (("agent", agent), ("guard", guard), ("lab", lab), ("watch", pid_of(site, "watch"))):
        os.kill(pid, signal.SIGHUP)
        lines = wait_until(lambda tier=tier: logs(site, "SIGHUP", "--tier", tier, "--dc", "us-east"), what=f"{tier} has lines")
        assert {line["tier"] for line in lines} == {tier}
    assert logs(site, "--tier", "lab", "--dc", "us-west") == []


def test_the_application_has_its_lines_once_though_the_agents_log_repeats_them(site):
    word = uuid.uuid4().hex
    assert curl(f"http://{site.addresses['us-east']}:8080/{word}")[0] == 200
    agent = site.state / "logs/us-east/agent.log"
    wait_until(lambda: word in agent.read_text(), what="the agent's log has it")
    write_lines(site, "edge", 1)
    assert_each_once(site, "edge")  # behind it
    lines = wait_until(lambda: logs(site, f"received {word}"), what="the application's line is found")
    assert [line["tier"] for line in lines] == ["app"]


def test_the_access_log_is_found_by_the_trace_of_a_request(site):
    trace, word = uuid.uuid4().hex, uuid.uuid4().hex
    assert curl(f"http://{site.addresses['us-east']}:8080/{word}", "-H", f"traceparent: 00-{trace}-00f067aa0ba902b7-01")[0] == 200
    line, = wait_until(lambda: logs(site, "--trace", trace, "--tier", "edge"), what="the request is found")
    assert line["name"] == "access" and line["fields"]["target"] == f"/{word}"


def test_kills_of_watch_neither_lose_nor_repeat_a_line(site):
    for _ in range(3):
        write_lines(site, "edge", 3)
        killed = pid_of(site, "watch")
        os.kill(killed, signal.SIGKILL)
        write_lines(site, "edge", 3)
        wait_until(lambda killed=killed: pid_of(site, "watch") != killed and site.tier("us-east", "watch")["state"] == "ready", what="watch is back")
        # A follower that has heard nothing of a process between two kills stores lines of the one before twice.
        wait_until(lambda: set(written(site, "edge")) <= set(copied_times(site, "us-west", "SIGHUP", "edge")), what="us-west has all lines")
    assert_each_once(site, "edge")
    assert copied_times(site, "us-west", "SIGHUP", "edge") == written(site, "edge")


def test_rotation_while_watch_is_stopped_loses_no_line(site):
    stopped = pid_of(site, "watch")
    os.kill(stopped, signal.SIGSTOP)
    try:
        log = site.state / "logs/us-east/edge.log"
        for _ in range(2):
            write_lines(site, "edge", 2)
            for number in (2, 1):
                if (older := log.with_name(f"edge.log.{number}")).exists():
                    older.rename(log.with_name(f"edge.log.{number + 1}"))
            log.rename(log.with_name("edge.log.1"))
        write_lines(site, "edge", 2)
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert_each_once(site, "edge")
    assert metric(site, "meridian_watch_own_gaps_total") == 0


def test_a_log_that_was_removed_unread_is_told(site):
    stopped = pid_of(site, "watch")
    os.kill(stopped, signal.SIGSTOP)
    try:
        (site.state / "logs/us-east/dns.log").unlink()
        write_lines(site, "dns", 1)
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert_each_once(site, "dns")
    gap, = wait_until(lambda: logs(site, "lines may be missing", "--tier", "dns"), what="the gap is told")
    assert gap["marks"] == ["dropped"] and gap["level"] == "warning"


def test_a_tiers_lines_come_while_its_agent_is_stopped(site):
    pids = site.guard_and_agent("us-west")
    pid = pid_of(site, "edge", "us-west")
    before = metric(site, "meridian_watch_entries_total", "us-west")
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: metric(site, "meridian_watch_entries_total", "us-west") > before, what="watch has the line")
    finally:
        for each in reversed(pids):
            os.kill(each, signal.SIGCONT)
    assert_each_once(site, "edge", "us-west")


def test_lines_of_watch_itself_make_no_further_lines(site):
    write_lines(site, "watch", 1)
    assert_each_once(site, "watch")
    read = metric(site, "meridian_watch_own_bytes_total")
    log = site.state / "logs/us-east/watch.log"
    size = log.stat().st_size
    write_lines(site, "edge", 3)
    assert_each_once(site, "edge")
    assert log.stat().st_size == size
    assert metric(site, "meridian_watch_own_bytes_total") < read + 64 * 1024


def test_why_a_data_center_died_is_found_at_the_survivor(site):
    wait_until(lambda: metric(site, "meridian_watch_copy_connected", "us-west", '{datacenter="us-east"}') == 1, what="us-west copies us-east's lines")
    word = uuid.uuid4().hex
    write_lines(site, "edge", 2)
    assert curl(f"http://{site.addresses['us-east']}:8080/{word}")[0] == 200
    last = written(site, "edge")
    wait_until(lambda: len(copied(site, "us-west", "SIGHUP", "edge")) >= len(last), what="the last lines have come")
    wait_until(lambda: copied(site, "us-west", word, "app"), what="and those of the application")
    site.run("dc", "kill", "us-east")
    done = site.run("logs", "SIGHUP ignored", "--tier", "edge", "--json", "--count", "10000")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["time"] for line in lines if line["dc"] == "us-east") == last
    assert re.search(r"us-east is missing: .*; its lines are copies that us-west keeps, up to 20\d\d-", done.stderr)
    # The application's lines too, and with --dc.
    line, = logs(site, word, "--dc", "us-east", "--tier", "app")
    assert line["text"].startswith(f"received GET /{word}")
    # Alive again, its own answers count, and nothing is shown twice.
    site.run("dc", "start", "us-east")
    assert_each_once(site, "edge")
    alive = site.run("logs", "SIGHUP ignored", "--tier", "edge")
    assert "copies" not in alive.stderr and "missing" not in alive.stderr


def copied(site, keeper, words, tier):
    """The lines of us-east in the copy that `keeper` has, asked for at its agent."""
    token = (site.state / "admin.token").read_text().strip()
    body = json.dumps({"order": "newest", "limit": 1000, "tier": tier, "terms": [word.lower() for word in words.split()]})
    code, _, answer = curl(f"http://{site.addresses[keeper]}:9000/.meridian/logs?copy=us-east", "-X", "POST", "-d", body,
                           "-H", f"Authorization: Bearer {token}")
    return json.loads(answer)["entries"] if code == 200 else []


def copied_times(site, keeper, words, tier):
    """Their times as in the log files, in order."""
    epoch = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
    times = [epoch + datetime.timedelta(microseconds=line["time"]) for line in copied(site, keeper, words, tier)]
    return sorted(each.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for each in times)


def ticks(lines):
    return sorted(float(line["text"].split()[1]) for line in lines)


def test_what_was_printed_just_before_the_kill_is_in_the_copy(tmp_path):
    """Each second 50 lines are printed; at the kill, those of the time up to a second before it have come."""
    clock = tmp_path / "clock.py"
    clock.write_text("import time\nwhile True:\n    print(f'tick {time.time():.3f}', flush=True)\n    time.sleep(0.02)\n")
    worker = f"\n[worker.clock]\ncommand = ['/usr/bin/python3', '{clock}']\n"
    with Site(app=PYTHON_APP, instances=1, extra="\n[watch]\n" + worker) as site:
        guard, _ = site.guard_and_agent("us-east")
        # The kill comes when the processor is free enough for the copy to keep up.
        wait_until(lambda: time.time() - max(ticks(copied(site, "us-west", "tick", "worker")), default=0) < 0.5, 60, "lines are copied")
        killed = time.time()
        os.killpg(os.getpgid(guard), signal.SIGKILL)
        times = ticks(logs(site, "tick", "--dc", "us-east", "--since", "1m"))
        assert killed - times[-1] < 1, "the last line is too old"
        assert len(times) == len(set(times))


def test_a_link_that_was_cut_and_heals_is_caught_up():
    with Site(app=PYTHON_APP, instances=1, extra="\n[watch]\n", wan=True) as site:
        connected = '{datacenter="us-east"}'
        wait_until(lambda: metric(site, "meridian_watch_copy_connected", "us-west", connected) == 1, what="lines are copied")
        site.link("us-east", "us-west", "--cut")
        wait_until(lambda: metric(site, "meridian_watch_copy_connected", "us-west", connected) == 0, what="the cut is noticed")
        write_lines(site, "edge", 3)
        wait_until(lambda: metric(site, "meridian_watch_copy_behind_seconds", "us-west", connected) > 3, what="the copy is behind")
        assert copied(site, "us-west", "SIGHUP", "edge") == []
        site.link("us-east", "us-west", "--heal")
        wait_until(lambda: len(copied(site, "us-west", "SIGHUP", "edge")) == 3, what="it has caught up")
        wait_until(lambda: metric(site, "meridian_watch_copy_behind_seconds", "us-west", connected) < 3, what="the copy is whole")


def test_kills_of_the_tier_that_copies_neither_lose_nor_repeat_a_line(site):
    for _ in range(2):
        write_lines(site, "dns", 2)
        killed = pid_of(site, "watch", "us-west")
        os.kill(killed, signal.SIGKILL)
        write_lines(site, "dns", 2)
        wait_until(lambda killed=killed: pid_of(site, "watch", "us-west") != killed, what="watch is back")
    expected = written(site, "dns")
    wait_until(lambda: set(expected) <= set(copied_times(site, "us-west", "SIGHUP", "dns")), what="all lines are copied")
    assert copied_times(site, "us-west", "SIGHUP", "dns") == expected
