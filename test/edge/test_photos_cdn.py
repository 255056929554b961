"""The photos example behind its edges: images from the cache in both data centers, over HTTPS, by version, at the CDN's host too."""

import re

import pytest
from site_under_test import Site, curl, wait_until

pytestmark = pytest.mark.covers("edge")

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def site():
    with Site() as up:
        up.wait_for_answers()
        up.wait_for_journals()
        yield up


def ask(site, path, *options, at="us-east", host=None, scheme="https"):
    host, port = host or site.domain, {"http": 8080, "https": 8443}[scheme]
    return curl(f"{scheme}://{host}:{port}{path}", "--cacert", str(site.state / "ca/authority.pem"),
                "--resolve", f"{host}:{port}:{site.addresses[at]}", *options)


def ask_for_hit(site, path, *options, **further):
    """The first answer from the cache: a body's last bytes may be on their way there when a visitor has them."""
    def hit():
        answer = ask(site, path, *options, **further)
        return answer[1]["cache-status"].startswith("meridian-edge; hit") and answer
    return wait_until(hit, what=f"{path} is a hit")


@pytest.mark.parametrize("at", ["us-east", "us-west"])
def test_the_images_come_from_the_cache_of_each_data_center(site, at):
    status, fields, body = ask_for_hit(site, "/images/sample.jpg", at=at)
    assert status == 200
    assert fields["content-type"] == "image/jpeg" and len(body) == int(fields["content-length"])


@pytest.mark.parametrize("at", ["us-east", "us-west"])
def test_the_page_links_to_versions_that_are_the_same_in_each_data_center(site, at):
    page = ask(site, "/", at=at)[2].decode()
    links = re.findall(r'"(/v/[0-9a-f]{32}/(?:images|assets)/[^"]+)"', page)
    assert len(links) >= 8 and not re.search(r'"/(images|assets)/', page)
    for link in links:
        plain = re.sub(r"^/v/[0-9a-f]{32}", "", link)
        told = ask(site, f"/.meridian/version?path={plain}", at=at)[2].decode()
        assert f'"url":"{link}"' in told
        status, fields, body = ask_for_hit(site, link, at=at)
        assert status == 200 and fields["cache-control"] == IMMUTABLE
        assert body == ask(site, plain, at=at)[2]


def test_the_cdns_host_serves_images_and_versions_and_no_pages(site):
    cdn = f"cdn.{site.domain}"
    link = re.search(r'"(/v/[0-9a-f]{32})(/images/[^"]+)"', ask(site, "/")[2].decode())
    for path in (link[2], link[1] + link[2]):
        assert ask_for_hit(site, path, "-H", "Cookie: name=x", host=cdn)[0] == 200
    for path in ("/", link[1] + "/", link[1] + "/photos/dunes", "/.meridian/version?path=/photos/dunes"):
        assert ask(site, path, host=cdn)[0] == 404, path
    assert ask(site, f"/.meridian/version?path={link[2]}", host=cdn)[0] == 200


def test_a_purge_by_tag_takes_versions_too_and_one_by_url_the_plain_path(site):
    link = re.search(r'"(/v/[0-9a-f]{32})(/images/[^"]+)"', ask(site, "/")[2].decode())
    version, plain = link[1] + link[2], link[2]

    def is_hit(path):
        return ask(site, path)[1]["cache-status"].startswith("meridian-edge; hit")

    for path in (version, plain):
        ask_for_hit(site, path)
    site.run("purge", plain)
    assert is_hit(version) and not is_hit(plain)
    site.run("purge", "--tag", "images")
    assert not is_hit(plain) and not is_hit(version)
    ask_for_hit(site, version)


def test_every_answer_says_what_the_cache_did(site):
    for path, options, status, said in (("/.meridian/ready", (), 200, "detail=reserved"), ("/.meridian/fallback.js", (), 200, "detail=reserved"),
                                        ("/.meridian/none", (), 404, "detail=reserved"), ("/.meridian/version", (), 400, "detail=reserved"),
                                        ("/.meridian/version?path=/images/dunes.jpg", (), 200, "detail=reserved"),
                                        ("/images/none.jpg", (), 404, "fwd="), ("/", ("-d", "x=1"), 404, "fwd=method"),
                                        ("/%2emeridian/ready", (), 400, ""), ("/", ("-X", "PURGE"), 403, "")):
        for scheme in ("http", "https"):
            answer, fields, _ = ask(site, path, *options, scheme=scheme)
            assert answer == status and fields["cache-status"].startswith("meridian-edge") and said in fields["cache-status"], (path, fields)
