"""Visitors by the thousand, slow ones, greedy ones: memory stays bounded, and nobody else notices."""

import contextlib
import hashlib
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest

from background import Background, results
from http_connection import HttpConnection
from site_under_test import ROOT, SANITIZED, Site, curl, wait_until

pytestmark = pytest.mark.covers("http", "io", "balancer")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def site():
    with Site(("us-east",), app=APP, extra="\n[edge]\nmax_connections = 12000\n") as running:
        yield running


@pytest.fixture(scope="module")
def east(site):
    return site.addresses["us-east"]


def resident(site, *tiers):
    """Bytes of memory that the tiers' processes hold themselves (not shared with files)."""
    total = 0
    for tier in tiers:
        text = pathlib.Path(f"/proc/{site.tier('us-east', tier)['pid']}/status").read_text()
        total += int(text.split("RssAnon:")[1].split()[0]) * 1024
    return total


def served(east):
    return curl(f"http://{east}:8080/")[0] == 200


def plain(address, port, receive_buffer=None):
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect((address, port))
    return connection


measures_memory = pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is not the program's")


@measures_memory
@pytest.mark.parametrize("tier", ["edge", "balancer"])
def test_ten_thousand_idle_connections_hold_four_kilobytes_each_at_most(site, east, tier):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[0] < 11_000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 20_000), limit[1]))
    port = {"edge": 8080, "balancer": 8000}[tier]
    count = 10_000
    with contextlib.ExitStack() as stack:
        # A few requests first, so that what a process makes once is not counted.
        assert all(served(east) for _ in range(5))
        before = resident(site, tier)
        for _ in range(count):
            connection = stack.enter_context(plain(east, port))
            connection.sendall(b"GET /.meridian/ready HTTP/1.1\r\nHost: photos.example\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
        each = (resident(site, tier) - before) / count
        assert each <= 4096, f"{each:.0f} bytes for an idle connection"
        assert served(east)


@measures_memory
def test_slow_readers_pause_their_writers_and_memory_does_not_grow(site, east):
    """100 visitors ask for 8 MiB each and read nothing: 800 MiB stay where they are."""
    before = resident(site, "edge", "balancer")
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(plain(east, 8080, receive_buffer=8192)) for _ in range(100)]
        for reader in readers:
            reader.sendall(b"GET /large HTTP/1.1\r\nHost: photos.example\r\n\r\n")
        for reader in readers:
            assert reader.recv(1) == b"H"
        assert served(east)
        assert resident(site, "edge", "balancer") - before < 64 * MIB
        # One of them reads after all, and gets the whole of it.
        received = 1
        with contextlib.suppress(TimeoutError):
            readers[0].settimeout(60)
            while received < 8 * MIB:
                piece = readers[0].recv(MIB)
                assert piece
                received += len(piece)
        assert received >= 8 * MIB
    assert served(east)


@measures_memory
def test_a_flood_of_pipelined_requests_is_answered_in_order_at_the_pace_of_its_reader(site, east):
    """A visitor sends requests for ever and reads nothing: what waits is bounded, and so is what it can send."""
    one = b"GET /large HTTP/1.1\r\nHost: photos.example\r\n\r\n"
    before = resident(site, "edge", "balancer")
    with plain(east, 8080, receive_buffer=8192) as flood:
        flood.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 * MIB:
                sent += flood.send(one * 1000)
        assert sent < 64 * MIB, "the edge reads what it cannot answer"
        assert resident(site, "edge", "balancer") - before < 32 * MIB
        assert served(east)


def test_two_thousand_pipelined_requests_get_two_thousand_answers_in_order(east):
    count = 2000
    with HttpConnection(east, timeout=90) as connection:
        requests = b"".join(b"GET /echo?%d HTTP/1.1\r\nHost: photos.example\r\n\r\n" % i for i in range(count))
        sender = Background(connection.send, requests)
        for i in range(count):
            assert json.loads(connection.response().body)["target"] == f"/echo?{i}"
        sender.result()


