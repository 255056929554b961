"""A point of presence: dns and edge alone, which fill from the nearest data center that serves."""

import pytest
from site_under_test import ROOT, Site, curl, finish_visits, wait_until

pytestmark = pytest.mark.covers("edge")

PYTHON_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
PARIS = '\n[[dns.place]]\nname = "paris"\nprefix = "192.0.2.0/24"\nlatitude = 48.9\nlongitude = 2.4\n'


@pytest.fixture(scope="module")
def site():
    with Site(app=PYTHON_APP, extra=PARIS, edge_places=("london",)) as up:
        yield up


def path_of(site, at):
    status, headers, _ = curl(f"http://{site.addresses[at]}:8080/", "-H", "Meridian-Debug: 1", "-H", f"Host: {site.domain}")
    return status, headers.get("meridian-path", "")


def visits(site, place):
    """How many of five visits came in at each edge."""
    return finish_visits(site.start_visits("--from", place, f"http://{site.domain}/", "--repeat", "5", "--every", "50ms"))["by_edge"]


def test_it_runs_dns_and_edge_alone(site):
    london = site.data_center("london")
    assert sorted(tier["name"] for tier in london["tiers"]) == ["dns", "edge"]
    assert london["instances"] == []
    assert london["state"] == "serving"


def test_it_fills_from_the_nearest_data_center(site):
    # It may have heard of us-west first.
    wait_until(lambda: path_of(site, "london")[1].startswith("edge=london datacenter=us-east instance=us-east-"), what="us-east serves london")
    assert path_of(site, "london")[0] == 200


def test_visitors_near_it_are_sent_to_it(site):
    # It may come last: it can serve only once it has heard of somebody who does.
    wait_until(lambda: visits(site, "paris") == {"london": 5}, what="visitors are at london")
    wait_until(lambda: visits(site, "oregon") == {"us-west": 5}, what="those near us-west are there")


def test_it_fills_from_the_other_when_the_nearest_goes_and_back(site):
    site.run("dc", "kill", "us-east")
    try:
        wait_until(lambda: path_of(site, "london")[1].startswith("edge=london datacenter=us-west"), what="filled from us-west")
    finally:
        site.run("dc", "start", "us-east")
    wait_until(lambda: path_of(site, "london")[1].startswith("edge=london datacenter=us-east"), what="filled from us-east again")


def test_without_it_its_visitors_are_sent_to_the_nearest_data_center(site):
    site.run("dc", "kill", "london")
    try:
        wait_until(lambda: visits(site, "paris") == {"us-east": 5}, what="its visitors are at us-east")
    finally:
        site.run("dc", "start", "london")
    wait_until(lambda: site.state_of("london") == "serving", what="london serves")


def test_draining_it_fails_no_request(site):
    visiting = site.start_visits("--from", "paris", f"http://{site.domain}/", "--repeat", "60", "--every", "50ms")
    site.run("dc", "drain", "london")
    assert finish_visits(visiting)["failed"] == 0
    site.run("dc", "undrain", "london")
