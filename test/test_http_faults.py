"""HTTP that is malformed, too large, too slow or forbidden, and what an edge says when it cannot serve."""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import time

import pytest

from http_connection import HttpConnection
from site_under_test import ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("http", "wire")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
MAX_BODY_BYTES = 100_000
HEAD_BYTES = 32 * 1024
START_LINE_BYTES = 8 * 1024
FIELDS = 256
HEAD_SECONDS = 10
BODY_SECONDS = 30


@pytest.fixture(scope="module")
def site():
    with Site(app=APP, extra=f"\n[edge]\nmax_body_bytes = {MAX_BODY_BYTES}\n") as running:
        yield running


@pytest.fixture(scope="module")
def east(site):
    return site.addresses["us-east"]


@pytest.fixture(autouse=True)
def the_edge_lives_on(site, east):
    pid = site.tier("us-east", "edge")["pid"]
    yield
    assert site.tier("us-east", "edge")["pid"] == pid
    assert curl(f"http://{east}:8080/")[0] == 200


def seen_by_application(site):
    """The requests that reached an instance, as its log has them."""
    return [line for path in (site.state / "logs").rglob("*.log") for line in path.read_text(errors="replace").splitlines()
            if '"output"' in line and "HTTP/1." in line]


NEXT = b"GET /smuggled HTTP/1.1\r\nHost: photos.example\r\n\r\n"


def get(fields=b"", start=b"GET / HTTP/1.1", host=b"Host: photos.example\r\n", rest=b""):
    return start + b"\r\n" + host + fields + b"\r\n" + rest


def post(fields, body=b""):
    return get(fields, start=b"POST /echo HTTP/1.1", rest=body)


CHUNKED = b"Transfer-Encoding: chunked\r\n"

