"""cdn.<domain>: steered as the site is, static files alone, and no cookies either way."""

import subprocess

import pytest
from edge_under_test import Edge
from site_under_test import MERIDIAN, ROOT, Site, curl

pytestmark = pytest.mark.covers("edge")

PYTHON_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'


@pytest.fixture(scope="module")
def site():
    with Site(app=PYTHON_APP, extra='\n[edge]\ncdn_paths = ["/static/", "/robots.txt", "/echo", "/fields"]\n') as up:
        up.wait_for_answers()
        yield up


def ask(site, path, *options, host=None, at="us-east"):
    return curl(f"http://{site.addresses[at]}:8080{path}", "-H", f"Host: {host or 'cdn.' + site.domain}", *options)


def test_it_is_steered_as_the_site_is(site):
    for subnet in ("198.51.100.0/24", "203.0.113.0/24"):
        assert site.dig(f"cdn.{site.domain}", subnet=subnet) == site.dig(site.domain, subnet=subnet)
    assert len(site.dig(f"cdn.{site.domain}", "HTTPS")) == 2


def test_its_certificate_is_the_sites(site):
    status, _, _ = curl(f"https://cdn.{site.domain}:8443/robots.txt", "--cacert", str(site.state / "ca/authority.pem"),
                        "--resolve", f"cdn.{site.domain}:8443:{site.addresses['us-east']}")
    assert status == 200


def test_static_paths_alone_and_reading_alone(site):
    assert ask(site, "/static/a.css")[0] == 200
    assert ask(site, "/robots.txt")[0] == 200
    for path in ("/", "/account", "/robots.txt/", "/static/%2e%2e/account", "/static/..;/account"):
        assert ask(site, path, "--path-as-is")[0] == 404, path
    status, fields, _ = ask(site, "/static/a.css", "-d", "x=1")
    assert (status, fields["allow"]) == (405, "GET, HEAD")
    assert ask(site, "/account", host=site.domain)[0] == 200


@pytest.mark.parametrize("host", ["cdn.photos.example.", "CDN.Photos.Example.:8080", "cdn.photos.example:"])
def test_another_spelling_of_the_host_escaped_its_rules(site, host):
    assert ask(site, "/account", host=host)[0] == 404
    status, _, body = ask(site, "/echo", "-H", "Cookie: sid=secret", host=host)
    assert status == 200 and b"sid=secret" not in body
    assert ask(site, "/account", host="cdn.photos.example..")[0] == 400


def test_cookies_stay_out_both_ways(site):
    cookie = ("-H", "Cookie: sid=secret", "-H", "X-Other: kept")
    assert b"sid=secret" in ask(site, "/echo", *cookie, host=site.domain)[2]
    status, _, body = ask(site, "/echo", *cookie)
    assert status == 200 and b"sid=secret" not in body and b"kept" in body
    assert "set-cookie" in ask(site, "/fields", host=site.domain)[1]
    assert "set-cookie" not in ask(site, "/fields")[1]


def test_an_edge_that_stands_alone_has_no_such_host():
    with Edge() as edge:
        edge.origin.at("/account", body=b"mine", fields={"Set-Cookie": "a=b"})
        answer = edge.get("/account", Host="cdn.127.0.0.1", Cookie="sid=1")
        assert answer.status == 200 and "Set-Cookie" in answer.headers
        assert edge.origin.asked("/account")[0]["headers"]["Cookie"] == "sid=1"


def test_a_path_that_is_none_is_a_mistake_in_the_settings(tmp_path):
    file = tmp_path / "site.toml"
    file.write_text('domain = "photos.example"\n[[datacenter]]\nname = "a"\naddress = "127.1.0.1"\nlocation = "Ashburn"\n'
                    '[app]\ncommand = ["true"]\n[edge]\ncdn_paths = ["images/"]\n')
    done = subprocess.run([MERIDIAN, "check", str(file)], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2 and "a path begins with /" in done.stderr
