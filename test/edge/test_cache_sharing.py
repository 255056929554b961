"""What one visitor's request, or the answer to it, may change for all others."""

import http.client
import threading
import types

import pytest

from cache_origin import Answer
from edge_under_test import MINUTE, Edge, herd
from site_under_test import Address, wait_until

pytestmark = pytest.mark.covers("edge")

STALE = {"Cache-Control": "max-age=0, stale-if-error=60", "ETag": '"1"'}


@pytest.fixture(scope="module")
def edge():
    with Edge() as edge:
        yield edge


def stored_stale(edge, target):
    """Stored, and stale at once: each request has it confirmed by a 304."""
    edge.origin.at(target, lambda asked: Answer(304, fields=STALE) if "If-None-Match" in asked["headers"]
                   else Answer(200, b"one", STALE))
    edge.get(target)
    wait_until(lambda: "fwd=stale" in edge.get(target).cache, what="it is stored")


def test_a_cookie_that_came_with_a_304_was_given_to_everybody(edge):
    visits = []

    def answer(asked):
        if "If-None-Match" not in asked["headers"]:
            return Answer(200, b"one", STALE)
        visits.append(asked)
        return Answer(304, fields={"ETag": '"1"', "Cache-Control": "max-age=60", "Set-Cookie": f"id={len(visits)}"})
    edge.origin.at("/cookie-304", answer)
    edge.get("/cookie-304")
    first = wait_until(lambda: (r := edge.get("/cookie-304")).headers["Set-Cookie"] and r, what="it is confirmed")
    again = edge.get("/cookie-304")
    assert first.status == again.status == 200 and first.body == again.body == b"one"
    assert first.headers["Set-Cookie"] != again.headers["Set-Cookie"] and "stored" not in first.cache


def test_a_304_to_a_request_with_no_store_was_stored(edge):
    stored_stale(edge, "/no-store-304")
    edge.origin.at("/no-store-304", lambda asked: Answer(304, fields={"ETag": '"1"', "Cache-Control": "max-age=60"}))
    assert edge.get("/no-store-304", Cache_Control="no-store").status == 200
    assert not edge.get("/no-store-304").hit


def test_a_304_that_makes_it_private_is_for_its_own_visitor_alone(edge):
    stored_stale(edge, "/private-304")
    edge.origin.at("/private-304", lambda asked: Answer(304, fields={"ETag": '"1"', "Cache-Control": "private"})
                   if "If-None-Match" in asked["headers"] else Answer(200, b"two", MINUTE))
    answer = edge.get("/private-304")
    assert (answer.status, answer.body) == (200, b"one") and "stored" not in answer.cache
    assert edge.get("/private-304").body == b"two"


def test_a_reload_with_no_store_dropped_what_others_had_from_the_cache(edge):
    edge.origin.at("/dropped", body=b"one", fields=MINUTE)
    edge.get("/dropped")
    edge.wait_stored("/dropped")
    assert not edge.get("/dropped", Cache_Control="no-cache, no-store").hit
    assert edge.get("/dropped").hit
    assert not edge.get("/dropped", Cache_Control="no-cache", Authorization="Basic x").hit
    assert edge.get("/dropped").hit


def test_a_visitor_with_no_store_kept_a_herd_from_waiting_for_one_answer(edge):
    gate = threading.Event()
    edge.origin.at("/no-herd", body=b"one", fields=MINUTE)
    edge.get("/no-herd", Cache_Control="no-store")
    edge.origin.at("/no-herd", body=b"one", fields=MINUTE, hold=gate)
    before = edge.metric("meridian_edge_visitor_requests_total")
    answers = herd(edge, "/no-herd", 50)
    wait_until(lambda: edge.metric("meridian_edge_visitor_requests_total") >= before + 50, what="all have asked")
    gate.set()
    assert {body for _, body in answers()} == {b"one"}
    assert len(edge.origin.asked("/no-herd")) == 2


def test_a_variant_by_what_the_edge_adds_was_fetched_again_in_vain(edge):
    edge.origin.at("/by-scheme", body=b"old", fields={"Cache-Control": "max-age=0, stale-while-revalidate=600",
                                                      "Vary": "X-Forwarded-Proto, Via"})
    edge.get("/by-scheme")
    edge.wait_stored("/by-scheme")
    edge.origin.at("/by-scheme", body=b"new", fields={**MINUTE, "Vary": "X-Forwarded-Proto, Via"})
    wait_until(lambda: edge.get("/by-scheme").body == b"new", what="the new one is served")


def test_an_answer_by_the_visitors_address_is_not_shared(edge):
    edge.origin.at("/by-address", body=b"one", fields={**MINUTE, "Vary": "X-Forwarded-For"})
    for _ in range(2):
        assert "detail=vary" in edge.get("/by-address").cache


@pytest.mark.parametrize("host", ["photos.example.", "PHOTOS.Example.", "photos.example:80", "photos.example:"])
def test_another_spelling_of_a_host_was_stored_apart_and_told_to_the_origin(edge, host):
    target = f"/spelled-{host}"
    edge.origin.at(target, lambda asked: Answer(200, asked["headers"]["Host"].encode(), MINUTE))
    assert edge.get(target, Host=host).body in (b"photos.example", b"photos.example:80")
    edge.wait_stored(target, Host="photos.example")
    assert len(edge.origin.asked(target)) == 1


