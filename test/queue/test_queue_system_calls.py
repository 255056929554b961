"""What the queue tier asks of the kernel, as strace sees it: one sync for a group of batches, and files sent by sendfile."""

import re
import subprocess

import pytest

from kafka_connection import KafkaConnection, batch, values_of
from queue_under_test import QueueTier

pytestmark = pytest.mark.covers("queue", "store", "io")

PARTITIONS = 50


class Trace:
    """strace of a tier that runs, for the `with` block."""

    CALLS = "fsync,fdatasync,sync_file_range,pwritev2,pwrite64,pwritev,preadv,pread64,sendfile"

    def __init__(self, tier):
        self.file = tier.folder / "trace"
        self.process = subprocess.Popen(["strace", "-f", "-y", "-e", f"trace={self.CALLS}", "-o", self.file, "-p", str(tier.process.pid)],
                                        stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        said = self.process.stderr.readline()
        if "attached" not in said:
            self.process.wait(90)
            self.process.stderr.close()
            pytest.skip(f"strace cannot attach here: {said.strip()}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(90)
        self.process.stderr.close()

    def calls(self, pattern):
        return [line for line in self.file.read_text().splitlines() if re.search(pattern, line)]


@pytest.fixture(name="tier", scope="module")
def tier_with_fifty_partitions():
    with QueueTier(f"partitions = {PARTITIONS}") as tier:
        yield tier


def test_batches_for_fifty_partitions_cost_one_sync(tier):
    with KafkaConnection(tier.address) as raw:
        raw.make_topic("wide")
        everywhere = {partition: batch(b"x" * 1000) for partition in range(PARTITIONS)}
        assert set(raw.produce("wide", everywhere).values()) == {(0, 0)}  # makes the files
        with Trace(tier) as trace:
            assert set(raw.produce("wide", everywhere).values()) == {(0, 1)}
        syncs = [line for line in trace.calls(r"sync\w*\(|DSYNC") if "journal/clock" not in line]
        assert len(syncs) == 1 and "journal/log/" in syncs[0]
        assert len(trace.calls(r"pwritev\(.*topics/.*\.log>")) == PARTITIONS


def test_fetched_batches_are_sent_from_their_file(tier):
    with KafkaConnection(tier.address) as raw:
        raw.make_topic("sent")
        raw.produce("sent", {0: batch(b"x" * 100_000)})
        with Trace(tier) as trace:
            assert values_of(raw.fetch("sent")[2]) == [b"x" * 100_000]
        sent = trace.calls(r"sendfile\(\d+<[^>]*>, \d+<[^>]*topics/[^>]*\.log>")
        assert sum(int(line.rsplit("= ", 1)[1]) for line in sent) > 100_000
        assert not trace.calls(r"pread64\(\d+<[^>]*topics/[^>]*\.log>, .*, \d{5,}, \d+\)")
