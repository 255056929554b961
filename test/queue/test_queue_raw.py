"""Bytes that no Kafka client sends, and what the queue tier makes of them."""

import contextlib
import struct
import time

import pytest

from kafka_connection import API_VERSIONS, FETCH, HEARTBEAT, JOIN_GROUP, METADATA, PRODUCE, KafkaConnection, Reader, array, batch, fetch_body, fetched
from kafka_connection import join_body, joined, produce_body, produced, request, sized, string, values_of
from queue_under_test import QueueTier
from site_under_test import wait_until

pytestmark = pytest.mark.covers("queue", "wire", "io")

OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, REBALANCE_IN_PROGRESS = 1, 2, 3, 27
UNSUPPORTED_VERSION, UNSUPPORTED_FOR_MESSAGE_FORMAT = 35, 43
CLOSED_FOR = {
    "random bytes": bytes(range(255, 0, -1)) * 8,
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: photos.example\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 600,
    "a length of 2 GB": struct.pack(">i", 2**31 - 1) + b"\x00" * 64,
    "a negative length": struct.pack(">i", -1) + b"\x00" * 64,
    "a length of 0": struct.pack(">i", 0) + b"\x00" * 64,
    "a length below that of a header": struct.pack(">i", 7) + b"\x00" * 7,
    "an unknown API": request(999, 0, b""),
    "an API with an unknown version": request(FETCH, 99, b""),
    "a body that is cut off": request(PRODUCE, 3, produce_body("raw", {0: batch(b"x")})[:20]),
    "a body with bytes behind it": request(JOIN_GROUP, 2, join_body("g") + b"\x00\x00"),
    "a count of two billion": request(PRODUCE, 3, string(None) + struct.pack(">hii", 1, 1000, 2**31 - 1)),
    "a heartbeat of 3 MiB": request(HEARTBEAT, 0, string("g") + struct.pack(">i", 1) + string("m") + bytes(3 << 20)),
    "a client id that is longer than the request": sized(struct.pack(">hhih", API_VERSIONS, 0, 1, 1000) + b"raw"),
}


@pytest.fixture(name="tier", scope="module")
def tier_with_two_partitions():
    with QueueTier("partitions = 2") as tier:
        yield tier


@pytest.fixture(name="tier_alone")
def tier_whose_connections_are_those_of_the_test():
    with QueueTier() as tier:
        yield tier


@pytest.fixture(name="raw")
def connection(tier):
    with KafkaConnection(tier.address) as raw:
        yield raw


@pytest.mark.parametrize("name", CLOSED_FOR)
def test_connection_is_closed_for(tier, raw, name):
    with contextlib.suppress(ConnectionError):
        raw.send(CLOSED_FOR[name])
    assert raw.is_closed_by_the_server()
    with KafkaConnection(tier.address) as other:  # and others are served
        assert other.ask(API_VERSIONS, 0, b"")[:2] == b"\x00\x00"


def test_request_that_ends_with_its_connection_leaves_nothing(tier):
    with KafkaConnection(tier.address) as raw:
        raw.send(request(PRODUCE, 3, produce_body("cut", {0: batch(b"x" * 1000)}))[:700])
        wait_until(lambda: connections(tier) >= 1, what="the connection is counted")
    wait_until(lambda: connections(tier) == 0, what="no connection is open")


def test_topic_is_told_once_however_often_it_is_asked_for(raw):
    raw.make_topic("once")
    once = raw.ask(METADATA, 1, array([string("once")]))
    assert raw.ask(METADATA, 1, array([string("once")] * 1000)) == once


def test_a_metadata_request_creates_so_many_topics_and_no_more(tier_alone):
    with KafkaConnection(tier_alone.address) as raw:
        raw.ask(METADATA, 1, array([string(f"many-{i}") for i in range(150)]))
        made = Reader(raw.ask(METADATA, 0, array([])))
    for _ in range(made.take("i")):  # brokers
        made.take("i"), made.string(), made.take("i")
    assert made.take("i") == 100


