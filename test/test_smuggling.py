"""Request smuggling, each trick by its name, through edge and balancer and at the balancer alone, to an origin that records every byte."""

import itertools
import pathlib
import re
import shutil

import pytest

from http_connection import HttpConnection
from site_under_test import ROOT, Site

pytestmark = pytest.mark.covers("http", "wire")

NEXT = b"GET /smuggled HTTP/1.1\r\nHost: photos.example\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("record")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def site(record):
    app = f'command = ["/usr/bin/python3", "{ROOT}/test/support/raw_origin.py"]\nenvironment = {{ RECORD = "{record}" }}\nhealth = "/health"'
    with Site(("us-east",), app=app, instances=1) as running:
        yield running


@pytest.fixture(params=["edge", "edge by TLS", "balancer"])
def connect(request, site):
    """Opens connections to a tier."""
    port = {"edge": 8080, "edge by TLS": 8443, "balancer": 8000}[request.param]
    tls = {"ca": str(site.state / "ca/authority.pem"), "server_name": site.domain} if port == 8443 else {}
    return lambda: HttpConnection(site.addresses["us-east"], port, **tls)


def heads(record):
    """The request lines that reached the origin, without the health checks."""
    text = b"".join(path.read_bytes() for path in pathlib.Path(record).iterdir())
    return [line for line in re.findall(rb"([^\r\n]+) HTTP/1\.[01]\r\n", text) if not line.endswith(b"/health")]


def request(fields=b"", body=b"", start=b"POST /first HTTP/1.1", host=b"Host: photos.example\r\n"):
    return start + b"\r\n" + host + fields + b"\r\n" + body


tags = (b"/test-%d-" % number for number in itertools.count())


