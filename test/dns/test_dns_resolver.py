"""unbound as the resolver between visitors and the site's servers, over UDP and TCP, with and without client subnets."""

import contextlib
import pathlib
import signal
import subprocess
import tempfile

import pytest

from dns_clients import ask
from site_under_test import PROCESS_PORT, ROOT, Address, Site, wait_until

pytestmark = pytest.mark.covers("dns")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
NEW_YORK = "198.51.100.0/24"
OREGON = "203.0.113.0/24"
LAB_TTL = 5

CONFIGURATION = """
server:
  interface: {address}
  port: {port}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  do-not-query-localhost: no
  do-ip6: no
  tcp-upstream: {tcp}
  module-config: "{modules}"
  # What an attacker's answers would have changed: the case of the question.
  use-caps-for-id: yes
  harden-referral-path: yes
  qname-minimisation: yes
  local-zone: "example." nodefault
  {subnets}
remote-control:
  control-enable: no
{kind}-zone:
  name: "{domain}"
{servers}
"""


@contextlib.contextmanager
def resolver(site, kind="forward", tcp=False, subnets=False, servers=("us-east", "us-west")):
    """unbound in the foreground: the address where it answers."""
    addresses = [site.addresses[name] for name in servers]
    key = "forward-addr" if kind == "forward" else "stub-addr"
    send = "\n  ".join([f"send-client-subnet: {address}" for address in addresses] + ["client-subnet-always-forward: yes"])
    with Address() as own, tempfile.TemporaryDirectory(prefix="meridian-test-") as folder:
        file, said = pathlib.Path(folder) / "unbound.conf", pathlib.Path(folder) / "log"
        file.write_text(CONFIGURATION.format(
            address=own, port=PROCESS_PORT, folder=folder, tcp="yes" if tcp else "no", domain=site.domain, kind=kind,
            modules="subnetcache iterator" if subnets else "iterator", subnets=send if subnets else "",
            servers="\n".join(f"  {key}: {address}@5300" for address in addresses)))
        with open(said, "wb") as log:
            process = subprocess.Popen(["/usr/sbin/unbound", "-d", "-p", "-c", str(file)], stdout=log, stderr=log)

        def answers():
            assert process.poll() is None, said.read_text()
            with contextlib.suppress(AssertionError):
                return ask(own, "localhost", "A", "+tries=1", port=PROCESS_PORT).status == "NOERROR"

        try:
            wait_until(answers, what="unbound answers")
            yield own
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)


@pytest.fixture(scope="module")
def site(quiet_site):
    return quiet_site


def asked(address, name, kind="A", *options, **further):
    """What a visitor's machine does: a question with RD to its resolver."""
    return ask(address, name, kind, "+rec", *options, port=PROCESS_PORT, **further)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("kind", ["forward", "stub"])
def test_a_resolver_gets_every_kind_of_answer(site, kind, tcp):
    east, west = site.addresses["us-east"], site.addresses["us-west"]
    with resolver(site, kind, tcp) as address:
        response = asked(address, site.domain)
        assert response.status == "NOERROR"
        [record] = response.answer
        assert record.data in (east, west) and record.ttl <= LAB_TTL
        assert asked(address, f"us-west.{site.domain}").data() == [west]
        assert len(asked(address, site.domain, "HTTPS").answer) == 2
        assert sorted(asked(address, site.domain, "NS").data()) == [f"us-east.{site.domain}.", f"us-west.{site.domain}."]
        assert asked(address, site.domain, "SOA").data()[0].startswith(f"us-east.{site.domain}. hostmaster.")
        nothing = asked(address, site.domain, "AAAA")
        assert (nothing.status, nothing.answer, nothing.authority[0].kind) == ("NOERROR", [], "SOA")
        assert asked(address, f"nowhere.{site.domain}").status == "NXDOMAIN"
        assert asked(address, f"_8443._https.{site.domain}", "HTTPS").status == "NOERROR"


def test_a_resolver_with_client_subnets_keeps_the_places_apart(site):
    east, west = site.addresses["us-east"], site.addresses["us-west"]
    with resolver(site, subnets=True) as address:
        # Twice: the second time from its cache, which relies on the scopes that it was given.
        for _ in range(2):
            assert asked(address, site.domain, subnet="198.51.100.7/32").data() == [east]
            assert asked(address, site.domain, subnet="203.0.113.7/32").data() == [west]
            assert asked(address, site.domain, subnet=NEW_YORK).data() == [east]
            assert asked(address, site.domain, subnet="203.0.113.200/32").data() == [west]
            first = asked(address, site.domain, "HTTPS", subnet=OREGON).data()
            assert any(data.startswith(f"1 us-west.{site.domain}.") for data in first)


def test_a_resolver_goes_on_when_a_data_center_with_its_server_is_lost():
    with Site(app=APP) as site:
        site.wait_for_answers()
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        with resolver(site, subnets=True) as address:
            assert asked(address, site.domain, subnet=NEW_YORK).data() == [east]
            site.run("dc", "kill", "us-east")
            wait_until(lambda: site.dig(site.domain, subnet=NEW_YORK, at="us-west") == [west], what="us-west's server answers with us-west")
            # Its cache lets the old answer go, and it gives up the lost server: each question that it sends there costs it
            # a time-out, doubled each time.
            def answers_with_west():
                with contextlib.suppress(AssertionError):  # no answer in this time
                    return asked(address, site.domain, "A", "+time=5", subnet=NEW_YORK).data() == [west]

            wait_until(answers_with_west, what="the resolver answers with us-west")
