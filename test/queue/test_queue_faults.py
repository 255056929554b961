"""The queue tier with a disk that hangs, with few descriptors, and with clients that hold what others need."""

import contextlib
import signal
import struct
import subprocess
import time

import pytest

from kafka_connection import FETCH, PRODUCE, KafkaConnection, array, batch, fetch_body, produce_body, produced, request, string, values_of
from queue_under_test import QueueTier
from site_under_test import wait_until

pytestmark = pytest.mark.covers("queue", "io")


@contextlib.contextmanager
def hung_disk(tier, seconds):
    """Each sync of the tier's process takes so long."""
    with subprocess.Popen(["strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", f"inject=fdatasync:delay_enter={seconds * 1_000_000}",
                           "-p", str(tier.process.pid)], stderr=subprocess.PIPE, text=True) as tracer:
        said = tracer.stderr.readline()
        if "attached" not in said:
            pytest.skip(f"strace cannot attach here: {said.strip()}")
        try:
            yield
        finally:
            tracer.kill()  # lets the process go at once


def test_drain_ends_requests_that_wait_for_a_hung_disk():
    with QueueTier() as tier, KafkaConnection(tier.address) as raw:
        raw.make_topic("slow")
        with hung_disk(tier, 60):
            raw.send(request(PRODUCE, 3, produce_body("slow", {0: batch(b"x")}, timeout_ms=60_000)))
            wait_until(lambda: tier.metric("meridian_queue_in_flight_bytes") > 0, what="the batch waits for the disk")
            begin = time.monotonic()
            tier.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(ConnectionError):
                raw.response()  # an error, or the end of the connection
            assert 1.5 < time.monotonic() - begin < 40  # the disk hangs for 60 s


def test_more_partitions_than_descriptors_are_written_and_read():
    partitions = 200
    with QueueTier(f'partitions = {partitions}\nretention = "3650d"', descriptors=400) as tier, KafkaConnection(tier.address) as raw:
        raw.make_topic("wide")
        for base in range(2):
            for first in range(0, partitions, 50):
                everywhere = {partition: batch(b"x" * 100) for partition in range(first, first + 50)}
                assert set(raw.produce("wide", everywhere).values()) == {(0, base)}
            wait_until(lambda: 0 < tier.metric("meridian_queue_open_segment_files") <= 100, what="the gauge is up to date")
        tier.restart()
        with KafkaConnection(tier.address) as again:
            for partition in range(partitions):
                error, high_watermark, batches = again.fetch("wide", partition=partition)
                assert (error, high_watermark, values_of(batches)) == (0, 2, [b"x" * 100] * 2)
        assert "Too many open files" not in tier.log()


def test_polls_that_wait_take_no_memory_from_producers():
    """Their requests are 280 MiB together, and 256 MiB are allowed."""
    padding = array([string("forgotten" * 3_000) + array([])] * 75)
    waiting = fetch_body("quiet", max_wait_ms=60_000)
    waiting = waiting[:-len(array([]) + string(""))] + padding + string("")
    with QueueTier() as tier, contextlib.ExitStack() as clients:
        with KafkaConnection(tier.address) as raw:
            raw.make_topic("quiet")
            raw.make_topic("busy")
            for _ in range(145):
                client = clients.enter_context(KafkaConnection(tier.address))
                client.send(request(FETCH, 11, waiting))
            wait_until(lambda: tier.metric('meridian_queue_requests_total{api="Fetch"}') == 145, what="all polls have arrived")
            begin = time.monotonic()
            raw.send(request(PRODUCE, 3, produce_body("busy", {0: batch(b"x" * 1_000_000)})))
            assert produced(raw.response()[1]) == {0: (0, 0)}
            assert time.monotonic() - begin < 40  # the polls wait for 60 s


def test_clients_that_announce_much_and_send_nothing_hold_nobody_up():
    with QueueTier() as tier, contextlib.ExitStack() as clients:
        with KafkaConnection(tier.address) as raw:
            raw.make_topic("busy")
            for _ in range(200):
                clients.enter_context(KafkaConnection(tier.address)).send(struct.pack(">i", 32 << 20))
            assert raw.produce("busy", {0: batch(b"x" * 1_000_000)}) == {0: (0, 0)}
