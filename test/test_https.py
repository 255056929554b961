"""HTTPS at the edge: certificates by the name that is asked for, taken up while it runs, and visitors without TLS sent there."""

import re
import shutil
import subprocess

import pytest
from site_under_test import MERIDIAN, ROOT, Site

pytestmark = pytest.mark.covers("edge", "site")

PYTHON_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
SHOP = "shop.example"


def make_certificate(folder, name):
    """A self-signed one: `name`.pem and `name`.key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / f"{name}.key",
                    "-out", folder / f"{name}.pem"], check=True, capture_output=True, timeout=90)


def site_of(settings):
    """A site whose folder already holds the certificate that its file names."""
    site = Site(("us-east",), app=PYTHON_APP, instances=1, extra=settings)
    make_certificate(site.folder, SHOP)
    return site


@pytest.fixture(scope="module")
def site():
    with site_of(f'\n[edge]\nredirect_http = true\n\n[[edge.certificate]]\ncertificate = "{SHOP}.pem"\nkey = "{SHOP}.key"\n') as up:
        yield up


def curl(site, url, *options):
    """Its exit status, and the answer's head."""
    address = site.addresses["us-east"]
    resolve = [word for name in (SHOP, site.domain) for port in (8080, 8443) for word in ("--resolve", f"{name}:{port}:{address}")]
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-D", "-", *resolve, *options, url], capture_output=True, text=True, timeout=90,
                          check=False)
    return done.returncode, done.stdout


def test_each_name_is_shown_its_own_certificate(site):
    shop, own = str(site.folder / f"{SHOP}.pem"), str(site.state / "ca/authority.pem")
    assert curl(site, f"https://{SHOP}:8443/", "--cacert", shop)[0] == 0
    assert curl(site, f"https://{SHOP}:8443/", "--cacert", shop, "--tls-max", "1.2")[0] == 0
    assert curl(site, f"https://{site.domain}:8443/", "--cacert", own)[0] == 0
    assert curl(site, f"https://{site.domain}:8443/", "--cacert", shop)[0] == 60
    assert curl(site, f"https://{SHOP}:8443/", "--cacert", own)[0] == 60


def test_visitors_without_tls_are_sent_to_the_same_page_with_it(site):
    status, head = curl(site, f"http://{site.domain}:8080/a/b?c=d")
    assert (status, head.split()[1]) == (0, "308")
    assert re.search(r"^location: (.*)$", head, re.I | re.M).group(1) == f"https://{site.domain}:8443/a/b?c=d"
    # Not elsewhere, whatever host was asked for.
    _, head = curl(site, f"http://{site.domain}:8080/", "-H", "Host: evil.example")
    assert f"https://{site.domain}:8443/" in head
    # Followed, a POST stays one.
    own = str(site.state / "ca/authority.pem")
    status, head = curl(site, f"http://{site.domain}:8080/", "-L", "--cacert", own, "-d", "x=1")
    assert [line.split()[1] for line in head.splitlines() if line.startswith("HTTP/")][0] == "308"
    assert status == 0


def test_probes_and_readiness_need_no_tls(site):
    assert curl(site, f"http://{site.domain}:8080/.meridian/ready")[1].split()[1] == "200"


def test_a_certificate_that_cannot_be_read_is_named_and_nothing_is_left_running():
    site = site_of('\n[[edge.certificate]]\ncertificate = "nowhere.pem"\nkey = "nowhere.key"\n')
    try:
        done = site.run("up", str(site.file), "--detach", check=False)
        assert done.returncode != 0
        assert "nowhere.pem" in done.stderr
        assert not site.processes()
    finally:
        shutil.rmtree(site.folder, ignore_errors=True)
        site.block.release()


def test_mistakes_in_the_settings_are_named():
    site = Site(("us-east",), app=PYTHON_APP, extra='\n[edge]\nredirect_http = 1\n\n[[edge.certificate]]\ncertificate = "a.pem"\nkeys = "a.key"\n')
    try:
        done = subprocess.run([MERIDIAN, "check", site.file], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 2
        assert "redirect_http" in done.stderr
        assert 'did you mean "key"?' in done.stderr
    finally:
        shutil.rmtree(site.folder, ignore_errors=True)
        site.block.release()
