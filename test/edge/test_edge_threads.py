"""An edge of several threads has one cache: what one thread fetched, stored or lost is so for all."""

import pathlib
import resource
import socket
import threading

import pytest

from cache_origin import Answer
from edge_under_test import MINUTE, Edge, herd
from site_under_test import wait_until

pytestmark = pytest.mark.covers("edge")

THREADS = 8
HERD = 2000


@pytest.fixture(scope="module")
def edge():
    with Edge("--threads", str(THREADS)) as edge:
        yield edge


def test_it_has_as_many_threads_as_it_was_told(edge):
    def names():
        return {(task / "comm").read_text().strip() for task in pathlib.Path(f"/proc/{edge.process.pid}/task").iterdir()}

    # A thread gives itself its name, which may be after the first has answered.
    wait_until(lambda: {f"edge-{number}" for number in range(2, THREADS + 1)} <= names(), what="all threads have names")


def test_a_herd_over_all_threads_asks_the_origin_once(edge):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2 * HERD), hard), hard))
    gate = threading.Event()
    body = b"x" * 50_000
    edge.origin.at("/herd", body=body, fields=MINUTE, hold=gate)
    before = edge.metric("meridian_edge_visitor_requests_total")
    answers = herd(edge, "/herd", HERD)
    wait_until(lambda: edge.metric("meridian_edge_visitor_requests_total") >= before + HERD, what="all have asked")
    gate.set()
    assert {(head.split(b" ")[1], got == body) for head, got in answers()} == {(b"200", True)}
    assert len(edge.origin.asked("/herd")) == 1


def test_what_one_thread_stored_is_a_hit_on_each(edge):
    edge.origin.at("/hits", body=b"one", fields=MINUTE)
    edge.get("/hits")
    edge.wait_stored("/hits")
    # Each request comes on a connection of its own, which goes to the thread with the fewest.
    assert all(edge.get("/hits").hit for _ in range(100))
    assert len(edge.origin.asked("/hits")) == 1


def test_an_unsafe_request_on_one_thread_is_obeyed_by_all(edge):
    edge.origin.at("/unsafe", body=b"old", fields=MINUTE)
    edge.get("/unsafe")
    for _ in range(8 * THREADS):  # it is hot on each thread
        edge.get("/unsafe")
    edge.origin.at("/unsafe", lambda asked: Answer(204) if asked["method"] == "DELETE" else Answer(200, b"new", MINUTE))
    assert edge.get("/unsafe", "DELETE").status == 204
    assert {edge.get("/unsafe").body for _ in range(8 * THREADS)} == {b"new"}


def test_the_parts_of_a_file_come_together_whichever_threads_asked_for_them(edge):
    whole = bytes(range(256)) * 400
    fields = {**MINUTE, "ETag": '"1"'}

    def answer(asked):
        wanted = asked["headers"].get("Range")
        if not wanted:
            return Answer(200, whole, fields)
        first, last = (int(end) for end in wanted.removeprefix("bytes=").split("-"))
        return Answer(206, whole[first:last + 1], {**fields, "Content-Range": f"bytes {first}-{last}/{len(whole)}"})
    # Not for storing, so that the range that follows is asked for as it is.
    edge.origin.at("/parts", lambda asked: Answer(200, b"not yet", {"Cache-Control": "no-store"}))
    edge.get("/parts")
    edge.origin.at("/parts", answer)
    assert edge.get("/parts", Range="bytes=0-49999").body == whole[:50_000]
    edge.wait_held("/parts", Range="bytes=0-49999")
    assert edge.get("/parts").body == whole
    edge.wait_stored("/parts")
    assert [asked["headers"].get("Range") for asked in edge.origin.asked("/parts")] == [None, "bytes=0-49999", f"bytes=50000-{len(whole) - 1}"]
    for _ in range(2 * THREADS):
        got = edge.get("/parts", Range="bytes=60000-60099")
        assert got.status == 206 and got.body == whole[60_000:60_100] and got.hit


def test_a_slow_reader_gets_all_and_others_do_not_wait_for_it(edge):
    body = bytes(range(256)) * 40_000  # 10 MB
    gate = threading.Event()
    edge.origin.at("/slow", body=body, fields=MINUTE, hold=gate)
    with socket.create_connection((edge.address, edge.port)) as slow:
        slow.sendall(b"GET /slow HTTP/1.1\r\nHost: photos.example\r\nConnection: close\r\n\r\n")
        others = herd(edge, "/slow", 2 * THREADS)
        gate.set()
        assert {got == body for _, got in others()} == {True}
        arrived = b""
        while piece := slow.recv(1 << 20):
            arrived += piece
    assert arrived.partition(b"\r\n\r\n")[2] == body
    assert len(edge.origin.asked("/slow")) == 1
