"""DNS clients that are wrong, slow or hostile: each gets FORMERR, a limit or silence, and the others are served."""

import contextlib
import random
import socket
import struct
import time

import pytest

from dns_clients import (A, AAAA, ANY, FORMERR, HTTPS, IXFR, NOERROR, NOTIMP, OPT, QR, REFUSED, AXFR, Connection, answers_before_sentinel, ask,
                         client_subnet, framed, head_of, header, opt, option, query, question, wire_name)
from site_under_test import wait_until

pytestmark = pytest.mark.covers("dns", "wire")

CONNECTIONS_PER_CLIENT = 20
IDLE_SECONDS = 10


@pytest.fixture(scope="module")
def site(quiet_site):
    return quiet_site


@pytest.fixture(scope="module")
def server(site):
    return site.addresses["us-east"]


@pytest.fixture(autouse=True)
def the_server_lives_on(site):
    pid = site.tier("us-east", "dns")["pid"]
    yield
    # A probe that was late on a busy machine may have called it hung for a moment.
    wait_until(lambda: site.tier("us-east", "dns")["state"] == "ready", what="dns is ready")
    assert site.tier("us-east", "dns")["pid"] == pid
    assert len(ask(site.addresses["us-east"], site.domain).answer) == 1


SILENCE = None
AT_QUESTION = 12
RECORD = b"\0" + struct.pack(">HHIH", A, 1, 0, 4) + bytes(4)
LONG_NAME = bytes([63]) + b"a" * 63

MALFORMED = {
    "nothing at all": (b"", SILENCE),
    "less than a header": (header()[:11], SILENCE),
    "a response": (header(flags=QR) + question(), SILENCE),
    "a response of another server": (header(flags=QR | 0x0400, answers=1) + question() + RECORD, SILENCE),
    "a header alone": (header(questions=0), FORMERR),
    "a header that promises a question": (header(), FORMERR),
    "two questions (RFC 9619)": (header(questions=2) + question() + question(), FORMERR),
    "65535 questions": (header(questions=65535) + question(), FORMERR),
    "a name that is cut off": (header() + b"\x06pho", FORMERR),
    "a name without an end": (header() + b"\x06photos\x07example", FORMERR),
    "a question without its class": (header() + question()[:-2], FORMERR),
    "a compression pointer to itself": (header() + struct.pack(">H", 0xC000 | AT_QUESTION) + struct.pack(">HH", A, 1), FORMERR),
    "a compression pointer forward": (header() + struct.pack(">H", 0xC000 | 40) + struct.pack(">HH", A, 1) + bytes(30), FORMERR),
    "a loop of two compression pointers": (header() + b"\x01a" + struct.pack(">H", 0xC000 | AT_QUESTION) + struct.pack(">HH", A, 1), FORMERR),
    "label type 01": (header() + b"\x41" + b"a" * 65 + b"\0" + struct.pack(">HH", A, 1), FORMERR),
    "label type 10": (header() + b"\x81" + b"a" * 65 + b"\0" + struct.pack(">HH", A, 1), FORMERR),
    "a name of 256 bytes": (header() + LONG_NAME * 3 + bytes([62]) + b"a" * 62 + b"\0" + struct.pack(">HH", A, 1), FORMERR),
    "bytes behind the end": (query() + b"\0", FORMERR),
    "a record in the answer section": (header(answers=1) + question() + RECORD, FORMERR),
    "a record in the authority section": (header(authority=1) + question() + RECORD, FORMERR),
    "a record that is promised and not there": (header(additional=1) + question(), FORMERR),
    "two OPT records (RFC 6891 6.1.1)": (header(additional=2) + question() + opt() + opt(), FORMERR),
    "an OPT record that is not at the root": (header(additional=1) + question() + opt(owner=wire_name("a")), FORMERR),
    "an OPT record longer than the message": (header(additional=1) + question() + opt()[:-2] + b"\0\x09", FORMERR),
    "an option longer than its record": (header(additional=1) + question() + opt(struct.pack(">HH", 8, 20) + bytes(4)), FORMERR),
    "a question for OPT": (header() + question(kind=OPT), FORMERR),
    "33 options": (header(additional=1) + question() + opt(option(65001, b"") * 33), FORMERR),
}

