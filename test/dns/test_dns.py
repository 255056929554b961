"""What a data center's own server answers to dig and kdig, over UDP and TCP."""

import re

import pytest

from dns_clients import AXFR, IXFR, REFUSED, Connection, ask, framed, head_of, query

pytestmark = pytest.mark.covers("dns", "wire")

NEW_YORK = "198.51.100.0/24"
OREGON = "203.0.113.0/24"
CLIENT_NEAR_US_WEST = "127.100.3.4"  # in the shared site's place "here"
LAB_TTL = 5


@pytest.fixture(scope="module")
def site(quiet_site):
    return quiet_site


@pytest.fixture(scope="module")
def east(site):
    return site.addresses["us-east"]


@pytest.fixture(scope="module")
def west(site):
    return site.addresses["us-west"]


@pytest.fixture(params=["dig +notcp", "dig +tcp", "kdig +notcp", "kdig +tcp"])
def client(request):
    """Asks by one of the clients and transports, and sees that it was that transport."""
    tool, transport = request.param.split()

    def ask_by(address, name, kind="A", *options, **further):
        response = ask(address, name, kind, transport, *options, tool=tool, **further)
        assert response.transport == ("TCP" if transport == "+tcp" else "UDP")
        return response

    return ask_by


def assert_negative(response, status):
    """RFC 2308: no answer, and the SOA that says for how long there is none."""
    assert response.status == status
    assert "aa" in response.flags
    assert response.answer == []
    [soa] = response.authority
    assert (soa.owner, soa.kind, soa.ttl) == ("photos.example.", "SOA", LAB_TTL)
    assert soa.data.split()[-1] == str(LAB_TTL)


def test_an_address_is_that_of_the_nearest_data_center(site, client, east, west):
    for server in (east, west):
        for subnet, nearest in ((NEW_YORK, east), (OREGON, west)):
            response = client(server, site.domain, subnet=subnet)
            assert response.status == "NOERROR"
            assert "aa" in response.flags and "ra" not in response.flags
            [record] = response.answer
            assert (record.owner, record.kind, record.ttl, record.data) == ("photos.example.", "A", LAB_TTL, nearest)


def test_without_a_client_subnet_the_address_that_asks_counts(site, client, east, west):
    for server in (east, west):
        response = client(server, site.domain, "A", "-b", CLIENT_NEAR_US_WEST)
        assert response.data() == [west]
        assert response.subnet is None


def test_a_client_subnet_counts_before_the_address_that_asks(site, client, east):
    assert client(east, site.domain, "A", "-b", CLIENT_NEAR_US_WEST, subnet=NEW_YORK).data() == [east]


def test_a_family_that_no_data_center_has_is_no_data(site, client, east):
    assert_negative(client(east, site.domain, "AAAA"), "NOERROR")
    assert_negative(client(east, site.domain, "TXT"), "NOERROR")
    assert_negative(client(east, f"us-west.{site.domain}", "AAAA"), "NOERROR")


def test_a_name_that_is_not_there_is_nxdomain(site, client, east, west):
    for server in (east, west):
        assert_negative(client(server, f"nowhere.{site.domain}"), "NXDOMAIN")
        assert_negative(client(server, f"deep.us-east.{site.domain}", "HTTPS"), "NXDOMAIN")


def test_soa_is_the_same_everywhere(site, client, east, west):
    [soa] = client(east, site.domain, "SOA").answer
    primary, mailbox, serial, refresh, retry, expire, negative_ttl = soa.data.split()
    assert (soa.ttl, primary, mailbox) == (LAB_TTL, f"us-east.{site.domain}.", f"hostmaster.{site.domain}.")
    assert int(serial) > 0 and int(refresh) > int(retry) > 0 and int(expire) > int(refresh)
    assert int(negative_ttl) == LAB_TTL
    assert client(west, site.domain, "SOA").answer == [soa]


def test_every_data_center_is_a_name_server_with_its_address_beside_it(site, client, east, west):
    response = client(west, site.domain, "NS")
    assert "aa" in response.flags
    assert sorted(response.data("NS")) == [f"us-east.{site.domain}.", f"us-west.{site.domain}."]
    assert {(record.owner, record.kind, record.data) for record in response.additional} == {
        (f"us-east.{site.domain}.", "A", east), (f"us-west.{site.domain}.", "A", west)}
    assert {record.ttl for record in response.answer + response.additional} == {LAB_TTL}


