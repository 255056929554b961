"""Which data center a client is sent to: by weight, by map, by a geo database, by what its answers would meet there."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from dns_clients import ask, ask_for_each
from site_under_test import MERIDIAN, ROOT, Site, wait_until

pytestmark = pytest.mark.covers("dns")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
NEW_YORK = "198.51.100.0/24"
OREGON = "203.0.113.0/24"
BLOCKS = [f"10.{i // 250}.{i % 250}.0/24" for i in range(1000)] + [f"2001:db8:{i:x}::/56" for i in range(200)]


def answers(site, subnet, at):
    return ask(site.addresses[at], site.domain, subnet=subnet).data()


def weighted(east, west):
    return Site(app=APP, extra='\n[dns]\nsteering = "weighted"\n', keys={"us-east": f"weight = {east}", "us-west": f"weight = {west}"})


def places_of(site, at="us-east", subnets=None):
    """{subnet: name of the data center that it is sent to}."""
    names = {address: name for name, address in site.addresses.items()}
    given = ask_for_each(site.addresses[at], site.domain, subnets or BLOCKS, site.folder)
    return {subnet: names[address] for subnet, address in given.items()}


def share(places, name="us-east"):
    return 100 * sum(place == name for place in places.values()) / len(places)


def test_both_servers_know_both_data_centers_as_soon_as_up_has_ended():
    with Site(app=APP) as site:
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        told = {(at, place): answers(site, place, at) for at in site.addresses for place in (NEW_YORK, OREGON)}
        assert told == {("us-east", NEW_YORK): [east], ("us-west", NEW_YORK): [east],
                        ("us-east", OREGON): [west], ("us-west", OREGON): [west]}


def test_weights_share_the_clients_out_and_a_changed_weight_moves_only_the_difference():
    with weighted(80, 20) as site:
        site.wait_for_answers()
        before = places_of(site)
        assert share(before) == pytest.approx(80, abs=4)
        # The same client gets the same answer from every server, however often and by whatever it asks.
        assert places_of(site, at="us-west") == before
        assert places_of(site) == before
        some = BLOCKS[::100]
        for subnet in some:
            for options in (("+tcp",), ("+notcp",)):
                response = ask(site.addresses["us-west"], site.domain, "HTTPS", *options, tool="kdig", subnet=subnet)
                [nearest] = [data for data in response.data() if data.startswith("1 ")]
                assert nearest.split()[1] == f"{before[subnet]}.{site.domain}."
        # Also wherever it is: all of these are in one place.
        inside = [f"203.0.113.{host}/32" for host in range(256)]
        assert len(set(places_of(site, subnets=inside).values())) == 1
    with weighted(60, 40) as site:
        site.wait_for_answers()
        after = places_of(site)
        assert share(after) == pytest.approx(60, abs=4)
        moved = {(before[subnet], after[subnet]) for subnet in BLOCKS if before[subnet] != after[subnet]}
        assert moved == {("us-east", "us-west")}


@pytest.mark.parametrize(("east", "west", "expected"), [(50, 50, 50), (99, 1, 99), (3, 1, 75), (1, 999, 0.1)])
def test_weights_count_relative_to_one_another(east, west, expected):
    with weighted(east, west) as site:
        site.wait_for_answers()
        assert share(places_of(site)) == pytest.approx(expected, abs=4)


def test_weight_zero_gets_nobody_while_another_data_center_serves():
    with weighted(100, 0) as site:
        wait_until(lambda: len(site.dig(site.domain, "HTTPS")) == 2)
        assert share(places_of(site)) == 100
        [second] = [data for data in ask(site.addresses["us-east"], site.domain, "HTTPS").data() if data.startswith("2 ")]
        assert second.split()[1] == f"us-west.{site.domain}."
        site.run("dc", "kill", "us-east")
        wait_until(lambda: answers(site, NEW_YORK, "us-west") == [site.addresses["us-west"]])


MAP = """
[dns]
steering = "map"
[dns.map]
new-york = "us-west"
"198.51.100.128/25" = "us-east"
"192.0.2.0/24" = "us-east"
"2001:db8:77::/48" = "us-west"
"""


def test_a_map_goes_before_distance_and_a_prefix_before_its_place():
    with Site(app=APP, extra=MAP) as site:
        site.wait_for_answers()
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        for at in site.addresses:
            for subnet, expected, scope in (
                    ("198.51.100.0/25", west, 25), ("198.51.100.77/32", west, 25), ("198.51.100.128/25", east, 25),
                    # What holds for its first half is all that can be said of the whole.
                    (NEW_YORK, west, 25),
                    ("192.0.2.0/24", east, 24),
                    # Of no place, so what would stand behind the mapped one is drawn for the block.
                    ("2001:db8:77:100::/56", west, 56),
                    # Not in the map: the nearest.
                    (OREGON, west, 24)):
                response = ask(site.addresses[at], site.domain, subnet=subnet)
                assert (subnet, response.data(), response.scope) == (subnet, [expected], scope)
        site.run("dc", "drain", "us-west")
        for at in site.addresses:
            wait_until(lambda at=at: answers(site, "198.51.100.0/25", at) == [east], what="the mapped data center is left when it drains")


GEO_DATABASE = """
use strict; use warnings;
use MaxMind::DB::Writer::Tree;
my %types = (location => 'map', latitude => 'double', longitude => 'double');
my $tree = MaxMind::DB::Writer::Tree->new(
  ip_version => 6, record_size => 28, database_type => 'Test-City', languages => ['en'], description => { en => 'A test' },
  map_key_type_callback => sub { $types{$_[0]} }, remove_reserved_networks => 0);
