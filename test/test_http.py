"""What curl and other ordinary clients get from the edge, and what the application gets of them."""

import hashlib
import json
import re
import subprocess

import pytest

from http_connection import HttpConnection
from site_under_test import curl

pytestmark = pytest.mark.covers("http", "wire", "edge")

LARGE = b"0123456789abcdef" * 65536 * 8


@pytest.fixture(scope="module")
def site(quiet_site):
    return quiet_site


@pytest.fixture(scope="module")
def east(site):
    return site.addresses["us-east"]


@pytest.fixture(params=["http", "https"])
def visit(request, site, east):
    """curl of a path of the site, by http or by https with the site's CA."""
    port = {"http": 8080, "https": 8443}[request.param]

    def get(path, *options, **further):
        return curl(f"{request.param}://{site.domain}:{port}{path}", "--resolve", f"{site.domain}:{port}:{east}",
                    "--cacert", str(site.state / "ca/authority.pem"), *options, **further)

    get.scheme = request.param
    get.authority = f"{site.domain}:{port}"
    return get


def echoed(answer):
    status, _, body = answer
    assert status == 200
    return json.loads(body)


def fields_of(told, name):
    return [value for each, value in told["headers"] if each.lower() == name]


def test_a_page_comes_with_via_and_without_a_path_that_nobody_asked_for(visit):
    status, fields, body = visit("/")
    assert status == 200 and json.loads(body)["dc"] == "us-east"
    assert fields["via"] == "1.1 meridian-edge"
    assert int(fields["content-length"]) == len(body)
    assert "date" in fields
    assert not [name for name in fields if name.startswith("meridian-")]


def test_the_path_is_told_to_whoever_asks(visit):
    _, fields, body = visit("/", "-H", "Meridian-Debug: 1")
    assert fields["meridian-path"] == f"edge=us-east datacenter=us-east instance={json.loads(body)['instance']}"
    for other in ("0", "true", ""):
        assert "meridian-path" not in visit("/", "-H", f"Meridian-Debug: {other}")[1]


def test_both_instances_are_used(visit):
    assert {json.loads(visit("/")[2])["instance"] for _ in range(40)} == {"us-east-1", "us-east-2"}


def test_the_application_is_told_who_visits_and_how(visit):
    told = echoed(visit("/echo?a=b%20c&d"))
    assert (told["method"], told["target"], told["version"]) == ("GET", "/echo?a=b%20c&d", "HTTP/1.1")
    for name, values in {"host": [visit.authority], "x-forwarded-for": ["127.0.0.1"], "x-forwarded-proto": [visit.scheme],
                         "x-forwarded-host": [visit.authority], "via": ["1.1 meridian-edge"]}.items():
        assert (name, fields_of(told, name)) == (name, values)


def test_what_visitors_say_of_themselves_is_not_believed(visit):
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "6",
              "X-Real-IP": "6.6.6.6", "Forwarded": "for=6.6.6.6", "x-forwarded-for": "6.6.6.7", "Meridian-Path": "edge=evil"}
    told = echoed(visit("/echo", *[word for name, value in forged.items() for word in ("-H", f"{name}: {value}")]))
    assert fields_of(told, "x-forwarded-for") == ["127.0.0.1"]
    assert not [value for _, value in told["headers"] if value in forged.values()]


def test_fields_of_one_hop_end_there_and_the_others_go_on(visit):
    told = echoed(visit("/echo", "-H", "Connection: X-Hop, close", "-H", "X-Hop: mine", "-H", "Keep-Alive: 5", "-H", "Proxy-Connection: close",
                        "-H", "TE: gzip", "-H", "X-End: yours", "-H", "Cookie: a=1", "-H", "Authorization: Basic eA==", "-H", "X-Bytes: \xe9"))
    for name in ("x-hop", "keep-alive", "proxy-connection", "te"):
        assert fields_of(told, name) == []
    assert (fields_of(told, "x-end"), fields_of(told, "cookie"), fields_of(told, "authorization")) == (["yours"], ["a=1"], ["Basic eA=="])
    assert len(fields_of(told, "x-bytes")) == 1


