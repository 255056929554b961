"""One line for each visitor's request, and the ids that follow a request to the application."""

import json
import pathlib
import re
import socket
import tempfile

import pytest

from edge_under_test import MINUTE, Edge
from site_under_test import PYTHON_APP, Site, curl, wait_until, whole_lines

pytestmark = pytest.mark.covers("edge", "balancer", "dispatch", "wire")

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
MEMBERS = {"time", "request_id", "trace_id", "client", "method", "host", "target", "status", "complete", "sent_bytes", "duration_s", "result",
           "datacenter", "instance", "user_agent", "referer"}


@pytest.fixture(scope="module")
def site():
    with Site(app=PYTHON_APP, edge_places=("london",)) as up:
        yield up


@pytest.fixture(scope="module")
def lone():
    with tempfile.TemporaryDirectory(prefix="meridian-test-") as folder:
        with Edge("--access-log", f"{folder}/access.log") as edge:
            edge.log = pathlib.Path(folder) / "access.log"
            yield edge


def lines(path):
    return [json.loads(line) for line in whole_lines(path)] if path.exists() else []


def lines_for(path, target, count=1):
    """The lines about `target`, when all are written."""
    def found():
        return [line for line in lines(path) if line["target"] == target]
    wait_until(lambda: len(found()) >= count, what=f"{count} lines about {target}")
    assert len(found()) == count
    return found()


def log_of(site, at):
    return site.state / "logs" / at / "access.log"


def echoed(site, at, *options, path="/echo"):
    """What the application was sent: header fields by name in lower case, and who it was."""
    code, _, body = curl(f"http://{site.addresses[at]}:8080{path}", *options)
    assert code == 200, body
    told = json.loads(body)
    return {name.lower(): value for name, value in told["headers"]}, told


def test_a_line_tells_of_a_request_all_that_it_should(site):
    _, told = echoed(site, "us-east", "-A", "curl/test", "-e", "https://photos.example/from", path="/echo?a=1&b=%22")
    [line] = lines_for(log_of(site, "us-east"), "/echo?a=1&b=%22")
    assert set(line) == MEMBERS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
    assert line["client"].startswith("127.") and 0 < line["duration_s"] < 60 and line["sent_bytes"] > 100
    shown = {name: line[name] for name in ("method", "status", "complete", "result", "datacenter", "instance", "user_agent", "referer")}
    assert shown == {"method": "GET", "status": 200, "complete": True, "result": "forwarded", "datacenter": "us-east", "instance": told["instance"],
                     "user_agent": "curl/test", "referer": "https://photos.example/from"}


def test_a_hit_is_logged_without_instance(lone):
    lone.origin.at("/hit", body=b"x" * 100, fields=MINUTE)
    lone.get("/hit")
    lone.wait_stored("/hit")
    # Lines of different threads may be out of order.
    by_result = wait_until(lambda: (found := {line["result"]: line for line in lines(lone.log) if line["target"] == "/hit"})
                           and {"forwarded", "hit"} <= set(found) and found, what="the miss and the hit are logged")
    assert by_result["forwarded"]["status"] == by_result["hit"]["status"] == 200
    assert by_result["hit"]["instance"] == "" and by_result["hit"]["sent_bytes"] > 100


def test_the_ids_in_the_log_are_those_that_the_application_got(site):
    fields, _ = echoed(site, "us-east", path="/echo?ids")
    [line] = lines_for(log_of(site, "us-east"), "/echo?ids")
    assert re.fullmatch("[0-9a-f]{32}", fields["x-request-id"]) and fields["x-request-id"] == line["request_id"]
    trace = re.fullmatch("00-([0-9a-f]{32})-[0-9a-f]{16}-01", fields["traceparent"])
    assert trace and trace[1] == line["trace_id"] and "tracestate" not in fields


def test_a_visitor_s_own_ids_are_carried(site):
    unsampled = PARENT[:-1] + "0"
    fields, _ = echoed(site, "us-east", "-H", "X-Request-Id: abc-123", "-H", f"traceparent: {unsampled}", "-H", "tracestate: congo=t61,rojo=00f",
                       path="/echo?own")
    assert (fields["x-request-id"], fields["traceparent"], fields["tracestate"]) == ("abc-123", unsampled, "congo=t61,rojo=00f")
    [line] = lines_for(log_of(site, "us-east"), "/echo?own")
    assert (line["request_id"], line["trace_id"]) == ("abc-123", TRACE_ID)


