"""Loads for a server that speaks RESP: redis-benchmark, and a mix of what sessions do."""

import os
import random
import re
import select
import socket
import subprocess
import time

from harness import CLIENT_CORE, Load, on_core

PORT = 6379
KEYS = 1_000_000
VALUE_BYTES = 300
LIFE_S = 1_209_600
SHARES = {"GET": 80, "EXPIRE": 15, "SET": 5}
# What redis-benchmark is asked for where nothing is known of the server's speed yet.
FIRST_REQUESTS = 20_000
READ_BYTES = 1 << 18
PATIENCE_S = 60
FILL_BATCH = 500


def request(*arguments):
    return b"*%d\r\n" % len(arguments) + b"".join(b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments)


def key(number):
    return b"sess:%012d" % number  # as redis-benchmark writes its __rand_int__


VALUE = b"x" * VALUE_BYTES
REPLIES = {"GET": len(b"$%d\r\n" % VALUE_BYTES) + VALUE_BYTES + 2, "EXPIRE": len(b":1\r\n"), "SET": len(b"+OK\r\n")}


def one_of_the_mix(chance):
    """A request, and the bytes of its reply when all is well."""
    kind = chance.choices(list(SHARES), weights=SHARES.values())[0]
    name = key(chance.randrange(KEYS))
    if kind == "GET":
        return request(b"GET", name), REPLIES[kind]
    if kind == "EXPIRE":
        return request(b"EXPIRE", name, b"%d" % LIFE_S), REPLIES[kind]
    return request(b"SET", name, VALUE, b"EX", b"%d" % LIFE_S), REPLIES[kind]


def batches(pipeline, count, seed=7):
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        requests = [one_of_the_mix(chance) for _ in range(pipeline)]
        made.append((b"".join(each for each, _ in requests), sum(reply for _, reply in requests)))
    return made


def connect(address):
    stream = socket.create_connection((address, PORT), timeout=PATIENCE_S)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def read_exactly(stream, size):
    heard = b""
    while len(heard) < size:
        piece = stream.recv(READ_BYTES)
        if not piece or piece[:1] == b"-":
            raise RuntimeError(f"refused: {(heard + piece)[:200]!r}")
        heard += piece
    return heard


def fill(address):
    """Makes every session."""
    with connect(address) as stream:
        for begin in range(0, KEYS, FILL_BATCH):
            stream.sendall(b"".join(request(b"SET", key(i), VALUE, b"EX", b"%d" % LIFE_S) for i in range(begin, begin + FILL_BATCH)))
            read_exactly(stream, FILL_BATCH * REPLIES["SET"])


def redis_benchmark(command, connections, pipeline):
    """GET or SET of a session, by redis-benchmark; as many as take about the time that is wanted."""
    arguments = {"GET": ["GET", "sess:__rand_int__"], "SET": ["SET", "sess:__rand_int__", VALUE.decode(), "EX", str(LIFE_S)]}[command]
    rates = {}

    def load(subject, seconds):
        requests = int(rates.get(subject.name, FIRST_REQUESTS / seconds) * seconds)
        done = subprocess.run(on_core(CLIENT_CORE, "redis-benchmark", "-h", subject.target, "-p", str(PORT), "-c", str(connections),
                                      "-P", str(pipeline), "-n", str(requests), "-r", str(KEYS), "--csv", *arguments),
                              capture_output=True, text=True, check=True)
        # The command is quoted, and then requests/s.
        rate = float(re.findall(r'^".*?","([\d.]+)"', done.stdout, re.M)[-1])
        rates[subject.name] = rate
        return Load(requests, requests / rate)
    return load


class Mix:
    """Clients that each send a batch of the mix, wait for its replies, and send the next."""

    def __init__(self, connections, pipeline):
        self.connections, self.pipeline = connections, pipeline
        self.batches = batches(pipeline, 20_000 // pipeline)

    def __call__(self, subject, seconds):
        os.sched_setaffinity(0, {int(CLIENT_CORE)})
        streams = {stream.fileno(): stream for stream in (connect(subject.target) for _ in range(self.connections))}
        try:
            return self.run(streams, seconds)
        finally:
            for stream in streams.values():
                stream.close()

    def run(self, streams, seconds):
        poll = select.epoll()
        missing = {}
        sent = answered = 0
        for descriptor, stream in streams.items():
            poll.register(descriptor, select.EPOLLIN)
            asked, missing[descriptor] = self.batches[sent % len(self.batches)]
            stream.sendall(asked)
            sent += 1
        begin = time.monotonic()
        while answered < sent:
            for descriptor, _ in poll.poll(PATIENCE_S):
                piece = streams[descriptor].recv(READ_BYTES)
                missing[descriptor] -= len(piece)
                if not piece or missing[descriptor] < 0 or piece[:1] == b"-":
                    raise RuntimeError(f"not as expected: {piece[:200]!r}")
                if missing[descriptor] > 0:
                    continue
                answered += 1
                if time.monotonic() - begin >= seconds:
                    continue
                asked, missing[descriptor] = self.batches[sent % len(self.batches)]
                streams[descriptor].sendall(asked)
                sent += 1
        poll.close()
        return Load(answered * self.pipeline, time.monotonic() - begin)