BAD_SUBNETS = {
    "an unknown family": client_subnet(3, 0, 0, b""),
    "33 bits of IPv4": client_subnet(1, 33, 0, bytes(5)),
    "129 bits of IPv6": client_subnet(2, 129, 0, bytes(17)),
    "a bit behind the prefix": client_subnet(1, 23, 0, b"\xc6\x33\x65"),
    "an address that is too short": client_subnet(1, 24, 0, b"\xc6\x33"),
    "an address that is too long": client_subnet(1, 24, 0, b"\xc6\x33\x64\x00"),
    "a scope in a question": client_subnet(1, 24, 24, b"\xc6\x33\x64"),
    "less than its fixed part": option(8, b"\0\x01\x18"),
}
MALFORMED |= {f"a client subnet with {what} (RFC 7871 7.1)": (header(additional=1) + question() + opt(subnet), FORMERR)
              for what, subnet in BAD_SUBNETS.items()}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_datagram_gets_formerr_or_silence(server, what):
    packet, expected = MALFORMED[what]
    got = answers_before_sentinel(server, packet)
    if expected is SILENCE:
        assert got == []
        return
    [message] = got
    head = head_of(message)
    assert (head.number, head.flags & QR, head.rcode) == (0x1234, QR, expected)
    assert head.answers == head.authority == 0
    assert len(message) <= 512


@pytest.mark.parametrize("what", [what for what in MALFORMED if len(MALFORMED[what][0]) >= 12])
def test_malformed_message_on_a_connection_gets_formerr_or_its_end(server, what):
    packet, expected = MALFORMED[what]
    with Connection(server) as tcp:
        tcp.send(framed(packet))
        message = tcp.message()
        assert message is None if expected is SILENCE else head_of(message).rcode == expected


@pytest.mark.parametrize("opcode", [1, 2, 4, 5, 6, 15])
def test_another_opcode_is_not_implemented(server, opcode):
    [message] = answers_before_sentinel(server, header(flags=opcode << 11) + question())
    head = head_of(message)
    assert (head.rcode, head.flags >> 11 & 15) == (NOTIMP, opcode)


def test_neither_mutated_nor_random_datagrams_end_the_server(server):
    seeds = [query(kind=kind, number=1) for kind in (A, AAAA, HTTPS, ANY, AXFR, IXFR)]
    seeds.append(header(1, additional=1) + question() + opt(client_subnet(1, 24, 0, b"\xc6\x33\x64")))
    chance = random.Random(7871)

    def mutated():
        packet = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            packet[chance.randrange(len(packet))] = chance.choice((0, 0xC0, 0xFF, chance.randrange(256)))
        return bytes(packet[:chance.choice((len(packet), chance.randrange(len(packet) + 1)))])

    for _ in range(100):
        packets = [mutated() for _ in range(30)] + [chance.randbytes(chance.randrange(600)), chance.randbytes(9000)]
        for message in answers_before_sentinel(server, *packets):
            assert head_of(message).flags & QR
            assert len(message) <= 1232


def test_queries_behind_one_another_are_answered_in_their_order(server):
    # RFC 7766 section 6.2.1.1.
    names = ["photos.example", "us-east.photos.example", "nowhere.photos.example", "example.com"]
    count = 500
    with Connection(server) as tcp:
        tcp.send(framed(*[query(names[number % 4], number=number) for number in range(count)]))
        for number in range(count):
            head = head_of(tcp.message())
            assert (head.number, head.rcode) == (number, (NOERROR, NOERROR, 3, REFUSED)[number % 4])
        # The connection goes on (section 6.2.1).
        tcp.send(framed(query(number=777)))
        assert head_of(tcp.message()).number == 777


