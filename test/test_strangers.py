"""What a stranger reaches of a server: a scan of all its ports from a network namespace of the stranger's own."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from site_under_test import MERIDIAN, ROOT, wait_until

pytestmark = [pytest.mark.covers("agent", "site", "watch"), pytest.mark.long,
              pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")]

PUBLIC, PRIVATE = "198.18.0", "10.198.0"  # networks that exist in the namespaces alone
VISITORS = {5300, 8080, 8443}
SITE = """
domain = "photos.example"
[[datacenter]]
name = "us-east"
address = "{public}.1"
{keys}
location = "Ashburn"
[app]
{app}
instances = 1
[queue]
[watch]
"""
SCAN = """
import errno, json, selectors, socket, sys
open_ports, waiting = [], selectors.DefaultSelector()
for port in range(1, 65536):
    attempt = socket.socket()
    attempt.setblocking(False)
    code = attempt.connect_ex((sys.argv[1], port))
    if code == errno.EINPROGRESS:
        waiting.register(attempt, selectors.EVENT_WRITE)
        if not waiting.select(60):
            raise SystemExit(f"port {port} neither accepts nor refuses")
        waiting.unregister(attempt)
        code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code == 0:
        open_ports.append(port)
    attempt.close()
print(json.dumps(open_ports))
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=90)


def ip_inside(namespace, *words):
    subprocess.run(inside(namespace, "ip", *words), check=True, capture_output=True, timeout=90)


@contextlib.contextmanager
def three_hosts():
    """Network namespaces: a server, a stranger on its public network, and a peer on its private one."""
    names = {role: f"mrd-{os.getpid()}-{role}" for role in ("server", "stranger", "peer")}
    try:
        for name in names.values():
            ip("netns", "add", name)
            ip_inside(name, "link", "set", "lo", "up")
        for role, network in (("stranger", PUBLIC), ("peer", PRIVATE)):
            ip_inside(names["server"], "link", "add", f"to-{role}", "type", "veth", "peer", "name", "uplink", "netns", names[role])
            for name, link, host in ((names["server"], f"to-{role}", 1), (names[role], "uplink", 2)):
                ip_inside(name, "address", "add", f"{network}.{host}/24", "dev", link)
                ip_inside(name, "link", "set", link, "up")
        ip_inside(names["server"], "address", "add", f"{PUBLIC}.3/24", "dev", "to-stranger")
        yield names
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True, timeout=90)


def inside(namespace, *command):
    # `ip netns exec` and `ip -n` remount /, which cannot be done in a chroot.
    return ["nsenter", f"--net=/run/netns/{namespace}", *command]


