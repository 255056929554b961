"""/metrics of every port: what promtool, Prometheus itself and docs/metrics.md say of it; and who counts as a visitor."""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.parse

import pytest

from session_under_test import SessionTier
from site_under_test import PYTHON_APP, ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("base", "site", "edge", "balancer", "dns", "session", "queue", "agent", "dispatch", "watch")

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
PORTS = {"dns": 15300, "edge": 18080, "balancer": 18000, "session": 16379, "queue": 19092, "watch": 19600, "agent": 9000}


@pytest.fixture(scope="module")
def site():
    with Site(app=PYTHON_APP, edge_places=("london",), extra="\n[watch]\n\n[queue]\n\n[worker.idle]\ncommand = [\"sleep\", \"1000\"]\ntopic = \"idle\"\nretries = 1\n") as up:
        yield up


def token(site):
    return (site.state / "admin.token").read_text().strip()


def metrics(site, tier, at="us-east", accept="*/*"):
    code, headers, body = curl(f"http://{site.addresses[at]}:{PORTS[tier]}/metrics", "-H", f"Accept: {accept}",
                               "-H", f"Authorization: Bearer {token(site)}")
    assert code == 200, body
    return headers["content-type"], body.decode()


def families(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def value(text, name, /, **labels):
    """The sum of a metric's series that have these labels."""
    wanted = [f'{key}="{label}"' for key, label in labels.items()]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if re.match(re.escape(name) + r"[{ ]", line) and all(each in line for each in wanted))


@pytest.mark.parametrize("tier", PORTS)
def test_promtool_finds_nothing_to_mend(site, tier):
    done = subprocess.run(["promtool", "check", "metrics"], input=metrics(site, tier)[1], capture_output=True, text=True,
                          timeout=90, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("tier", PORTS)
def test_open_metrics_is_for_those_who_ask_for_it(site, tier):
    kind, text = metrics(site, tier)
    assert kind == "text/plain; version=0.0.4; charset=utf-8" and "# EOF" not in text
    kind, open_text = metrics(site, tier, accept=OPEN_METRICS)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert open_text.endswith("\n# EOF\n") and "\n\n" not in open_text
    declared = re.findall(r"^# TYPE (\S+) (\S+)$", open_text, re.M)
    assert len({name for name, _ in declared}) == len(declared), "two families have the same name"
    assert not [name for name, _ in declared if name.endswith("_total")]
    assert {f"{name}_total" if kind == "counter" else name for name, kind in declared} == set(families(text))
    for name, unit in re.findall(r"^# UNIT (\S+) (\S+)$", open_text, re.M):
        assert name.endswith(f"_{unit}")


def test_prometheus_scrapes_every_port(site):
    with tempfile.TemporaryDirectory(prefix="meridian-test-") as folder, contextlib.ExitStack() as stack:
        jobs = [{"job_name": tier, "static_configs": [{"targets": [f"{site.addresses['us-east']}:{port}"]}],
                 "authorization": {"credentials": token(site)}} for tier, port in PORTS.items()]
        with open(f"{folder}/prometheus.yml", "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}, file)  # JSON is YAML
        address = f"{site.addresses['us-east']}:9090"
        with open(f"{folder}/log", "w", encoding="utf-8") as log:
            server = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                       f"--web.listen-address={address}"], stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.kill)

        def query(text):
            code, _, body = curl(f"http://{address}/api/v1/query?query={urllib.parse.quote(text)}")
            return json.loads(body)["data"]["result"] if code == 200 else []

        wait_until(lambda: len(query("up == 1")) == len(PORTS), what="Prometheus has scraped every port")
        assert query('meridian_edge_visitor_duration_seconds_bucket{result="hit",le="0.005"}')


def documented():
    """Families by tier, of the tables in docs/metrics.md."""
    found = {}
    tier = None
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if heading := re.fullmatch(r"## `(\w+)`.*", line):
            tier = heading[1]
        elif row := re.match(r"\| `(meridian_\w+)` \| (\w+) \| ([^|]*)\|", line):
            found.setdefault(tier, {})[row[1]] = (row[2], tuple(re.findall(r"`(\w+)`", row[3])))
    return found