def test_an_upload_in_chunks_of_one_byte_arrives_whole(east):
    content = bytes(i % 251 for i in range(50_000))
    with HttpConnection(east) as connection:
        connection.send(b"POST /digest HTTP/1.1\r\nHost: photos.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + b"".join(b"1\r\n%c\r\n" % byte for byte in content) + b"0\r\n\r\n")
        told = json.loads(connection.response().body)
    assert told == {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@measures_memory
def test_an_upload_in_one_huge_chunk_arrives_whole_and_is_never_held(site, east):
    size = 256 * MIB
    piece = bytes(range(256)) * 4096
    before = resident(site, "edge", "balancer")
    digest = hashlib.sha256()
    most = 0
    with HttpConnection(east, timeout=60) as connection:
        connection.send(b"POST /digest HTTP/1.1\r\nHost: photos.example\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % size)
        for number in range(size // len(piece)):
            connection.send(piece)
            digest.update(piece)
            if number % 64 == 0:
                most = max(most, resident(site, "edge", "balancer") - before)
        connection.send(b"\r\n0\r\n\r\n")
        told = json.loads(connection.response().body)
    assert told == {"length": size, "sha256": digest.hexdigest()}
    assert most < 16 * MIB


@measures_memory
def test_slowloris_takes_nobody_elses_place(site, east):
    """3,000 visitors who send a few bytes of a head now and then; everybody else is served as if they were not there."""
    before = resident(site, "edge")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(plain(east, 8080)) for _ in range(3000)]
        # In few rounds, so that a busy machine ends them before the time of a head is over.
        for piece in (b"G", b"ET / HTTP/1.1", b"\r\n", b"X"):
            for connection in slow:
                connection.send(piece)
        began = time.monotonic()
        assert all(served(east) for _ in range(20))
        assert time.monotonic() - began < 10
        assert resident(site, "edge") - before < 3000 * 12 * 1024
        # Their time runs from the first byte and is not theirs to lengthen.
        assert slow[0].recv(4096).startswith(b"HTTP/1.1 408 ")


def test_half_closed_visitors_get_their_answers_through_edge_and_balancer(east):
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(HttpConnection(east))
            connection.request("GET", "/large")
            connection.socket.shutdown(socket.SHUT_WR)
            assert len(connection.response().body) == 8 * MIB


def websocket(address):
    connection = HttpConnection(address)
    connection.request("GET", "/websocket", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    response = connection.response()
    assert (response.status, response.field("sec-websocket-accept")) == (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    return connection


def said_back(connection, text):
    mask = b"\1\2\3\4"
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    connection.send(b"\x81" + size + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(text)))
    head = connection.take(2)
    length = head[1] if head[1] < 126 else int.from_bytes(connection.take(2), "big")
    return connection.take(length) == text


def test_many_websockets_speak_at_once_through_edge_and_balancer(site, east):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(websocket(east)) for _ in range(100)]
        for size in (5, 1000, 60_000):
            for number, connection in enumerate(sockets):
                assert said_back(connection, bytes([number + 1]) * size)
        assert served(east)


@pytest.mark.parametrize("tier", ["edge", "balancer"])
def test_a_tier_that_drains_under_load_fails_no_request(tier):
    """SIGTERM to edge or balancer while clients that keep their connections ask on: the next process takes over without a failure."""
    with Site(("us-east",), app=APP) as site:
        east = site.addresses["us-east"]
        failures, done = [], threading.Event()
        counts, drained = [0] * 8, []

        def ask(number):
            connection = None
            while not done.is_set():
                try:
                    connection = connection or HttpConnection(east)
                    connection.request("GET", "/")
                    response = connection.response()
                    if response.status != 200:
                        failures.append(response.status)
                    counts[number] += 1
                    if response.field("connection") == "close":
                        connection.socket.close()
                        connection = None
                except (OSError, EOFError) as error:
                    # A kept connection may be closed between two requests (RFC 9112 9.5): nothing of an answer has come then.
                    if connection is None or connection.received or counts[number] == 0:
                        failures.append(repr(error))
                    connection = None

        threads = [Background(ask, number) for number in range(len(counts))]
        try:
            for _ in range(3):
                pid = site.tier("us-east", tier)["pid"]
                reached = list(counts)
                wait_until(lambda: all(now > before + 20 for now, before in zip(counts, reached)), what="requests flow")
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: site.tier("us-east", tier)["pid"] not in (0, None, pid) and site.tier("us-east", tier)["state"] == "ready",
                           what="the next process serves")
                drained.append(pid)
            # Each closes at its end the connections that nobody used meanwhile; what takes one of them then must not fail.
            wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in drained), what="the drained ones are gone")
            reached = list(counts)
            wait_until(lambda: all(now > before + 20 for now, before in zip(counts, reached)), what="requests flow")
        finally:
            done.set()
            results(threads)
        assert not failures, failures[:5]
        assert sum(counts) > 500


def test_load_at_512_connections_meets_neither_an_error_nor_a_refusal(east):
    done = subprocess.run(["wrk", "-t1", "-c512", "-d3s", "--timeout", "10s", f"http://{east}:8080/"], capture_output=True, text=True, check=True)
    assert "Socket errors" not in done.stdout and "Non-2xx" not in done.stdout, done.stdout