def test_a_query_may_come_byte_by_byte(server):
    with Connection(server) as tcp:
        tcp.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(query()):
            tcp.send(bytes([byte]))
        assert head_of(tcp.message()).answers == 1


def test_a_client_that_has_sent_all_still_gets_its_answers(server):
    with Connection(server) as tcp:
        tcp.send(framed(*[query(number=number) for number in range(50)]))
        tcp.socket.shutdown(socket.SHUT_WR)
        for number in range(50):
            assert head_of(tcp.message()).number == number
        assert tcp.closed()


@pytest.mark.parametrize("start", [b"\0\0", b"\0\x0b" + bytes(11), b"GET / HTTP/1.1\r\nHost: photos.example\r\n\r\n"])
def test_a_length_that_no_query_has_ends_the_connection(server, start):
    with Connection(server) as tcp:
        tcp.send(start)
        first = tcp.message()
        # The third one's first bytes are a header with opcode 5.
        assert first is None or head_of(first).rcode in (FORMERR, NOTIMP)
        assert tcp.closed()


def test_a_query_may_have_4096_bytes_and_no_more(server):
    def padded(size):
        return header(additional=1) + question() + opt(option(12, bytes(size - 12 - len(question()) - 11 - 4)))

    with Connection(server) as tcp:
        assert len(padded(4096)) == 4096
        tcp.send(framed(padded(4096)))
        assert head_of(tcp.message()).answers == 1
        tcp.send(framed(padded(4097)))
        assert head_of(tcp.message()).rcode == FORMERR
        assert tcp.closed()


def test_one_client_holds_only_so_many_connections(server):
    held = [Connection(server) for _ in range(CONNECTIONS_PER_CLIENT)]
    try:
        for tcp in held:
            tcp.send(framed(query()))
            assert head_of(tcp.message()).answers == 1
        with Connection(server) as further:
            assert further.closed()
        # Another client is not kept out, and neither is this one by UDP.
        assert ask(server, "photos.example", "A", "+tcp", "-b", "127.88.0.1").transport == "TCP"
        assert ask(server, "photos.example", "A", "+notcp").transport == "UDP"
    finally:
        for tcp in held:
            tcp.socket.close()

    def admitted():
        with Connection(server) as again, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            again.send(framed(query()))
            return again.message() is not None
        return False  # it was closed before the query could be sent

    wait_until(admitted)


@pytest.mark.slow
def test_connections_that_wait_or_trickle_are_ended(server):
    """Whole queries keep a connection; silence, half a query and single bytes of one do not."""
    began = time.monotonic()  # before the server's own clocks begin
    silent, half, served, trickling = connections = [Connection(server, timeout=60) for _ in range(4)]
    with contextlib.ExitStack() as stack:
        for connection in connections:
            stack.enter_context(connection)
        half.send(framed(query())[:20])
        served.send(framed(query()))
        assert served.message() is not None
        trickling.socket.settimeout(1)
        for byte in framed(query("a" * 50 + ".photos.example")):
            try:
                trickling.send(bytes([byte]))
                if trickling.socket.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        for tcp in (silent, half, served):
            assert tcp.closed()
        # Single bytes would have kept a connection for a minute.
        assert IDLE_SECONDS - 1 < time.monotonic() - began < 3 * IDLE_SECONDS


def test_a_client_that_takes_no_answers_is_ended_and_holds_nobody_up(server):
    with Connection(server, receive_buffer=4096) as greedy:
        greedy.socket.settimeout(0.5)
        pipelined = framed(*[query(kind=HTTPS)] * 500)
        blocked = False
        for _ in range(2000):
            try:
                greedy.send(pipelined)
            except TimeoutError:
                blocked = True
                break
        assert blocked, "the server never stopped reading from a client that does not read"
        response = ask(server, "photos.example", "A", "+tcp")
        assert len(response.answer) == 1

        def ended():
            try:
                greedy.socket.send(b"\0")
            except TimeoutError:
                return False
            except OSError:
                return True
            return False

        wait_until(ended, what="the connection is broken off")
