"""The edge as a cache: what reaches the origin, and what visitors get."""

import socket
import subprocess
import threading

import pytest

from cache_origin import Answer
from edge_under_test import MINUTE, Edge, herd
from site_under_test import MERIDIAN, wait_until

pytestmark = pytest.mark.covers("edge")


@pytest.fixture(scope="module")
def edge():
    with Edge() as edge:
        yield edge


@pytest.fixture
def own_edge():
    with Edge() as edge:
        yield edge


def stored(edge, target, **answer):
    edge.origin.at(target, **answer)
    first = edge.get(target)
    assert first.status == answer.get("status", 200), first.body
    edge.wait_stored(target)
    return first


def test_what_is_fresh_is_asked_for_once(edge):
    first = stored(edge, "/fresh", body=b"one", fields=MINUTE)
    assert first.cache.startswith("meridian-edge; fwd=uri-miss; stored; ttl=")
    again = edge.get("/fresh")
    assert again.hit and again.body == b"one" and int(again.headers["Age"]) < 60
    assert len(edge.origin.asked("/fresh")) == 1


def test_nothing_is_stored_without_explicit_freshness(edge):
    edge.origin.at("/silent", body=b"one", fields={"ETag": '"1"', "Last-Modified": "Sat, 21 Nov 2020 10:00:00 GMT"})
    assert [edge.get("/silent").hit for _ in range(3)] == [False] * 3
    assert edge.get("/silent").cache == "meridian-edge; fwd=uri-miss; fwd-status=200; detail=no-freshness"
    assert len(edge.origin.asked("/silent")) == 4


@pytest.mark.parametrize("status", [204, 299, 302, 400, 404, 410, 429, 499, 500, 503, 504, 599])
def test_any_final_status_with_explicit_freshness_is_stored(edge, status):
    stored(edge, f"/status{status}", status=status, body=b"", fields=MINUTE)
    assert edge.get(f"/status{status}").status == status
    assert len(edge.origin.asked(f"/status{status}")) == 1
    edge.origin.at(f"/silent{status}", status=status, body=b"")
    assert "detail=no-freshness" in edge.get(f"/silent{status}").cache


def test_a_head_and_ranges_come_from_the_stored_whole(edge):
    stored(edge, "/ranges", body=b"0123456789", fields={**MINUTE, "ETag": '"1"', "Content-Type": "text/plain"})
    head = edge.get("/ranges", "HEAD")
    assert head.hit and head.body == b"" and head.headers["Content-Length"] == "10"
    part = edge.get("/ranges", Range="bytes=2-4")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    parts = edge.get("/ranges", Range="bytes=0-1,-2")
    boundary = parts.headers["Content-Type"].partition("boundary=")[2].encode()
    assert parts.status == 206 and parts.body.count(b"--" + boundary) == 3
    assert b"bytes 0-1/10\r\n\r\n01\r\n" in parts.body and b"bytes 8-9/10\r\n\r\n89\r\n" in parts.body
    past = edge.get("/ranges", Range="bytes=10-")
    assert (past.status, past.headers["Content-Range"]) == (416, "bytes */10")
    assert edge.get("/ranges", Range="bytes=2-4", If_Range='"2"').status == 200
    assert len(edge.origin.asked("/ranges")) == 1


def test_a_range_that_misses_fills_the_whole(edge):
    edge.origin.at("/range-miss", body=b"0123456789", fields=MINUTE)
    part = edge.get("/range-miss", Range="bytes=2-4")
    assert (part.status, part.body) == (206, b"234")
    edge.wait_stored("/range-miss")
    asked = edge.origin.asked("/range-miss")
    assert len(asked) == 1 and "Range" not in asked[0]["headers"]


