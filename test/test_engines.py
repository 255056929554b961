"""Prometheus and Alertmanager as engines of the watch tier: their configuration, who may reach them, and what they tell."""

import base64
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest

import site_under_test
from notice_receiver import NoticeReceiver
from site_under_test import PYTHON_APP, ROOT, Site, curl, wait_until

pytestmark = [pytest.mark.covers("agent", "watch", "cli", "site"), pytest.mark.long]

PROMETHEUS, ALERTMANAGER = 9601, 9602
METRICS_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/metrics_app.py"]\nmetrics = "/metrics"\n'


@pytest.fixture(scope="module")
def receiver():
    one = NoticeReceiver()
    yield one
    one.close()


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return tmp_path_factory.mktemp("engines") / "series"


@pytest.fixture(scope="module")
def site(receiver, series):
    environment = f'environment = {{ SERIES = "{series}" }}\n'
    extra = f'\n[watch]\nwebhook = "{receiver.url}"\n[worker.counter]\n{METRICS_APP}{environment}'
    up = Site(app=METRICS_APP + environment + 'health = "/healthz"', instances=1, edge_places=("london",), wan=True, extra=extra)
    # Letters that mean something to YAML, to a pattern of files, or to a shell.
    up.state = up.folder / 'st[a]te "x": #1'
    with up:
        wait_until(lambda: all(states(up, name) == ["ready", "ready"] for name in ("us-east", "us-west")), what="the engines are ready")
        yield up


def states(site, name):
    return [engine["state"] for engine in site.data_center(name).get("engines", [])]


def engine(site, data_center, name):
    return next(each for each in site.data_center(data_center)["engines"] if each["name"] == name)


def token(site):
    return (site.state / "admin.token").read_text().strip()


def ask(site, path, *options, at="us-east", secret=None):
    """GET at the admin port with the token, or another secret: (status, headers, body)."""
    return curl(f"http://{site.addresses[at]}:9000{path}", "-H", f"Authorization: Bearer {secret or token(site)}", *options)


def query(site, text, at="us-east"):
    code, _, body = ask(site, f"/prometheus/api/v1/query?query={urllib.parse.quote(text)}", at=at)
    return json.loads(body)["data"]["result"] if code == 200 else []


def targets(site, at="us-east"):
    code, _, body = ask(site, "/prometheus/api/v1/targets?state=active", at=at)
    return json.loads(body)["data"]["activeTargets"] if code == 200 else []


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_status_names_the_engines_and_an_edge_place_has_none(site):
    for name, other in (("us-east", "prometheus"), ("us-west", "alertmanager")):
        assert engine(site, name, other)["pid"] > 0 and "problem" not in engine(site, name, other)
    assert "engines" not in site.data_center("london")
    shown = site.run("status").stdout
    assert shown.count("prometheus ") == 2 and shown.count("alertmanager ") == 2


