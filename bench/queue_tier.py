"""`./dev bench queue`: what producers get, beside queues that sync before they acknowledge, one that does not, and the disk itself.

Every message is acknowledged before it counts. Redis streams (`appendfsync always`) and RabbitMQ's quorum queues sync first, as we do;
NATS JetStream acknowledges what is in memory alone. Producers are `queue_load` (bench/queue_load), with at most WINDOW messages each that
are not acknowledged. `MERIDIAN_BENCH_OPEN_GB` is how much 10,000 partitions have that a start opens (10).
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/support"))
import harness  # noqa: E402
from harness import CLIENT_CORE, SERVER_CORE, Figure, Load, Report, Subject, compare, cpu_seconds, on_core, peer, scratch  # noqa: E402
from kafka_connection import FETCH, PRODUCE, KafkaConnection, batch, fetch_body, produce_body, produced, request  # noqa: E402
from queue_under_test import QueueTier  # noqa: E402
from site_under_test import AddressBlock, wait_until  # noqa: E402

LOAD = "build/release/queue_load"
# Messages of a producer that are not acknowledged.
WINDOW = 5_000
VALUES = (100, 1_000)
PRODUCERS = (1, 20)
PARTITIONS = (1, 50)
MERIDIAN, REDIS, RABBITMQ, NATS = "meridian queue", "redis streams", "rabbitmq quorum", "nats (no sync)"
SYNCING = (REDIS, RABBITMQ)
REDIS_PORT, RABBITMQ_PORT, NATS_PORT = 6379, 5672, 4222
# Of tail reads.
TAIL_BATCH_BYTES = 16 * 1024
TAIL_BYTES = 256 << 20
# Requests that are sent before the first is answered.
PIPELINED = 16
READ_BYTES = 1 << 20
READ_ROUND_BYTES = 1 << 30
OPEN_TOPICS, OPEN_PARTITIONS = 10, 1_000
PARTITIONS_PER_REQUEST = 100
OPEN_GB = float(os.environ.get("MERIDIAN_BENCH_OPEN_GB", "10"))


def queue_load(*arguments, core=CLIENT_CORE):
    done = subprocess.run(on_core(core, LOAD, *map(str, arguments)), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


# --- Servers

class OurQueue(QueueTier):
    """On the servers' core; its topics are bounded."""

    def __init__(self):
        topics = "".join(f'[queue.topic.load{count}]\npartitions = {count}\nretention_size = "1GiB"\n' for count in PARTITIONS)
        super().__init__(f'loss = "local"\n{topics}')

    def start(self):
        super().start()
        harness.pin(self.process.pid, SERVER_CORE)

    def written(self):
        """Groups and bytes that went to the journal."""
        return self.metric("meridian_queue_journal_syncs_total"), self.metric("meridian_queue_journal_written_bytes_total")


def accepts(address, port):
    with contextlib.suppress(OSError):
        socket.create_connection((address, port), timeout=1).close()
        return True
    return False


