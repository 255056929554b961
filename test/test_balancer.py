"""The balancer under a whole site: instances that fail, hang, come and go, and more requests than they can take."""

import os
import re
import signal
import threading
import time

import pytest

from background import Background, results
from http_connection import HttpConnection
from site_under_test import ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("balancer")

PYTHON_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
HERE = "us-east"
# What waits in a queue is still there when the test has looked at it.
PATIENT = '\nqueue_timeout = "60s"'


def site_of(settings="", instances=2, environment="", app=PYTHON_APP):
    keys = f"{app}\nenvironment = {{ {environment} }}" if environment else app
    return Site(data_centers=(HERE,), app=keys, instances=instances, extra=f"\n[balancer]\n{settings}\n")


def balancer(site):
    return f"{site.addresses[HERE]}:8000"


def metric(site, name):
    _, _, body = curl(f"http://{site.addresses[HERE]}:18000/metrics")
    return float(re.search(rf"^{re.escape(name)} (\S+)$", body.decode(), re.M).group(1))


def edge_metric(site, name):
    _, _, body = curl(f"http://{site.addresses[HERE]}:18080/metrics")
    return float(re.search(rf"^{re.escape(name)} (\S+)$", body.decode(), re.M).group(1))


def received(site, path):
    """How many requests for `path` have reached an instance, as its log has them."""
    logs = (site.state / "logs").rglob("*.log")
    return sum(file.read_text(errors="replace").count(f"received GET {path} ") for file in logs)


class Load:
    """Visitors who ask the edge for / again and again, each on a connection of its own that is kept, until the block ends."""

    def __init__(self, site, visitors=4):
        self.address = site.addresses[HERE]
        self.answers, self.failures, self.broken = 0, [], 0
        self.over = threading.Event()
        self.visitors = visitors

    def visit(self):
        visitor = HttpConnection(self.address)
        while not self.over.is_set():
            visitor.send(b"GET / HTTP/1.1\r\nHost: photos.example\r\n\r\n")
            try:
                answer = visitor.response()
            except (OSError, EOFError):  # an answer that had begun cannot be mended: it breaks off
                self.broken += 1
                visitor = HttpConnection(self.address)
                continue
            self.answers += 1
            if answer.status != 200:
                self.failures.append(answer.status)

    def wait_for(self, count):
        """Until so many more answers have come."""
        wanted = self.answers + count
        wait_until(lambda: self.answers >= wanted, what=f"{count} more answers")

    def __enter__(self):
        self.threads = [Background(self.visit) for _ in range(self.visitors)]
        return self

    def __exit__(self, *_):
        self.over.set()
        results(self.threads)


def test_with_every_instance_failing_the_load_is_at_most_a_fifth_more_than_offered():
    offered = 400
    with site_of(instances=3) as site:
        visitor = HttpConnection(site.addresses[HERE], port=8000)
        for _ in range(offered):
            visitor.send(b"GET /drop HTTP/1.1\r\nHost: photos.example\r\n\r\n")
            assert visitor.response().status in (502, 503)
        tries = metric(site, "meridian_balancer_retries_total") + offered
        assert offered < tries <= 1.2 * offered
        wait_until(lambda: received(site, "/drop") == tries, what=f"{tries} tries in the log")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_instance_that_ends_and_comes_back_fails_no_idempotent_request(how):
    ends, visitors = 3, 4
    with site_of(instances=3) as site, Load(site, visitors) as load:
        for _ in range(ends):
            load.wait_for(50)
            before = site.data_center(HERE)["instances"][0]
            os.kill(before["pid"], how)

            def is_back(pid=before["pid"]):
                now = site.data_center(HERE)["instances"][0]
                return now["state"] == "healthy" and now["pid"] not in (0, pid)
            wait_until(is_back)
        load.wait_for(50)
    assert load.failures == []
    assert load.broken <= ends * visitors  # those whose answers it had begun