@pytest.mark.parametrize("owner", ["photos.example", "_8443._https.photos.example"])
def test_https_records_list_the_nearest_first_and_the_others_behind_it(client, east, west, owner):
    for subnet, order in ((NEW_YORK, ["us-east", "us-west"]), (OREGON, ["us-west", "us-east"])):
        response = client(east, owner, "HTTPS", subnet=subnet)
        address = {"us-east": east, "us-west": west}
        assert [record.data for record in sorted(response.answer, key=lambda record: int(record.data.split()[0]))] == [
            f"{priority} {name}.photos.example. port=8443 ipv4hint={address[name]}" for priority, name in enumerate(order, 1)]
        assert {record.ttl for record in response.answer} == {LAB_TTL}
        assert response.scope == 24
        # RFC 9460 section 4.1: the addresses of the targets spare the client a question.
        assert {(record.owner, record.data) for record in response.additional if record.kind == "A"} == {
            (f"{name}.photos.example.", address[name]) for name in order}


def test_a_data_center_can_be_asked_for_by_name(site, client, east, west):
    for server in (east, west):
        response = client(server, f"us-west.{site.domain}", subnet=NEW_YORK)
        assert [(record.data, record.ttl) for record in response.answer] == [(west, LAB_TTL)]
        # It is the same for everybody.
        assert response.scope == 0
        [https] = client(server, f"us-west.{site.domain}", "HTTPS").data("HTTPS")
        assert re.fullmatch(rf"1 (\.|us-west\.photos\.example\.) port=8443 ipv4hint={west}", https)


def test_what_is_not_of_the_site_is_refused(client, east):
    for name in ("example", "example.com", "myphotos.example", "photos.example.com", "."):
        response = client(east, name)
        assert response.status == "REFUSED"
        assert "aa" not in response.flags
        assert response.answer == response.authority == []


@pytest.mark.parametrize("kind", [AXFR, IXFR])
def test_the_zone_is_not_handed_out(east, kind):
    with Connection(east) as tcp:
        tcp.send(framed(query(kind=kind)))
        head = head_of(tcp.message())
    assert (head.rcode, head.answers, head.authority) == (REFUSED, 0, 0)


def test_another_class_is_refused(site, client, east):
    assert client(east, site.domain, "A", "-c", "CH").status == "REFUSED"


def test_any_is_answered_with_one_small_record(site, client, east):
    # RFC 8482 section 4.2.
    response = client(east, site.domain, "ANY")
    [record] = response.answer
    assert (record.kind, record.data) == ("HINFO", '"RFC8482" ""')


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_names_are_compared_without_case_and_given_back_as_they_were_asked(east, transport):
    response = ask(east, "pHoToS.eXaMpLe", "A", "+nocmd", transport, subnet=NEW_YORK)
    assert response.data() == [east]
    assert "pHoToS.eXaMpLe." in response.text


@pytest.mark.parametrize(("subnet", "given_back"), [
    (NEW_YORK, "198.51.100.0/24/24"),
    # Longer than the place's prefix: no more of it was used than that.
    ("203.0.113.77/32", "203.0.113.77/32/24"),
    ("203.0.113.128/25", "203.0.113.128/25/24"),
    # Shorter: the answer holds only for the part it was made for (RFC 7871 section 7.2.1).
    ("203.0.0.0/16", "203.0.0.0/16/24"),
    # Of no place: told apart by block.
    ("192.0.2.0/24", "192.0.2.0/24/24"),
    ("fd00:1:2:200::/56", "fd00:1:2:200::/56/56"),
    # Clients that do not want to be told apart.
    ("0.0.0.0/0", "0.0.0.0/0/0"),
    ("::/0", "::/0/0"),
])
def test_the_scope_says_for_whom_the_answer_holds(site, client, east, west, subnet, given_back):
    for server in (east, west):
        assert client(server, site.domain, subnet=subnet).subnet == given_back


def test_negative_answers_hold_for_everybody(site, client, east):
    assert client(east, f"nowhere.{site.domain}", subnet=NEW_YORK).scope == 0
    assert client(east, site.domain, "TXT", subnet=NEW_YORK).scope == 0
    assert client(east, site.domain, "SOA", subnet=NEW_YORK).scope == 0


def test_edns_is_answered_with_edns_and_its_absence_with_its_absence(site, east):
    assert ask(east, site.domain, "A", "+edns=0").edns_size == 1232
    assert ask(east, site.domain, "A", "+noedns").edns_size is None


def test_an_edns_version_that_is_not_known_is_said_to_be_bad(site, east):
    # RFC 6891 section 6.1.3. +noednsneg: dig would try again with the version that it is told.
    response = ask(east, site.domain, "A", "+edns=1", "+noednsneg")
    assert response.status == "BADVERS"
    assert response.answer == []


def test_options_and_flags_that_are_not_known_are_passed_over(site, east):
    response = ask(east, site.domain, "A", "+nocmd", "+ednsopt=65001:cafe", "+ednsflags=0x0080", "+dnssec", "+nsid", subnet=OREGON)
    assert response.status == "NOERROR" and len(response.answer) == 1
    assert "65001" not in response.text and "NSID" not in response.text
    # RFC 3225 section 3: DO is given back as it came; of the other flags none is.
    assert "flags: do;" in response.text
    assert "MBZ" not in response.text