def test_promtool_and_amtool_find_nothing_to_mend(site):
    folder = site.state / "watch-us-east/engines"
    for tool, check, file in (("promtool", ["check", "config"], "prometheus.yml"), ("promtool", ["check", "web-config"], "prometheus.web.yml"),
                              ("promtool", ["check", "web-config"], "alertmanager.web.yml"),
                              ("amtool", ["check-config"], "alertmanager.yml")):
        done = subprocess.run([tool, *check, str(folder / file)], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(["promtool", "check", "rules", "--lint-fatal", str(ROOT / "src/watch/rules/recording.yml")], capture_output=True, text=True,
                          timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_process_of_its_data_center_is_scraped(site):
    wanted = {"dns", "edge", "balancer", "session", "watch", "agent", "prometheus", "alertmanager", "app", "worker"}
    # Alertmanager is a target from when it was ready.
    wait_until(lambda: {each["labels"].get("tier") for each in targets(site)} >= wanted, what="all are targets")
    wait_until(lambda: (all_of := targets(site)) and all(each["health"] == "up" for each in all_of), what="every target is up")
    assert {each["labels"].get("tier") for each in targets(site)} - {None} == wanted
    assert {each["labels"]["dc"] for each in targets(site)} == {"us-east", "us-west"}
    others = [each["labels"] for each in targets(site) if each["labels"]["dc"] == "us-west"]
    assert [each["job"] for each in others] == ["peers"]
    assert query(site, 'meridian_host_cpu_cores{dc="us-east",tier="agent"}')
    assert not query(site, 'prometheus_rule_evaluation_failures_total > 0')


def test_nobody_without_the_password_reads_or_writes(site):
    at = site.addresses["us-east"]
    for port, prefix in ((PROMETHEUS, "/prometheus"), (ALERTMANAGER, "/alertmanager")):
        for path in ("/", prefix + "/", prefix + "/-/ready", prefix + "/metrics", prefix + "/api/v1/query?query=up", prefix + "/api/v2/alerts",
                     prefix + "/federate"):
            assert curl(f"http://{at}:{port}{path}")[0] == 401, path
        for wrong in (basic("meridian", "wrong"), basic("meridian", token(site)), basic("", ""), f"Authorization: Bearer {token(site)}"):
            assert curl(f"http://{at}:{port}{prefix}/", "-H", wrong)[0] == 401, wrong
        assert curl(f"http://{at}:{port}{prefix}/api/v2/silences", "-X", "POST", "-d", "{}")[0] == 401
        assert curl(f"http://{at}:{port}{prefix}/-/quit", "-X", "POST")[0] == 401
    # The password of one does not open the other.
    passwords = {port: (site.state / f"watch-us-east/engines/{name}.password").read_text()
                 for name, port in (("prometheus", PROMETHEUS), ("alertmanager", ALERTMANAGER))}
    for of in (PROMETHEUS, ALERTMANAGER):
        for port, prefix in ((PROMETHEUS, "/prometheus"), (ALERTMANAGER, "/alertmanager")):
            assert curl(f"http://{at}:{port}{prefix}/-/ready", "-H", basic("meridian", passwords[of]))[0] == (200 if port == of else 401)


def test_neither_of_them_has_the_token_and_no_file_is_open_to_others(site):
    secret = token(site).encode()
    files = [path for name in ("us-east", "us-west") for path in (site.state / f"watch-{name}").rglob("*")]
    for name in ("prometheus", "alertmanager"):
        pid = engine(site, "us-east", name)["pid"]
        files += [pathlib.Path(f"/proc/{pid}/cmdline"), pathlib.Path(f"/proc/{pid}/environ"), site.state / f"logs/us-east/{name}.log"]
    assert len(files) > 20
    for path in files:
        if path.is_file() and path.name != "lock":
            assert secret not in path.read_bytes(), path
    for path in (site.state / "watch-us-east/engines").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    for name in ("", "engines", "prometheus", "alertmanager"):
        assert (site.state / "watch-us-east" / name).stat().st_mode & 0o777 == 0o700, name


def test_the_password_of_prometheus_reads_metrics_and_nothing_else(site):
    secret = (site.state / "watch-us-east/engines/metrics.password").read_text()
    assert ask(site, "/metrics", secret=secret)[0] == 200
    assert ask(site, "/.meridian/metrics/edge", secret=secret)[0] == 200
    for path in ("/.meridian/status", "/.meridian/view", "/prometheus/", "/.meridian/tier/session/lag"):
        assert ask(site, path, secret=secret)[0] == 401, path
    for path in ("/.meridian/drain", "/metrics", "/.meridian/logs"):
        assert ask(site, path, "-X", "POST", secret=secret)[0] == 401, path


def test_people_sign_in_at_the_admin_port(site):
    at = f"http://{site.addresses['us-east']}:9000"
    code, headers, _ = curl(at + "/prometheus/graph")
    assert code == 401 and headers["www-authenticate"].startswith("Basic")
    right = basic("anne", token(site))
    code, headers, body = curl(at + "/prometheus/classic/graph", "-H", right)  # where Debian sends people
    assert code == 200 and b"<html" in body.lower() and headers["x-frame-options"] == "DENY"
    assert curl(at + "/alertmanager/", "-H", right)[0] == 200
    assert curl(at + "/prometheus", "-H", right)[1]["location"].startswith("/prometheus/")
    assert json.loads(curl(at + "/prometheus/api/v1/query", "-H", right, "-d", "query=1")[2])["status"] == "success"
    assert curl(at + "/prometheus/graph", "-H", basic("anne", token(site)[1:]))[0] == 401
    # A page of another site, in the browser that has the password.
    for field in ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Origin: null"):
        assert curl(at + "/alertmanager/api/v2/silences", "-H", right, "-H", field, "-d", "{}")[0] == 403, field
    # The password does nothing elsewhere at this port.
    assert curl(at + "/.meridian/drain", "-X", "POST", "-H", right)[0] == 401
    # Nobody stops an engine, has it read its files, or writes to it; not in another spelling either.
    for name in ("prometheus", "alertmanager"):
        for path in ("/api/v1/admin/tsdb/snapshot", "/-/quit", "/-/reload", "/api/v1/write", "/debug/pprof/heap"):
            for method in ("GET", "POST", "PUT"):
                assert ask(site, f"/{name}{path}", "-X", method)[0] == 403, path
        for path in ("/%2d/reload", "/-%2freload", "/x/../-/reload", "//-/reload", "/./-/reload", "/../.meridian/drain"):
            assert ask(site, f"/{name}{path}", "-X", "POST", "--path-as-is")[0] == 400, path
        assert ask(site, f"/{name}/-/ready")[0] == 200
        assert ask(site, f"/{name}/x", "-X", "PUT", "-d", "a")[0] == 405


def test_each_data_center_has_the_aggregates_of_the_other(site):
    wait_until(lambda: query(site, 'peer:dc:meridian_tiers_ready:sum{dc="us-west"}'), what="us-east has the aggregates of us-west")
    wait_until(lambda: query(site, 'peer:dc:meridian_tiers_ready:sum{dc="us-east"}', at="us-west"), what="us-west has those of us-east")
    value = query(site, 'peer:dc:meridian_tiers_ready:sum{dc="us-west"}')[0]
    assert value["value"][1] == "5" and "job" not in value["metric"] and "instance" not in value["metric"]
    # Under another name: what is recorded here is of here.
    assert query(site, '{__name__=~"[^:]+:[^:]+:[^:]+",dc="us-west"}') == []
    # Nothing comes back, and no other series: recorded ones alone.
    assert query(site, '{__name__=~"peer:.*",dc="us-east"}') == []
    assert ask(site, "/.meridian/aggregates")[0] == 200
    assert curl(f"http://{site.addresses['us-east']}:9000/.meridian/aggregates")[0] == 401
    assert ask(site, "/.meridian/peer-aggregates?dc=us-west")[0] == 200
    for nobody in ("", "?dc=us-east", "?dc=london", "?dc=us-west&x", "?dc=nowhere"):
        assert ask(site, f"/.meridian/peer-aggregates{nobody}")[0] == 404, nobody


def test_an_application_s_metrics_are_capped_and_cannot_pass_for_meridian_s(site, series):
    found = wait_until(lambda: query(site, "orders_total"), what="the application's metrics are there")
    assert {(each["metric"]["tier"], each["metric"]["instance"]) for each in found} >= {("app", "us-east-1")}
    assert all(each["metric"]["dc"] == "us-east" and each["metric"]["exported_dc"] == "nowhere" for each in found)
    wait_until(lambda: query(site, 'orders_total{tier="worker",worker="counter",instance="us-east.counter-1"}'), what="those of a worker")
    assert query(site, '{__name__=~"meridian_.*|.*:.*|up",tier=~"app|worker"} > 1') == []
    series.write_text("1100")
    try:
        failed = wait_until(lambda: [each for each in targets(site) if each["labels"]["job"] == "app" and each["health"] == "down"], what="it is refused")
        assert "sample limit" in failed[0]["lastError"]
    finally:
        series.unlink()


def test_a_killed_engine_is_back_and_visitors_notice_nothing(site):
    for name in ("prometheus", "alertmanager"):
        before = engine(site, "us-west", name)["pid"]
        os.kill(before, signal.SIGKILL)
        # Started again within 5 s; its status meanwhile is "down", or already that of the next process. How long that takes to be ready
        # is its own affair.
        wait_until(lambda n=name, b=before: engine(site, "us-west", n)["pid"] not in (0, b), 5, f"{name} is started again")
        now = wait_until(lambda n=name: (e := engine(site, "us-west", n))["state"] == "ready" and e, what=f"{name} is back")
        assert "problem" not in now
        assert site.state_of("us-west") == "serving" and "problem" not in site.data_center("us-west")


def test_a_hung_engine_is_in_the_status_and_replaced():
    with Site(("us-east",), app=PYTHON_APP, instances=1, extra='\n[agent]\nhung_timeout = "20s"\n[watch]\n') as site:
        before = wait_until(lambda: states(site, "us-east") == ["ready", "ready"] and engine(site, "us-east", "prometheus"), what="it is ready")
        os.kill(before["pid"], signal.SIGSTOP)
        hung = wait_until(lambda: (e := engine(site, "us-east", "prometheus"))["state"] == "hung" and e, what="it is hung")
        assert "hung_timeout" in hung["problem"]
        assert site.state_of("us-east") == "serving" and "problem" not in site.data_center("us-east")
        assert ask(site, "/prometheus/")[0] == 503
        wait_until(lambda: (e := engine(site, "us-east", "prometheus"))["state"] == "ready" and e["pid"] != before["pid"], what="it is replaced")
        # With the data center dies every process of it.
        pids = [each["pid"] for each in site.data_center("us-east")["engines"]]
        site.run("dc", "kill", "us-east")
        assert not [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]


def test_no_engine_outlives_its_agent():
    with Site(("us-east",), app=PYTHON_APP, instances=1, extra="\n[watch]\n") as site:
        wait_until(lambda: states(site, "us-east") == ["ready", "ready"], what="they are ready")
        pids = [each["pid"] for each in site.data_center("us-east")["engines"]]
        os.kill(site.guard_and_agent("us-east")[1], signal.SIGKILL)
        wait_until(lambda: not [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()], 5, "they are gone with it")
        # Neither the ports nor the data are held by anybody.
        wait_until(lambda: site.run("dc", "start", "us-east", check=False).returncode == 0, what="it starts again")
        wait_until(lambda: states(site, "us-east") == ["ready", "ready"], what="they are ready again")
        assert [each for each in site.data_center("us-east")["engines"] if "problem" in each or each["pid"] in pids] == []


def test_a_stranger_on_the_port_of_an_engine_is_named_and_shown_no_password():
    site = Site(("us-east",), app=PYTHON_APP, instances=1, extra="\n[watch]\n")
    at = (site.addresses["us-east"], PROMETHEUS)
    stranger = socket.create_server(at)
    try:
        with site:
            problem = wait_until(lambda: engine(site, "us-east", "prometheus").get("problem"), what="it is told")
            assert f"{at[0]}:{at[1]}, for prometheus, is in use by" in problem and str(os.getpid()) in problem and "[watch]" in problem
            assert engine(site, "us-east", "prometheus")["pid"] == 0 and ask(site, "/prometheus/")[0] == 503
            assert "is in use by" in site.run("doctor", check=False).stdout
            wait_until(lambda: engine(site, "us-east", "alertmanager")["state"] == "ready", what="the other one is ready")
            # Nobody came.
            stranger.settimeout(0)
            with pytest.raises(BlockingIOError):
                stranger.accept()
            stranger.close()
            wait_until(lambda: engine(site, "us-east", "prometheus")["state"] == "ready", what="it runs once the port is free")
    finally:
        stranger.close()


def test_prometheus_shows_no_password_to_a_stranger_on_the_port_of_alertmanager():
    """Prometheus could not tell it from Alertmanager."""
    site = Site(("us-east",), app=PYTHON_APP, instances=1, extra="\n[watch]\n")
    at = (site.addresses["us-east"], ALERTMANAGER)
    stranger = socket.create_server(at)
    stranger.settimeout(0)
    scrapes = 'min(count_over_time(up{job=~"edge|prometheus"}[10m]))'
    try:
        with site:
            wait_until(lambda: (now := query(site, scrapes)) and int(now[0]["value"][1]) > 2, 60, "Prometheus has scraped three times")
            assert not query(site, 'up{job="alertmanager"}')
            with pytest.raises(BlockingIOError):
                stranger.accept()
            stranger.close()
            wait_until(lambda: query(site, 'up{job="alertmanager"} == 1') and query(site, "prometheus_notifications_alertmanagers_discovered == 1"), 60,
                       "it runs, and Prometheus knows it")
    finally:
        stranger.close()


def test_a_rule_that_prometheus_refuses_is_in_the_status(tmp_path, monkeypatch):
    """Without the word `record`, it ends at once, and prints why."""
    (tmp_path / "share/meridian/rules").mkdir(parents=True)
    shutil.copy(site_under_test.MERIDIAN, tmp_path / "meridian")
    rules = tmp_path / "share/meridian/rules/wrong.yml"
    rules.write_text("groups: [{name: wrong, rules: [{expr: up}]}]\n")
    monkeypatch.setattr(site_under_test, "MERIDIAN", str(tmp_path / "meridian"))
    with Site(("us-east",), app=PYTHON_APP, instances=1, extra="\n[watch]\n") as site:
        problem = wait_until(lambda: (e := engine(site, "us-east", "prometheus")).get("problem", "").count("times in a row") and e["problem"], what="it is told")
        assert "it printed last" in problem and "logs/us-east/prometheus.log" in problem
        assert "wrong.yml" in (site.state / "logs/us-east/prometheus.log").read_text()
        assert site.state_of("us-east") == "serving"
        rules.unlink()
        wait_until(lambda: engine(site, "us-east", "prometheus")["state"] == "ready", what="it runs once the file is mended")


def test_a_notice_that_concerns_the_site_is_sent_once(site, receiver):
    owners = wait_until(lambda: [name for name in ("us-east", "us-west")
                                 if next(dc for dc in site.view(name)["datacenters"] if dc["name"] == name)["owns_notices"]], 20, "somebody is the owner")
    assert owners == ["us-east"]
    ends = {"SiteWide": None, "Local": None}

    def post():
        for at in ("us-east", "us-west"):
            alerts = [{"labels": {"alertname": "SiteWide", "dc": "eu", "scope": "site"}}, {"labels": {"alertname": "Local", "dc": at, "scope": "dc"}}]
            for alert in alerts:
                if ends[alert["labels"]["alertname"]]:
                    alert["endsAt"] = ends[alert["labels"]["alertname"]]
            assert ask(site, "/alertmanager/api/v2/alerts", "-H", "Content-Type: application/json", "-d", json.dumps(alerts), at=at)[0] == 200

    # The Alertmanager of us-west was told not to send it when it was seen that us-east is the owner.
    wait_until(lambda: "scope=" in (site.state / "watch-us-west/engines/alertmanager.yml").read_text()
               and "scope=" not in (site.state / "watch-us-east/engines/alertmanager.yml").read_text(), 10, "the configurations say so")
    post()
    wait_until(lambda: len(receiver.of("Local")) == 2 and len(receiver.of("SiteWide")) == 1, what="the notices are there")
    (url, status), = receiver.of("SiteWide")
    assert status == "firing" and site.addresses["us-east"] in url
    ends.update(SiteWide=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), Local=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    post()
    wait_until(lambda: len(receiver.of("Local")) == 4 and len(receiver.of("SiteWide")) == 2, what="their end is told")
    assert receiver.of("SiteWide")[1] == (url, "resolved")
    # It is lost: the other tells from now on, and goes on when it is back.
    site.run("dc", "kill", "us-east")
    owns = lambda name: next(dc for dc in site.view(name)["datacenters"] if dc["name"] == name)["owns_notices"]  # noqa: E731
    wait_until(lambda: owns("us-west"), what="us-west takes over")
    wait_until(lambda: "scope=" not in (site.state / "watch-us-west/engines/alertmanager.yml").read_text(), what="its configuration says so")
    site.run("dc", "start", "us-east")
    wait_until(lambda: states(site, "us-east") == ["ready", "ready"], what="us-east is back")
    wait_until(lambda: site.hears("us-east", "us-west"), what="they hear each other")
    assert owns("us-west") and not owns("us-east")


def test_without_the_programs_the_site_serves_on_and_says_what_is_missing(tmp_path):
    site = Site(("us-east",), app=PYTHON_APP, instances=1, extra='\n[watch]\nslack = "$NO_SUCH_VARIABLE"\n')
    site.environment["PATH"] = str(tmp_path)
    with site:
        assert site.state_of("us-east") == "serving"
        for name, package in (("prometheus", "prometheus"), ("alertmanager", "prometheus-alertmanager")):
            assert engine(site, "us-east", name)["problem"] == f"{name} is not installed: apt-get install {package}"
        assert "apt-get install prometheus" in site.run("status").stdout
        # It is looked for again.
        (tmp_path / "alertmanager").symlink_to("/usr/bin/prometheus-alertmanager")
        problem = wait_until(lambda: (e := engine(site, "us-east", "alertmanager"))["state"] == "ready" and e["problem"], what="Alertmanager is found")
        assert "NO_SUCH_VARIABLE" in problem


def test_an_external_prometheus_takes_their_place(tmp_path):
    with Site(("us-east",), app=PYTHON_APP, instances=1, edge_places=("london",), extra='\n[watch]\nexternal = "http://metrics.example:9090/api/v1/write"\n') as site:
        assert site.data_center("us-east")["engines"] == [{"name": "prometheus", "state": "external", "pid": 0, "port": 0, "url": "http://metrics.example:9090"}]
        assert site.tier("us-east", "watch")["state"] == "ready"
        assert [each["name"] for each in site.data_center("us-east")["tiers"]].count("watch") == 1
        assert ask(site, "/prometheus/")[0] == 503
        text = site.run("watch", "scrape-config").stdout
        (tmp_path / "prometheus.yml").write_text(text)
        done = subprocess.run(["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert token(site) not in text
        scraped = set()
        for job in json.loads(text.partition("\n")[2])["scrape_configs"]:
            for each in job["static_configs"]:
                labels, at = each["labels"], each["targets"][0]
                code, _, body = curl(f"http://{at}{labels['__metrics_path__']}", "-H", f"Authorization: Bearer {job['authorization']['credentials']}")
                assert code == 200 and body.startswith(b"# HELP meridian_"), labels
                scraped.add((labels["dc"], labels["tier"]))
        assert scraped == {("us-east", tier) for tier in ("agent", "watch", "session", "balancer", "edge", "dns")} | {("london", tier) for tier in ("agent", "edge", "dns")}
        assert "london" not in site.run("watch", "scrape-config", "--dc", "us-east").stdout
        assert site.run("watch", "scrape-config", "--dc", "us-eats", check=False).returncode == 2