def test_a_head_that_misses_makes_one_request(edge):
    edge.origin.at("/head-miss", body=b"one", fields=MINUTE)
    first = edge.get("/head-miss", "HEAD")
    assert first.status == 200 and first.cache == "meridian-edge; fwd=uri-miss; fwd-status=200"
    assert not edge.get("/head-miss", "HEAD").hit
    assert [asked["method"] for asked in edge.origin.asked("/head-miss")] == ["HEAD", "HEAD"]
    assert edge.get("/head-miss").body == b"one"
    edge.wait_stored("/head-miss")
    again = edge.get("/head-miss", "HEAD")
    assert again.hit and again.headers["Content-Length"] == "3"
    assert [asked["method"] for asked in edge.origin.asked("/head-miss")] == ["HEAD", "HEAD", "GET"]


def head_of_stale(edge, target, fields, body=b"one"):
    """HEAD, answered with `fields` and the length of `body`, of what is stored and stale."""
    edge.origin.at(target, body=b"one", fields={"ETag": '"1"', "X-Seen": "get", "Cache-Control": "max-age=1"})
    edge.wait_known(target)
    edge.origin.at(target, lambda asked: Answer(200, body, fields) if asked["method"] == "HEAD" else Answer(200, b"new", MINUTE))
    return wait_until(lambda: not (r := edge.get(target, "HEAD")).hit and r, what="it is stale")


def test_a_head_freshens_what_is_stored(edge):
    head = head_of_stale(edge, "/freshens", {"ETag": '"1"', "X-Seen": "head", **MINUTE})
    assert head.headers["X-Seen"] == "head" and "stored" in head.cache
    answer = edge.get("/freshens")
    assert answer.hit and answer.body == b"one" and answer.headers["X-Seen"] == "head"
    assert [asked["method"] for asked in edge.origin.asked("/freshens")][-2:] == ["GET", "HEAD"]


@pytest.mark.parametrize("name, fields, body", [("etag", {"ETag": '"2"', **MINUTE}, b"one"), ("length", {"ETag": '"1"', **MINUTE}, b"longer"),
                                                ("only-length", MINUTE, b"longer")])
def test_a_head_that_tells_of_something_else_makes_what_is_stored_out_of_date(edge, name, fields, body):
    head_of_stale(edge, f"/contradicts-{name}", fields, body)
    answer = edge.get(f"/contradicts-{name}")
    assert "fwd=stale" in answer.cache and answer.body == b"new"


def test_a_head_that_makes_it_private_drops_what_is_stored(edge):
    head_of_stale(edge, "/head-private", {"ETag": '"1"', "Cache-Control": "private"})
    answer = edge.get("/head-private")
    assert "fwd=uri-miss" in answer.cache and answer.body == b"new"


@pytest.mark.parametrize("fields, body", [({"ETag": '"2"', **MINUTE}, b"one"), (MINUTE, b"longer"), (MINUTE, b"")])
def test_a_head_deleted_a_response_that_could_have_been_served_stale_on_failure(edge, fields, body):
    target = f"/stands-in-after-head/{len(fields)}/{len(body)}"
    head_of_stale(edge, target, fields, body)
    edge.origin.at(target, lambda asked: Answer(503, b"down"))
    assert edge.get(target).body == b"one"


def test_a_head_made_what_is_fresh_stale_by_its_tag_but_not_by_a_length_of_zero(edge):
    stored(edge, "/fresh-head", body=b"one", fields={"ETag": '"1"', **MINUTE})
    edge.origin.at("/fresh-head", lambda asked: Answer(200, b"", MINUTE))
    edge.get("/fresh-head", "HEAD", Cache_Control="no-cache")
    assert edge.get("/fresh-head").hit
    edge.origin.at("/fresh-head", body=b"two", fields={"ETag": '"2"', **MINUTE})
    edge.get("/fresh-head", "HEAD", Cache_Control="no-cache")
    assert edge.get("/fresh-head").body == b"two"


def test_a_head_of_what_is_not_for_storing_fetches_nothing(edge):
    edge.origin.at("/head-pass", body=b"one", fields={"Cache-Control": "no-store"})
    for _ in range(2):
        assert "detail=no-store" in edge.get("/head-pass", "HEAD").cache
    assert edge.get("/head-pass").body == b"one"
    assert [asked["method"] for asked in edge.origin.asked("/head-pass")] == ["HEAD", "HEAD", "GET"]