MALFORMED = {
    "no HTTP at all": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "LF alone": get().replace(b"\r\n", b"\n"),
    "a CR in a line": get(b"X: a\rb\r\n"),
    "white space in front": b" " + get(),
    "two spaces in the request line": get(start=b"GET  / HTTP/1.1"),
    "a space in the target": get(start=b"GET /a b HTTP/1.1"),
    "a target without a slash": get(start=b"GET a HTTP/1.1"),
    "a fragment in the target": get(start=b"GET /a#b HTTP/1.1"),
    "NUL in the target": get(start=b"GET /\0 HTTP/1.1"),
    "a byte above 127 in the target": get(start=b"GET /\xe9 HTTP/1.1"),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "a version of many digits": get(start=b"GET / HTTP/1.10"),
    "a version in lower case": get(start=b"GET / http/1.1"),
    "no Host": get(host=b""),
    "two Hosts": get(b"Host: photos.example\r\n"),
    "two Hosts that differ": get(b"Host: other.example\r\n"),
    "a Host with a path": get(host=b"Host: photos.example/a\r\n"),
    "a Host with a user": get(host=b"Host: me@photos.example\r\n"),
    "a space before the colon": get(b"X : a\r\n"),
    "a space before the colon of Content-Length": post(b"Content-Length : 5\r\n", b"hello"),
    "a folded field": get(b"X: a\r\n b\r\n"),
    "a field line without a colon": get(b"X\r\n"),
    "a field without a name": get(b": a\r\n"),
    "NUL in a value": get(b"X: a\0b\r\n"),
    "ESC in a value": get(b"X: \x1b[31m\r\n"),
    "a name that is no token": get(b"X(y): a\r\n"),
    "Content-Length twice": post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
    "two Content-Lengths": post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"),
    "a list of Content-Lengths": post(b"Content-Length: 5, 5\r\n", b"hello"),
    "a negative Content-Length": post(b"Content-Length: -5\r\n", b"hello"),
    "a signed Content-Length": post(b"Content-Length: +5\r\n", b"hello"),
    "a Content-Length in hexadecimal": post(b"Content-Length: 0x5\r\n", b"hello"),
    "a Content-Length past 2^63": post(b"Content-Length: 9223372036854775808\r\n", b"hello"),
    "an empty Content-Length": post(b"Content-Length: \r\n", b"hello"),
    "CL.TE": post(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nX"),
    "TE.CL": post(CHUNKED + b"Content-Length: 4\r\n", b"5c\r\nGPOST"),
    "TE.TE, one unknown": post(CHUNKED + b"Transfer-Encoding: cow\r\n", b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    "chunked not last": post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"),
    "a vertical tab before chunked": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "Transfer-Encoding in HTTP/1.0": get(CHUNKED, start=b"POST /echo HTTP/1.0", rest=b"0\r\n\r\n"),
    "a chunk size that is none": post(CHUNKED, b"x\r\n"),
    "a chunk size with a sign": post(CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n"),
    "a chunk size with 0x": post(CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n"),
    "LF alone after a chunk size": post(CHUNKED, b"3\nabc\r\n0\r\n\r\n"),
    "a chunk longer than it said": post(CHUNKED, b"3\r\nabcd\r\n0\r\n\r\n"),
    "LF alone after a chunk": post(CHUNKED, b"3\r\nabc\n0\r\n\r\n"),
    "LF in a chunk extension": post(CHUNKED, b"3;a\nabc\r\n0\r\n\r\n"),
    "a folded trailer": post(CHUNKED, b"0\r\n X: a\r\n\r\n"),
    "an asterisk": get(start=b"GET * HTTP/1.1"),
    "half an escape in the path": get(start=b"GET /%2 HTTP/1.1"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_request_gets_400_and_the_connection_closed(site, east, what):
    with HttpConnection(east) as connection:
        # What stands behind it may be part of the trick, and is nobody's request.
        connection.send(MALFORMED[what] + NEXT)
        response = connection.response()
        assert response.status == 400
        assert response.field("connection") == "close"
        assert connection.closed()
    assert not [line for line in seen_by_application(site) if "smuggled" in line]


@pytest.mark.parametrize(("what", "request_bytes", "status"), [
    ("a chunk of 2^64 + 3 bytes", post(CHUNKED, b"10000000000000003\r\nabc\r\n0\r\n\r\n"), 413),
    ("an unknown coding", post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 501),
    ("HTTP/2 without an agreement", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/3.0", get(start=b"GET / HTTP/3.0"), 505),
])
def test_what_is_not_spoken_here_is_named_so(site, east, what, request_bytes, status):
    with HttpConnection(east) as connection:
        connection.send(request_bytes + NEXT)
        assert connection.response().status == status, what
        assert connection.closed()


def test_nobody_is_connected_to_elsewhere(east):
    with HttpConnection(east) as connection:
        connection.send(b"CONNECT photos.example:443 HTTP/1.1\r\nHost: photos.example:443\r\n\r\n")
        assert connection.response().status == 501


def status_of(address, data):
    """The status, and whether the connection is closed behind it."""
    with HttpConnection(address) as connection:
        connection.send(data)
        response = connection.response()
        return response.status, response.field("connection") == "close" and connection.closed()


def test_a_request_line_has_its_limit(east):
    def with_line_of(size):
        return get(start=b"GET /" + b"a" * (size - len(b"GET / HTTP/1.1\r\n")) + b" HTTP/1.1")

    assert status_of(east, with_line_of(START_LINE_BYTES))[0] == 200
    assert status_of(east, with_line_of(START_LINE_BYTES + 1)) == (414, True)
    assert status_of(east, b"GET /" + b"a" * 1_000_000) == (414, True)


def test_a_head_has_its_limits(east):
    def with_head_of(size):
        filler = size - len(get(b"X: \r\n"))
        return get(b"X: " + b"a" * filler + b"\r\n")

    assert status_of(east, with_head_of(HEAD_BYTES))[0] == 200
    assert status_of(east, with_head_of(HEAD_BYTES + 1)) == (431, True)
    assert status_of(east, get(b"X: a\r\n" * (FIELDS - 1)))[0] == 200
    assert status_of(east, get(b"X: a\r\n" * FIELDS)) == (431, True)
    assert status_of(east, get(b"X: " + b"a" * 1_000_000)) == (431, True)


def test_a_body_has_its_limit(site, east):
    def sized(size):
        return post(b"Content-Length: %d\r\n" % size, b"a" * size)

    def chunked(size):
        return post(CHUNKED, b"".join(b"3e8\r\n" + b"a" * 1000 + b"\r\n" for _ in range(size // 1000)) + b"%x\r\n" % (size % 1000 or 1)
                    + b"a" * (size % 1000 or 1) + b"\r\n0\r\n\r\n")

    assert status_of(east, sized(MAX_BODY_BYTES))[0] == 200
    assert status_of(east, chunked(MAX_BODY_BYTES - 1))[0] == 200
    assert status_of(east, sized(MAX_BODY_BYTES + 1)) == (413, True)
    assert status_of(east, chunked(MAX_BODY_BYTES + 1)) == (413, True)
    # Who asks first is spared the upload.
    with HttpConnection(east) as connection:
        connection.send(post(b"Content-Length: 10000000\r\nExpect: 100-continue\r\n"))
        response = connection.response()
        assert (response.interim, response.status) == ([], 413)


@pytest.mark.parametrize(("scheme", "port"), [("http", 8080), ("https", 8443)])
def test_a_refusal_is_not_lost_in_the_upload_that_goes_on(site, east, scheme, port):
    file = site.folder / "upload"
    file.write_bytes(b"a" * 5_000_000)
    for framing in ([], ["-H", "Transfer-Encoding: chunked"]):
        for _ in range(40):
            assert curl(f"{scheme}://{east}:{port}/digest", "-k", "-H", "Expect:", "--data-binary", f"@{file}", *framing)[0] == 413
    file.write_bytes(b"a" * MAX_BODY_BYTES)
    assert json.loads(curl(f"{scheme}://{east}:{port}/digest", "-k", "--data-binary", f"@{file}")[2])["length"] == MAX_BODY_BYTES


RESERVED = ["/.meridian/ready", "/.meridian/", "/.meridian", "/.meridian/nothing", "/.meridian?a", "/.meridian/ready?x=/../../",
            "/%2emeridian/ready", "/%2Emeridian/ready", "/.%6deridian/x", "//.meridian/x", "/./.meridian/x", "/.meridian//x",
            "/.meridian%2fx", "/.meridian%2Fx", "/a/../.meridian/x", "/a/%2e%2e/.meridian/x", "/a%2f..%2f.meridian/x", "/../.meridian/x",
            "/.meridian/a/../x", "/.meridian/.", "/.meridian/%00", "/.meridian/../a", "/.meridian/%2e%2e/a",
            "http://photos.example/.meridian/x", "http://photos.example//.meridian/x"]


@pytest.mark.parametrize("target", RESERVED)
def test_our_paths_never_reach_the_application(site, east, target):
    marker = f"marker={RESERVED.index(target)}-"
    with HttpConnection(east) as connection:
        connection.request("GET", target + ("&" if "?" in target else "?") + marker)
        status = connection.response().status
    assert status in (200, 400, 404)
    # The log is in order: what is asked now comes behind.
    wait_until(lambda: curl(f"http://{east}:8080/behind")[0] == 200 and any("/behind" in line for line in seen_by_application(site)))
    assert not [line for line in seen_by_application(site) if marker in line]


def test_what_only_looks_like_our_paths_is_the_applications(site, east):
    for target in ("/.meridianx", "/a/.meridian/x", "/meridian/", "/.well-known/x", "/%252emeridian/x"):
        status, _, body = curl(f"http://{east}:8080{target}", "--path-as-is")
        assert status == 200 and json.loads(body)["dc"] == "us-east"


def test_ready_is_200_and_the_rest_of_ours_404(east):
    assert curl(f"http://{east}:8080/.meridian/ready")[0] == 200
    assert curl(f"http://{east}:8080/.meridian/metrics")[0] == 404
    assert curl(f"http://{east}:8080/.meridian/view")[0] == 404


def test_an_application_cannot_pass_for_a_balancer(site, east):
    """Its own 503 is its answer: the request is not carried on to another data center."""
    status, fields, body = curl(f"http://{east}:8080/pretend", "-X", "POST")
    assert (status, body) == (503, b"mine\n")
    assert "meridian-unavailable" not in fields
    wait_until(lambda: any("/pretend" in line for line in seen_by_application(site)), what="the log has the request")
    assert len([line for line in seen_by_application(site) if "/pretend" in line]) == 1


@pytest.mark.parametrize("path", ["/die", "/die-chunked"])
def test_an_answer_that_breaks_off_is_never_whole(site, east, path):
    with HttpConnection(east) as connection:
        connection.request("GET", path)
        with pytest.raises((EOFError, ConnectionResetError)):
            connection.response()
    wait_until(lambda: all(instance["state"] == "healthy" for instance in site.data_center("us-east")["instances"]))


def test_clients_that_leave_in_the_middle_harm_nobody(site, east):
    for data, read in ((b"GE", 0), (get(start=b"GET /large HTTP/1.1"), 1), (post(b"Content-Length: 1000\r\n", b"abc"), 0),
                       (post(CHUNKED, b"ff\r\nabc"), 0), (post(b"Content-Length: 5\r\nExpect: 100-continue\r\n"), 1)):
        for reset in (False, True):
            connection = HttpConnection(east)
            connection.send(data)
            if read:
                connection.socket.recv(read)
            if reset:
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.socket.close()
    assert {curl(f"http://{east}:8080/")[0] for _ in range(20)} == {200}


@pytest.mark.long
@pytest.mark.xdist_group("test_http_faults_slow")
@pytest.mark.slow
def test_slow_requests_get_408_and_their_connections_closed(east):
    with HttpConnection(east, timeout=60) as head, HttpConnection(east, timeout=60) as trickle, HttpConnection(east, timeout=60) as body:
        began = time.monotonic()
        head.send(b"GET / HTTP/1.1\r\nHost: photos")
        body.send(post(b"Content-Length: 10\r\n", b"hello"))
        # Bytes that come do not prolong a head.
        trickle.send(b"GET / HTTP/1.1\r\n")
        trickle.socket.settimeout(0.5)
        for _ in range(8 * HEAD_SECONDS):
            trickle.send(b"X: a\r\n")
            try:
                trickle.received += trickle.socket.recv(1)
                break
            except TimeoutError:
                continue
        assert HEAD_SECONDS - 1 < time.monotonic() - began < 3 * HEAD_SECONDS
        trickle.socket.settimeout(60)
        for connection in (trickle, head, body):
            response = connection.response()
            assert (response.status, response.field("connection")) == (408, "close")
            assert connection.closed()
        assert BODY_SECONDS - 1 < time.monotonic() - began < 2 * BODY_SECONDS


def test_an_idle_connection_is_served_when_it_wakes_up(east):
    with HttpConnection(east) as connection:
        connection.request("GET", "/")
        assert connection.response().status == 200
        # One empty line before a request is passed over (RFC 9112 section 2.2).
        connection.send(b"\r\n")
        connection.request("GET", "/")
        assert connection.response().status == 200


def test_past_the_limit_of_connections_idle_ones_go_first_and_the_rest_is_told_503():
    with Site(app=APP, extra="\n[edge]\nmax_connections = 20\n") as site:
        east = site.addresses["us-east"]
        held = []
        try:
            for _ in range(30):
                held.append(HttpConnection(east))
                held[-1].request("GET", "/")
                assert held[-1].response().status == 200
            assert held[0].closed()
            # The youngest is still served.
            held[-1].request("GET", "/")
            assert held[-1].response().status == 200
        finally:
            for connection in held:
                connection.socket.close()
        busy = []
        try:
            for _ in range(25):
                busy.append(HttpConnection(east))
                busy[-1].send(post(b"Content-Length: 5\r\n"))
            # Five at least: more while the server has not yet seen that the idle ones are gone.
            refused = wait_until(lambda: (told := select.select([each.socket for each in busy], [], [], 0)[0]) and len(told) >= 5 and told)
            assert {next(each for each in busy if each.socket is one).response().status for one in refused} == {503}
        finally:
            for connection in busy:
                connection.socket.close()
        wait_until(lambda: curl(f"http://{east}:8080/")[0] == 200)


def test_silent_tcp_connections_to_the_https_port_kept_visitors_out_and_the_limit_held_for_each_port_by_itself():
    with Site(app=APP, extra="\n[edge]\nmax_connections = 20\n") as site:
        east = site.addresses["us-east"]
        ca = str(site.state / "ca/authority.pem")

        def metric(name):
            lines = curl(f"http://{east}:18080/metrics")[2].decode().splitlines()
            return int(next(line.rsplit(" ", 1)[1] for line in lines if line.startswith(name + " ")))

        def visit(connection):
            connection.request("GET", "/")
            assert connection.response().status == 200
        with contextlib.ExitStack() as stack:
            visitors = [stack.enter_context(HttpConnection(east, 8443, ca=ca, server_name="photos.example")) for _ in range(4)]
            for each in visitors:
                visit(each)
            silent = [stack.enter_context(contextlib.closing(socket.create_connection((east, 8443)))) for _ in range(60)]
            wait_until(lambda: select.select(silent, [], [], 0)[0])  # the first ones are closed
            wait_until(lambda: metric("meridian_edge_connections_total") >= 64)  # and the last ones have come
            visit(stack.enter_context(HttpConnection(east, 8443, ca=ca, server_name="photos.example")))
            visit(stack.enter_context(HttpConnection(east, 8080)))
            for each in visitors:  # idle meanwhile, and not displaced
                visit(each)
            assert metric('meridian_edge_connections_evicted_total{waiting_for="handshake"}') >= 40
            assert metric("meridian_edge_connections_refused_total") == 0

            for _ in range(40):
                visit(stack.enter_context(HttpConnection(east, 8080)))
            wait_until(lambda: metric("meridian_edge_connections_open") <= 20)


def test_an_instance_that_does_not_answer_in_time_is_504(tmp_path):
    hold = tmp_path / "hold"
    with Site(app=f'{APP}\nenvironment = {{ HOLD = "{hold}" }}', extra='\n[balancer]\nresponse_timeout = "3s"\n') as site:
        hold.touch()
        try:
            status, fields, _ = curl(f"http://{site.addresses['us-east']}:8080/slow")
            assert status == 504
            assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
        finally:
            hold.unlink()


@pytest.mark.long
@pytest.mark.xdist_group("test_http_faults_slow")
def test_a_request_crosses_to_another_data_center_at_most_once():
    with Site(app=APP, instances=1) as site:
        east = f"http://{site.addresses['us-east']}:8080/"
        instance = json.loads(curl(east)[2])
        os.kill(instance["pid"], signal.SIGSTOP)
        try:
            wait_until(lambda: site.data_center("us-east")["instances"][0]["state"] != "healthy")
            wait_until(lambda: (answer := curl(east))[0] == 200 and json.loads(answer[2])["dc"] == "us-west", what="us-west answers instead")
            # One that has passed an edge before is served here or not at all.
            status, fields, _ = curl(east, "-H", "Via: 1.1 meridian-edge")
            assert status == 503 and int(fields["retry-after"]) > 0
        finally:
            os.kill(instance["pid"], signal.SIGCONT)