def test_only_if_cached_was_forwarded_with_a_request_that_goes_past_the_cache(edge):
    for fields in ({"If_Match": '"1"'}, {"Connection": "X-A", "X_A": "1"}):
        assert edge.get("/past", Cache_Control="only-if-cached", **fields).status == 504
    assert not edge.origin.asked("/past")


def test_proxy_authentication_info_of_the_origin_was_sent_on(edge):
    edge.origin.at("/info", body=b"1", fields={**MINUTE, "Proxy-Authentication-Info": "nextnonce=1"})
    edge.get("/info")
    edge.wait_stored("/info")
    assert edge.get("/info").headers["Proxy-Authentication-Info"] is None


def test_a_forced_reload_reaches_the_origin_of_what_is_immutable(edge):
    edge.origin.at("/immutable", body=b"1", fields={"Cache-Control": "max-age=600, immutable"})
    edge.get("/immutable")
    edge.wait_stored("/immutable")
    assert edge.get("/immutable", Cache_Control="max-age=0").hit
    assert "fwd=request" in edge.get("/immutable", Cache_Control="no-cache").cache


@pytest.mark.parametrize("method, status", [("OPTIONS", 200), ("TRACE", 501)])
def test_a_request_with_no_forwards_left_was_forwarded(edge, method, status):
    edge.origin.at("/forwards", status=204)
    assert edge.get("/forwards", method, Max_Forwards="0").status == status
    assert not edge.origin.asked("/forwards")


def test_a_variant_with_too_long_a_name_was_called_stored_and_let_no_herd_wait(edge):
    gate = threading.Event()
    edge.origin.at("/long", body=b"one", fields={**MINUTE, "Vary": "X-Long"})
    assert "detail=long-variant" in edge.get("/long", X_Long="a" * 5000).cache
    edge.origin.at("/long", body=b"one", fields={**MINUTE, "Vary": "X-Long"}, hold=gate)
    before = edge.metric("meridian_edge_visitor_requests_total")
    answers = herd(edge, "/long", 50)
    wait_until(lambda: edge.metric("meridian_edge_visitor_requests_total") >= before + 50, what="all have asked")
    gate.set()
    assert {body for _, body in answers()} == {b"one"}
    assert len(edge.origin.asked("/long")) == 2


def test_trailers_that_are_not_stored_were_announced(edge):
    edge.origin.at("/trailers", body=b"one", fields={**MINUTE, "Trailer": "X-Sum"}, chunked=True)
    edge.get("/trailers")
    edge.wait_stored("/trailers")
    assert edge.get("/trailers").headers["Trailer"] is None


@pytest.mark.parametrize("ranges, status", [("0-0,1900000-1900000", 206), ("1900000-1900000,0-0", 200)])
def test_several_parts_of_what_the_cache_has_no_room_for_never_came(ranges, status):
    with Edge("--cache-bytes", "1MiB") as edge:
        edge.origin.at("/large", body=b"x" * 2_000_000, fields=MINUTE)
        answer = edge.get("/large", Range="bytes=" + ranges)
        assert answer.status == status and answer.body.count(b"x") == (2 if status == 206 else 2_000_000)


def test_a_message_of_more_than_a_hundred_fields_was_refused(edge, monkeypatch):
    monkeypatch.setattr(http.client, "_MAXHEADERS", 1000)
    edge.origin.at("/many", body=b"one", fields=[*MINUTE.items(), *((f"X-{number}", "a") for number in range(240))])
    many = {f"X-{number}": "b" for number in range(240)}
    for _ in range(2):
        answer = edge.get("/many", **many)
        assert answer.status == 200 and sum(value == "a" for value in answer.headers.values()) == 240
    assert edge.origin.asked("/many")[0]["headers"]["X-239"] == "b"


def test_an_edge_in_front_of_itself_forwarded_for_ever():
    with Address() as address, Edge(origin=types.SimpleNamespace(host=address, port=Edge.port), address=address) as edge:
        answer = edge.get("/round")
        assert answer.status == 508
        wait_until(lambda: edge.metric("meridian_edge_visitor_requests_total") >= 2, what="both are counted")
        assert edge.metric("meridian_edge_visitor_requests_total") == 2


def test_two_edges_in_front_of_each_other_forwarded_for_ever():
    with Address() as one, Address() as other:
        with Edge(origin=types.SimpleNamespace(host=other, port=Edge.port), address=one) as first, \
                Edge(origin=types.SimpleNamespace(host=one, port=Edge.port), address=other):
            assert first.get("/round").status == 508
            wait_until(lambda: first.metric("meridian_edge_visitor_requests_total") >= 2, what="both are counted")
            assert first.metric("meridian_edge_visitor_requests_total") == 2


def test_edges_in_a_row_are_no_loop(edge):
    edge.origin.at("/row", body=b"one")
    with Edge(origin=types.SimpleNamespace(host=edge.address, port=Edge.port)) as outer:
        assert outer.get("/row").body == b"one"
    assert len(edge.origin.asked("/row")[0]["headers"].get_all("CDN-Loop")) == 2
