"""Versioned paths: /v/VERSION/path is that content for good, or a way to the plain path; and how a version is asked for."""

import hashlib
import json
import threading
import urllib.parse

import pytest
from cache_origin import Answer
from edge_under_test import MINUTE, Edge, herd
from site_under_test import ROOT, SANITIZED, Site, curl

pytestmark = pytest.mark.covers("edge")

PYTHON_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
MOST_BYTES = 8 << 20


@pytest.fixture(scope="module")
def edge():
    with Edge() as edge:
        yield edge


def version_of(body):
    return hashlib.sha256(body).hexdigest()[:32]


def versioned(path, body):
    return f"/v/{version_of(body)}{path}"


def ask_version(edge, path, **fields):
    return edge.get(f"/.meridian/version?path={urllib.parse.quote(path, safe='')}", **fields)


def test_what_a_version_names_may_be_kept_for_good(edge):
    edge.origin.at("/logo", body=b"one", fields={**MINUTE, "ETag": 'W/"x"', "Content-Type": "image/png", "Last-Modified":
                                                 "Sat, 21 Nov 2020 10:00:00 GMT"})
    first = edge.get(versioned("/logo", b"one"))
    assert (first.status, first.body) == (200, b"one") and first.cache.startswith("meridian-edge; fwd=uri-miss; stored; ttl=")
    again = edge.get(versioned("/logo", b"one"))
    assert again.hit and again.body == b"one"
    assert again.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert again.headers["ETag"] == f'"{version_of(b"one")}"' and again.headers["Content-Type"] == "image/png"
    assert edge.get("/logo").hit and len(edge.origin.asked("/logo")) == 1


def test_a_version_is_told_and_leads_to_the_content(edge):
    edge.origin.at("/told?w=1&h=2", body=b"told", fields=MINUTE)
    answer = ask_version(edge, "/told?w=1&h=2")
    told = json.loads(answer.body)
    assert told == {"path": "/told?w=1&h=2", "version": version_of(b"told"), "url": versioned("/told?w=1&h=2", b"told")}
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["Cache-Control"] == "no-store"
    assert edge.get(told["url"]).body == b"told"
    assert edge.get("/.meridian/version?path=/told?w=1%26h=2").body == answer.body


def test_an_old_version_is_served_on_when_the_plain_path_has_moved_on(edge):
    edge.origin.at("/moving", body=b"old", fields={"Cache-Control": "max-age=60", "Surrogate-Key": "moving"})
    assert edge.get(versioned("/moving", b"old")).body == b"old"
    edge.origin.at("/moving", lambda asked: Answer(200, b"new", {"Cache-Control": "no-store"}))
    assert edge.get("/moving", "POST", body=b"x").status == 200  # which forgets the plain path
    assert edge.get("/moving").body == b"new"
    old = edge.get(versioned("/moving", b"old"))
    assert old.hit and old.body == b"old"


def test_other_content_is_the_plain_paths_to_answer(edge):
    edge.origin.at("/other?w=1", body=b"here", fields=MINUTE)
    answer = edge.get(versioned("/other", b"elsewhere") + "?w=1")
    assert (answer.status, answer.headers["Location"], answer.headers["Cache-Control"]) == (307, "/other?w=1", "no-store")
    assert answer.body == b"" and "detail=other-content" in answer.cache
    assert edge.get(versioned("/other", b"here") + "?w=1").body == b"here"


@pytest.mark.parametrize(("name", "answer", "status", "why"), [
    ("missing", {"status": 404, "fields": MINUTE}, 404, "answers 404"),
    ("private", {"fields": {"Cache-Control": "private, max-age=60"}}, 404, "private"),
    ("no-store", {"fields": {"Cache-Control": "no-store"}}, 404, "no-store"),
    ("silent", {"fields": {}}, 404, "no-freshness"),
    ("no-cache", {"fields": {"Cache-Control": "no-cache", "ETag": '"1"'}}, 404, "never fresh"),
    ("no-lifetime", {"fields": {"Cache-Control": "max-age=0", "ETag": '"1"'}}, 404, "never fresh"),
    ("cookie", {"fields": {**MINUTE, "Set-Cookie": "a=b"}}, 404, "set-cookie"),
    ("public-cookie", {"fields": {"Cache-Control": "public, max-age=60", "Set-Cookie": "a=b"}}, 404, "set-cookie"),
    ("failing", {"status": 500}, 502, "answers 500"),
    ("moved", {"status": 302, "fields": {**MINUTE, "Location": "/"}}, 404, "answers 302"),
])
def test_what_cannot_be_kept_has_no_version(edge, name, answer, status, why):
    path = f"/none-{name}"
    edge.origin.at(path, **{"body": b"x", **answer})
    told = ask_version(edge, path)
    assert told.status == status and path.encode() in told.body and why.encode() in told.body, told.body
    assert edge.get(versioned(path, b"x")).status == 307


def test_a_path_that_gets_no_answer_has_no_version(edge):
    edge.origin.at("/dropped", lambda asked: None)
    assert ask_version(edge, "/dropped").status == 502
    assert edge.get(versioned("/dropped", b"")).status == 307