@pytest.mark.parametrize("tier", PORTS)
def test_the_page_of_metrics_has_every_family_and_no_other(site, tier):
    # A request for each tier, so that series which come with use are there.
    curl(f"http://{site.addresses['us-east']}:8080/")
    text = metrics(site, tier)[1]
    page = documented()[tier]
    assert {name: kind for name, (kind, _) in page.items()} == families(text)
    for name, (_, labels) in page.items():
        for shown in re.findall(rf"^{name}(?:_count)?(?:\{{(.*)\}})? ", text, re.M):
            assert tuple(re.findall(r'(\w+)="', shown)) == labels, name


def threads_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(")", 1)[1].split()[17])


def test_the_agent_shows_the_host_and_each_of_its_processes(site):
    def engines():
        return next(each for each in site.status()["datacenters"] if each["name"] == "us-east")["engines"]

    # Those that are installed.
    wait_until(lambda: all(each["state"] == "ready" or "not installed" in each["problem"] for each in engines()), what="the engines are ready")
    wait_until(lambda: metrics(site, "agent")[1].count('meridian_host_process_threads{kind="engine"') == len([each for each in engines() if each["pid"]]),
               what="they are in the reading of the host")
    text = metrics(site, "agent")[1]
    east = next(each for each in site.status()["datacenters"] if each["name"] == "us-east")
    pids = {("tier", each["name"]): each["pid"] for each in east["tiers"]} | {("agent", "agent"): east["pid"]}
    pids |= {("instance", each["id"]): each["pid"] for each in east["instances"]} | {("worker", each["id"]): each["pid"] for each in east["workers"]}
    pids |= {("engine", each["name"]): each["pid"] for each in east["engines"] if each["pid"]}
    shown = re.findall(r'^meridian_host_process_resident_bytes\{kind="(\w+)",name="([^"]+)"\} ', text, re.M)
    assert sorted(shown) == sorted(pids)
    for (kind, name), pid in pids.items():
        # A thread may begin or end after the agent's reading, which is at most a second old.
        wait_until(lambda: value(metrics(site, "agent")[1], "meridian_host_process_threads", kind=kind, name=name) == threads_of(pid),
                   what=f"the agent shows the threads of {name}")
        with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
            limit = re.search(r"Max open files +(\d+)", file.read())[1]
        assert value(text, "meridian_host_process_descriptor_limit", kind=kind, name=name) == int(limit), name
        assert 0 < value(text, "meridian_host_process_open_descriptors", kind=kind, name=name) < int(limit)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    assert value(text, "meridian_host_memory_total_bytes") == pytest.approx(memory)
    disk = os.statvfs(site.state)
    assert value(text, "meridian_host_state_filesystem_size_bytes") == pytest.approx(disk.f_blocks * disk.f_frsize)
    assert value(text, "meridian_host_cpu_cores") == os.sysconf("SC_NPROCESSORS_ONLN")
    assert value(text, "meridian_host_network_bytes_total", device="lo", direction="receive") > 0
    assert "nan" not in text.lower()


def test_the_host_is_read_at_most_once_a_second_however_often_it_is_asked(site):
    name = "meridian_agent_host_readings_total"
    begun = time.monotonic()
    before = value(metrics(site, "agent")[1], name)
    for _ in range(20):
        after = value(metrics(site, "agent")[1], name)
    assert 0 < after - before + 1 <= time.monotonic() - begun + 2
    assert value(metrics(site, "agent")[1], "meridian_agent_host_reading_timeouts_total") == 0


def test_an_edge_place_shows_the_same_but_for_instances(site):
    missing = set(families(metrics(site, "edge")[1])) - set(families(metrics(site, "edge", at="london")[1]))
    assert missing and all(re.match("meridian_edge_(instance_|retries|failures|ejections|shed|queued|panic)", name) for name in missing)


