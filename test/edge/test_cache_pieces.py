"""Parts of what is not stored as a whole: 206 is stored, reused and completed."""

import threading

import pytest

from background import Background
from cache_origin import Answer
from edge_under_test import MINUTE, Edge
from site_under_test import wait_until

pytestmark = pytest.mark.covers("edge")

BODY = bytes(range(256)) * 8
TAG = {"ETag": '"1"'}


@pytest.fixture(scope="module")
def edge():
    with Edge() as edge:
        yield edge


def part_of(body, asked, fields):
    """What an origin that knows ranges answers."""
    wanted = asked["headers"].get("Range")
    tag = dict(fields).get("ETag")
    if not wanted or asked["headers"].get("If-Range", tag) != tag:
        return Answer(200, body, fields)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    begin = int(first) if first else len(body) - int(last)
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    return Answer(206, body[begin:end + 1], {**fields, "Content-Range": f"bytes {begin}-{end}/{len(body)}"})


def serve_parts(edge, target, fields=None):
    """An origin whose first answer is not for storing, so that the range that follows is asked for as it is."""
    fields = {**MINUTE, **TAG} if fields is None else fields
    edge.origin.at(target, lambda asked: Answer(200, b"not yet", {"Cache-Control": "no-store"}))
    edge.get(target)
    edge.origin.at(target, lambda asked: part_of(BODY, asked, fields))
    with edge.origin.lock:
        edge.origin.requests.clear()


def store_part(edge, target, wanted):
    answer = edge.get(target, Range=wanted)
    edge.wait_held(target, Range=wanted)
    return answer


def ranges_of(edge, target):
    return [asked["headers"].get("Range") for asked in edge.origin.asked(target)]


def test_a_part_is_stored_and_reused_for_ranges_within_it(edge):
    serve_parts(edge, "/part")
    first = store_part(edge, "/part", "bytes=100-199")
    assert (first.status, first.body, first.headers["Content-Range"]) == (206, BODY[100:200], "bytes 100-199/2048")
    within = edge.get("/part", Range="bytes=150-159")
    assert within.hit and (within.status, within.body, within.headers["Content-Range"]) == (206, BODY[150:160], "bytes 150-159/2048")
    assert within.headers["Content-Length"] == "10"
    several = edge.get("/part", Range="bytes=100-101,110-111")
    assert several.hit and b"bytes 100-101/2048\r\n\r\n" + BODY[100:102] in several.body
    assert edge.get("/part", Range="bytes=150-159", If_Range='"1"').hit
    assert edge.get("/part", Range="bytes=150-159", If_None_Match='"1"').status == 304
    assert ranges_of(edge, "/part") == ["bytes=100-199"]


def test_a_part_is_never_taken_for_the_whole(edge):
    serve_parts(edge, "/not-whole")
    store_part(edge, "/not-whole", "bytes=100-199")
    head = edge.get("/not-whole", "HEAD")
    assert not head.hit and head.status == 200 and head.headers["Content-Length"] == "2048"
    assert edge.get("/not-whole", Range="bytes=100-199", If_Range='"2"').body == BODY
    serve_parts(edge, "/not-whole-either")
    store_part(edge, "/not-whole-either", "bytes=100-199")
    whole = edge.get("/not-whole-either")
    assert (whole.status, whole.body) == (200, BODY) and "fwd=partial" in whole.cache
    assert "Content-Range" not in whole.headers


@pytest.mark.parametrize("part, rest", [("0-999", "1000-2047"), ("1000-2047", "0-999"), ("-48", "0-1999")])
@pytest.mark.parametrize("wanted", [None, "bytes=900-1099", "bytes=-1"])
def test_the_rest_is_asked_for_and_completes_it(edge, part, rest, wanted):
    target = f"/rest/{part}/{wanted}"
    serve_parts(edge, target)
    store_part(edge, target, f"bytes={part}")
    fields = {"Range": wanted} if wanted else {}
    answer = edge.get(target, **fields)
    if answer.hit:  # it was within the part
        return
    expected = BODY if not wanted else BODY[900:1100] if wanted.startswith("bytes=9") else BODY[-1:]
    assert answer.body == expected and answer.status == (206 if wanted else 200)
    assert "fwd=partial; fwd-status=206" in answer.cache
    asked = edge.origin.asked(target)[-1]["headers"]
    assert asked["Range"] == f"bytes={rest}" and asked["If-Range"] == '"1"'
    edge.wait_stored(target)
    assert edge.get(target).body == BODY and edge.get(target, "HEAD").headers["Content-Length"] == "2048"
    assert len(edge.origin.asked(target)) == 2


def test_those_who_wait_for_the_rest_read_it_as_it_arrives(edge):
    serve_parts(edge, "/herd")
    store_part(edge, "/herd", "bytes=0-999")
    gate = threading.Event()

    def answer(asked):
        answer = part_of(BODY, asked, {**MINUTE, **TAG})
        answer.hold = gate
        return answer
    edge.origin.at("/herd", answer)
    readers = [Background(lambda: edge.get("/herd").body) for _ in range(5)]
    edge.origin.wait_for("/herd", 2)
    gate.set()
    assert [reader.result() for reader in readers] == [BODY] * 5
    assert ranges_of(edge, "/herd") == ["bytes=0-999", "bytes=1000-2047"]


