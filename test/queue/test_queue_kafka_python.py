"""The queue tier with kafka-python: produce, consume, groups and administration."""

import kafka
import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import InvalidConfigurationError, InvalidPartitionsError, TopicAlreadyExistsError, UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata, TopicPartition

from queue_under_test import QueueTier

pytestmark = pytest.mark.covers("queue", "wire")


@pytest.fixture(name="tier", scope="module")
def tier_with_two_partitions():
    with QueueTier("partitions = 2") as tier:
        yield tier


@pytest.fixture(name="producer")
def producer_that_waits_for_the_disk(tier):
    producer = kafka.KafkaProducer(bootstrap_servers=tier.brokers, acks="all", api_version_auto_timeout_ms=60_000)
    yield producer
    producer.close(timeout=60)


@pytest.fixture(name="admin")
def admin_client(tier):
    admin = KafkaAdminClient(bootstrap_servers=tier.brokers, api_version_auto_timeout_ms=60_000)
    yield admin
    admin.close()


def consumer_of(tier, *topics, group=None, **options):
    return kafka.KafkaConsumer(*topics, bootstrap_servers=tier.brokers, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
                               consumer_timeout_ms=90_000, heartbeat_interval_ms=200, session_timeout_ms=60_000,
                               api_version_auto_timeout_ms=60_000, **options)


def take(consumer, count):
    """The next records."""
    found = []
    for record in consumer:
        found.append(record)
        if len(found) == count:
            return found
    raise AssertionError(f"{len(found)} records instead of {count}")


@pytest.mark.parametrize("codec", [None, "gzip"])
def test_records_arrive_as_they_were_sent(tier, codec):
    topic = f"sent-{codec}"
    producer = kafka.KafkaProducer(bootstrap_servers=tier.brokers, acks="all", compression_type=codec, linger_ms=50,
                                   api_version_auto_timeout_ms=60_000)
    sent = [producer.send(topic, b"value %d" % number * 20, b"key", [("number", b"%d" % number)], partition=1, timestamp_ms=1_700_000_000_000 + number)
            for number in range(100)]
    assert [future.get(90).offset for future in sent] == list(range(100))
    producer.close()
    consumer = consumer_of(tier, topic)
    for number, record in enumerate(take(consumer, 100)):
        assert (record.partition, record.offset, record.timestamp) == (1, number, 1_700_000_000_000 + number)
        assert (record.key, record.value, record.headers) == (b"key", b"value %d" % number * 20, [("number", b"%d" % number)])
    consumer.close()


def test_offsets_are_found_by_time(tier, producer):
    for number in range(10):
        producer.send("timed", b"x", partition=0, timestamp_ms=1_700_000_000_000 + 1000 * number).get(90)
    consumer = consumer_of(tier)
    place = TopicPartition("timed", 0)
    for time_ms, offset in ((0, 0), (1_700_000_004_000, 4), (1_700_000_004_001, 5)):
        found = consumer.offsets_for_times({place: time_ms})[place]
        assert (found.offset, found.timestamp) == (offset, 1_700_000_000_000 + 1000 * offset)
    assert consumer.offsets_for_times({place: 1_700_000_009_001})[place] is None
    assert (consumer.beginning_offsets([place]), consumer.end_offsets([place])) == ({place: 0}, {place: 10})
    consumer.close()


def test_new_consumer_goes_on_where_its_group_has_committed(tier, producer):
    for number in range(10):
        producer.send("resumed", b"%d" % number, partition=0).get(90)
    place = TopicPartition("resumed", 0)
    first = consumer_of(tier, "resumed", group="resume")
    assert [record.value for record in take(first, 4)] == [b"0", b"1", b"2", b"3"]
    first.commit({place: OffsetAndMetadata(4, "so far")})
    first.close()
    second = consumer_of(tier, "resumed", group="resume")
    assert second.committed(place, metadata=True) == OffsetAndMetadata(4, "so far")
    assert take(second, 1)[0].value == b"4"
    second.close()


def test_topic_is_made_described_extended_and_deleted(admin):
    made = admin.create_topics([NewTopic("made", 3, 1, topic_configs={"retention.ms": "60000"})])
    assert [(topic, error) for topic, error, _ in made.topic_errors] == [("made", 0)]
    with pytest.raises(TopicAlreadyExistsError):
        admin.create_topics([NewTopic("made", 3, 1)])
    assert len(admin.describe_topics(["made"])[0]["partitions"]) == 3
    admin.create_partitions({"made": NewPartitions(5)})
    assert len(admin.describe_topics(["made"])[0]["partitions"]) == 5
    with pytest.raises(InvalidPartitionsError):
        admin.create_partitions({"made": NewPartitions(4)})
    assert "made" in admin.list_topics()
    admin.delete_topics(["made"])
    assert "made" not in admin.list_topics()
    with pytest.raises(UnknownTopicOrPartitionError):
        admin.delete_topics(["made"])


def configs_of(admin, topic):
    response = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])[0]
    return {entry[0]: entry[1] for entry in response.resources[0][4]}


def test_settings_of_a_topic_are_described_and_altered(admin):
    admin.create_topics([NewTopic("set", 1, 1, topic_configs={"cleanup.policy": "compact"})])
    assert configs_of(admin, "set")["cleanup.policy"] == "compact"
    altered = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "set", configs={"retention.ms": "120000"})])
    assert altered.resources[0][0] == 0
    after = configs_of(admin, "set")
    assert (after["retention.ms"], after["cleanup.policy"]) == ("120000", "delete")  # alter replaces all of them
    wrong = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "set", configs={"retention.ms": "soon"})])
    assert wrong.resources[0][0] == InvalidConfigurationError.errno


def test_groups_are_listed_described_and_deleted(tier, admin, producer):
    producer.send("grouped", b"x", partition=0).get(90)
    consumer = consumer_of(tier, "grouped", group="listed", client_id="laptop")
    take(consumer, 1)
    consumer.commit()
    assert ("listed", "consumer") in admin.list_consumer_groups()
    described = admin.describe_consumer_groups(["listed"])[0]
    assert (described.state, [member.client_id for member in described.members]) == ("Stable", ["laptop"])
    assert admin.list_consumer_group_offsets("listed")[TopicPartition("grouped", 0)].offset == 1
    assert admin.delete_consumer_groups(["listed"])[0][1].__name__ == "NonEmptyGroupError"
    consumer.close()
    assert admin.delete_consumer_groups(["listed"])[0][1].__name__ == "NoError"
    assert "listed" not in [name for name, _ in admin.list_consumer_groups()]
    assert admin.list_consumer_group_offsets("listed") == {}
