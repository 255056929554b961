"""`meridian visit` as a person or a script uses it. What it sees of failures is in test_losing_a_data_center.py."""

import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from site_under_test import MERIDIAN, ROOT, Site

pytestmark = pytest.mark.covers("cli")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'


@pytest.fixture(scope="module")
def site(quiet_site):
    return quiet_site


def steps(done):
    """The lines after the first, by their first word."""
    return [(line.split()[0], line) for line in done.stdout.splitlines()[1:]]


@pytest.mark.parametrize("place, data_center", [("new-york", "us-east"), ("oregon", "us-west"), ("203.0.113.77", "us-west")])
def test_one_visit_shows_every_step(site, place, data_center):
    done = site.visit("--from", place, "http://photos.example/")
    address = site.addresses[data_center]
    assert re.match(rf"visit http://photos.example/ from {place} \(\d+\.\d+\.\d+\.0/24\)\n", done.stdout)
    assert [step for step, _ in steps(done)] == ["dns", "dns", "connect", "request", "path", "total"]
    lines = dict(reversed(steps(done)))
    assert f"  {address}, ttl 5 s, subnet scope /24" in lines["dns"]
    assert re.search(rf"connect +{address}:8080 +{data_center} +\d+\.\d ms$", lines["connect"])
    assert re.search(r"GET / +\d+\.\d ms  200 OK, \d+ bytes$", lines["request"])
    assert re.search(rf"edge {data_center} > data center {data_center} > instance {data_center}-[12]$", lines["path"])
    assert "\x1b" not in done.stdout


def test_https_is_verified_with_the_sites_own_ca(site):
    done = site.visit("--from", "oregon", "https://photos.example/")
    assert [step for step, _ in steps(done)] == ["dns", "dns", "connect", "tls", "request", "path", "total"]
    assert f"{site.addresses['us-west']}:8443" in done.stdout


def test_each_data_center_can_be_visited_by_its_name(site):
    for name in site.addresses:
        counted = json.loads(site.visit(f"http://{name}.photos.example/", "--json").stdout)
        assert counted["by_datacenter"] == {name: 1}


def test_a_load_is_counted_as_json(site):
    began = time.monotonic()
    done = site.visit("--from", "new-york", "http://photos.example/", "--repeat", "30", "--every", "5ms", "--json")
    took = time.monotonic() - began
    counted = json.loads(done.stdout)
    assert (counted["requests"], counted["failed"], counted["fell_back"]) == (30, 0, 0)
    assert counted["by_datacenter"] == {"us-east": 30}
    assert counted["by_status"] == {"200": 30}
    assert set(counted["by_instance"]) == {"us-east-1", "us-east-2"}
    assert 0 < counted["p50_ms"] <= counted["p99_ms"] <= counted["max_ms"]
    # The answers were kept for their TTL of 5 s: A, AAAA and HTTPS were asked for once in that time.
    assert 3 <= counted["dns_questions"] <= 3 * (1 + took // 5)
    assert done.stderr == ""


def test_a_load_ends_with_one_line_for_people(site):
    done = site.visit("--from", "oregon", "http://photos.example/", "--repeat", "10", "--every", "5ms")
    assert re.fullmatch(r"10 requests in \d+\.\d s: us-west 10; 0 fell back, 0 failed; p50 \d+\.\d ms, p99 \d+\.\d ms\n", done.stdout)


def test_whoever_watches_is_told_who_serves_and_an_interrupt_ends_with_the_summary_so_far(site):
    ours, theirs = pty.openpty()
    visit = subprocess.Popen([MERIDIAN, "visit", "--from", "oregon", "http://photos.example/", "--repeat", "100000", "--every", "20ms",
                              "--json", "--state", str(site.state)], stdout=subprocess.PIPE, stderr=theirs, text=True, cwd=site.folder)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        assert re.match(rb"\d\d:\d\d:\d\d\.\d  us-west\r\n", terminal.read(100))
        visit.send_signal(signal.SIGINT)
        out, _ = visit.communicate(timeout=90)
    counted = json.loads(out)
    assert counted["interrupted"] is True
    assert 0 < counted["requests"] < 100000
    assert counted["failed"] == 0
    assert visit.returncode == 0


@pytest.mark.parametrize("arguments, said", [
    (["http://other.example/"], "other.example is not of this site; visit http://photos.example/"),
    (["photos.example"], "http://"),
    (["http://photos.example/", "--from", "new-yrk"], "did you mean new-york?"),
    (["http://photos.example/", "--repeat", "3", "--every", "0ms"], "--every is from 1ms to 1h"),
    (["http://photos.example/", "--repeat", "3", "--every", "often"], "--every"),
    (["http://photos.example/", "--repeat", "0"], "--repeat"),
    (["http://photos.example/", "--repeat", "1000001"], "--repeat"),
    (["http://photos.example/", "--every", "5ms"], "--repeat"),
    ([], "url"),
])
def test_what_is_asked_for_wrongly_is_said(site, arguments, said):
    done = site.visit(*arguments, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_name_that_the_site_does_not_have_fails(site):
    done = site.visit("http://nowhere.photos.example/", check=False)
    assert done.returncode == 1
    assert "there is no name nowhere.photos.example (NXDOMAIN)" in done.stdout


def test_without_a_site_it_says_how_to_bring_one_up(tmp_path):
    done = subprocess.run([MERIDIAN, "visit", "http://photos.example/", "--state", str(tmp_path / "none")], capture_output=True, text=True,
                          timeout=90, check=False)
    assert done.returncode == 1
    assert "Bring one up with: meridian up" in done.stderr


def test_when_everything_is_down_it_says_so():
    with Site(app=APP) as site:
        site.run("down")
        done = site.visit("http://photos.example/", check=False)
        assert done.returncode == 1
        assert "no name server of the site answered" in done.stdout
        assert "no address answered. For the state: " in done.stderr
        counted = json.loads(site.visit("http://photos.example/", "--json", check=False).stdout)
        assert (counted["requests"], counted["failed"], counted["p50_ms"]) == (1, 1, None)
        assert counted["errors"] == {"dns timed out": 1}
