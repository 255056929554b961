"""dig and kdig as functions, and DNS messages byte by byte for what these would never send."""

import dataclasses
import re
import socket
import struct
import subprocess

PORT = 5300
A, AAAA, OPT, HTTPS, IXFR, AXFR, ANY = 1, 28, 41, 65, 251, 252, 255
NOERROR, FORMERR, NOTIMP, REFUSED = 0, 1, 4, 5
QR, AA, TC = 0x8000, 0x0400, 0x0200
CLIENT_SUBNET = 8


@dataclasses.dataclass(frozen=True)
class Record:
    owner: str
    ttl: int
    kind: str
    data: str


@dataclasses.dataclass
class Response:
    """What dig or kdig printed. `subnet` is ADDRESS/SOURCE/SCOPE or None."""

    text: str
    status: str = ""
    flags: frozenset = frozenset()
    transport: str = ""
    subnet: str | None = None
    edns_size: int | None = None
    answer: list = dataclasses.field(default_factory=list)
    authority: list = dataclasses.field(default_factory=list)
    additional: list = dataclasses.field(default_factory=list)

    def data(self, kind=None):
        return [record.data for record in self.answer if kind in (None, record.kind)]

    @property
    def scope(self):
        return int(self.subnet.rsplit("/", 1)[1])


def _found(pattern, text):
    match = re.search(pattern, text, re.IGNORECASE)
    return match and match.group(1)


def _parse(text):
    size = _found(r"udp(?: size)?: (\d+)", text)
    response = Response(text, status=_found(r"status: (\w+)", text) or "", transport=_found(r"\((UDP|TCP)\)", text) or "",
                        flags=frozenset((_found(r"flags: ([a-z ]*);", text) or "").split()),
                        subnet=_found(r"CLIENT-SUBNET: (\S+)", text), edns_size=size and int(size))
    section = None
    for line in text.splitlines():
        title = re.match(r";; (\w+) SECTION:", line)
        if title:
            section = {"ANSWER": response.answer, "AUTHORITY": response.authority, "ADDITIONAL": response.additional}.get(title.group(1))
        elif section is not None and line and not line.startswith(";"):
            owner, ttl, _, kind, data = line.split(None, 4)
            section.append(Record(owner, int(ttl), kind, data))
    return response


def ask(address, name, kind="A", *options, tool="dig", subnet=None, port=PORT):
    """One question to one server: the whole Response; AssertionError when there is none."""
    command = [tool, f"@{address}", "-p", str(port), "+norec", "+time=20", "+tries=1" if tool == "dig" else "+retry=0",
               name, kind, *([f"+subnet={subnet}"] if subnet else []), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    response = _parse(done.stdout)
    assert response.status, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return response


def ask_for_each(address, name, subnets, folder, kind="A"):
    """The address in the answer for each client subnet, by one run of dig: {subnet: address}."""
    batch = folder / "questions"
    batch.write_text("".join(f"+norec +noall +answer +subnet={subnet} {name} {kind}\n" for subnet in subnets))
    done = subprocess.run(["dig", f"@{address}", "-p", str(PORT), "-f", str(batch)], capture_output=True, text=True, timeout=60, check=True)
    lines = [line.split()[4] for line in done.stdout.splitlines() if line and not line.startswith(";")]
    assert len(lines) == len(subnets), done.stdout[-500:]
    return dict(zip(subnets, lines))


def wire_name(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(name="photos.example", kind=A, record_class=1):
    return wire_name(name) + struct.pack(">HH", kind, record_class)


def header(number=0x1234, flags=0, questions=1, answers=0, authority=0, additional=0):
    return struct.pack(">6H", number, flags, questions, answers, authority, additional)


def opt(options=b"", size=1232, version=0, owner=b"\0"):
    return owner + struct.pack(">HHBBHH", OPT, size, 0, version, 0, len(options)) + options


def option(code, data):
    return struct.pack(">HH", code, len(data)) + data


def client_subnet(family, source, scope, address):
    return option(CLIENT_SUBNET, struct.pack(">HBB", family, source, scope) + address)


def query(name="photos.example", kind=A, number=0x1234):
    return header(number) + question(name, kind)


@dataclasses.dataclass
class Head:
    """The header of a response in bytes; `rcode` with the upper bits of its OPT, where that is last and empty."""

    number: int
    flags: int
    questions: int
    answers: int
    authority: int
    additional: int

    @property
    def rcode(self):
        return self.flags & 15


def head_of(message):
    return Head(*struct.unpack(">6H", message[:12]))


SENTINEL = 0xBEEF


def answers_before_sentinel(address, *packets):
    """Sends datagrams and behind them a sound query from the same socket: all responses that came before its answer.

    A server that takes datagrams in their order has by then decided to stay silent about the rest."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(60)
        udp.connect((address, PORT))
        for packet in packets:
            udp.send(packet)
        udp.send(query(number=SENTINEL))
        got = []
        while True:
            message = udp.recv(65535)
            if head_of(message).number == SENTINEL:
                assert head_of(message).rcode == NOERROR and head_of(message).answers == 1
                return got
            got.append(message)


def framed(*messages):
    """As they stand on a TCP connection."""
    return b"".join(struct.pack(">H", len(message)) + message for message in messages)


class Connection:
    """A TCP connection to a server, in bytes. It waits shorter than the server does with a connection that is idle."""

    def __init__(self, address, port=PORT, receive_buffer=None, timeout=9):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((address, port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, count):
        """Exactly `count` bytes, or fewer when the server closed."""
        got = b""
        while len(got) < count:
            try:
                piece = self.socket.recv(count - len(got))
            except ConnectionResetError:
                piece = b""
            if not piece:
                break
            got += piece
        return got

    def message(self):
        """The next message; None when the server closed instead."""
        length = self.read(2)
        return self.read(struct.unpack(">H", length)[0]) if len(length) == 2 else None

    def closed(self):
        """Waits for the server to close; false when it sends something else first."""
        return self.read(1) == b""