def test_fields_of_one_hop_and_forged_ones_end_on_the_way_back_too(east):
    for ask, path in ((), None), (("Meridian-Debug: 1",), r"edge=us-east datacenter=us-east instance=us-east-\d"):
        with HttpConnection(east) as connection:
            connection.request("GET", "/fields", *ask)
            response = connection.response()
        assert response.field("x-hop") is None and response.field("keep-alive") is None
        assert response.field("x-end") == "yours"
        assert [value for name, value in response.fields if name == "set-cookie"] == ["a=1", "b=2"]
        assert [value for name, value in response.fields if name == "via"] == ["1.0 inner", "1.1 meridian-edge"]
        told = response.field("meridian-path")
        assert told is None if path is None else re.fullmatch(path, told)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_passes(visit, method):
    assert echoed(visit("/echo", "-X", method))["method"] == method


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 404, 418, 500, 503])
def test_every_status_passes(visit, status):
    answered, fields, body = visit(f"/status?{status}")
    assert answered == status
    assert body == (b"" if status in (204, 304) else b"as you wish\n")
    assert fields["via"] == "1.1 meridian-edge"


def test_head_is_told_the_length_and_gets_no_body(visit):
    status, fields, body = visit("/large", "--head")
    assert (status, fields["content-length"], body) == (200, str(len(LARGE)), b"")


def test_eight_mebibytes_arrive_whole(visit):
    status, fields, body = visit("/large")
    assert (status, int(fields["content-length"])) == (200, len(LARGE))
    assert body == LARGE


def test_a_range_is_the_applications_to_give(visit):
    status, fields, body = visit("/large", "--range", "5-24")
    assert (status, fields["content-range"], body) == (206, f"bytes 5-24/{len(LARGE)}", LARGE[5:25])
    assert visit("/large", "--range", "9000000-9000001")[0] == 416


@pytest.mark.parametrize("size", [0, 1, 5, 65536, 3 * 1024 * 1024 + 7])
@pytest.mark.parametrize("framing", ["sized", "chunked"])
@pytest.mark.parametrize("expect", ["", "100-continue"])
def test_an_upload_arrives_whole(site, visit, size, framing, expect):
    if (size, framing, expect) == (0, "chunked", "100-continue"):
        pytest.skip("curl 7.88 asks, is told to continue, and then waits for ever (whatever the server)")
    content = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000) + b"x" * (size % 1000)
    file = site.folder / f"upload-{size}"
    file.write_bytes(content)
    chunked = ("-H", "Transfer-Encoding: chunked") if framing == "chunked" else ()
    status, _, body = visit("/digest", "-X", "POST", "--data-binary", f"@{file}", "-H", f"Expect: {expect}" if expect else "Expect:", *chunked)
    assert status == 200
    assert json.loads(body) == {"length": size, "sha256": hashlib.sha256(content).hexdigest()}


def test_the_body_goes_on_as_it_was_framed(visit):
    assert fields_of(echoed(visit("/echo", "-d", "hello")), "content-length") == ["5"]
    told = echoed(visit("/echo", "-d", "hello", "-H", "Transfer-Encoding: chunked"))
    assert told["body"] == "hello"
    # One or the other, never both (RFC 9112 section 6.2).
    assert len(fields_of(told, "content-length") + fields_of(told, "transfer-encoding")) == 1


