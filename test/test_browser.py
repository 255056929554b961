"""Headless Chromium as a visitor of the photos application: the page, its images, a sign-in, an upload."""

import json
import re
import subprocess

import pytest

from site_under_test import PHOTOS, ROOT, Site

pytestmark = pytest.mark.covers("edge", "session")

BROWSER = ROOT / "test/browser"


@pytest.fixture(scope="module")
def site():
    app = f'command = ["node", "server.js"]\ndirectory = "{PHOTOS}"\nhealth = "/health"\nenvironment = {{ UPLOAD_DIR = "@", SESSION_SECRET = "s" }}'
    site = Site(app=app)
    uploads = site.folder / "uploads"
    site.file.write_text(site.file.read_text().replace("@", str(uploads)))
    with site:
        site.wait_for_answers()
        site.wait_for_journals()
        yield site


def spki_of(certificate):
    """The hash of a certificate's key, by which Chromium can be told to trust it (and the file has the site's first)."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, capture_output=True, check=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True).stdout
    return subprocess.run(["openssl", "base64", "-A"], input=digest, capture_output=True, check=True).stdout.decode()


def browse(site, scheme, data_center):
    port = {"http": 8080, "https": 8443}[scheme]
    address = site.addresses[data_center]
    name = f"{scheme}-{data_center}"
    options = {"url": f"{scheme}://{site.domain}/", "hosts": f"MAP {site.domain} {address}:{port}, MAP * ~NOTFOUND",
               "spki": spki_of(site.state / "ca/web.pem"), "profile": str(site.folder / f"profile-{name}"),
               "screenshot": str(site.folder / f"{name}.png"), "visitor": "Ada", "upload": str(PHOTOS / "public/images/dunes.jpg")}
    done = subprocess.run(["node", "browse.mjs", json.dumps(options)], cwd=BROWSER, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow  # needs the package that only the whole run installs
@pytest.mark.parametrize(("scheme", "data_center"), [("http", "us-east"), ("https", "us-west")])
def test_chromium_shows_the_photos_signs_in_and_uploads(site, scheme, data_center):
    if not (BROWSER / "node_modules").is_dir():
        pytest.fail("playwright-core is not installed: npm ci --prefix test/browser")
    seen = browse(site, scheme, data_center)
    assert seen["title"] == "Photos"
    assert seen["secure"] == (scheme == "https")
    assert seen["failed"] == [] and seen["console"] == []
    assert {(response["status"], response["via"]) for response in seen["requests"]} <= {
        (status, "1.1 meridian-edge") for status in (200, 303, 304)}
    assert [response["status"] for response in seen["requests"] if response["url"].endswith("/assets/style.css")][0] == 200

    gallery = [image for image in seen["images"] if "/images/" in image["source"]]
    assert len(gallery) == 6 and all(re.fullmatch(r"/v/[0-9a-f]{32}/images/.*", image["source"]) for image in gallery)
    assert {(image["width"], image["height"]) for image in gallery} == {(960, 640)}
    assert re.fullmatch(rf"{data_center}-\d", seen["servedBy"])

    assert seen["hello"] == "Ada"
    assert {instance for instance, _ in seen["instances"]} == {f"{data_center}-1", f"{data_center}-2"}
    assert {visitor for _, visitor in seen["instances"]} == {"Ada"}

    uploaded = seen["uploaded"]
    assert (uploaded["title"], uploaded["by"]) == ("Sent by a test", "by Ada")
    [image] = uploaded["images"]
    assert image["source"].startswith("/uploads/") and (image["width"], image["height"]) == (960, 640)
    assert seen["signedOut"]


def look(site, data_center, visit):
    """The images of the page as a visitor sees them who has never been there."""
    options = {"url": f"https://{site.domain}/", "hosts": f"MAP {site.domain} {site.addresses[data_center]}:8443, MAP * ~NOTFOUND",
               "spki": spki_of(site.state / "ca/web.pem"), "profile": str(site.folder / f"look-{data_center}-{visit}")}
    done = subprocess.run(["node", "images.mjs", json.dumps(options)], cwd=BROWSER, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("data_center", ["us-east", "us-west"])
def test_the_images_come_from_the_cache_of_each_data_center_over_https(site, data_center):
    look(site, data_center, "first")
    seen = look(site, data_center, "second")
    assert len(seen["images"]) >= 6 and all(image["width"] > 0 for image in seen["images"])
    gallery = [response for response in seen["responses"] if "/images/" in response["url"]]
    assert len(gallery) == 6
    for response in gallery:
        assert response["status"] == 200 and response["cache"].startswith("meridian-edge; hit"), response
        assert response["kept"] == "public, max-age=31536000, immutable" and "/v/" in response["url"], response


@pytest.mark.slow
def test_images_still_appear_when_the_edge_that_the_page_came_from_is_gone(site):
    hosts = ", ".join([f"MAP {site.domain} {site.addresses['us-east']}:8443",
                       *(f"MAP {name}.{site.domain} {address}:8443" for name, address in site.addresses.items()), "MAP * ~NOTFOUND"])
    options = {"url": f"https://{site.domain}/", "hosts": hosts, "spki": spki_of(site.state / "ca/web.pem"),
               "profile": str(site.folder / "profile-fallback"), "assets": ["/images/sample.jpg?again", "/images/dunes.jpg?again", "/images/none.jpg"]}
    browser = subprocess.Popen(["node", "fallback.mjs", json.dumps(options)], cwd=BROWSER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        assert browser.stdout.readline() == "ready\n", browser.stderr.read()
        site.run("dc", "kill", "us-east")
        out, err = browser.communicate("\n", timeout=240)
        assert browser.returncode == 0, err
        seen = json.loads(out)
        assert [(width, height) for _, width, height in seen["shown"]] == [(960, 640), (960, 640), (0, 0)], err
        assert seen["page_itself"] == "lost"
    finally:
        browser.kill()
        browser.wait()
        site.run("dc", "start", "us-east")