def test_visitors_are_counted_by_result_and_data_center_and_probes_are_not(site):
    east = f"http://{site.addresses['us-east']}:8080"

    def counts():
        text = metrics(site, "edge")[1]
        return {name: (value(text, "meridian_edge_visitor_responses_total", **labels),
                       value(text, "meridian_edge_visitor_duration_seconds_count", **{key: label for key, label in labels.items() if key != "code"}))
                for name, labels in {"all": {}, "forwarded": {"result": "forwarded", "datacenter": "us-east", "code": "2xx"},
                                     "here": {"result": "here", "datacenter": "us-east", "code": "4xx"},
                                     "crossed": {"result": "forwarded", "datacenter": "us-west"}}.items()}

    before = counts()
    for path in ("/.meridian/ready", "/.meridian/fallback.js", "/.meridian/nothing"):
        curl(east + path)
    assert counts() == before, "probes are no visitors"
    for _ in range(3):
        assert curl(f"{east}/")[0] == 200
    assert curl(f"{east}/%2emeridian/ready", "--path-as-is")[0] == 400
    # A visitor has the answer before the edge has counted it.
    after = wait_until(lambda: (now := counts())["all"][0] - before["all"][0] >= 4 and now["all"][1] - before["all"][1] >= 4 and now, what="all are counted")
    assert [after["forwarded"][i] - before["forwarded"][i] for i in (0, 1)] == [3, 3]
    assert after["here"][0] - before["here"][0] == 1
    assert after["all"][0] - before["all"][0] == 4


def test_an_edge_place_s_requests_are_counted_by_the_data_center_and_instance_that_served(site):
    london = f"http://{site.addresses['london']}:8080"
    serving = ("us-east", "us-west")

    def crossed():
        text = metrics(site, "edge", at="london")[1]
        return sum(value(text, "meridian_edge_visitor_responses_total", result="forwarded", datacenter=name, code="2xx") for name in serving)

    def tried():
        return sum(value(metrics(site, "balancer", at=name)[1], "meridian_balancer_instance_duration_seconds_count") for name in serving)

    before = crossed(), tried()
    for _ in range(4):
        assert curl(f"{london}/")[0] == 200
    wait_until(lambda: crossed() >= before[0] + 4 and tried() >= before[1] + 4, what="all are counted")
    assert (crossed(), tried()) == (before[0] + 4, before[1] + 4)


def test_dns_times_its_queries_by_transport(site):
    for transport, option in (("udp", "+notcp"), ("tcp", "+tcp")):
        before = value(metrics(site, "dns")[1], "meridian_dns_query_duration_seconds_count", transport=transport)
        for _ in range(3):
            subprocess.run(["dig", option, "-p", "5300", f"@{site.addresses['us-east']}", "photos.example"], check=True, capture_output=True, timeout=90)
        wait_until(lambda t=transport, b=before: value(metrics(site, "dns")[1], "meridian_dns_query_duration_seconds_count", transport=t) == b + 3,
                   what=f"three queries over {transport} are counted")


def test_the_session_tier_times_commands_by_family():
    with SessionTier() as tier, socket.create_connection((tier.address, 6379), timeout=60) as client:
        def counts():
            text = curl(f"http://{tier.address}:16379/metrics")[2].decode()
            return {family: value(text, "meridian_session_command_duration_seconds_count", family=family) for family in ("string", "hash", "pipeline")}

        def ask(requests, replies):
            client.sendall(requests)
            received = b""
            while received.count(b"\r\n") < replies:
                received += client.recv(1000)

        for request in (b"SET a 1\r\n", b"HSET h f 1\r\n", b"SET a 2\r\n"):
            ask(request, 1)
        ask(b"SET a 3\r\nSET b 4\r\n", 2)
        wait_until(lambda: counts() == {"string": 2, "hash": 1, "pipeline": 1}, what="the commands are counted")
        text = curl(f"http://{tier.address}:16379/metrics")[2].decode()
        # A write is acknowledged when it is on disk.
        assert value(text, "meridian_session_command_duration_seconds_sum", family="string") > 0


def test_the_dispatcher_counts_by_instance_and_release(site):
    before = metrics(site, "edge")[1]
    for _ in range(6):
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
    names = ("meridian_edge_instance_requests_total", "meridian_edge_instance_duration_seconds_count")
    after = wait_until(lambda: (now := metrics(site, "edge")[1]) and all(value(now, name) >= value(before, name) + 6 for name in names) and now,
                       what="all are counted")
    for name in names:
        assert value(after, name) == value(before, name) + 6
        labels = re.findall(name + r'\{instance="(us-east-\d+)",release="([^"]+)"\}', after)
        assert len(labels) == 2, after
    assert value(after, "meridian_edge_instance_failures_total") == value(before, "meridian_edge_instance_failures_total")
