"""unbound as the resolver between visitors and the site's servers, over UDP and TCP, with and without client subnets."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

from dns_clients import ask
from site_under_test import ROOT, Site, wait_until

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/app.py"]\nhealth = "/healthz"'
NEW_YORK = "198.51.100.0/24"
OREGON = "203.0.113.0/24"
LAB_TTL = 5

CONFIGURATION = """
server:
  interface: 127.0.0.1
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


def free_port():
    """A port that is free for UDP and for TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp, contextlib.suppress(OSError):
            udp.bind(("127.0.0.1", 0))
            tcp.bind(udp.getsockname())
            return udp.getsockname()[1]


@contextlib.contextmanager
def resolver(site, kind="forward", tcp=False, subnets=False, servers=("us-east", "us-west")):
    """unbound in the foreground: the port on 127.0.0.1 where it answers."""
    addresses = [site.addresses[name] for name in servers]
    key = "forward-addr" if kind == "forward" else "stub-addr"
    send = "\n  ".join([f"send-client-subnet: {address}" for address in addresses] + ["client-subnet-always-forward: yes"])
    for _ in range(5):
        port = free_port()
        file = site.folder / f"unbound-{port}.conf"
        file.write_text(CONFIGURATION.format(
            port=port, folder=site.folder, tcp="yes" if tcp else "no", domain=site.domain, kind=kind,
            modules="subnetcache iterator" if subnets else "iterator", subnets=send if subnets else "",
            servers="\n".join(f"  {key}: {address}@5300" for address in addresses)))
        with open(site.folder / f"unbound-{port}.log", "wb") as log:
            process = subprocess.Popen(["/usr/sbin/unbound", "-d", "-p", "-c", str(file)], stdout=log, stderr=log)
        try:
            def answers():
                with contextlib.suppress(AssertionError):
                    return ask("127.0.0.1", "localhost", "A", "+tries=1", port=port).status == "NOERROR"
                return process.poll() is not None

            wait_until(answers, 20, "unbound answers")
            if process.poll() is not None:
                continue  # somebody else took the port
            yield port
            return
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    raise AssertionError((site.folder / f"unbound-{port}.log").read_text())


@pytest.fixture(scope="module")
def site():
    with Site(app=APP) as running:
        running.wait_for_answers()
        yield running


def asked(port, name, kind="A", *options, **further):
    """What a visitor's machine does: a question with RD to its resolver."""
    return ask("127.0.0.1", name, kind, "+rec", *options, port=port, **further)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("kind", ["forward", "stub"])
def test_a_resolver_gets_every_kind_of_answer(site, kind, tcp):
    east, west = site.addresses["us-east"], site.addresses["us-west"]
    with resolver(site, kind, tcp) as port:
        response = asked(port, site.domain)
        assert response.status == "NOERROR"
        [record] = response.answer
        assert record.data in (east, west) and record.ttl <= LAB_TTL
        assert asked(port, f"us-west.{site.domain}").data() == [west]
        assert len(asked(port, site.domain, "HTTPS").answer) == 2
        assert sorted(asked(port, site.domain, "NS").data()) == [f"us-east.{site.domain}.", f"us-west.{site.domain}."]
        assert asked(port, site.domain, "SOA").data()[0].startswith(f"us-east.{site.domain}. hostmaster.")
        nothing = asked(port, site.domain, "AAAA")
        assert (nothing.status, nothing.answer, nothing.authority[0].kind) == ("NOERROR", [], "SOA")
        assert asked(port, f"nowhere.{site.domain}").status == "NXDOMAIN"
        assert asked(port, f"_8443._https.{site.domain}", "HTTPS").status == "NOERROR"


def test_a_resolver_with_client_subnets_keeps_the_places_apart(site):
    east, west = site.addresses["us-east"], site.addresses["us-west"]
    with resolver(site, subnets=True) as port:
        # Twice: the second time from its cache, which relies on the scopes that it was given.
        for _ in range(2):
            assert asked(port, site.domain, subnet="198.51.100.7/32").data() == [east]
            assert asked(port, site.domain, subnet="203.0.113.7/32").data() == [west]
            assert asked(port, site.domain, subnet=NEW_YORK).data() == [east]
            assert asked(port, site.domain, subnet="203.0.113.200/32").data() == [west]
            first = asked(port, site.domain, "HTTPS", subnet=OREGON).data()
            assert any(data.startswith(f"1 us-west.{site.domain}.") for data in first)


def test_a_resolver_goes_on_when_a_data_center_with_its_server_is_lost():
    with Site(app=APP) as site:
        site.wait_for_answers()
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        with resolver(site, subnets=True) as port:
            assert asked(port, site.domain, subnet=NEW_YORK).data() == [east]
            site.run("dc", "kill", "us-east")
            wait_until(lambda: site.dig(site.domain, subnet=NEW_YORK, at="us-west") == [west], 5, "us-west's server answers with us-west")
            # Its cache lets the old answer go, and it gives up the lost server: each question that it sends there costs it
            # a time-out, doubled each time.
            wait_until(lambda: asked(port, site.domain, "A", "+time=5", subnet=NEW_YORK).data() == [west], 45,
                       "the resolver answers with us-west")