@contextlib.contextmanager
def rabbitmq(address, folder):
    """Its pid."""
    folder.mkdir()
    (folder / "plugins").write_text("[].\n")
    names = {"ERL_EPMD_ADDRESS": address, "ERL_EPMD_PORT": harness.free_port()}
    settings = names | {
        "HOME": folder, "RABBITMQ_MNESIA_BASE": folder, "RABBITMQ_LOG_BASE": folder, "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_NODENAME": f"bench@{address}", "RABBITMQ_USE_LONGNAME": "true",
        "RABBITMQ_NODE_IP_ADDRESS": address, "RABBITMQ_NODE_PORT": RABBITMQ_PORT, "RABBITMQ_DIST_PORT": harness.free_port(),
        # The shell script becomes the server.
        "RABBITMQ_ALLOW_INPUT": "true",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-noinput -kernel inet_dist_use_interface {{{address.replace('.', ',')}}}"}
    with peer(*with_environment(names), "epmd"), peer(*with_environment(settings), "/usr/lib/rabbitmq/bin/rabbitmq-server") as pid:
        wait_until(lambda: accepts(address, RABBITMQ_PORT), 60, "rabbitmq accepts connections")
        yield pid


def with_environment(values):
    return ["env", *(f"{name}={value}" for name, value in values.items())]


@contextlib.contextmanager
def all_systems():
    with scratch() as folder, contextlib.ExitStack() as stack:
        block = AddressBlock(3)
        stack.callback(block.release)
        redis_at, rabbitmq_at, nats_at = (f"127.{octet}.0.1" for octet in block.octets)
        ours = stack.enter_context(OurQueue())
        (folder / "redis").mkdir()
        redis = stack.enter_context(peer("redis-server", "--bind", redis_at, "--port", str(REDIS_PORT), "--dir", str(folder / "redis"),
                                         "--save", "", "--appendonly", "yes", "--appendfsync", "always"))
        nats = stack.enter_context(peer("nats-server", "--jetstream", "--addr", nats_at, "--port", str(NATS_PORT),
                                        "--store_dir", str(folder / "nats")))
        rabbit = stack.enter_context(rabbitmq(rabbitmq_at, folder / "rabbitmq"))
        wait_until(lambda: accepts(redis_at, REDIS_PORT) and accepts(nats_at, NATS_PORT), 20, "redis and nats accept connections")
        yield ours, [Subject(MERIDIAN, f"kafka {ours.address} {ours.port}", [ours.process.pid]),
                     Subject(REDIS, f"redis {redis_at} {REDIS_PORT}", [redis]),
                     Subject(RABBITMQ, f"rabbitmq {rabbitmq_at} {RABBITMQ_PORT}", [rabbit]),
                     Subject(NATS, f"nats {nats_at} {NATS_PORT}", [nats])]


# --- Producers

@dataclasses.dataclass
class Case:
    bytes: int
    producers: int
    partitions: int

    def __str__(self):
        return f"{self.bytes} B, {count_of(self.producers, 'producer')}, {count_of(self.partitions, 'partition')}"

    def load(self, subject, seconds, window=WINDOW):
        os.sync()  # what the one before has left in memory is not written during this one
        done = queue_load(*subject.target.split(), f"load{self.partitions}", self.partitions, self.bytes, self.producers, window, seconds)
        return Load(done["messages"], done["seconds"])


def count_of(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


def rows_by_name(rows):
    return {row.name: row for row in rows}


def throughput(report, rounds, seconds):
    """Our rate by case, and the bytes of our mean group in the case that the disk is held against."""
    rates = {}
    with all_systems() as (ours, subjects):
        for case in (Case(*each) for each in ((v, p, n) for v in VALUES for p in PRODUCERS for n in PARTITIONS)):
            groups, written = ours.written()
            rows = compare(subjects, case.load, rounds, seconds, peers=(REDIS, RABBITMQ, NATS))
            groups, written = (after - before for before, after in zip((groups, written), ours.written()))
            report.add(str(case), rows)
            rates[str(case)] = {name: row.requests_per_s for name, row in rows_by_name(rows).items()}
            rates[str(case)]["group"] = round(written / groups)
    return rates


def against_the_disk(report, rounds, seconds):
    """A loop of write and fdatasync in chunks of our mean group, in turns with our producers of 1 KB on one partition."""
    ours_mb, disk_mb, chunks = [], [], []
    case = Case(1_000, 20, 1)
    with OurQueue() as ours, scratch() as folder:
        subject = Subject(MERIDIAN, f"kafka {ours.address} {ours.port}", [ours.process.pid])
        case.load(subject, 1)
        for _ in range(rounds):
            before = ours.written()
            load = case.load(subject, seconds)
            groups, written = (b - a for a, b in zip(before, ours.written()))
            ours_mb.append(load.requests * case.bytes / load.seconds / 1e6)
            chunks.append(int(written / groups))
            os.sync()
            done = queue_load("disk", folder / "file", chunks[-1], seconds, core=SERVER_CORE)
            disk_mb.append(done["messages"] * chunks[-1] / done["seconds"] / 1e6)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours_mb, disk_mb))
    report.add_figures(f"{case}, beside a loop of write and fdatasync",
                       [Figure("mean group", statistics.median(chunks), "bytes"),
                        Figure("meridian queue", statistics.median(ours_mb), "MB/s"),
                        Figure("write and fdatasync", statistics.median(disk_mb), "MB/s"),
                        Figure("ratio", ratio, "(bar: at least 0.45)")])