def test_an_instance_that_hangs_costs_a_try_and_no_request():
    with site_of('try_timeout = "1s"', instances=3) as site, Load(site) as load:
        load.wait_for(20)
        pid = site.data_center(HERE)["instances"][0]["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            load.wait_for(300)
        finally:
            os.kill(pid, signal.SIGCONT)
        load.wait_for(20)
    assert load.failures == []


def test_requests_wait_their_turn_and_what_is_too_much_is_refused_at_once(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    with site_of("max_in_flight = 1\nmax_queued = 1" + PATIENT, instances=1, environment=f'HOLD = "{hold}"') as site:
        first, second = (HttpConnection(site.addresses[HERE], port=8000) for _ in range(2))
        first.send(b"GET /slow HTTP/1.1\r\nHost: photos.example\r\n\r\n")
        wait_until(lambda: received(site, "/slow") == 1)
        second.send(b"GET / HTTP/1.1\r\nHost: photos.example\r\n\r\n")
        wait_until(lambda: metric(site, "meridian_balancer_queued") == 1)
        began = time.monotonic()
        status, fields, _ = curl(f"http://{balancer(site)}/")
        assert status == 503 and int(fields["retry-after"]) > 0 and "meridian-unavailable" not in fields
        assert time.monotonic() - began < 30  # in the queue it would wait for a minute
        hold.unlink()
        assert first.response().status == 200
        assert second.response().status == 200


def test_when_all_checks_fail_at_once_panic_is_told_and_requests_are_answered(tmp_path):
    ill = tmp_path / "unhealthy"
    # Much faster than the agent, who goes on calling the instances healthy for some seconds.
    with site_of('health_interval = "100ms"', environment=f'UNHEALTHY = "{ill}"') as site:
        ill.touch()
        wait_until(lambda: "panic: 0 of 2" in site.tier(HERE, "balancer").get("problem", ""), what="panic in the status")
        assert curl(f"http://{balancer(site)}/")[0] == 200
        assert metric(site, "meridian_balancer_panic") == 1
        assert "panic: 0 of 2 running instances" in site.run("status").stdout
        ill.unlink()
        wait_until(lambda: "problem" not in site.tier(HERE, "balancer"), what="the end of panic")
        assert curl(f"http://{balancer(site)}/")[0] == 200


def uses(site, number=1):
    """What edge and balancer say of an instance, by tier."""
    instance = next(each for each in site.data_center(HERE)["instances"] if each["id"] == f"{HERE}-{number}")
    return {use["tier"]: use for use in instance.get("uses", [])}


@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize(("tier", "port"), [("edge", 8080), ("balancer", 8000)])
def test_an_instance_that_fails_its_requests_was_called_healthy_in_the_status(tmp_path, instances, tier, port):
    failing = tmp_path / "failing"
    with site_of("slow_start = \"1s\"", instances=instances, environment=f'FAILING = "{failing}"') as site:
        wait_until(lambda: uses(site).get(tier, {}).get("use") == "used", what="the tier's word")
        failing.write_text(f"{HERE}-1", encoding="ascii")
        # Within a moment: the instance is ejected soon, and what is told is of 10 s.
        visitor = HttpConnection(site.addresses[HERE], port=port)
        for number in range(60):
            visitor.send(b"GET /serve?%d HTTP/1.1\r\nHost: photos.example\r\n\r\n" % number)
            visitor.response()
        # Of one alone there is no other that could serve in its place.
        ejected = [] if instances == 1 else [f"{HERE}-1    ejected", f"{tier}: is ejected"]

        def told():
            status = site.run("status").stdout
            return all(each in status for each in ["requests in the last 10 s got a 5xx or no answer", *ejected])

        wait_until(told, what="the status tells it")
        assert site.data_center(HERE)["instances"][0]["state"] == "healthy"
        if instances > 1:
            wait_until(lambda: curl(f"http://{site.addresses[HERE]}:{port}/serve?last")[0] == 200, what="the others serve")


def test_status_has_the_requests_that_an_instance_is_working_at(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    with site_of(instances=1, environment=f'HOLD = "{hold}"') as site:
        visitors = [HttpConnection(site.addresses[HERE], port=port) for port in (8080, 8080, 8000)]
        for visitor in visitors:
            visitor.send(b"GET /slow HTTP/1.1\r\nHost: photos.example\r\nCache-Control: no-store\r\n\r\n")
        wait_until(lambda: ", 3 in flight" in site.run("status").stdout, what="three requests are in flight")
        assert {tier: use["in_flight"] for tier, use in uses(site).items()} == {"edge": 2, "balancer": 1}
        hold.unlink()
        assert [visitor.response().status for visitor in visitors] == [200, 200, 200]
        wait_until(lambda: not any(use["in_flight"] for use in uses(site).values()), what="none is left")


def test_an_instance_never_has_more_requests_than_it_may_from_edge_and_balancer_together(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    with site_of("max_in_flight = 4" + PATIENT, instances=1, environment=f'HOLD = "{hold}"') as site:
        visitors = [HttpConnection(site.addresses[HERE], port=port) for port in (8080, 8000) for _ in range(6)]
        for visitor in visitors:
            visitor.send(b"GET /slow HTTP/1.1\r\nHost: photos.example\r\nCache-Control: no-store\r\n\r\n")
        wait_until(lambda: metric(site, "meridian_balancer_queued") == 5 and edge_metric(site, "meridian_edge_queued") == 3, what="the others wait")
        wait_until(lambda: received(site, "/slow") >= 4, what="the log has those that do not wait")
        assert received(site, "/slow") == 4
        hold.unlink()
        assert [visitor.response().status for visitor in visitors] == [200] * 12


def test_the_edges_response_timeout_did_not_hold_for_the_instances_of_its_own_data_center(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    with site_of('[edge]\nresponse_timeout = "500ms"', instances=1, environment=f'HOLD = "{hold}"') as site:
        assert curl(f"http://{site.addresses[HERE]}:8080/slow")[0] == 504
        hold.unlink()


def test_a_single_request_at_a_time_is_kept_by_sending_the_edges_through_the_balancer(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    with site_of("max_in_flight = 1" + PATIENT, instances=1, environment=f'HOLD = "{hold}"') as site:
        visitors = [HttpConnection(site.addresses[HERE], port=port) for port in (8080, 8000)]
        for visitor in visitors:
            visitor.send(b"GET /slow HTTP/1.1\r\nHost: photos.example\r\nCache-Control: no-store\r\n\r\n")
        wait_until(lambda: metric(site, "meridian_balancer_queued") == 1, what="one waits")
        wait_until(lambda: received(site, "/slow") >= 1, what="the log has the other")
        assert received(site, "/slow") == 1
        hold.unlink()
        assert [visitor.response().status for visitor in visitors] == [200, 200]


def test_mistakes_in_the_settings_are_named():
    site = site_of("retry_budget = 2\nmax_in_flight = 0\nslow_starts = \"1s\"")
    try:
        told = site.run("up", str(site.file), "--detach", check=False).stderr
        for key in ("retry_budget", "max_in_flight", "slow_start"):
            assert key in told
    finally:
        site.__exit__()