def test_100_continue_comes_before_the_body_is_sent(east):
    with HttpConnection(east) as connection:
        connection.send(b"POST /digest HTTP/1.1\r\nHost: photos.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert connection.take_to(b"\r\n") == b"HTTP/1.1 100 Continue"
        assert connection.take_fields() == []
        connection.send(b"hello")
        response = connection.response()
        assert (response.status, json.loads(response.body)["length"]) == (200, 5)
        # And it is not sent to whoever did not ask.
        connection.request("POST", "/digest", body=b"hello")
        assert connection.response().interim == []


@pytest.mark.parametrize("expect", ["", "100-continue"])
def test_an_answer_that_does_not_wait_for_the_upload_arrives(site, visit, expect):
    file = site.folder / "refused"
    file.write_bytes(b"x" * 20_000_000)
    status, _, body = visit("/refuse", "--data-binary", f"@{file}", "-H", f"Expect: {expect}" if expect else "Expect:")
    assert (status, body) == (403, b"not you\n")


def test_an_empty_upload_that_asks_first_is_complete(east):
    with HttpConnection(east) as connection:
        connection.send(b"POST /digest HTTP/1.1\r\nHost: photos.example\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        assert connection.take_to(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        connection.send(b"0\r\n\r\n")
        assert json.loads(connection.response().body)["length"] == 0


def test_early_hints_pass(east):
    with HttpConnection(east) as connection:
        connection.request("GET", "/early")
        assert connection.take_to(b"\r\n\r\n") == b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload"
        response = connection.response()
        assert (response.status, response.body) == (200, b"late\n")


def test_a_chunked_response_and_its_trailer_pass(east):
    with HttpConnection(east) as connection:
        connection.request("GET", "/chunked", "TE: trailers")
        response = connection.response()
        assert response.body == b"hello, world"
        assert response.field("content-length") is None
        connection.request("GET", "/")
        assert connection.response().status == 200


def test_a_chunked_upload_with_a_trailer_is_understood(east):
    with HttpConnection(east) as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: photos.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nContent-Length: 99\r\n\r\n")
        told = json.loads(connection.response().body)
        assert told["body"] == "abcde"
        # RFC 9110 section 6.5.1: what frames a message is not believed from a trailer.
        assert not [line for line in told["trailers"] if line.lower().startswith("content-length")]
        connection.request("GET", "/")
        assert connection.response().status == 200


def test_one_connection_serves_many_requests(site, east):
    url = f"http://{east}:8080/"
    done = subprocess.run(["curl", "-s", "-w", "%{http_code} %{num_connects}\n", *["-o", "/dev/null", url] * 5], capture_output=True, text=True,
                          timeout=90, check=True)
    assert done.stdout.splitlines() == ["200 1"] + ["200 0"] * 4
    done = subprocess.run(["curl", "-s", "--http1.0", "-w", "%{http_code} %{num_connects}\n", *["-o", "/dev/null", url] * 2], capture_output=True,
                          text=True, timeout=90, check=True)
    assert done.stdout.splitlines() == ["200 1"] * 2


def test_requests_behind_one_another_are_answered_in_their_order(east):
    with HttpConnection(east) as connection:
        pieces = []
        for number in range(20):
            body = b"x" * (number * 50 if number % 3 == 0 else 0)
            method = "POST" if body else ("HEAD" if number % 5 == 4 else "GET")
            size = f"Content-Length: {len(body)}\r\n" if body else ""
            pieces.append((method, body, f"{method} /echo?{number} HTTP/1.1\r\nHost: photos.example\r\n{size}\r\n".encode() + body))
        connection.send(b"".join(piece for _, _, piece in pieces))
        for number, (method, body, _) in enumerate(pieces):
            response = connection.response(method)
            assert response.status == 200
            if method != "HEAD":
                told = json.loads(response.body)
                assert (told["target"], told["body"]) == (f"/echo?{number}", body.decode())


def test_a_client_that_has_sent_all_still_gets_its_answer(east):
    with HttpConnection(east) as connection:
        connection.request("GET", "/large")
        connection.socket.shutdown(1)
        assert connection.response().body == LARGE
        assert connection.closed()


def test_a_request_may_come_byte_by_byte(east):
    with HttpConnection(east) as connection:
        for byte in b"POST /echo HTTP/1.1\r\nHost: photos.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            connection.send(bytes([byte]))
        assert json.loads(connection.response().body)["body"] == "abc"


def test_a_websocket_passes(east):
    with HttpConnection(east) as connection:
        connection.request("GET", "/websocket", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        response = connection.response()
        assert response.status == 101
        # The example of RFC 6455 section 1.3.
        assert response.field("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert response.field("upgrade").lower() == "websocket"
        for text in (b"hello", b"", b"x" * 60000):
            size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
            connection.send(b"\x81" + size + bytes(4) + text)
            plain = bytes([len(text)]) if len(text) < 126 else b"\x7e" + len(text).to_bytes(2, "big")
            assert connection.take(2 + len(plain) - 1 + len(text)) == b"\x81" + plain + text
        connection.socket.shutdown(1)
        assert connection.closed()


def test_certificates_are_the_sites_own_and_old_tls_is_refused(site, east):
    def exit_status(*options, name=site.domain):
        return subprocess.run(["curl", "-s", "-o", "/dev/null", "--resolve", f"{name}:8443:{east}", *options, f"https://{name}:8443/"],
                              timeout=90, check=False).returncode

    trusted = ("--cacert", str(site.state / "ca/authority.pem"))
    assert exit_status(*trusted) == 0
    assert exit_status(*trusted, name=f"us-east.{site.domain}") == 0
    assert exit_status(*trusted, "--tlsv1.3") == 0
    assert exit_status(*trusted, "--tls-max", "1.2") == 0
    assert exit_status() == 60  # not of a public authority
    assert exit_status(*trusted, name="other.example") == 60
    assert exit_status(*trusted, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0") == 35


@pytest.mark.parametrize(("scheme", "port"), [("http", 8080), ("https", 8443)])
def test_wrk_meets_neither_an_error_nor_a_refusal(site, east, scheme, port):
    done = subprocess.run(["wrk", "-t1", "-c24", "-d3s", "--timeout", "10s", "--latency", f"{scheme}://{east}:{port}/"], capture_output=True, text=True,
                          timeout=90, check=True)
    assert "Socket errors" not in done.stdout, done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout
    assert int(re.search(r"(\d+) requests in", done.stdout).group(1)) >= 24  # each connection was served
