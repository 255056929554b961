"""Sessions that are written in several data centers: they converge, survive the loss of one, and let nobody else in."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from site_under_test import MERIDIAN, ROOT, Site, wait_until
from test_session_site import Visitor, session_client

pytestmark = pytest.mark.covers("session", "store")

BROWSER = ROOT / "test/browser"


def contents(client):
    """Everything that a data center has, as its clients see it."""
    read = {"string": client.get, "hash": client.hgetall, "set": client.smembers}
    # The type is asked once: the key may be deleted meanwhile.
    return {key: read[kind](key) for key in client.scan_iter(count=1000) if (kind := client.type(key)) in read}


def hold_the_same(*clients):
    first, *others = [contents(client) for client in clients]
    return all(other == first for other in others)


def wait_for_later(client):
    """Within one moment of the clock either of two writers may be the last."""
    seconds, microseconds = client.time()
    wait_until(lambda: client.time() > (seconds, microseconds + 20_000), what="time passes")


def metric(site, data_center, name):
    command = ["curl", "-s", f"http://{site.addresses[data_center]}:16379/metrics"]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout.splitlines()
    return [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)]


def follow_each_other(site):
    return all(metric(site, name, "meridian_mirror_connected") == [1.0] * (len(site.addresses) - 1) for name in site.addresses)


@pytest.fixture(name="site", scope="module")
def two_data_centers():
    with Site(wan=True) as site:
        wait_until(lambda: follow_each_other(site), what="both follow each other")
        yield site


@pytest.fixture(name="clients")
def clients_of_both(site):
    site.link("us-east", "us-west", "--heal")
    clients = [session_client(site, name) for name in site.addresses]
    wait_until(lambda: follow_each_other(site), what="both follow each other")
    clients[0].flushall()
    assert clients[0].wait(1, 60000) == 1
    wait_until(lambda: clients[1].dbsize() == 0, what="both are empty")
    yield clients
    for client in clients:
        client.close()


def test_what_is_written_in_one_is_read_in_the_other(clients):
    east, west = clients
    east.set("s", "1", ex=1000)
    east.hset("h", mapping={"a": "1", "b": "2"})
    east.sadd("set", "m", "n")
    assert east.wait(1, 60000) == 1
    wait_until(lambda: hold_the_same(east, west), what="both hold the same")
    assert 900 < west.ttl("s") <= 1000
    west.delete("s")
    west.hdel("h", "a")
    west.srem("set", "m")
    wait_until(lambda: contents(east) == {"h": {"b": "2"}, "set": {"n"}}, what="removals arrive")


def test_large_value_crosses_a_slow_link_and_later_writes_follow(site, clients):
    """One frame of 8 MiB had to arrive within 5 s, so that it and all that came after it never did."""
    east, west = clients
    site.link("us-east", "us-west", "--rate", "10mbit")
    east.set("large", "x" * 7_400_000)
    east.set("after", "1")
    assert east.wait(1, 60000) == 1
    wait_until(lambda: west.get("after") == "1", what="the write after the large one arrives")
    assert west.strlen("large") == 7_400_000
    assert follow_each_other(site)


def test_both_write_while_the_link_is_cut_and_then_hold_the_same(site, clients):
    east, west = clients
    east.set("deleted", "x")
    east.set("touched", "x", ex=1000)
    east.hset("hash", mapping={"both": "0", "removed": "0"})
    east.sadd("set", "kept", "removed")
    east.set("counter", 10)
    assert east.wait(1, 60000) == 1
    wait_until(lambda: hold_the_same(east, west), what="both hold the same")

    site.link("us-east", "us-west", "--cut")
    east.delete("deleted")
    west.expire("touched", 5000)
    east.delete("touched")
    east.hset("hash", "both", "east")
    wait_for_later(east)
    west.hset("hash", mapping={"both": "west", "west": "1"})
    east.hdel("hash", "removed")
    east.srem("set", "removed", "kept")
    west.sadd("set", "kept")
    for _ in range(5):
        east.incr("counter")
        west.incr("counter")
    east.set("only-east", "1")
    west.set("only-west", "1")
    assert east.wait(1, 200) == 0
    assert not hold_the_same(east, west)

    site.link("us-east", "us-west", "--heal")
    wait_until(lambda: hold_the_same(east, west), what="both hold the same")
    assert contents(east) == {"hash": {"both": "west", "west": "1"}, "set": {"kept"}, "counter": "20", "only-east": "1", "only-west": "1"}


def test_tombstones_are_forgotten_when_everybody_knows(site, clients):
    east, west = clients
    for i in range(1000):
        east.set(f"k:{i}", "x" * 100)
    memory = metric(site, "us-east", "meridian_session_memory_bytes")
    for i in range(1000):
        east.delete(f"k:{i}")
    assert east.dbsize() == 0
    wait_until(lambda: metric(site, "us-east", "meridian_session_memory_bytes")[0] < memory[0] / 4, what="the tombstones are dropped")
    wait_until(lambda: metric(site, "us-east", "meridian_session_stability_lag_seconds")[0] < 10, what="the stability horizon moves on")
    assert west.dbsize() == 0


def test_lag_is_shown_while_the_link_is_cut(site, clients):
    east, _ = clients
    site.link("us-east", "us-west", "--cut")
    east.set("k", "v")
    wait_until(lambda: metric(site, "us-west", "meridian_mirror_lag_seconds")[0] > 1, what="the lag grows")
    site.link("us-east", "us-west", "--heal")
    wait_until(lambda: metric(site, "us-west", "meridian_mirror_lag_seconds")[0] < 1, what="the lag is gone")


def test_restarted_tier_has_what_came_meanwhile(site, clients):
    east, west = clients
    before = site.tier("us-west", "session")["pid"]
    west.set("west", "1")
    subprocess.run(["kill", "-9", str(before)], check=True)
    for i in range(100):
        east.set(f"meanwhile:{i}", i)
    # Until its agent has seen that it is gone, it is "ready".
    wait_until(lambda: (now := site.tier("us-west", "session"))["pid"] not in (0, before) and now["state"] == "ready", what="it is started again")
    again = session_client(site, "us-west")
    wait_until(lambda: hold_the_same(east, again), what="both hold the same")
    assert len(contents(again)) == 101


# --- what operators are told

def told(site, *arguments):
    return json.loads(site.run("session", *arguments, "--json").stdout)["datacenters"]


def test_operators_see_lag_digests_and_keys(site, clients):
    east, west = clients
    east.hset("a key/ü", mapping={"user": "Ada"})
    east.expire("a key/ü", 1000)
    east.set("other", b"\xff\xfe")
    assert east.wait(1, 60000) == 1
    wait_until(lambda: told(site, "digest")[0]["digest"] == told(site, "digest")[1]["digest"], what="all hold the same")
    assert [entry["keys"] for entry in told(site, "digest")] == [2, 2]
    assert "All hold the same." in site.run("session", "digest").stdout
    entries = told(site, "get", "a key/ü")
    assert [(entry["datacenter"], entry["type"], entry["value"]) for entry in entries] == [
        (name, "hash", {"user": "Ada"}) for name in ("us-east", "us-west")]
    # A clock that was started again leads by up to 3 s.
    assert all(900_000 < entry["ttl_ms"] <= 1_004_000 for entry in entries)
    assert [entry["type"] for entry in told(site, "get", "none")] == ["none", "none"]
    assert "us-west        has no such key" in site.run("session", "get", "none").stdout
    assert told(site, "lag")[0]["peers"][0]["connected"]
    wait_until(lambda: re.search(r"; its clock (leads|is behind) by \d\.\d{3} s ± \d\.\d{3} s", site.run("session", "lag").stdout), what="the clocks are compared")

    site.link("us-east", "us-west", "--cut")
    west.set("other", "another")
    assert "They differ." in site.run("session", "digest").stdout
    wait_until(lambda: told(site, "lag")[0]["peers"][0]["behind_seconds"] > 1, what="the lag is told")
    site.link("us-east", "us-west", "--heal")
    wait_until(lambda: "All hold the same." in site.run("session", "digest").stdout, what="all hold the same")


def test_latency_of_the_link_is_not_told_as_a_difference_of_clocks(site):
    def clocks():
        return [entry["peers"][0] for entry in told(site, "lag") if "clock_error_seconds" in entry["peers"][0]]
    site.link("us-east", "us-west", "--latency", "400ms")
    try:
        # Both are of one machine. A busy one makes some round trips longer, and one way longer than the other.
        wait_until(lambda: len(told := clocks()) == 2 and all(abs(clock["clock_lead_seconds"]) < 0.1 and 0.2 <= clock["clock_error_seconds"] < 0.4
                                                              for clock in told), what="the round trip is known, and no difference of clocks is told")
        wait_until(lambda: metric(site, "us-west", "meridian_mirror_clock_error_seconds")[0] >= 0.2
                   and abs(metric(site, "us-west", "meridian_mirror_clock_lead_seconds")[0]) < 0.1, what="the metrics have the same")
    finally:
        site.link("us-east", "us-west", "--heal")


# --- who is let in

def text(value):
    return struct.pack(">H", len(value)) + value.encode()


def hello(site_name, data_center, now_ms):
    """src/store/mirror/mirror_protocol.hpp: stream 0, version 4."""
    body = struct.pack(">HH", 0, 4) + text(site_name) + text(data_center) + struct.pack(">Q", now_ms << 16)
    return struct.pack(">IB", len(body), 1) + body


def hello_of_version_2(site_name, data_center, now_ms):
    body = (struct.pack(">I", 2) + text(site_name) + text(data_center) + text("session") +
            struct.pack(">QQIIQ", 0, 0, 0, 0, now_ms << 16))
    return struct.pack(">IB", len(body), 1) + body


def say_hello(site, state, message):
    """To us-east's peer port with us-west's certificate of a state directory: what is answered."""
    context = ssl.create_default_context(cafile=str(state / "ca/authority.pem"))
    context.check_hostname = False
    context.load_cert_chain(str(state / "ca/dc-us-west.pem"))
    with socket.create_connection((site.addresses["us-east"], 26379), timeout=90) as plain, context.wrap_socket(plain) as stream:
        stream.sendall(message)
        return stream.recv(4096)


def session_log(site, data_center):
    return (site.state / "logs" / data_center / "session.log").read_text()


def refused_for(site, reason):
    return wait_until(lambda: reason in session_log(site, "us-east"), what=f"the log says: {reason}")


def test_clock_from_the_future_is_refused_and_named(site):
    say_hello(site, site.state, hello("photos", "us-west", int(time.time() * 1000) + 3_600_000))
    refused_for(site, "a stamp from 3")


def test_another_sites_name_is_refused_and_named(site):
    say_hello(site, site.state, hello("other", "us-west", int(time.time() * 1000)))
    refused_for(site, "another site")


def test_another_version_of_mirroring_is_refused_and_both_are_named(site):
    answer = say_hello(site, site.state, hello_of_version_2("photos", "us-west", int(time.time() * 1000)))
    assert b"the follower speaks version 2, this source version 4" in answer
    refused_for(site, "the follower speaks version 2, this source version 4")


def test_certificate_of_another_data_center_is_refused_and_named(site):
    say_hello(site, site.state, hello("photos", "eu-west", int(time.time() * 1000)))
    refused_for(site, "its certificate is not that of eu-west")


def test_certificate_of_another_site_is_refused_and_named(site, tmp_path):
    other = tmp_path / "state"
    subprocess.run([MERIDIAN, "ca", str(site.file), "--state", str(other)], check=True, capture_output=True, timeout=90)
    with pytest.raises(ssl.SSLCertVerificationError):
        say_hello(site, other, hello("photos", "us-west", int(time.time() * 1000)))
    context = ssl._create_unverified_context()  # a follower that trusts anybody
    context.load_cert_chain(str(other / "ca/dc-us-west.pem"))
    with socket.create_connection((site.addresses["us-east"], 26379), timeout=90) as plain, context.wrap_socket(plain) as stream:
        with pytest.raises(ssl.SSLError) as refused:
            stream.recv(1)
        assert refused.value.reason == "TLSV1_ALERT_UNKNOWN_CA"
    refused_for(site, "refused at the peer port")


def test_silent_connections_to_the_peer_port_are_bounded_and_keep_no_data_center_out(site):
    """256 strangers who said nothing held all connections, and us-west was closed at once. The oldest of them make room."""
    wait_until(lambda: follow_each_other(site), what="both follow each other")
    closed = sum(metric(site, "us-east", "meridian_session_peer_connections_closed_total"))
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection((site.addresses["us-east"], 26379), timeout=90)) for _ in range(300)]
        for stream in silent[:44]:
            assert stream.recv(1) == b""
        assert select.select(silent[60:], [], [], 0)[0] == []
        # Those are counted that made room, not those whose time was over.
        assert sum(metric(site, "us-east", "meridian_session_peer_connections_closed_total")) >= closed + 44
        # A data center that connects among them is served.
        before = site.tier("us-west", "session")["pid"]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: site.tier("us-west", "session")["pid"] not in (0, before), what="us-west's tier is started again")
        wait_until(lambda: metric(site, "us-west", "meridian_mirror_connected") == [1.0], 4, "us-west follows us-east")
        for stream in silent[44:]:
            assert stream.recv(1) == b""
    wait_until(lambda: follow_each_other(site), what="both follow each other again")


# --- a data center is lost

def test_signed_in_at_one_and_still_signed_in_at_the_other_when_that_is_lost():
    with Site() as site:
        wait_until(lambda: follow_each_other(site), what="both follow each other")
        visitor = Visitor(site)
        visitor.sign_in("us-east", "Ada")
        wait_until(lambda: session_client(site, "us-west").keys("photos:*"), what="the session has arrived")
        site.run("dc", "kill", "us-east")
        assert visitor.name_at("us-west") == "Ada"
        visitor.ask("us-west", "/sign-out", "-d", "")
        site.run("dc", "start", "us-east")
        wait_until(lambda: session_client(site, "us-east").keys("photos:*") == [], what="the sign-out has arrived")
        assert visitor.name_at("us-east") is None


def test_one_that_comes_back_with_an_empty_disk_is_told_with_the_next_command():
    with Site() as site:
        wait_until(lambda: follow_each_other(site), what="both follow each other")
        east, west = [session_client(site, name) for name in site.addresses]
        west.set("theirs", "1")
        east.set("ours", "1")
        assert east.wait(1, 60000) == west.wait(1, 60000) == 1
        site.run("dc", "kill", "us-east")
        shutil.rmtree(site.state / "session-us-east")
        site.run("dc", "start", "us-east")
        reason = "the disk of us-east was replaced, and what came from it is a copy of its old log"
        wait_until(lambda: f"does not follow the sessions of us-east: {reason}; next: while us-west is stopped, mv -T" in site.run("status").stdout, what="status says why, and what to do")
        assert "is not followed by us-west: us-west has a copy of the log of an older disk; next: meridian session lag" in site.run("status").stdout
        here, there = told(site, "lag")
        assert here["peers"][0]["refused"]["reason"] == "us-west has a copy of the log of an older disk"
        assert "problem" not in here["peers"][0]
        assert there["peers"][0]["problem"]["reason"] == reason
        said = site.run("session", "lag").stdout
        assert f"  does not follow it: {reason}\n  next: while us-west is stopped, mv -T " in said
        assert "  is not followed by it: us-west has a copy of the log of an older disk\n" in said

        site.run("dc", "kill", "us-west")
        command = re.search(r"mv -T [^;]+", there["peers"][0]["problem"]["next"]).group()
        subprocess.run(command, shell=True, check=True, cwd=site.folder, timeout=90)
        site.run("dc", "start", "us-west")
        wait_until(lambda: follow_each_other(site), what="both follow each other again")
        wait_until(lambda: "next:" not in site.run("session", "lag").stdout + site.run("status").stdout, what="nothing is left to do")
        assert sorted(session_client(site, "us-west").keys()) == sorted(session_client(site, "us-east").keys()) == ["ours", "theirs"]


def browse(site, data_center, **options):
    options |= {"url": f"http://{site.domain}/", "profile": str(site.folder / "profile"),
                "hosts": f"MAP {site.domain} {site.addresses[data_center]}:8080, MAP * ~NOTFOUND"}
    done = subprocess.run(["node", "session.mjs", json.dumps(options)], cwd=BROWSER, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
@pytest.mark.slow  # needs the package that only the whole run installs
def test_chromium_stays_signed_in_when_the_data_center_is_lost():
    if not (BROWSER / "node_modules").is_dir():
        pytest.fail("playwright-core is not installed: npm ci --prefix test/browser")
    with Site() as site:
        wait_until(lambda: follow_each_other(site), what="both follow each other")
        seen = browse(site, "us-east", visitor="Ada")
        assert seen["servedBy"].startswith("us-east-") and seen["visitor"] == "Ada"
        wait_until(lambda: session_client(site, "us-west").keys("photos:*"), what="the session has arrived")
        site.run("dc", "kill", "us-east")
        seen = browse(site, "us-west")
        assert seen["servedBy"].startswith("us-west-") and seen["visitor"] == "Ada"
