"""The queue tier with kcat, as people use it at a shell."""

import json

import pytest

from kafka_connection import CODECS, KafkaConnection, codec_of
from queue_under_test import QueueTier

pytestmark = pytest.mark.covers("queue", "wire", "store", "io")


@pytest.fixture(name="tier", scope="module")
def tier_with_three_partitions():
    with QueueTier("partitions = 3") as tier:
        yield tier


def consume(tier, topic, *options):
    """The topic's records up to its end, as kcat describes them."""
    lines = tier.kcat("-C", "-t", topic, "-e", "-q", "-J", "-o", "beginning", *options).splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("codec", CODECS)
def test_batches_are_kept_as_the_producer_has_compressed_them(tier, codec):
    values = [f"{number} " + "photo " * 50 for number in range(200)]
    tier.kcat("-P", "-t", f"codec-{codec}", "-p", "0", "-z", codec, "-X", "linger.ms=200", text="\n".join(values) + "\n")
    with KafkaConnection(tier.address) as raw:
        error, high_watermark, batches = raw.fetch(f"codec-{codec}")
    assert (error, high_watermark) == (0, 200)
    assert {codec_of(each) for each in batches} == {CODECS[codec]}
    assert b"".join(batches) in tier.segment_bytes()
    size = sum(map(len, batches))
    assert size > 60_000 if codec == "none" else size < 20_000
    assert [record["payload"] for record in consume(tier, f"codec-{codec}")] == values


def test_keys_headers_and_timestamps_survive(tier):
    tier.kcat("-P", "-t", "whole", "-p", "1", "-K", ":", "-H", "source=camera", "-H", "empty=", text="ada:first\n")
    tier.kcat("-P", "-t", "whole", "-p", "1", "-K", ":", "-Z", text="bob:\n")  # a tombstone
    first, second = consume(tier, "whole", "-p", "1")
    assert (first["key"], first["payload"], first["offset"]) == ("ada", "first", 0)
    assert first["headers"] == ["source", "camera", "empty", ""]
    assert first["tstype"] == "create" and first["ts"] > 1_700_000_000_000
    assert (second["key"], second["payload"], second["offset"]) == ("bob", None, 1)


def test_records_of_one_key_stay_in_one_partition_and_in_order(tier):
    lines = [f"k{number % 7}:{number}" for number in range(700)]
    tier.kcat("-P", "-t", "keyed", "-K", ":", text="\n".join(lines) + "\n")
    records = consume(tier, "keyed")
    assert len(records) == 700
    for key in {record["key"] for record in records}:
        own = [record for record in records if record["key"] == key]
        assert len({record["partition"] for record in own}) == 1
        assert [int(record["payload"]) for record in own] == list(range(int(key[1:]), 700, 7))


def test_consumer_begins_at_the_offset_or_time_that_it_asks_for(tier):
    tier.kcat("-P", "-t", "seek", "-p", "0", text="".join(f"{number}\n" for number in range(10)))
    assert [each["payload"] for each in consume(tier, "seek", "-p", "0", "-o", "7")] == ["7", "8", "9"]
    assert [each["payload"] for each in consume(tier, "seek", "-p", "0", "-o", "-2")] == ["8", "9"]
    last = consume(tier, "seek", "-p", "0", "-o", "-1")[0]["ts"]
    tier.kcat("-P", "-t", "seek", "-p", "0", text="later\n")
    assert [each["payload"] for each in consume(tier, "seek", "-p", "0", "-o", f"s@{last + 1}")] == ["later"]
    assert tier.kcat("-Q", "-t", f"seek:0:{last + 1}").strip() == "seek [0] offset 10"


def test_metadata_lists_topics_with_their_leader(tier):
    tier.kcat("-P", "-t", "listed", text="x\n")
    told = json.loads(tier.kcat("-L", "-J", "-t", "listed"))
    assert [broker["name"] for broker in told["brokers"]] == [tier.brokers]
    assert [(each["partition"], each["leader"]) for each in told["topics"][0]["partitions"]] == [(0, 1), (1, 1), (2, 1)]


def test_records_are_there_after_a_kill():
    with QueueTier() as alone:
        alone.kcat("-P", "-t", "kept", "-z", "zstd", text="one\ntwo\n")
        alone.restart()
        alone.kcat("-P", "-t", "kept", text="three\n")
        assert [each["payload"] for each in consume(alone, "kept")] == ["one", "two", "three"]