def test_a_range_of_what_is_not_stored_is_the_origins(edge):
    def answer(asked):
        ranged = "Range" in asked["headers"]
        return Answer(206, b"1", {"Content-Range": "bytes 1-1/3"}) if ranged else Answer(200, b"012")
    edge.origin.at("/range-pass", answer)
    part = edge.get("/range-pass", Range="bytes=1-1")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"1", "bytes 1-1/3")


def test_a_visitor_who_has_it_gets_304(edge):
    stored(edge, "/has", body=b"one", fields={**MINUTE, "ETag": '"1"'})
    answer = edge.get("/has", If_None_Match='W/"1"')
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", '"1"') and answer.hit
    assert edge.get("/has", If_None_Match='"2"').status == 200
    assert len(edge.origin.asked("/has")) == 1


def test_a_condition_on_what_is_not_stored_is_answered_from_the_origins_answer(edge):
    edge.origin.at("/condition", body=b"one", fields={"ETag": '"1"'})
    answer = edge.get("/condition", If_None_Match='"1"')
    assert answer.status == 304 and answer.headers["ETag"] == '"1"' and "detail=no-freshness" in answer.cache


def test_a_stale_response_is_confirmed_by_a_304_that_updates_it(edge):
    def answer(asked):
        if asked["headers"].get("If-None-Match") == '"1"':
            return Answer(304, fields={"ETag": '"1"', "Cache-Control": "max-age=60", "X-Seen": "two"})
        return Answer(200, b"one", {"ETag": '"1"', "Cache-Control": "max-age=1, stale-if-error=60", "X-Seen": "one"})
    edge.origin.at("/confirm", answer)
    assert edge.get("/confirm").headers["X-Seen"] == "one"
    confirmed = wait_until(lambda: (r := edge.get("/confirm")).headers["X-Seen"] == "two" and r, what="it is confirmed")
    assert confirmed.status == 200 and confirmed.body == b"one"
    assert "fwd=stale; fwd-status=304; stored" in confirmed.cache or confirmed.hit
    assert edge.get("/confirm").hit and len(edge.origin.asked("/confirm")) == 2


@pytest.mark.parametrize("control", ["no-cache", "max-age=0", "s-maxage=0", "max-age=60, no-cache"])
@pytest.mark.parametrize("validator, condition", [(("ETag", '"1"'), "If-None-Match"),
                                                  (("Last-Modified", "Sat, 21 Nov 2020 10:00:00 GMT"), "If-Modified-Since")])
def test_what_is_never_fresh_is_stored_and_confirmed_at_each_use(edge, control, validator, condition):
    target = f"/each-time/{control}/{validator[0]}".replace(" ", "")
    if validator[0] == "Last-Modified":
        control = f"public, {control}"  # one visitor's date may be another's
    fields = {"Cache-Control": control, validator[0]: validator[1]}
    edge.origin.at(target, lambda asked: Answer(304, fields=fields) if asked["headers"][condition] == validator[1]
                   else Answer(200, b"one", fields))
    assert "fwd=uri-miss" in edge.get(target).cache
    for _ in range(2):
        again = wait_until(lambda: (r := edge.get(target)) and "fwd-status=304" in r.cache and r, what="it is confirmed")
        assert (again.status, again.body) == (200, b"one") and "; fwd=stale; fwd-status=304; stored" in again.cache
    assert edge.get(target, Range="bytes=1-").body == b"ne"
    assert edge.get(target, **{condition: validator[1]}).status == 304
    edge.origin.at(target, body=b"two", fields=fields)
    assert edge.get(target).body == b"two"