def test_unknown_version_of_api_versions_is_answered_in_version_0(raw):
    raw.send(sized(struct.pack(">hhi", API_VERSIONS, 99, 7) + string("raw") + b"\x00\x01\x02\x03\x04"))
    correlation_id, body = raw.response()
    reader = Reader(body)
    assert (correlation_id, reader.take("h")) == (7, UNSUPPORTED_VERSION)
    versions = {api: (low, high) for api, low, high in (reader.take("hhh") for _ in range(reader.take("i")))}
    assert versions[API_VERSIONS][1] < 99 and reader.rest() == b""
    assert raw.ask(API_VERSIONS, 0, b"")[:2] == b"\x00\x00"  # the connection goes on


def test_batch_with_a_wrong_checksum_is_refused_and_the_connection_goes_on(raw):
    raw.make_topic("checked")
    wrong = bytearray(batch(b"value"))
    wrong[-1] ^= 1
    assert raw.produce("checked", {0: bytes(wrong), 1: batch(b"beside it")}) == {0: (CORRUPT_MESSAGE, -1), 1: (0, 0)}
    assert raw.produce("checked", {0: batch(b"right")}) == {0: (0, 0)}
    assert values_of(raw.fetch("checked")[2]) == [b"right"]


def test_produce_in_the_old_format_is_refused(raw):
    raw.make_topic("old")
    body = struct.pack(">hi", -1, 1000) + produce_body("old", {0: batch(b"x")})[8:]
    reader = Reader(raw.ask(PRODUCE, 2, body))
    assert (reader.take("i"), reader.string(), *reader.take("iih")) == (1, "old", 1, 0, UNSUPPORTED_FOR_MESSAGE_FORMAT)
    assert raw.produce("old", {0: batch(b"x")}) == {0: (0, 0)}


def test_pipelined_requests_are_answered_in_their_order(raw):
    raw.make_topic("pipe")
    raw.send(b"".join(request(PRODUCE, 3, produce_body("pipe", {0: batch(b"%d" % number)}), number) for number in range(64)))
    answers = [raw.response() for _ in range(64)]
    assert [correlation_id for correlation_id, _ in answers] == list(range(64))
    assert [produced(body) for _, body in answers] == [{0: (0, number)} for number in range(64)]
    assert values_of(raw.fetch("pipe")[2]) == [b"%d" % number for number in range(64)]


def test_produce_without_acknowledgement_is_not_answered(raw):
    raw.make_topic("acks")
    raw.send(request(PRODUCE, 3, produce_body("acks", {0: batch(b"quiet")}, acks=0), 1))
    raw.send(request(PRODUCE, 3, produce_body("acks", {0: batch(b"loud")}), 2))
    assert raw.response()[0] == 2
    assert values_of(raw.fetch("acks")[2]) == [b"quiet", b"loud"]


def test_fetch_waits_for_its_time_and_no_longer(raw):
    raw.make_topic("quiet")
    began = time.monotonic()
    assert raw.fetch("quiet", max_wait_ms=700) == (0, 0, [])
    assert 0.65 < time.monotonic() - began < 20


def test_fetch_is_answered_when_data_arrives(tier, raw):
    raw.make_topic("awaited")
    raw.send(request(FETCH, 11, fetch_body("awaited", max_wait_ms=30_000)))
    with KafkaConnection(tier.address) as producer:
        producer.produce("awaited", {0: batch(b"news")})
    began = time.monotonic()
    assert values_of(fetched(raw.response()[1])[2]) == [b"news"]
    assert time.monotonic() - began < 25  # it would wait for 30 s


def test_fetch_waits_for_the_bytes_that_it_asks_for(tier, raw):
    raw.make_topic("bytes")
    raw.send(request(FETCH, 11, fetch_body("bytes", max_wait_ms=30_000, min_bytes=2000)))
    with KafkaConnection(tier.address) as producer:
        for _ in range(3):
            producer.produce("bytes", {0: batch(b"x" * 900)})
    assert len(fetched(raw.response()[1])[2]) == 3


