"""`meridian top`: rates, errors, durations and lag of every tier, from the metrics that they serve."""

import json
import os
import signal
import subprocess

import pytest

from site_under_test import MERIDIAN, PYTHON_APP, Site, wait_until

pytestmark = pytest.mark.covers("cli", "agent", "wire")


def top(site, *arguments, check=True):
    done = site.run("top", "--json", "--interval", "1", *arguments, check=check)
    return [{each["name"]: each for each in json.loads(line)["datacenters"]} for line in done.stdout.splitlines()]


def tiers(data_center):
    return {each["name"]: each for each in data_center["tiers"]}


@pytest.fixture
def site():
    with Site(app=PYTHON_APP, instances=1, edge_places=("london",), extra="\n[queue]\n[watch]\n") as up:
        up.wait_for_answers()
        yield up


def test_every_tier_has_its_figures_and_a_hung_or_dead_one_its_reason(site):
    load = subprocess.Popen([MERIDIAN, "visit", "--from", "new-york", f"http://{site.domain}/", "--repeat", "4000", "--every", "20ms",
                             "--state", str(site.state)], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: "received GET / " in (site.state / "logs/us-east/agent.log").read_text(), what="visitors are there")
        first, second = top(site, "--count", "2")
    finally:
        load.kill()
        load.wait()
    for table in (first, second):
        assert [each["state"] for each in table.values()] == ["serving"] * 3
        assert set(tiers(table["us-east"])) == {"dns", "edge", "balancer", "queue", "session", "watch"} and set(tiers(table["london"])) == {"dns", "edge"}
        for data_center in table.values():
            for tier in data_center["tiers"]:
                # A metric that was renamed would be missing here.
                assert "requests_per_second" in tier and "problem" not in tier, tier
                assert ("errors_per_second" in tier) == (tier["name"] != "dns"), tier
    edge = tiers(second["us-east"])["edge"]
    # One comes each 20 ms; fewer where the visitor itself waits for a processor, and more when it makes up for that.
    assert 0 < edge["requests_per_second"] < 400 and edge["errors_per_second"] == 0 and 0 < edge["p50_seconds"] <= edge["p99_seconds"]
    assert tiers(second["us-east"])["session"]["lag_seconds"] < 60 and "lag_seconds" not in edge

    hung = site.tier("us-east", "session")["pid"]
    os.kill(hung, signal.SIGSTOP)
    try:
        [table] = top(site)
        session = tiers(table["us-east"])["session"]
        assert "session tier does not answer" in session["problem"] and "requests_per_second" not in session
        assert "requests_per_second" in tiers(table["us-east"])["edge"]
    finally:
        os.kill(hung, signal.SIGCONT)

    site.run("dc", "kill", "us-west")
    [table] = top(site)
    assert table["us-west"]["state"] == "down" and "does not answer" in table["us-west"]["problem"] and table["us-west"]["tiers"] == []
    text = site.run("top", "--interval", "1").stdout
    assert text.startswith("data center") and "\x1b" not in text and "us-east" in text and "us-west" in text


def test_figures_are_again_there_when_a_tier_was_killed(site):
    killed = site.tier("us-east", "edge")["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: site.tier("us-east", "edge")["pid"] not in (0, killed), what="the edge is back")
    edge = wait_until(lambda: tiers(top(site)[0]["us-east"])["edge"].get("requests_per_second") is not None, what="its figures are shown")
    assert edge


def test_with_nothing_running_it_fails():
    site = Site(app=PYTHON_APP, instances=1)
    try:
        done = site.run("top", "--interval", "1", check=False)
        assert done.returncode != 0 and "meridian up" in done.stderr
    finally:
        site.__exit__()