# What is refused before a byte of it reaches the origin.
REFUSED = {
    "CL.TE": request(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nX"),
    "TE.CL": request(CHUNKED + b"Content-Length: 4\r\n", b"5c\r\nGPOST"),
    "TE.TE with an unknown coding": request(CHUNKED + b"Transfer-Encoding: cow\r\n", b"0\r\n\r\n"),
    "TE.TE with a list": request(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "TE.TE with a tab and a space before the colon": request(b"Transfer-Encoding \t: chunked\r\n", b"0\r\n\r\n"),
    "TE.TE with a vertical tab": request(b"Transfer-Encoding:\x0bchunked\r\n", b"0\r\n\r\n"),
    "TE.TE folded": request(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "TE.0 in HTTP/1.0": request(CHUNKED, b"0\r\n\r\n", start=b"POST /first HTTP/1.0"),
    "duplicate Content-Length": request(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "two Content-Lengths": request(b"Content-Length: 0\r\nContent-Length: 50\r\n"),
    "a list of Content-Lengths": request(b"Content-Length: 0, 50\r\n"),
    "a Content-Length with a plus": request(b"Content-Length: +0\r\n"),
    "bare LF at the end of a line": request(b"X: a\nContent-Length: 50\r\n"),
    "bare LF LF at the end of the head": b"GET /first HTTP/1.1\r\nHost: photos.example\n\n",
    "bare CR in a value": request(b"X: a\rContent-Length: 50\r\n"),
    "bare CR at the end of the head": request(b"X: a\r\r\n"),
    "NUL in a value": request(b"X: a\0b\r\n"),
    "NUL in a name": request(b"X\0: a\r\n"),
    "a space before the colon": request(b"Content-Length : 5\r\n", b"hello"),
    "obs-fold": request(b"X: a\r\n Content-Length: 50\r\n"),
    "a folded first field": request(b"", b"", host=b" Host: photos.example\r\n"),
    "two Hosts": request(b"Host: photos.example\r\n"),
    "white space within the request line": request(start=b"GET /first\tHTTP/1.1 HTTP/1.1"),
}

# What is refused while its body comes: its head may have gone on, but what stands behind the trick never becomes a request.
REFUSED_IN_BODY = {
    "a chunk size with a plus": request(CHUNKED, b"+2\r\nab\r\n0\r\n\r\n"),
    "a chunk size with 0x": request(CHUNKED, b"0x2\r\nab\r\n0\r\n\r\n"),
    "a chunk size with a space in front": request(CHUNKED, b" 2\r\nab\r\n0\r\n\r\n"),
    "a chunk size with an underscore": request(CHUNKED, b"1_0\r\nab\r\n0\r\n\r\n"),
    "an empty chunk size": request(CHUNKED, b"\r\nab\r\n0\r\n\r\n"),
    "a chunk size past 2^64": request(CHUNKED, b"10000000000000002\r\nab\r\n0\r\n\r\n"),
    "a chunk longer than its size": request(CHUNKED, b"2\r\nabc\r\n0\r\n\r\n"),
    "LF after a chunk size": request(CHUNKED, b"2\nab\r\n0\r\n\r\n"),
    "LF after a chunk": request(CHUNKED, b"2\r\nab\n0\r\n\r\n"),
    "LF in a chunk extension": request(CHUNKED, b"2;a=b\nc\r\nab\r\n0\r\n\r\n"),
    "CR in a chunk extension": request(CHUNKED, b"2;a=b\rc\r\nab\r\n0\r\n\r\n"),
    "a space before the colon of a trailer": request(CHUNKED, b"0\r\nX : a\r\n\r\n"),
}

# What is a request like any other, with what goes on in its place.
UNDERSTOOD = {
    "a chunk extension": (request(CHUNKED, b"2;a=\"b;c\"\r\nab\r\n0\r\n\r\n"), b"POST /first"),
    "a chunk size with zeros in front": (request(CHUNKED, b"0002\r\nab\r\n000\r\n\r\n"), b"POST /first"),
    "a Content-Length in a trailer": (request(CHUNKED, b"0\r\nContent-Length: 50\r\n\r\n"), b"POST /first"),
    "a Transfer-Encoding in a trailer": (request(CHUNKED, b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), b"POST /first"),
    "chunked in capitals": (request(b"TRANSFER-ENCODING: CHUNKED\r\n", b"0\r\n\r\n"), b"POST /first"),
    "an absolute form unlike the Host": (request(start=b"GET http://other.example/first HTTP/1.1"), b"GET /first"),
    "an absolute form like the Host": (request(start=b"GET http://photos.example/first HTTP/1.1"), b"GET /first"),
    "a request as the body of a GET": (request(b"Content-Length: %d\r\n" % len(NEXT), NEXT, start=b"GET /first HTTP/1.1"), b"GET /first"),
    "a request as the body of a chunked GET": (request(CHUNKED, b"%x\r\n%s\r\n0\r\n\r\n" % (len(NEXT), NEXT), start=b"GET /first HTTP/1.1"), b"GET /first"),
    "a Content-Length that Connection nominates": (request(b"Connection: Content-Length\r\nContent-Length: 2\r\n", b"ab"), b"POST /first"),
    "a Transfer-Encoding that Connection nominates": (request(b"Connection: Transfer-Encoding\r\n" + CHUNKED, b"2\r\nab\r\n0\r\n\r\n"), b"POST /first"),
    "a Host that Connection nominates": (request(b"Connection: Host\r\n", start=b"GET /first HTTP/1.1"), b"GET /first"),
    "a request behind an Expect that was not awaited": (request(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"ab"), b"POST /first"),
}


@pytest.mark.parametrize("trick", REFUSED)
def test_refused_and_the_origin_sees_nothing(record, connect, trick):
    # By its path: what others have sent may be written down late.
    tag = next(tags)
    with connect() as connection:
        connection.send((REFUSED[trick] + NEXT).replace(b" /", b" " + tag + b"/"))
        response = connection.response()
        assert response.status == 400 and response.field("connection") == "close"
        assert connection.closed()
    assert not [path for path in pathlib.Path(record).iterdir() if tag in path.read_bytes()]


@pytest.mark.parametrize("trick", REFUSED_IN_BODY)
def test_refused_within_the_body_and_nothing_behind_it_is_a_request(record, connect, trick):
    with connect() as connection:
        connection.send(REFUSED_IN_BODY[trick] + NEXT)
        response = connection.response()
        assert response.status in (400, 413) and response.field("connection") == "close"
        assert connection.closed()
    assert b"GET /smuggled" not in heads(record)


def origin_requests(record, tag):
    """(request line, head, body) of each request that the origin received with a path under `tag`, and of all behind it on its
    connection, parsed strictly."""
    found = []
    for path in sorted(pathlib.Path(record).iterdir()):
        received = path.read_bytes()
        begin = re.search(b"(GET|POST) %s/" % tag, received)
        left = received[begin.start():] if begin else b""
        while left:
            head, _, left = left.partition(b"\r\n\r\n")
            body = b""
            if length := re.search(rb"\r\ncontent-length: *(\d+)\r\n", head + b"\r\n", re.I):
                assert b"transfer-encoding" not in head.lower()
                body, left = left[:int(length[1])], left[int(length[1]):]
            elif b"transfer-encoding: chunked" in head.lower():
                while size := int((line := left.partition(b"\r\n"))[0], 16):
                    body, left = body + line[2][:size], line[2][size + 2:]
                _, _, left = left.partition(b"\r\n\r\n")
            if b"/health " not in head.split(b"\r\n")[0]:
                found.append((head.split(b"\r\n")[0].rpartition(b" ")[0], head, body))
    return found


@pytest.mark.parametrize("trick", UNDERSTOOD)
def test_understood_alike_by_all(record, connect, trick):
    """The origin sees one request for each that was sent, whole, and the visitor one answer for each."""
    tag = next(tags)
    data, line = (each.replace(b"/first", tag + b"/first") for each in UNDERSTOOD[trick])
    with connect() as connection:
        connection.send(data)
        assert (connection.response().status, connection.received) == (200, b"")
        connection.send(request(b"", start=b"GET %s/second HTTP/1.1" % tag))
        assert (connection.response().status, connection.received) == (200, b"")
    seen = origin_requests(record, tag)
    assert sorted(each for each, _, _ in seen) == sorted([line, b"GET %s/second" % tag])
    head, body = next((head, body) for each, head, body in seen if each == line)
    assert head.lower().count(b"\r\nhost:") == 1
    expected = NEXT if "request as the body" in trick else b"ab" if b"ab" in data else b""
    assert body == expected


@pytest.mark.parametrize("path", ["/two-answers", "/longer-than-it-said", "/body-for-304", "/body-for-204"])
def test_what_an_origin_says_unasked_poisons_no_later_answer(connect, path):
    for _ in range(5):
        with connect() as connection:
            connection.request("GET", path)
            assert connection.response().status in (200, 204, 304)
            connection.request("GET", "/next")
            response = connection.response()
        assert (response.status, response.body, response.field("x-stolen")) == (200, b"ok", None)


def test_a_body_that_comes_with_the_answer_to_head_poisons_no_later_answer(connect):
    for _ in range(5):
        with connect() as connection:
            connection.request("HEAD", "/body-for-head")
            assert connection.response("HEAD").status == 200
            connection.request("GET", "/next")
            response = connection.response()
        assert (response.status, response.body, response.field("x-stolen")) == (200, b"ok", None)


@pytest.mark.parametrize("path", ["/length-and-chunked", "/two-lengths", "/line-feeds", "/folded", "/space-before-colon", "/nul-in-value",
                                  "/unasked-upgrade"])
def test_an_answer_that_two_servers_may_read_differently_is_not_passed_on(connect, path):
    with connect() as connection:
        connection.request("GET", path)
        response = connection.response()
        assert response.status == 502 and response.field("x-stolen") is None
        connection.request("GET", "/next")
        assert connection.response().body == b"ok"


def test_an_answer_with_a_chunk_that_is_none_never_looks_whole(connect):
    with connect() as connection:
        connection.request("GET", "/bad-chunk")
        try:
            assert connection.response().status == 502  # it was seen before the head had gone on
        except (EOFError, ConnectionResetError):
            pass


@pytest.mark.parametrize("framing", ["CL.0", "TE.0"])
def test_a_body_that_the_origin_did_not_read_is_never_its_next_request(record, connect, framing):
    """The origin answers at the head and takes what follows for a request: that connection must not be used again."""
    before = heads(record).count(b"GET /smuggled")
    for _ in range(5):
        with connect() as connection:
            fields = b"Content-Length: %d\r\n" % len(NEXT) if framing == "CL.0" else CHUNKED
            connection.send(request(fields, start=b"POST /answer/early HTTP/1.1"))
            status = connection.response().status
            assert status == 200
        with connect() as connection:
            connection.request("GET", "/next")
            assert connection.response().body == b"ok"
    assert heads(record).count(b"GET /smuggled") == before


def test_an_expectation_leaves_no_request_behind(record, connect):
    """What follows Expect is the body, whatever it looks like."""
    tag = next(tags)
    with connect() as connection:
        connection.send(request(b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(NEXT), start=b"POST %s/first HTTP/1.1" % tag))
        connection.send(NEXT)
        assert connection.response().status == 200
        connection.send(request(start=b"GET %s/second HTTP/1.1" % tag))
        assert connection.response().status == 200
    assert sorted((line, body) for line, _, body in origin_requests(record, tag)) == [
        (b"GET %s/second" % tag, b""), (b"POST %s/first" % tag, NEXT)]