def test_parts_of_another_representation_are_not_combined(edge):
    serve_parts(edge, "/changed")
    store_part(edge, "/changed", "bytes=0-999")
    new = bytes(2048)
    edge.origin.at("/changed", lambda asked: part_of(new, asked, {**MINUTE, "ETag": '"2"'}))
    assert edge.get("/changed").body == new  # If-Range says so
    serve_parts(edge, "/changed-badly")
    store_part(edge, "/changed-badly", "bytes=0-999")
    fields = {**MINUTE, "ETag": '"2"', "Content-Range": "bytes 1000-2047/2048"}
    edge.origin.at("/changed-badly", lambda asked: Answer(206, new[1000:], fields) if "Range" in asked["headers"]
                   else Answer(200, new, {**MINUTE, "ETag": '"2"'}))
    assert edge.get("/changed-badly").body == new
    serve_parts(edge, "/shrunk")
    store_part(edge, "/shrunk", "bytes=0-999")
    edge.origin.at("/shrunk", lambda asked: Answer(416, b"", {"Content-Range": "bytes */5"}) if "Range" in asked["headers"]
                   else Answer(200, b"short", MINUTE))
    assert edge.get("/shrunk").body == b"short"


@pytest.mark.parametrize("fields", [{**MINUTE, "ETag": 'W/"1"'}, MINUTE])
def test_without_a_strong_validator_a_part_is_reused_and_not_completed(edge, fields):
    target = f"/weak{len(fields)}"
    serve_parts(edge, target, fields)
    store_part(edge, target, "bytes=0-999")
    assert edge.get(target, Range="bytes=1-2").hit
    assert edge.get(target).body == BODY
    assert ranges_of(edge, target) == ["bytes=0-999", None]


def test_a_rest_that_breaks_off_completes_nothing(edge):
    serve_parts(edge, "/broken-rest")
    store_part(edge, "/broken-rest", "bytes=0-999")

    def broken(asked):
        answer = part_of(BODY, asked, {**MINUTE, **TAG})
        answer.broken = True
        return answer
    edge.origin.at("/broken-rest", broken)
    with pytest.raises(Exception, match="IncompleteRead|reset|closed|Remote"):
        edge.get("/broken-rest")
    edge.origin.at("/broken-rest", lambda asked: part_of(BODY, asked, {**MINUTE, **TAG}))
    assert edge.get("/broken-rest").body == BODY
    assert ranges_of(edge, "/broken-rest") == ["bytes=0-999", "bytes=1000-2047", "bytes=1000-2047"]


@pytest.mark.parametrize("name, extra, fields, sent", [
    ("private", {}, {"Cache-Control": "private, max-age=60", **TAG}, {}),
    ("silent", {}, TAG, {}),
    ("cookie", {"Set-Cookie": "a=b"}, {**MINUTE, **TAG}, {}),
    ("credentials", {}, {**MINUTE, **TAG}, {"Authorization": "Basic x"}),
    ("unknown-length", {"Content-Range": "bytes 0-9/*"}, {**MINUTE, **TAG}, {}),
    ("wrong-length", {"Content-Range": "bytes 0-8/2048"}, {**MINUTE, **TAG}, {}),
    ("multipart", {"Content-Range": None, "Content-Type": "multipart/byteranges; boundary=x"}, {**MINUTE, **TAG}, {})])
def test_a_part_that_is_not_for_storing_is_not_stored(edge, name, extra, fields, sent):
    target = f"/part-{name}"
    edge.origin.at(target, body=b"not yet", fields={"Cache-Control": "no-store"})
    edge.get(target)
    parts = {"Content-Range": "bytes 0-9/2048", **fields, **extra}
    edge.origin.at(target, status=206, body=BODY[:10], fields={key: value for key, value in parts.items() if value})
    for _ in range(2):
        answer = edge.get(target, Range="bytes=0-9", **sent)
        assert answer.status == 206 and answer.body == BODY[:10] and not answer.hit
    assert not edge.get(target, Range="bytes=0-9").hit


def test_a_part_that_came_though_the_whole_was_asked_for_is_stored_as_a_part(edge):
    edge.origin.at("/always-part", status=206, body=BODY[:10], fields={**MINUTE, "Content-Range": "bytes 0-9/2048"})
    for answer in (store_part(edge, "/always-part", "bytes=0-9"), edge.get("/always-part", Range="bytes=0-9")):
        assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, BODY[:10], "bytes 0-9/2048")
    assert answer.hit and len(edge.origin.asked("/always-part")) == 1


def test_a_stale_part_is_confirmed_and_used(edge):
    serve_parts(edge, "/stale-part", {"Cache-Control": "max-age=1", **TAG})
    store_part(edge, "/stale-part", "bytes=0-999")
    edge.origin.at("/stale-part", lambda asked: Answer(304, fields={**MINUTE, **TAG}) if asked["headers"].get("If-None-Match") == '"1"'
                   else Answer(500, b"not asked so"))
    confirmed = wait_until(lambda: "fwd-status=304" in (r := edge.get("/stale-part", Range="bytes=1-2")).cache and r, what="it is stale")
    assert (confirmed.status, confirmed.body, confirmed.headers["Content-Range"]) == (206, BODY[1:3], "bytes 1-2/2048")
    assert edge.get("/stale-part", Range="bytes=5-6").hit


def test_an_unsafe_method_makes_a_part_out_of_date(edge):
    serve_parts(edge, "/unsafe-part")
    store_part(edge, "/unsafe-part", "bytes=0-999")
    assert edge.get("/unsafe-part", Range="bytes=0-9").hit
    edge.get("/unsafe-part", "DELETE")
    assert not edge.get("/unsafe-part", Range="bytes=0-9").hit