def one_at_a_time(report, rounds, seconds):
    """From a message until its acknowledgement, beside one write and fdatasync of as many bytes."""
    ours_ms, disk_ms = [], []
    size = 1_000
    with OurQueue() as ours, scratch() as folder:
        target = ("kafka", ours.address, ours.port, "load1", 1, size, 1, 1)
        queue_load(*target, 1)
        for _ in range(rounds):
            ours_ms.append(queue_load(*target, seconds)["p50_ms"])
            disk_ms.append(queue_load("disk", folder / "file", size, seconds, core=SERVER_CORE)["p50_ms"])
    report.add_figures("one message of 1 KB at a time", [
        Figure("meridian queue, median", statistics.median(ours_ms), "ms"),
        Figure("write and fdatasync", statistics.median(disk_ms), "ms"),
        Figure("ratio", statistics.median(mine / theirs for mine, theirs in zip(ours_ms, disk_ms)), "(bar: at most 1.5)")])


# --- Consumers

class TailReader:
    """Reads the batches of a partition from its beginning, discards them, and begins anew at its end."""

    def __init__(self, ours, topic, count):
        self.ours, self.topic, self.count = ours, topic, count
        self.buffer = memoryview(bytearray(2 * READ_BYTES))

    def fill(self):
        messages = [os.urandom(1_000) for _ in range(TAIL_BATCH_BYTES // 1_000 - 1)]
        content = batch(*messages)
        self.batch_bytes, self.batch_messages = len(content), len(messages)
        with KafkaConnection(self.ours.address) as raw:
            raw.make_topic(self.topic)
            one = request(PRODUCE, 3, produce_body(self.topic, {0: content}))
            for first in range(0, self.count, PIPELINED):
                count = min(PIPELINED, self.count - first)
                raw.send(one * count)
                for _ in range(count):
                    assert produced(raw.response()[1])[0][0] == 0

    def read(self, size):
        """Reads at least `size` bytes; how many."""
        received, offset = 0, 0
        with KafkaConnection(self.ours.address) as raw:
            while received < size:
                raw.send(request(FETCH, 11, fetch_body(self.topic, offset, partition_max_bytes=READ_BYTES)))
                length = int.from_bytes(raw.receive(4), "big")
                receive_into(raw.socket, self.buffer[:length])
                offset += length // self.batch_bytes * self.batch_messages
                received += length
                if offset >= self.count * self.batch_messages:
                    offset = 0
        return received


def receive_into(stream, view):
    while view:
        got = stream.recv_into(view, 0, socket.MSG_WAITALL)
        if got == 0:
            raise ConnectionError("closed in the middle of a response")
        view = view[got:]


# A process of its own: answers each byte that comes with a range of a file, by sendfile.
SENDFILE_LOOP = """
import os, socket, sys
path, address, port, length = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(path, "rb") as file, socket.create_server((address, port)) as listener:
    size = os.fstat(file.fileno()).st_size
    while True:
        stream, _ = listener.accept()
        position = 0
        while stream.recv(1):
            left = length
            while left > 0:
                sent = os.sendfile(stream.fileno(), file.fileno(), position, left)
                position, left = position + sent, left - sent
            if position + length > size:
                position = 0
        stream.close()
"""


def read_loop(address, port, size):
    received = 0
    buffer = memoryview(bytearray(READ_BYTES))
    with socket.create_connection((address, port)) as stream:
        while received < size:
            stream.sendall(b"x")
            receive_into(stream, buffer)
            received += READ_BYTES
    return received


def tail_reads(report, rounds):
    """CPU time of the server for each GB that a reader gets and discards."""
    costs = {MERIDIAN: [], "sendfile loop": []}
    with OurQueue() as ours, scratch() as folder:
        reader = TailReader(ours, "tail", TAIL_BYTES // TAIL_BATCH_BYTES)
        reader.fill()
        (folder / "file").write_bytes(os.urandom(1 << 20) * (TAIL_BYTES >> 20))
        port = harness.free_port()
        with peer(sys.executable, "-c", SENDFILE_LOOP, str(folder / "file"), "127.0.0.1", str(port), str(READ_BYTES)) as loop:
            wait_until(lambda: accepts("127.0.0.1", port), 20, "the sendfile loop accepts connections")
            harness.pin(os.getpid(), CLIENT_CORE)
            os.sync()
            for _ in range(rounds + 1):
                for name, pid, read in ((MERIDIAN, ours.process.pid, reader.read),
                                        ("sendfile loop", loop, lambda size: read_loop("127.0.0.1", port, size))):
                    before = cpu_seconds([pid])
                    received = read(READ_ROUND_BYTES)
                    costs[name].append((cpu_seconds([pid]) - before) / received * 1e9)
            harness.pin(os.getpid(), harness.BOTH_CORES)
    own, loop = (each[1:] for each in costs.values())  # the first warms up
    report.add_figures(f"a reader that discards, batches of {TAIL_BATCH_BYTES >> 10} KiB, CPU time of the server", [
        Figure(MERIDIAN, statistics.median(own), "s/GB"),
        Figure("sendfile loop", statistics.median(loop), "s/GB"),
        Figure("ratio", statistics.median(mine / theirs for mine, theirs in zip(own, loop)), "(bar: at most 1.3)")])


# --- Starts

def opening(report):
    """A start with many partitions, until it accepts connections: from the page cache, and from the disk where the cache can be dropped."""
    topics = "".join(f"[queue.topic.many{i}]\npartitions = {OPEN_PARTITIONS}\n" for i in range(OPEN_TOPICS))
    with QueueTier(f'loss = "local"\n{topics}') as tier:
        content = batch(*(os.urandom(1_000) for _ in range(100)))
        wait_until(lambda: tier.metric("meridian_queue_partitions") >= OPEN_TOPICS * OPEN_PARTITIONS, 120, "all partitions are made")
        times = max(1, round(OPEN_GB * 1e9 / (OPEN_TOPICS * OPEN_PARTITIONS * len(content))))
        with KafkaConnection(tier.address) as raw:
            for topic in (f"many{i}" for i in range(OPEN_TOPICS)):
                for first in range(0, OPEN_PARTITIONS, PARTITIONS_PER_REQUEST):
                    parts = dict.fromkeys(range(first, first + PARTITIONS_PER_REQUEST), content)
                    for _ in range(times):
                        answers = raw.produce(topic, parts)
                        assert all(error == 0 for error, _ in answers.values()), answers
        tier.kill(signal.SIGTERM, seconds=120)
        figures = [Figure("in files", sum(path.stat().st_size for path in tier.state.glob("queue-us-east/topics/*/*/*.log")) / 1e9, "GB")]
        for name, forget in (("from the page cache", False), ("from the disk", True)):
            if forget and not forget_page_cache():
                continue
            begin = time.monotonic()
            tier.start()
            figures.append(Figure(name, time.monotonic() - begin, "s (bar: at most 3)"))
            assert tier.metric("meridian_queue_partitions") >= OPEN_TOPICS * OPEN_PARTITIONS
            tier.kill(signal.SIGTERM, seconds=120)
    report.add_figures(f"a start with {OPEN_TOPICS * OPEN_PARTITIONS:,} partitions", figures)


def forget_page_cache():
    """Whether this user may."""
    os.sync()
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
        return True
    return False


def ratios(report, rates):
    """The bars between our own rates, and beside those that sync."""
    figures = []
    for case, each in rates.items():
        best = max(each[name] for name in SYNCING)
        figures.append(Figure(f"{case}: of the best that syncs", each[MERIDIAN] / best, f"(bar: at least 2; mean group {each['group']:,} bytes)"))
    for value in VALUES:
        for producers in PRODUCERS:
            one, many = (rates[str(Case(value, producers, partitions))][MERIDIAN] for partitions in PARTITIONS)
            figures.append(Figure(f"{value} B, {count_of(producers, 'producer')}: {PARTITIONS[1]} partitions of one", many / one,
                                  "(bar: at least 0.8)"))
    report.add_figures("messages/s", figures)


def run(rounds, seconds):
    report = Report("queue", rounds, seconds)
    ratios(report, throughput(report, rounds, seconds))
    against_the_disk(report, rounds, seconds)
    one_at_a_time(report, rounds, seconds)
    tail_reads(report, rounds)
    opening(report)
    return report
