"""The lab's links: latency as far as the data centers are apart, cuts that neither end is told of, and what goes on meanwhile."""

import json
import time

import pytest

from http_connection import HttpConnection
from site_under_test import ROOT, Site, curl, finish_visits, wait_until

pytestmark = pytest.mark.covers("lab")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
NEW_YORK = "198.51.100.0/24"
OREGON = "203.0.113.0/24"


@pytest.fixture(scope="module")
def site():
    with Site(app=APP, wan=True) as running:
        running.wait_for_answers()
        yield running
        assert running.state_of("us-east") == "serving"


@pytest.fixture(autouse=True)
def healed(site):
    yield
    site.link("us-east", "us-west", "--heal")
    for at, other in (("us-east", "us-west"), ("us-west", "us-east")):
        wait_until(lambda at=at, other=other: site.hears(at, other), what=f"{at} hears {other}")
    site.wait_for_answers()


def answers(site, subnet, at):
    return site.dig(site.domain, subnet=subnet, at=at)


def assert_crossing_takes(site, least, most):
    """A request that us-east forwards to us-west never takes less, in seconds, and not much more where nothing else delays it: the
    first may need a connection across the link, and any may wait for a processor."""
    def crosses():
        # A drained data center closes each connection after its answer.
        with HttpConnection(site.addresses["us-east"]) as visitor:
            began = time.monotonic()
            visitor.request("GET", "/")
            response = visitor.response()
            took = time.monotonic() - began
        assert (response.status, json.loads(response.body)["dc"]) == (200, "us-west")
        assert took >= least
        return took < most

    wait_until(crosses, what=f"a request crosses within {most} s")


def test_links_are_listed_with_the_latency_of_their_distance(site):
    (link,) = site.link()
    assert (link["a"], link["b"], link["state"]) == ("us-east", "us-west", "up")
    assert 60 <= link["latency_ms"] <= 70
    assert link["bytes_from_a"] > 0 and link["bytes_from_b"] > 0
    out = site.run("link").stdout
    assert "us-east us-west" in out and "up" in out


def test_a_drained_data_center_s_visitors_cross_the_link_in_its_time(site):
    site.run("dc", "drain", "us-east")
    try:
        wait_until(lambda: curl(f"http://{site.addresses['us-east']}:8080/.meridian/ready")[0] == 503)
        assert_crossing_takes(site, 0.06, 0.25)
        site.link("us-east", "us-west", "--latency", "200ms")
        assert_crossing_takes(site, 0.2, 0.5)
        (link,) = site.link("us-west", "us-east", "--latency", "10ms", "--jitter", "2ms", "--rate", "100mbit")
        assert (link["latency_ms"], link["jitter_ms"], link["rate_bits"]) == (10, 2, 100_000_000)
        assert_crossing_takes(site, 0.008, 0.06)
        before = site.link()[0]
        assert len(curl(f"http://{site.addresses['us-east']}:8080/large")[2]) > 100_000
        after = site.link()[0]
        assert after["bytes_from_b"] - before["bytes_from_b"] > 100_000
    finally:
        site.run("dc", "undrain", "us-east")
        site.wait_for_state("us-east", "serving")


def test_while_the_link_is_cut_each_side_serves_its_own_visitors_and_sees_the_other_silent(site):
    east, west = site.addresses["us-east"], site.addresses["us-west"]
    visits = [site.start_visits("--from", place, f"http://{site.domain}/", "--repeat", "100", "--every", "50ms", "--no-fallback")
              for place in ("new-york", "oregon")]
    site.link("us-east", "us-west", "--cut")
    cut = time.monotonic()
    wait_until(lambda: answers(site, OREGON, "us-east") == [east], 5, "us-west has left us-east's answers")
    wait_until(lambda: answers(site, NEW_YORK, "us-west") == [west], 5 - (time.monotonic() - cut), "us-east has left us-west's answers")
    wait_until(lambda: not site.hears("us-east", "us-west") and not site.hears("us-west", "us-east"))
    assert [site.state_of(name) for name in site.addresses] == ["serving", "serving"]
    for address, dc in ((east, "us-east"), (west, "us-west")):
        code, _, body = curl(f"http://{address}:8080/")
        assert (code, json.loads(body)["dc"]) == (200, dc)
    assert [finish_visits(process)["failed"] for process in visits] == [0, 0]
    assert site.link()[0]["state"] == "cut"
    site.link("us-east", "us-west", "--heal")
    wait_until(lambda: answers(site, OREGON, "us-east") == [west] and answers(site, NEW_YORK, "us-west") == [east], what="both are back")
    wait_until(lambda: site.hears("us-east", "us-west") and site.hears("us-west", "us-east"))


def test_of_a_half_cut_link_no_answer_comes_back_either(site):
    (link,) = site.link("us-east", "us-west", "--half-cut")
    assert (link["state"], link["silent"]) == ("half-cut", "us-east")
    # A question that arrives without its answer is as good as none, and the other way round.
    wait_until(lambda: not site.hears("us-east", "us-west") and not site.hears("us-west", "us-east"))
    wait_until(lambda: answers(site, OREGON, "us-east") == [site.addresses["us-east"]])
    wait_until(lambda: answers(site, NEW_YORK, "us-west") == [site.addresses["us-west"]])


def test_a_data_center_is_lost_and_comes_back_across_its_link(site):
    site.run("dc", "kill", "us-west")
    wait_until(lambda: answers(site, OREGON, "us-east") == [site.addresses["us-east"]], 5)
    assert site.link()[0]["state"] == "up"
    site.run("dc", "start", "us-west")
    wait_until(lambda: answers(site, OREGON, "us-east") == [site.addresses["us-west"]])


@pytest.mark.parametrize(("arguments", "needles"), [
    (("us-east",), ["two data centers"]),
    (("us-east", "us-wset", "--cut"), ["us-wset", "us-west"]),
    (("us-east", "us-east", "--cut"), ["two different"]),
    (("us-east", "us-west", "--latency", "70"), ["--latency", "70ms"]),
    (("us-east", "us-west", "--rate", "fast"), ["--rate", "100mbit"]),
    (("us-east", "us-west", "--cut", "--heal"), ["--heal"]),
])
def test_a_wrong_link_command_is_told_what_would_be_right(site, arguments, needles):
    done = site.run("link", *arguments, check=False)
    assert done.returncode == 2
    for needle in needles:
        assert needle in done.stderr, done.stderr
    assert site.link()[0]["state"] == "up"


def test_what_a_link_cannot_do_is_refused(site):
    done = site.run("link", "us-east", "us-west", "--latency", "11s", check=False)
    assert done.returncode == 1 and "10 s" in done.stderr


def test_a_lab_without_links_says_so(quiet_site):
    done = quiet_site.run("link", check=False)
    assert done.returncode == 1 and "wan = false" in done.stderr