def test_a_body_that_breaks_off_has_no_version(edge):
    edge.origin.at("/breaks", body=b"b" * 1000, fields=MINUTE, broken=True)
    assert ask_version(edge, "/breaks").status in (404, 502)
    assert edge.get(versioned("/breaks", b"b" * 500)).status == 307


@pytest.mark.parametrize("chunked", [False, True])
def test_a_version_has_eight_mebibytes_and_no_byte_more(edge, chunked):
    for size, status in ((MOST_BYTES, 200), (MOST_BYTES + 1, 404)):
        path, body = f"/size{size}{chunked}", b"s" * size
        edge.origin.at(path, body=body, fields=MINUTE, chunked=chunked)
        told = ask_version(edge, path)
        assert told.status == status, told.body
        answer = edge.get(versioned(path, body))
        assert answer.status == (200 if status == 200 else 307)
        assert status == 200 or b"more than 8388608 bytes" in told.body


def test_a_path_that_could_not_be_asked_for_is_a_bad_question(edge):
    for query in ("", "?path", "?path=logo", "?path=//evil.example/", "?path=/.meridian/ready", "?path=%2", "?path=/a%0d%0ab"):
        assert edge.get(f"/.meridian/version{query}").status == 400, query
    assert edge.get("/.meridian/version?path=/logo", "POST", body=b"x").status == 405


def test_parts_and_conditions_are_those_of_the_version(edge):
    body = b"0123456789"
    edge.origin.at("/parts", body=body, fields=MINUTE)
    url, tag = versioned("/parts", body), f'"{version_of(body)}"'
    assert edge.get(url, "HEAD").headers["Content-Length"] == "10"
    assert edge.get(url, Range="bytes=2-4").body == b"234"
    assert edge.get(url, Range="bytes=2-4", If_Range=tag).status == 206
    assert edge.get(url, If_None_Match=tag).status == 304
    assert edge.get(url, If_Match='"other"').status == 307
    refused = edge.get(url, "POST", body=b"x")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert len(edge.origin.asked("/parts")) == 1
    assert edge.get(versioned("/nowhere", body), Cache_Control="only-if-cached").status == 504
    assert not edge.origin.asked("/nowhere")


def test_a_visitors_cookies_and_credentials_have_no_part_in_it(edge):
    def answer(asked):
        who = asked["headers"].get("Cookie") or asked["headers"].get("Authorization") or asked["headers"].get("X-Forwarded-Host", "")
        return Answer(200, b"page of " + who.encode(), {"Cache-Control": "public, max-age=60"})
    edge.origin.at("/who", answer)
    plain = edge.get(versioned("/who", b"page of photos.example"), Cookie="sid=1", Authorization="Basic x", X_Forwarded_Host="evil")
    assert (plain.status, plain.body) == (200, b"page of photos.example")
    assert edge.get(versioned("/who", b"page of sid=1"), Cookie="sid=1").status == 307


def test_what_varies_has_the_version_of_those_who_ask_for_nothing(edge):
    def answer(asked):
        return Answer(200, asked["headers"].get("Accept-Language", "plain").encode(), {**MINUTE, "Vary": "Accept-Language"})
    edge.origin.at("/varies", answer)
    assert edge.get("/varies", Accept_Language="de").body == b"de"
    assert json.loads(ask_version(edge, "/varies", Accept_Language="de").body)["version"] == version_of(b"plain")
    german = edge.get(versioned("/varies", b"plain"), Accept_Language="de")
    assert german.body == b"plain" and "Vary" not in german.headers
    assert edge.get(versioned("/varies", b"de"), Accept_Language="de").status == 307


def test_meridians_own_and_other_hosts_are_not_reached_through_a_version(edge):
    version = version_of(b"x")
    for path in ("/.meridian/ready", "//evil.example/", "/%2emeridian/ready"):
        answer = edge.get(f"/v/{version}{path}")
        assert answer.status in (400, 404) and "Location" not in answer.headers, path
    edge.origin.at("/v/2/mine", body=b"mine")
    assert edge.get("/v/2/mine").body == b"mine"


def test_a_herd_at_a_cold_version_makes_one_origin_request(edge):
    count = 200 if SANITIZED else 1000
    gate, body = threading.Event(), b"h" * 100_000
    edge.origin.at("/version-herd", body=body, fields=MINUTE, hold=gate)
    answers = herd(edge, versioned("/version-herd", body), count)
    edge.origin.wait_for("/version-herd")
    gate.set()
    got = answers()
    assert len(got) == count and {head.split(b"\r\n")[0] for head, part in got if part != body} == set()
    assert len(edge.origin.asked("/version-herd")) == 1


def test_an_application_may_have_the_paths_for_itself():
    site = Site(("us-east",), app=PYTHON_APP, instances=1, extra="\n[edge]\nversions = false\n")
    with site as up:
        base = f"http://{up.addresses['us-east']}:8080"
        path = versioned("/echo", b"x")
        assert curl(base + path, "-H", f"Host: {up.domain}")[0] == 200
        assert curl(f"{base}/.meridian/version?path=/", "-H", f"Host: {up.domain}")[0] == 404