@contextlib.contextmanager
def server(names, keys="", app=f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'):
    """`meridian run` of one data center in the server's namespace, when it serves; gives a function for its status."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-test-"))
    (folder / "site.toml").write_text(SITE.format(public=PUBLIC, keys=keys, app=app))
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(inside(names["server"], MERIDIAN, "run", str(folder / "site.toml"), "--dc", "us-east", "--state", str(folder / "state")),
                                   stdout=log, stderr=log)

    def status():
        done = subprocess.run(inside(names["server"], MERIDIAN, "status", "--json", "--state", str(folder / "state")), capture_output=True, text=True,
                              timeout=90, check=False)
        return json.loads(done.stdout)["datacenters"][0] if done.returncode == 0 else {"state": "down"}

    try:
        wait_until(lambda: process.poll() is not None or status()["state"] == "serving", what="it serves")
        assert process.poll() is None, (folder / "log").read_text()
        yield status, folder / "log"
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(90)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def scanned(namespace, address):
    done = subprocess.run(inside(namespace, "/usr/bin/python3", "-c", SCAN, address), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_a_stranger_reaches_no_balancer_no_sessions_no_queue_and_no_logs():
    """8000 and 6379 listened on the public address, and the balancer believed any X-Forwarded-For. The queue asks for no password."""
    with three_hosts() as names, server(names) as (status, _):
        wait_until(lambda: all(each["state"] == "ready" for each in status()["engines"]), what="the engines are ready")
        # Agents and peers of other data centers come to the only address that there is, by mutual TLS or with the token.
        assert scanned(names["stranger"], f"{PUBLIC}.1") == VISITORS | {9000, 26379, 28000, 29092, 29600}


def unscraped(names, log):
    """The targets that the Prometheus of a server cannot scrape, with why; None while it does not answer."""
    password = (log.parent / "state/watch-us-east/engines/prometheus.password").read_text()
    done = subprocess.run(inside(names["server"], "curl", "-s", "-u", f"meridian:{password}", "http://127.0.0.1:9601/prometheus/api/v1/targets?state=active"),
                          capture_output=True, text=True, timeout=90, check=False)
    found = json.loads(done.stdout or "{}").get("data", {}).get("activeTargets", [])
    return [(each["scrapeUrl"], each["lastError"]) for each in found if each["health"] != "up"] if found else None


def test_with_a_private_address_a_stranger_reaches_visitors_ports_alone():
    keys = f'private_address = "{PRIVATE}.1"\npublic_addresses = ["{PUBLIC}.1", "{PUBLIC}.3", "203.0.113.77"]'
    with three_hosts() as names, server(names, keys) as (status, log):
        wait_until(lambda: all(each["state"] == "ready" for each in status()["engines"]), what="the engines are ready")
        assert scanned(names["stranger"], f"{PUBLIC}.1") == VISITORS
        assert scanned(names["stranger"], f"{PUBLIC}.3") == VISITORS
        assert scanned(names["peer"], f"{PRIVATE}.1") == {8000, 6379, 9092, 9600, 9000, 26379, 28000, 29092, 29600}
        # Prometheus reaches the agent there, by TLS, and everything else on loopback.
        wait_until(lambda: unscraped(names, log) == [], what="every target is up")
        # An address that a router translates is none of the host's.
        assert "203.0.113.77" in log.read_text()
        query = inside(names["stranger"], "dig", "+short", "+time=20", "+tries=1", f"@{PUBLIC}.3", "-p", "5300", "photos.example")
        assert f"{PUBLIC}.1" in subprocess.run(query, capture_output=True, text=True, timeout=90, check=False).stdout


@pytest.mark.parametrize("keys", ["", f'private_address = "{PRIVATE}.1"'])
def test_the_application_hears_the_address_of_the_visitor_and_not_of_the_edge(keys):
    """The balancer took the edge of its own host for a stranger."""
    with three_hosts() as names, server(names, keys):
        done = subprocess.run(inside(names["stranger"], "curl", "-s", "-H", "X-Forwarded-For: 6.6.6.6", f"http://{PUBLIC}.1:8080/echo"),
                              capture_output=True, text=True, timeout=90, check=False)
        told = [value for name, value in json.loads(done.stdout)["headers"] if name == "X-Forwarded-For"]
        assert told == [f"{PUBLIC}.2"]


def test_an_instance_that_listens_on_all_addresses_is_warned_about():
    app = 'command = ["sh", "-c", "exec /usr/bin/python3 -m http.server $PORT"]'
    with three_hosts() as names, server(names, app=app) as (status, log):
        assert "all addresses" in status()["instances"][0]["problem"]
        assert "listens on all addresses" in log.read_text()
        port = int(status()["instances"][0]["address"].rsplit(":", 1)[1])
        assert port in scanned(names["stranger"], f"{PUBLIC}.1")


FLOOD = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
held = []
for number in range(700):
    try:
        connection = socket.create_connection((sys.argv[1], 9000), 5)
        if number % 2:
            connection = context.wrap_socket(connection)
            connection.sendall(b"POST /.meridian/drain HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 60000\\r\\n\\r\\nhalf")
        held.append(connection)
    except OSError:
        pass
print("held", len(held), flush=True)
sys.stdin.readline()
"""


def test_a_stranger_who_fills_the_admin_port_does_not_lock_the_operator_out():
    with three_hosts() as names, server(names) as (status, _):
        flood = subprocess.Popen(inside(names["stranger"], "/usr/bin/python3", "-c", FLOOD, f"{PUBLIC}.1"), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        try:
            assert flood.stdout.readline().startswith("held ")
            assert status()["state"] == "serving"
        finally:
            flood.communicate("enough\n", timeout=90)