def test_a_condition_is_judged_by_what_took_the_place_of_what_is_confirmed_each_time(edge):
    edge.origin.at("/new-private", body=b"one", fields={"Cache-Control": "no-cache", "ETag": '"1"'})
    edge.get("/new-private")
    wait_until(lambda: "fwd=stale" in edge.get("/new-private").cache, what="it is stored")
    edge.origin.at("/new-private", body=b"two", fields={"Cache-Control": "private", "ETag": '"2"'})
    assert edge.get("/new-private", If_None_Match='"2"').status == 304


def test_all_variants_of_a_url_are_kept_apart(edge):
    edge.origin.at("/vary", lambda asked: Answer(200, asked["headers"].get("Accept-Language", "-").encode(),
                                                 {**MINUTE, "Vary": "Accept-Language"}))
    for language in ("de", "en", "fr"):
        assert edge.get("/vary", Accept_Language=language).body == language.encode()
    for language in ("de", "en", "fr"):
        edge.wait_stored("/vary", Accept_Language=language)
        assert edge.get("/vary", Accept_Language=language).body == language.encode()
    assert len(edge.origin.asked("/vary")) == 3
    assert "fwd=vary-miss" in edge.get("/vary", Accept_Language="it").cache


def test_codings_that_do_not_matter_make_no_variant(edge):
    """An origin that knows gzip alone."""
    def answer(asked):
        gzip = "gzip" in asked["headers"].get("Accept-Encoding", "")
        return Answer(200, b"gzip" if gzip else b"plain", {**MINUTE, "Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if gzip else {})})
    edge.origin.at("/codings", answer)
    edge.get("/codings", Accept_Encoding="gzip, deflate, br, zstd")
    for codings in ("gzip, deflate, br, zstd", "br, gzip;q=0.5", "gzip", "x-gzip, identity", "gzip, *;q=0, identity"):
        edge.wait_stored("/codings", Accept_Encoding=codings)
        assert edge.get("/codings", Accept_Encoding=codings).body == b"gzip"
    assert len(edge.origin.asked("/codings")) == 1
    for codings in ("br", "gzip;q=0", "identity", ""):
        assert edge.get("/codings", Accept_Encoding=codings).body == b"plain"
    edge.wait_stored("/codings", Accept_Encoding="br")
    assert edge.get("/codings", Accept_Encoding="identity").hit
    assert len(edge.origin.asked("/codings")) <= 4


def test_lists_in_vary_are_compared_as_lists(edge):
    edge.origin.at("/lists", lambda asked: Answer(200, asked["headers"]["X-List"].encode(), {**MINUTE, "Vary": "X-List"}))
    edge.get("/lists", X_List="a, b")
    edge.wait_stored("/lists", X_List="a,b")
    assert edge.get("/lists", X_List="a ,, b").body == b"a, b"
    assert edge.get("/lists", X_List="b, a").body == b"b, a"


def test_a_variant_that_a_304_confirmed_went_on_answering_all_that_it_had_answered(edge):
    fields = {"Vary": "Accept-Encoding", "ETag": '"1"'}
    edge.origin.at("/confirmed-codings", lambda asked: Answer(304, fields={**fields, **MINUTE}) if "If-None-Match" in asked["headers"]
                   else Answer(200, b"one", {**fields, "Cache-Control": "max-age=1"}))
    edge.get("/confirmed-codings", Accept_Encoding="gzip, br")
    wait_until(lambda: "fwd-status=304" in edge.get("/confirmed-codings", Accept_Encoding="gzip").cache, what="it is confirmed")
    assert edge.get("/confirmed-codings", Accept_Encoding="gzip, br").hit
    assert len(edge.origin.asked("/confirmed-codings")) == 2


def test_cdn_cache_control_stands_above_cache_control(edge):
    stored(edge, "/targeted", body=b"1", fields={"Cache-Control": "no-store", "CDN-Cache-Control": "max-age=60"})
    edge.origin.at("/targeted-wrong", body=b"1", fields={"Cache-Control": "no-store", "CDN-Cache-Control": 'max-age="60"'})
    assert "detail=no-store" in edge.get("/targeted-wrong").cache


def test_request_directives_are_obeyed(edge):
    assert edge.get("/nowhere", Cache_Control="only-if-cached").status == 504
    assert not edge.origin.asked("/nowhere")
    stored(edge, "/reload", body=b"1", fields=MINUTE)
    assert "fwd=request" in edge.get("/reload", Cache_Control="no-cache").cache
    edge.origin.at("/no-store", body=b"1", fields=MINUTE)
    edge.get("/no-store", Cache_Control="no-store")
    assert not edge.get("/no-store").hit


def test_an_unsafe_method_makes_the_url_and_its_location_out_of_date(edge):
    for path in ("/unsafe", "/unsafe-list"):
        edge.origin.at(path, lambda asked: Answer(200, b"ok", {**MINUTE, "Location": "/unsafe-list"}))
        edge.get(path)
        edge.wait_stored(path)
    post = edge.get("/unsafe", "POST", body=b"new")
    assert post.status == 200 and "fwd=method" in post.cache
    assert not edge.get("/unsafe").hit and not edge.get("/unsafe-list").hit


POSTED = {**MINUTE, "Content-Location": "/posted"}


def test_a_posts_answer_with_its_own_content_location_serves_later_gets(edge):
    edge.origin.at("/posted", lambda asked: Answer(200, asked["method"].encode() + b" " + asked["body"], POSTED))
    edge.get("/posted")
    post = edge.get("/posted", "POST", body=b"new")
    assert post.body == b"POST new" and "fwd=method" in post.cache
    edge.wait_held("/posted", b"POST new")
    assert edge.get("/posted").body == b"POST new" and edge.get("/posted", "HEAD").hit
    assert edge.get("/posted", "POST", body=b"newer").body == b"POST newer"  # never answered by what is stored
    edge.wait_held("/posted", b"POST newer")
    assert edge.get("/posted").body == b"POST newer"
    assert [asked["method"] for asked in edge.origin.asked("/posted")] == ["GET", "POST", "POST"]


@pytest.mark.parametrize("sent", [{"Cookie": "id=1"}, {"Authorization": "Basic x"}])
def test_a_public_answer_to_a_post_serves_others_whoever_sent_it(edge, sent):
    target = f"/post-public-{next(iter(sent))}"
    edge.origin.at(target, body=b"posted", fields={"Cache-Control": "public, max-age=60", "Content-Location": target})
    assert edge.get(target, "POST", body=b"new", **sent).body == b"posted"
    edge.wait_held(target, b"posted")


@pytest.mark.parametrize("name, method, status, fields, sent", [
    ("elsewhere", "POST", 200, {**MINUTE, "Content-Location": "/posted"}, {}),
    ("none", "POST", 200, MINUTE, {}),
    ("silent", "POST", 200, {"Content-Location": "/post-silent", "ETag": '"1"'}, {}),
    ("created", "POST", 201, {**MINUTE, "Content-Location": "/post-created"}, {}),
    ("put", "PUT", 200, {**MINUTE, "Content-Location": "/post-put"}, {}),
    ("private", "POST", 200, {"Cache-Control": "private, max-age=60", "Content-Location": "/post-private"}, {}),
    ("cookie", "POST", 200, {**MINUTE, "Content-Location": "/post-cookie", "Set-Cookie": "a=b"}, {}),
    ("credentials", "POST", 200, {**MINUTE, "Content-Location": "/post-credentials"}, {"Authorization": "Basic x"}),
    ("sent-cookie", "POST", 200, {**MINUTE, "Content-Location": "/post-sent-cookie"}, {"Cookie": "id=1"}),
    ("shared", "POST", 200, {"Cache-Control": "s-maxage=60", "Content-Location": "/post-shared"}, {"Authorization": "Basic x"}),
    ("no-store", "POST", 200, {**MINUTE, "Content-Location": "/post-no-store"}, {"Cache-Control": "no-store"}),
    ("two", "POST", 200, [*MINUTE.items(), ("Content-Location", "/post-two"), ("Content-Location", "/posted")], {})])
def test_another_answer_to_an_unsafe_method_serves_no_get(edge, name, method, status, fields, sent):
    target = f"/post-{name}"
    edge.origin.at(target, status=status, body=b"posted", fields=fields)
    assert edge.get(target, method, body=b"new", **sent).body == b"posted"
    edge.origin.at(target, body=b"got", fields=MINUTE)
    assert edge.get(target).body == b"got"


def test_hop_by_hop_fields_are_neither_stored_nor_sent_on(edge):
    stored(edge, "/hop", body=b"1", fields={**MINUTE, "Connection": "X-Hop", "X-Hop": "mine", "Keep-Alive": "timeout=5",
                                            "Proxy-Authenticate": "Basic", "X-End": "yours"})
    answer = edge.get("/hop")
    assert answer.hit and answer.headers["X-End"] == "yours"
    assert not {"X-Hop", "Keep-Alive", "Proxy-Authenticate"} & set(answer.headers)
    edge.get("/hop-request", Connection="X-Mine", X_Mine="1", TE="trailers")
    assert not {"X-Mine", "TE"} & set(edge.origin.asked("/hop-request")[0]["headers"])


# One fetch.

def test_those_who_wait_stream_the_body_as_it_arrives(edge):
    gate = threading.Event()
    edge.origin.at("/stream", body=b"first" + b"later", fields=MINUTE, hold_body=gate)
    readers = [socket.create_connection((edge.address, edge.port), timeout=90) for _ in range(2)]
    try:
        for reader in readers:
            reader.sendall(b"GET /stream HTTP/1.1\r\nHost: photos.example\r\nConnection: close\r\n\r\n")
        for reader in readers:
            got = b""
            while not got.endswith(b"first"):
                got += reader.recv(65536)
            assert b"Content-Length: 10" in got
        gate.set()
        assert [reader.recv(65536) for reader in readers] == [b"later"] * 2
    finally:
        gate.set()
        for reader in readers:
            reader.close()
    assert len(edge.origin.asked("/stream")) == 1


def test_who_asked_may_leave_within_the_body_and_the_others_get_all_of_it(edge):
    gate = threading.Event()
    body = b"x" * 100_000
    edge.origin.at("/leaves-body", body=body, fields=MINUTE, hold_body=gate)
    with socket.create_connection((edge.address, edge.port), timeout=90) as leader:
        leader.sendall(b"GET /leaves-body HTTP/1.1\r\nHost: photos.example\r\n\r\n")
        leader.recv(1000)
        before = edge.metric("meridian_edge_visitor_requests_total")
        answers = herd(edge, "/leaves-body", 5)
        wait_until(lambda: edge.metric("meridian_edge_visitor_requests_total") >= before + 5, what="all read")
        leader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    gate.set()
    assert [part for _, part in answers()] == [body] * 5
    assert len(edge.origin.asked("/leaves-body")) == 1


def test_what_is_not_for_storing_makes_no_convoy(edge):
    """Once the head has said so, all who waited ask for themselves at the same time."""
    first, rest = threading.Event(), threading.Event()
    seen = []

    def answer(asked):
        seen.append(asked)
        return Answer(200, b"mine", {"Cache-Control": "private"}, hold=first if len(seen) == 1 else rest)
    edge.origin.at("/convoy", answer)
    answers = herd(edge, "/convoy", 20)
    edge.origin.wait_for("/convoy")
    first.set()
    edge.origin.wait_for("/convoy", 20)  # none of the 19 waits for another
    rest.set()
    assert [body for _, body in answers()] == [b"mine"] * 20
    later = herd(edge, "/convoy", 5)
    edge.origin.wait_for("/convoy", 25)
    assert [body for _, body in later()] == [b"mine"] * 5


def test_an_error_of_the_origin_is_not_collapsed_into_everyone(edge):
    gate = threading.Event()
    seen = []

    def answer(asked):
        seen.append(asked)
        return Answer(500, b"oops", hold=gate) if len(seen) == 1 else Answer(200, b"well", MINUTE)
    edge.origin.at("/error-herd", answer)
    answers = herd(edge, "/error-herd", 10)
    edge.origin.wait_for("/error-herd")
    gate.set()
    bodies = sorted(body for _, body in answers())
    assert bodies == [b"oops"] + [b"well"] * 9


def test_a_body_that_breaks_off_is_never_stored_and_never_looks_whole(edge):
    for target, chunked in (("/broken", False), ("/broken-chunked", True)):
        edge.origin.at(target, body=b"b" * 1000, fields=MINUTE, broken=True, chunked=chunked)
        for _ in range(3):
            with pytest.raises(Exception, match="IncompleteRead|reset|closed|Remote"):
                edge.get(target)
        assert len(edge.origin.asked(target)) == 3
        edge.origin.at(target, body=b"whole", fields=MINUTE)
        assert edge.get(target).body == b"whole"


def test_a_body_in_chunks_is_stored_and_then_has_a_length(edge):
    edge.origin.at("/chunked", body=b"in chunks", fields=MINUTE, chunked=True)
    edge.get("/chunked")
    edge.wait_stored("/chunked")
    assert edge.get("/chunked").headers["Content-Length"] == "9"


def test_an_object_larger_than_allowed_goes_through_whole_and_is_not_stored():
    with Edge("--cache-bytes", "1MiB") as edge:
        body = bytes(range(256)) * 16384  # 4 MiB
        for target, chunked in (("/large", False), ("/large-chunked", True)):
            edge.origin.at(target, body=body, fields=MINUTE, chunked=chunked)
            assert edge.get(target).body == body
            assert edge.get(target).body == body
            assert len(edge.origin.asked(target)) == 2
        assert edge.metric("meridian_edge_cache_bytes") <= 1 << 20


def test_stale_while_revalidate_serves_at_once_and_asks_behind_the_visitors_back(edge):
    seen = []

    def answer(asked):
        seen.append(asked)
        return Answer(200, b"%d" % len(seen), {"Cache-Control": "max-age=1, stale-while-revalidate=60"})
    edge.origin.at("/swr", answer)
    assert edge.get("/swr").body == b"1"
    stale = wait_until(lambda: (r := edge.get("/swr")).hit and "ttl=-" in r.cache and r, what="it is stale")
    assert stale.body == b"1"
    wait_until(lambda: edge.get("/swr").body != b"1", what="it is renewed")


def test_stale_if_error_stands_in_for_an_origin_that_fails_or_is_down(own_edge):
    edge = own_edge
    fields = {"Cache-Control": "max-age=1, stale-if-error=600"}
    edge.origin.at("/sie", body=b"good", fields=fields)
    edge.get("/sie")
    edge.origin.at("/sie", status=503, body=b"bad")
    stale = wait_until(lambda: (r := edge.get("/sie")) and "stale-if-error" in r.cache and r, what="it is served stale")
    assert stale.status == 200 and stale.body == b"good"
    edge.origin.stop()
    assert edge.get("/sie").body == b"good"
    down = edge.get("/other")
    assert down.status == 502 and down.cache.startswith("meridian-edge; fwd=uri-miss")
    assert edge.get("/sie", Cache_Control="only-if-cached").status == 504


def origin_down(edge, target, body, status, control, **fields):
    """What a visitor gets of a response with `control`, stale, from an origin that answers `status`, or is down (0)."""
    edge.origin.at(target, body=body, fields={"Cache-Control": control, "ETag": '"1"', **fields})
    edge.wait_known(target)
    edge.origin.at(target, lambda asked: Answer(status, b"bad") if status else None)
    return wait_until(lambda: not (r := edge.get(target)).hit and r, what="it is stale")


@pytest.mark.parametrize("status", [0, 502, 503, 504])
@pytest.mark.parametrize("control", ["max-age=1", "public, max-age=0", "public, max-age=1"])
def test_what_is_stale_stands_in_for_an_origin_that_cannot_be_reached(edge, status, control):
    stale = origin_down(edge, f"/down/{status}/{control}".replace(" ", ""), b"good", status, control)
    assert (stale.status, stale.body) == (200, b"good") and "detail=stale-on-failure" in stale.cache
    head = edge.get(f"/down/{status}/{control}".replace(" ", ""), "HEAD")
    assert head.status == 200 and "detail=stale-on-failure" in head.cache


@pytest.mark.parametrize("status", [0, 503])
@pytest.mark.parametrize("control", ["max-age=1, must-revalidate", "max-age=1, proxy-revalidate", "s-maxage=1"])
def test_what_must_be_confirmed_when_it_is_stale_is_a_504_when_the_origin_is_down(edge, status, control):
    answer = origin_down(edge, f"/must/{status}/{control}".replace(" ", ""), b"good", status, control)
    assert answer.status == (status or 504) and answer.body != b"good"


@pytest.mark.parametrize("status, control", [(0, "no-cache"), (503, "no-cache"), (0, "max-age=0"), (503, "max-age=0"), (500, "max-age=1"), (503, "max-age=1, stale-if-error=0")])
def test_a_response_that_forbids_stale_is_not_served_stale(edge, status, control):
    answer = origin_down(edge, f"/not/{status}/{control}".replace(" ", ""), b"good", status, control)
    assert answer.status == (status or 502) and answer.body != b"good"


def test_a_stale_error_does_not_replace_a_new_error(edge):
    edge.origin.at("/errors", status=503, body=b"old", fields={"Cache-Control": "max-age=1"})
    edge.wait_known("/errors")
    edge.origin.at("/errors", status=502, body=b"new")
    assert wait_until(lambda: not (r := edge.get("/errors")).hit and r, what="it is stale").body == b"new"


def test_what_a_visitor_without_hope_waits_for_has_an_end(own_edge):
    own_edge.origin.at("/drop", lambda asked: None)
    assert own_edge.get("/drop").status == 502  # within the time that the client gives it


def test_the_budget_holds_under_a_scan():
    with Edge("--cache-bytes", "2MiB") as edge:
        for i in range(300):
            edge.origin.at(f"/scan{i}", body=b"s" * 20_000, fields=MINUTE)
            edge.get(f"/scan{i}")
        wait_until(lambda: edge.metric("meridian_edge_cache_bytes") > 1 << 20, what="the gauge is told")
        assert edge.metric("meridian_edge_cache_bytes") <= 2 << 20
        assert 0 < edge.metric("meridian_edge_cache_objects") <= 100


def test_alone_it_wants_both_addresses_and_nothing_else(edge):
    for arguments in (["--listen", "127.0.0.1:1"], ["--origin", "http://127.0.0.1:1"],
                      ["--listen", "nonsense", "--origin", "http://127.0.0.1:1"],
                      ["--listen", "127.0.0.1:1", "--origin", "https://127.0.0.1:1"],
                      ["--listen", "127.0.0.1:1", "--origin", "http://127.0.0.1:1/path"],
                      ["--listen", "127.0.0.1:1", "--origin", "http://127.0.0.1:1", "--cache-bytes", "1"], []):
        done = subprocess.run([MERIDIAN, "edge", *arguments], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode != 0 and done.stderr, arguments


def test_twelve_ranges_of_one_object_asked_the_origin_eleven_times(edge):
    body = bytes(range(256)) * 4096 * 12
    edge.origin.at("/twelve", body=body, fields={**MINUTE, "ETag": '"1"'})
    for part in range(12):
        answer = edge.get("/twelve", Range=f"bytes={part << 20}-{(part + 1 << 20) - 1}")
        assert answer.status == 206 and answer.body == body[part << 20:part + 1 << 20]
        assert "stored" not in answer.cache or edge.get("/twelve").hit
    assert len(edge.origin.asked("/twelve")) == 1