my $insert = sub { $tree->insert_network($_[0], { location => { latitude => $_[1], longitude => $_[2] } }) };
$insert->('100.64.0.0/17', 40.7, -74.0);     # New York
$insert->('100.64.128.0/17', 47.6, -122.3);  # Seattle
$insert->('2001:db8:1::/48', 38.9, -77.0);   # Washington
$insert->('2001:db8:2::/48', 34.1, -118.2);  # Los Angeles
$insert->('203.0.113.0/24', 40.7, -74.0);    # a [[dns.place]] knows better
open my $file, '>:raw', $ARGV[0] or die;
$tree->write_tree($file);
close $file or die;
"""


def make_geo_database(path):
    subprocess.run(["perl", "-", str(path)], input=GEO_DATABASE, text=True, check=True, timeout=60)


def test_a_geo_database_says_where_clients_are_and_places_say_it_better():
    site = Site(app=APP, extra='\n[dns]\ngeo_database = "places.mmdb"\n')
    make_geo_database(site.folder / "places.mmdb")
    with site:
        site.wait_for_answers()
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        for at in site.addresses:
            for subnet, expected, scope in (
                    ("100.64.5.0/24", east, 17), ("100.64.200.0/24", west, 17), ("100.64.255.255/32", west, 17),
                    ("2001:db8:1:ff00::/56", east, 48), ("2001:db8:2::/56", west, 48), (OREGON, west, 24)):
                response = ask(site.addresses[at], site.domain, subnet=subnet)
                assert (subnet, response.data(), response.scope) == (subnet, [expected], scope)


COUNTRIES = pathlib.Path(MERIDIAN).parent / "share/meridian/country.mmdb"


@pytest.mark.skipif(not COUNTRIES.exists(), reason="npm could not fetch the country database")
def test_without_a_database_of_its_own_a_site_locates_visitors_by_their_country():
    with Site(("us-east", "eu-west"), app=APP) as site:
        site.wait_for_answers()
        east, west = site.addresses["us-east"], site.addresses["eu-west"]
        # Networks of RIPE NCC (Amsterdam) and of LACNIC (Montevideo).
        for subnet, expected in (("193.0.6.0/24", west), ("200.3.14.0/24", east), ("2001:67c:2e8::/48", west)):
            response = ask(site.addresses["us-east"], site.domain, subnet=subnet)
            assert (subnet, response.data()) == (subnet, [expected]) and response.scope > 0


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"not a database", "not a MaxMind DB")])
def test_a_geo_database_that_cannot_be_read_is_named(content, said):
    site = Site(app=APP, extra='\n[dns]\ngeo_database = "places.mmdb"\n')
    try:
        if content:
            (site.folder / "places.mmdb").write_bytes(content)
        done = site.run("up", str(site.file), "--detach", check=False)
        assert done.returncode != 0
        assert "places.mmdb" in done.stderr and said in done.stderr
        assert site.processes() == []
    finally:
        site.__exit__()


@pytest.mark.long
def test_with_all_data_centers_down_all_are_answered():
    site = Site(app=APP + '\nenvironment = { UNHEALTHY = "@" }', instances=1)
    unhealthy = site.folder / "unhealthy"
    site.file.write_text(site.file.read_text().replace('"@"', f'"{unhealthy}"'))
    with site:
        site.wait_for_answers()
        unhealthy.touch()
        both = sorted(site.addresses.values())
        for at in site.addresses:
            wait_until(lambda at=at: sorted(answers(site, NEW_YORK, at)) == both, what=f"{at} answers with everything")
            assert len(ask(site.addresses[at], site.domain, "HTTPS", subnet=OREGON).answer) == 2
        unhealthy.unlink()
        for at in site.addresses:
            wait_until(lambda at=at: answers(site, NEW_YORK, at) == [site.addresses["us-east"]], what=f"{at} chooses again")


def test_an_edge_that_does_not_answer_leaves_the_answers_by_probes_alone_and_comes_back():
    with Site(app=APP) as site:
        site.wait_for_answers()
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        pid = site.tier("us-east", "edge")["pid"]
        stopped = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        try:
            for at in site.addresses:
                wait_until(lambda at=at: answers(site, NEW_YORK, at) == [west], 5, f"us-east has left the answers of {at}")
            # Three misses, not one (of which it would be out after at most 1.8 s): a hiccup is no loss.
            assert time.monotonic() - stopped > 1.95
            assert site.tier("us-east", "edge")["pid"] == pid
        finally:
            os.kill(pid, signal.SIGCONT)
        for at in site.addresses:
            wait_until(lambda at=at: answers(site, NEW_YORK, at) == [east], what=f"us-east is back in the answers of {at}")


EAST_V6 = [f"2001:db8:{i:x}::53" for i in range(1, 8)]
WEST_V4 = [f"192.0.2.{i}" for i in range(1, 8)]


def public(addresses):
    return "public_addresses = [" + ", ".join(f'"{address}"' for address in ("{address}", *addresses)) + "]"


@pytest.fixture(scope="module")
def long_answers():
    with Site(app=APP, keys={"us-east": public(EAST_V6), "us-west": public(WEST_V4)}) as site:
        site.wait_for_answers(addresses=8)
        yield site


def test_all_addresses_of_the_chosen_data_center_are_answered_and_another_is_for_a_family_it_has_not(long_answers):
    site = long_answers
    east, west = site.addresses["us-east"], site.addresses["us-west"]
    for subnet, v4 in ((NEW_YORK, [east]), (OREGON, [west, *WEST_V4])):
        assert sorted(ask(east, site.domain, "A", subnet=subnet).data()) == sorted(v4)
        assert sorted(ask(east, site.domain, "AAAA", subnet=subnet).data()) == sorted(EAST_V6)
    by_name = {data.split()[1].split(".")[0]: data for data in ask(east, site.domain, "HTTPS").data()}
    assert by_name["us-east"].endswith(f"port=8443 ipv4hint={east} ipv6hint={','.join(EAST_V6)}")
    assert by_name["us-west"].endswith(f"port=8443 ipv4hint={','.join([west, *WEST_V4])}")


@pytest.mark.parametrize(("options", "limit"), [
    (("+noedns",), 512), (("+bufsize=512",), 512), (("+bufsize=100",), 512), (("+bufsize=700",), 700),
    (("+bufsize=1232",), 1232), (("+bufsize=4096",), 1232)])
def test_an_answer_over_udp_is_whole_or_says_that_it_is_cut(long_answers, options, limit):
    site, server = long_answers, long_answers.addresses["us-west"]

    def size(response):
        return int(re.search(r"MSG SIZE +rcvd: (\d+)", response.text).group(1))

    subnet = None if "+noedns" in options else OREGON
    for kind in ("HTTPS", "NS", "AAAA", "A", "SOA"):
        whole = ask(server, site.domain, kind, "+tcp", subnet=subnet)
        by_udp = ask(server, site.domain, kind, "+notcp", "+ignore", *options, subnet=subnet)
        assert size(by_udp) <= limit
        # RFC 2181 section 9: TC says that what was asked for is not all there; what is only additional may be left out.
        assert ("tc" in by_udp.flags) == (by_udp.answer != whole.answer)
    whole = ask(server, site.domain, "HTTPS", "+tcp")
    assert size(whole) > 512 and "tc" not in whole.flags
    assert {record.data for record in whole.additional} == {*site.addresses.values(), *EAST_V6, *WEST_V4}
    # A client that is told so asks again over TCP.
    assert ask(server, site.domain, "HTTPS", *options).answer == whole.answer
