"""Few descriptors: idle connections make room for visitors, and the application keeps the limit that it was given."""

import contextlib
import resource
import statistics
import subprocess
import time

import pytest

from http_connection import HttpConnection
from site_under_test import MERIDIAN, PYTHON_APP, Site, curl

pytestmark = pytest.mark.covers("io", "http", "edge", "balancer")


@pytest.fixture
def many_descriptors():
    """For the test itself."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 20_000), limit[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


@contextlib.contextmanager
def limited_site(limit):
    """A site that was brought up under a limit of descriptors (soft:hard)."""
    site = Site(("us-east",), app=PYTHON_APP)
    try:
        done = subprocess.run(["prlimit", f"--nofile={limit}", MERIDIAN, "up", str(site.file), "--detach", "--state", str(site.state)],
                              capture_output=True, text=True, timeout=120, check=False, env=site.environment)
        assert done.returncode == 0, done.stderr
        yield site
    finally:
        site.__exit__()


def test_idle_connections_make_room_for_visitors_when_descriptors_are_few(many_descriptors):
    """With 1,024 descriptors half of all visitors waited for more than 4.6 s."""
    with limited_site("1024:1024") as site, contextlib.ExitStack() as stack:
        east = site.addresses["us-east"]
        assert "the descriptor limit is too low" in (site.state / "logs/us-east/edge.log").read_text()
        for _ in range(1500):
            connection = stack.enter_context(HttpConnection(east))
            connection.request("GET", "/")
            assert connection.response().status == 200
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert curl(f"http://{east}:8080/")[0] == 200
            times.append(time.monotonic() - began)
        assert statistics.median(times) < 2


def test_tiers_take_the_hard_limit_and_the_application_keeps_its_own():
    with limited_site("1024:8192") as site:
        def soft(pid):
            return resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]

        assert {soft(tier["pid"]) for tier in site.data_center("us-east")["tiers"]} == {8192}
        assert {soft(instance["pid"]) for instance in site.data_center("us-east")["instances"]} == {1024}