def test_ids_cross_to_another_data_center_and_its_instance_is_in_the_log(site):
    fields, told = echoed(site, "london", "-H", "X-Request-Id: from-london", "-H", f"traceparent: {PARENT}", path="/echo?crossing")
    assert (fields["x-request-id"], fields["traceparent"]) == ("from-london", PARENT)
    [line] = lines_for(log_of(site, "london"), "/echo?crossing")
    assert (line["datacenter"], line["instance"], line["result"]) == (told["dc"], told["instance"], "forwarded")
    made, _ = echoed(site, "london", path="/echo?crossing-made")
    [line] = lines_for(log_of(site, "london"), "/echo?crossing-made")
    assert (line["request_id"], line["trace_id"]) == (made["x-request-id"], made["traceparent"][3:35])
    assert not [line for each in ("us-east", "us-west") for line in lines(log_of(site, each)) if "crossing" in line["target"]], "one line for each request"


@pytest.mark.parametrize("field", ["X-Request-Id: two words", "X-Request-Id: " + "a" * 65, 'X-Request-Id: a"b', "X_Request_Id: x", "X.Request-Id: x",
                                   "traceparent: 00-zz", f"traceparent: {PARENT.upper()}", "trace_parent: " + PARENT, "Meridian-Instance: x"])
def test_what_is_invalid_or_looks_alike_is_replaced(site, field):
    fields, _ = echoed(site, "us-east", "-H", field)
    assert re.fullmatch("[0-9a-f]{32}", fields["x-request-id"]) and re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", fields["traceparent"])
    assert field.partition(": ")[2] not in fields.values()


def test_a_tracestate_goes_only_with_a_valid_traceparent_and_within_limits(site):
    for options in (["-H", "tracestate: a=1"], ["-H", f"traceparent: {PARENT}", "-H", "tracestate: a=" + "v" * 511],
                    ["-H", f"traceparent: {PARENT}", "-H", "tracestate: nonsense"]):
        fields, _ = echoed(site, "us-east", *options)
        assert "tracestate" not in fields


def test_ids_are_no_part_of_the_cache_s_key(lone):
    lone.origin.at("/one", body=b"one", fields=MINUTE)
    lone.get("/one", X_Request_Id="first", traceparent=PARENT)
    lone.wait_stored("/one")
    assert lone.get("/one", X_Request_Id="second").hit


def test_visitors_learn_nothing_of_instances(site):
    for at in ("us-east", "london"):
        _, headers, _ = curl(f"http://{site.addresses[at]}:8080/", "-H", "Meridian-Instance: x")
        assert "meridian-instance" not in headers


def test_probes_have_no_line(site):
    for path in ("/.meridian/ready", "/.meridian/fallback.js", "/.meridian/nothing?probe"):
        curl(f"http://{site.addresses['us-west']}:8080{path}")
    curl(f"http://{site.addresses['us-west']}:8080/after-probes")
    lines_for(log_of(site, "us-west"), "/after-probes")
    assert not [line for line in lines(log_of(site, "us-west")) if ".meridian" in line["target"]]


def test_no_request_begins_a_line_of_its_own(lone):
    evil = b'/evil"},{"status":500,"x":"'
    with socket.create_connection((lone.address, lone.port), timeout=60) as visitor:
        visitor.sendall(b"GET " + evil.replace(b'"', b"'") + b" HTTP/1.1\r\nHost: a\r\nUser-Agent: \"}\t{\\n\xff\x80\r\nReferer: " + evil +
                        b"\r\nConnection: close\r\n\r\n")
        while visitor.recv(65536):
            pass
    [line] = lines_for(lone.log, evil.decode().replace('"', "'"))
    assert set(line) == MEMBERS and line["status"] == 404
    assert line["referer"] == evil.decode() and line["user_agent"] == '"}\t{\\n\ufffd\ufffd'


def test_a_long_target_is_cut(lone):
    lone.get("/long?" + "x" * 5000)
    wait_until(lambda: [line for line in lines(lone.log) if line.get("truncated")], what="the cut line is there")
    [line] = [line for line in lines(lone.log) if line.get("truncated")]
    assert line["target"] == ("/long?" + "x" * 5000)[:2048]


def test_a_response_that_breaks_off_is_not_complete(site):
    curl(f"http://{site.addresses['us-east']}:8080/die")
    [line] = lines_for(log_of(site, "us-east"), "/die")
    assert (line["status"], line["complete"]) == (200, False)


def test_errors_alone_are_logged_where_it_says_so():
    with Site(("us-east",), app=PYTHON_APP, instances=1, extra='\n[edge]\naccess_log = "errors"\n') as up:
        for path in ("/good", "/status?404", "/status?503", "/good"):
            curl(f"http://{up.addresses['us-east']}:8080{path}")
        # Lines of different threads may be out of order.
        for path in ("/status?404", "/status?503"):
            lines_for(log_of(up, "us-east"), path)
        assert sorted(line["target"] for line in lines(log_of(up, "us-east"))) == ["/status?404", "/status?503"]


def test_with_off_there_is_no_file():
    with Site(("us-east",), app=PYTHON_APP, instances=1, extra='\n[edge]\naccess_log = "off"\n') as up:
        assert curl(f"http://{up.addresses['us-east']}:8080/")[0] == 200
        assert not log_of(up, "us-east").exists()