def test_fetch_beyond_the_end_is_an_error(raw):
    raw.make_topic("short")
    assert raw.fetch("short", offset=5)[0] == OFFSET_OUT_OF_RANGE
    assert raw.fetch("nowhere")[0] == UNKNOWN_TOPIC_OR_PARTITION
    assert raw.fetch("short", partition=7)[0] == UNKNOWN_TOPIC_OR_PARTITION


def test_fetch_returns_a_whole_batch_that_is_larger_than_its_limit(raw):
    raw.make_topic("whole")
    for letter in (b"a", b"b"):
        raw.produce("whole", {0: batch(letter * 5000)})
    assert values_of(raw.fetch("whole", partition_max_bytes=1)[2]) == [b"a" * 5000]
    assert values_of(raw.fetch("whole", offset=1, partition_max_bytes=1)[2]) == [b"b" * 5000]


def test_fetch_from_within_a_batch_begins_with_that_batch(raw):
    raw.make_topic("within")
    raw.produce("within", {0: batch(b"0", b"1", b"2")})
    raw.produce("within", {0: batch(b"3", b"4")})
    assert values_of(raw.fetch("within", offset=2)[2]) == [b"0", b"1", b"2", b"3", b"4"]
    assert values_of(raw.fetch("within", offset=3)[2]) == [b"3", b"4"]


def test_deleted_records_stay_deleted_after_a_kill(tier_alone):
    with KafkaConnection(tier_alone.address) as raw:
        raw.make_topic("cut")
        for number in range(5):
            raw.produce("cut", {0: batch(b"%d" % number)})
        assert raw.delete_records("cut", 0, 3) == (0, 3)
        assert raw.delete_records("cut", 0, 9)[0] == OFFSET_OUT_OF_RANGE
    tier_alone.restart()
    with KafkaConnection(tier_alone.address) as raw:
        assert raw.fetch("cut", offset=2)[0] == OFFSET_OUT_OF_RANGE
        assert values_of(raw.fetch("cut", offset=3)[2]) == [b"3", b"4"]
        assert raw.produce("cut", {0: batch(b"5")}) == {0: (0, 5)}


def test_topic_that_nobody_made_is_unknown_where_none_is_made_by_asking():
    with QueueTier("auto_create = false") as tier, KafkaConnection(tier.address) as raw:
        raw.make_topic("wished")
        assert raw.produce("wished", {0: batch(b"x")}) == {0: (UNKNOWN_TOPIC_OR_PARTITION, -1)}


def connections(tier):
    return tier.metric("meridian_queue_connections_open")


@pytest.mark.parametrize("requests", [1, 3])
def test_client_that_leaves_within_a_long_fetch_leaves_no_connection(tier_alone, requests):
    with KafkaConnection(tier_alone.address) as raw:
        raw.make_topic("left")
        raw.send(request(FETCH, 11, fetch_body("left", max_wait_ms=60_000)) * requests)
        wait_until(lambda: connections(tier_alone) == 1, what="the connection is counted")
    wait_until(lambda: connections(tier_alone) == 0, what="no connection is open")


@pytest.mark.parametrize("requests", [1, 3])
def test_client_that_leaves_while_it_waits_for_its_group_leaves_no_member(tier_alone, requests):
    group = f"left-{requests}"
    with KafkaConnection(tier_alone.address) as member:
        generation, name = member.join(group)
        with KafkaConnection(tier_alone.address) as raw:
            raw.send(request(JOIN_GROUP, 2, join_body(group)) * requests)
            wait_until(lambda: member.heartbeat(group, generation, name) == REBALANCE_IN_PROGRESS, what="the group waits for its members")
        wait_until(lambda: connections(tier_alone) == 1, what="only the member is connected")
        error, generation, _ = joined(member.ask(JOIN_GROUP, 2, join_body(group, member=name)))  # waits for no other
        assert (error, generation) == (0, 2)
    wait_until(lambda: connections(tier_alone) == 0, what="no connection is open")
