"""What others build on: ports, metrics, the environment of instances, one data center by itself, the commands that `up` prints."""

import contextlib
import json
import re
import signal
import socket
import ssl
import subprocess

import pytest

from dns_clients import ask
from site_under_test import MERIDIAN, ROOT, Site, curl, wait_until, whole_lines

pytestmark = pytest.mark.covers("base", "site", "agent", "queue")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
NEW_YORK = "198.51.100.0/24"
OPS, PEER = 10000, 20000


@pytest.fixture(scope="module")
def site(quiet_site):
    return quiet_site


def listening(address):
    """The TCP ports that somebody listens on at this address."""
    out = subprocess.run(["ss", "-Hltn", "src", address], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[3].rsplit(":", 1)[1]) for line in out.splitlines()}


def environment_of(pid):
    with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
        return dict(entry.split("=", 1) for entry in file.read().split("\0") if "=" in entry)


def test_ports_are_those_of_the_contract(site):
    for dc in site.status()["datacenters"]:
        assert {tier["name"]: tier["port"] for tier in dc["tiers"]} == {"dns": 5300, "edge": 8080, "balancer": 8000, "session": 6379}
        assert listening(dc["address"]) >= {5300, 8080, 8443, 8000, 9000, 8000 + PEER}


def test_nothing_listens_beyond_the_site_s_addresses(site):
    pids = set(site.processes())
    out = subprocess.run(["ss", "-Hlntup"], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        if "meridian" in line and pids & {int(pid) for pid in re.findall(r"pid=(\d+)", line)}:
            assert line.split()[4].rsplit(":", 1)[0] in (*site.addresses.values(), "127.0.0.1"), line


def test_every_tier_has_metrics_with_known_series_from_the_start(site):
    for dc in site.status()["datacenters"]:
        for tier in dc["tiers"]:
            found = [address for address in (dc["address"], "127.0.0.1") if curl(f"http://{address}:{tier['port'] + OPS}/metrics")[0] == 200]
            assert found, f"{tier['name']} of {dc['name']} has no metrics at port {tier['port'] + OPS}"
            _, fields, body = curl(f"http://{found[0]}:{tier['port'] + OPS}/metrics")
            assert fields["content-type"].startswith("text/plain; version=0.0.4")
            families = {}
            for line in body.decode().splitlines():
                sample = re.fullmatch(r'([a-z_][a-z0-9_]*)(\{[^}]*\})? (\S+)', line)
                if line.startswith("# TYPE "):
                    families[line.split()[2]] = line.split()[3]
                elif not line.startswith("#"):
                    assert sample, line
                    float(sample.group(3))
                    name = re.sub(r"_(bucket|sum|count)$", "", sample.group(1))
                    assert sample.group(1) in families or families.get(name) == "histogram", line
            assert any(name.startswith(f"meridian_{tier['name']}_") for name in families)
            counters = [name for name, kind in families.items() if kind == "counter"]
            assert counters and all(name.endswith("_total") for name in counters)


def test_a_metric_counts_what_it_says(site):
    east = site.addresses["us-east"]

    def count(series):
        return sum(float(line.rsplit(" ", 1)[1]) for line in curl(f"http://{east}:18080/metrics")[2].decode().splitlines()
                   if line.startswith(series + " ") or line.startswith(series + "{"))

    before = count("meridian_edge_visitor_requests_total")
    for _ in range(7):
        curl(f"http://{east}:8080/")
    wait_until(lambda: count("meridian_edge_visitor_requests_total") >= before + 7, what="all are counted")
    assert count("meridian_edge_visitor_requests_total") == before + 7


VIEW_REQUEST = b"GET /.meridian/view HTTP/1.1\r\nHost: us-east\r\nConnection: close\r\n\r\n"


def trusting(site):
    """TLS for a client that has the site's authority and no certificate of its own."""
    context = ssl.create_default_context(cafile=site.state / "ca/authority.pem")
    context.check_hostname = False
    return context


@pytest.mark.parametrize("port", [8000 + PEER, 6379 + PEER])
def test_what_stands_between_data_centers_demands_the_site_s_certificate(site, port):
    east = site.addresses["us-east"]
    with socket.create_connection((east, port), timeout=60) as plain, trusting(site).wrap_socket(plain) as tls:
        # With TLS 1.3 a client learns only after the handshake that its certificate was missed. It sends nothing: the alert
        # would be lost to the reset that follows unread bytes.
        with pytest.raises(ssl.SSLError) as refused:
            tls.recv(1000)
        assert refused.value.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    # Nor without TLS.
    with socket.create_connection((east, port), timeout=60) as plain, pytest.raises(ConnectionResetError):
        plain.sendall(VIEW_REQUEST)
        plain.recv(1000)


def test_the_admin_port_demands_a_token_with_tls_and_without(site):
    with socket.create_connection((site.addresses["us-east"], 9000), timeout=60) as plain:
        plain.sendall(VIEW_REQUEST)
        assert plain.recv(1000).startswith(b"HTTP/1.1 401 ")
    with socket.create_connection((site.addresses["us-east"], 9000), timeout=60) as plain, trusting(site).wrap_socket(plain) as tls:
        tls.sendall(VIEW_REQUEST)
        assert tls.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_instances_are_told_where_they_are(site):
    for name, address in site.addresses.items():
        told = [json.loads(curl(f"http://{address}:8080/")[2]) for _ in range(20)]
        assert {each["instance"] for each in told} == {f"{name}-1", f"{name}-2"}
        assert {each["dc"] for each in told} == {name}
        assert {each["release"] for each in told} == {"2026.11"}
        for instance in site.data_center(name)["instances"]:
            assert (instance["release"], instance["state"]) == ("2026.11", "healthy")
            host, port = instance["address"].rsplit(":", 1)
            pid = next(each["pid"] for each in told if each["instance"] == instance["id"])
            environment = environment_of(pid)
            assert {key: environment.get(key) for key in ("PORT", "MERIDIAN_DC", "MERIDIAN_INSTANCE", "MERIDIAN_RELEASE", "GREETING")} == {
                "PORT": port, "MERIDIAN_DC": name, "MERIDIAN_INSTANCE": instance["id"], "MERIDIAN_RELEASE": "2026.11", "GREETING": "hello"}


@pytest.mark.parametrize("keys, brokers", [("", "{address}:9092"), ("port = 9192", "{address}:9192"),
                                           ('external = "kafka://ann@k1.internal:9092,k2.internal:9093/?a=b"', "k1.internal:9092,k2.internal:9093")])
def test_instances_find_the_queue_of_their_data_center_at_kafka_brokers(keys, brokers):
    with Site(("us-east",), app=APP, extra=f"\n[queue]\n{keys}\n", instances=1) as site:
        address = site.addresses["us-east"]
        environment = environment_of(json.loads(curl(f"http://{address}:8080/")[2])["pid"])
        assert environment["KAFKA_BROKERS"] == brokers.format(address=address)
        ports = [tier["port"] for tier in site.data_center("us-east")["tiers"] if tier["name"] == "queue" and tier["state"] != "external"]
        assert ports == ([] if "external" in keys else [int(environment["KAFKA_BROKERS"].rsplit(":", 1)[1])])
        assert listening(address) >= set(ports)


def test_what_instances_print_is_in_the_log_line_by_line(site):
    east = site.addresses["us-east"]
    curl(f"http://{east}:8080/said-by-the-application")
    wait_until(lambda: [line for path in (site.state / "logs/us-east").glob("*.log") for line in whole_lines(path)
                        if "said-by-the-application" in line and json.loads(line)["instance"].startswith("us-east-")], 5)


def test_logs_are_one_json_object_a_line_and_hold_no_secret(site):
    token = (site.state / "admin.token").read_text().strip()
    site.run("status")
    for path in (site.state / "logs").rglob("*.log"):
        fields = {"time", "request_id", "status"} if path.name == "access.log" else {"time", "level", "event"}
        for line in whole_lines(path):
            assert fields <= set(json.loads(line)), f"{path}: {line}"
            assert token not in line and "PRIVATE KEY" not in line


def test_all_ports_can_be_chosen():
    extra = "\n[edge]\nport = 8181\nhttps_port = 8543\n[balancer]\nport = 8101\n[dns]\nport = 5454\n[admin]\nport = 9191\n"
    with Site(app=APP, extra=extra) as site:
        east = site.addresses["us-east"]
        assert listening(east) >= {5454, 8181, 8543, 8101, 9191, 8101 + PEER}
        assert not listening(east) & {5300, 8080, 8443, 8000, 9000}
        assert curl(f"http://{east}:8181/")[0] == 200
        assert curl(f"https://{site.domain}:8543/", "--resolve", f"{site.domain}:8543:{east}", "--cacert", str(site.state / "ca/authority.pem"))[0] == 200
        response = ask(east, site.domain, "HTTPS", port=5454)
        assert all("port=8543" in data for data in response.data())
        assert ask(east, f"_8543._https.{site.domain}", "HTTPS", port=5454).status == "NOERROR"
        assert {tier["name"]: tier["port"] for tier in site.data_center("us-east")["tiers"]} == {"dns": 5454, "edge": 8181, "balancer": 8101, "session": 6379}


@contextlib.contextmanager
def running(site, *options):
    """`meridian run` of us-east in the foreground, which serves and has noticed that it is alone; ended by SIGTERM."""
    log = site.folder / "run.log"
    site.run("ca", str(site.file))
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen([MERIDIAN, "run", str(site.file), "--dc", "us-east", "--state", str(site.state), *options], stdout=out, stderr=out,
                                   cwd=site.folder, env=site.environment)
    try:
        wait_until(lambda: all(f'"name":"{state}"' in log.read_text() for state in ('us-west","state":"down', 'us-east","state":"serving')))
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0, log.read_text()
        assert site.processes() == []
    finally:
        site.__exit__()


def test_one_data_center_runs_by_itself_and_its_answers_live_longer_than_in_the_lab():
    site = Site(app=APP)
    with running(site):
        east = site.addresses["us-east"]
        wait_until(lambda: curl(f"http://{east}:8080/.meridian/ready")[0] == 200)
        # Until its probes have found us-east up, dns names both: none is.
        wait_until(lambda: len(ask(east, site.domain, subnet=NEW_YORK).answer) == 1)
        response = ask(east, site.domain, subnet=NEW_YORK)
        assert [(record.data, record.ttl) for record in response.answer] == [(east, 30)]
        assert (site.state_of("us-east"), site.state_of("us-west")) == ("serving", "down")


def test_a_server_without_the_sites_authority_is_told_what_to_do_and_makes_none():
    site = Site(app=APP)
    try:
        for _ in range(2):
            done = site.run("run", str(site.file), "--dc", "us-east", check=False)
            assert done.returncode == 2
            for needle in ("meridian ca", "ca/", "admin.token"):
                assert needle in done.stderr, done.stderr
            assert not (site.state / "ca/authority.pem").exists()
        assert str(site.state / "ca") in site.run("ca", str(site.file)).stdout
        made = (site.state / "ca/authority.pem").read_bytes()
        (site.state / "admin.token").unlink()
        assert site.run("run", str(site.file), "--dc", "us-east", check=False).returncode == 2
        site.run("ca", str(site.file))
        assert (site.state / "ca/authority.pem").read_bytes() == made
        assert {path.name for path in (site.state / "ca").iterdir()} == {"authority.key", "authority.pem", "web.pem", "dc-us-east.pem", "dc-us-west.pem"}
    finally:
        site.__exit__()


def test_a_place_with_edge_and_dns_alone_runs_nothing_else():
    site = Site(app=APP)
    with running(site, "--roles", "edge,dns"):
        east = site.addresses["us-east"]
        assert listening(east) >= {5300, 8080, 8443}
        assert not listening(east) & {8000, 8000 + PEER}
        status = site.data_center("us-east")
        assert {tier["name"] for tier in status["tiers"]} == {"dns", "edge"}
        assert status["instances"] == []


def test_the_time_to_live_of_answers_can_be_chosen():
    with Site(app=APP, extra='\n[dns]\nttl = "17s"\n') as site:
        assert {record.ttl for record in ask(site.addresses["us-east"], site.domain).answer} == {17}


@pytest.mark.parametrize(("arguments", "status", "needles"), [
    (("run", "--dc", "us-est"), 2, ["us-est", "us-east"]),
    (("dc", "kill", "us-est"), None, ["us-est"]),
    (("frobnicate",), 2, ["frobnicate", "--help"]),
    (("dc", "explode"), 2, ["explode", "--help"]),
    (("up", "--explode"), 2, ["--explode", "--help"]),
    ((), 2, ["--help"]),
])
def test_a_wrong_command_line_is_told_what_would_be_right(site, arguments, status, needles):
    extra = [str(site.file)] if "run" in arguments else []
    done = site.run(*arguments, *extra, check=False)
    assert done.returncode != 0 and (status is None or done.returncode == status)
    for needle in needles:
        assert needle in done.stderr, done.stderr


@pytest.mark.parametrize("arguments", [("status",), ("down",), ("dc", "kill", "us-east"), ("dc", "drain", "us-east")])
def test_without_a_running_site_commands_say_so(arguments):
    site = Site(app=APP)
    try:
        done = site.run(*arguments, check=False)
        assert done.returncode != 0
        assert "up" in done.stderr and "Traceback" not in done.stderr
    finally:
        site.__exit__()


def test_the_commands_that_up_prints_work_when_pasted():
    site = Site(app=APP)
    try:
        out = site.run("up", str(site.file), "--detach").stdout
        commands = [line.strip() for line in out.splitlines() if re.match(r"  (\S*meridian|dig|curl) ", line)]
        assert len(commands) >= 5
        assert any(command.startswith("dig ") for command in commands)
        assert any(" visit " in command for command in commands)
        for command in commands:
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False, env=site.environment)
            assert done.returncode == 0 and done.stdout, f"{command}\n{done.stdout}{done.stderr}"
            if command.startswith("dig "):
                assert done.stdout.strip() in site.addresses.values()
            if command.startswith("curl "):
                assert json.loads(done.stdout)["dc"] in site.addresses
    finally:
        site.__exit__()
