"""The queue tier with confluent-kafka (librdkafka): delivery reports, idempotence, administration."""

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from kafka_connection import KafkaConnection, batch, values_of
from queue_under_test import QueueTier
from site_under_test import wait_until

pytestmark = pytest.mark.covers("queue", "wire")


@pytest.fixture(name="tier", scope="module")
def tier_with_two_partitions():
    with QueueTier("partitions = 2") as tier:
        yield tier


@pytest.fixture(name="admin")
def admin_client(tier):
    """Of one test: it cannot be closed, and another tier may get the address of one that has ended."""
    return AdminClient({"bootstrap.servers": tier.brokers})


def produce(tier, topic, values, **options):
    """The offsets that the delivery reports name, of partition 0."""
    producer = confluent_kafka.Producer({"bootstrap.servers": tier.brokers, "linger.ms": 0, **options})
    reports = []
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=lambda error, message: reports.append((error, message.offset())))
    assert producer.flush(90) == 0
    return reports


@pytest.mark.parametrize("acks", [0, 1, "all"])
def test_every_way_to_acknowledge_delivers(tier, acks):
    topic = f"acks-{acks}"
    reports = produce(tier, topic, [b"a", b"b"], acks=acks)
    assert [error for error, _ in reports] == [None, None]
    with KafkaConnection(tier.address) as raw:
        wait_until(lambda: values_of(raw.fetch(topic)[2]) == [b"a", b"b"], what="both records are there")


def test_idempotent_producer_keeps_its_place_over_a_restart():
    with QueueTier() as tier:
        producer = confluent_kafka.Producer({"bootstrap.servers": tier.brokers, "enable.idempotence": True, "reconnect.backoff.ms": 20})
        offsets = []
        for number in range(6):
            producer.produce("once", b"%d" % number, on_delivery=lambda error, message: offsets.append((error, message.offset())))
            assert producer.flush(90) == 0
            if number == 2:
                tier.restart()
        assert offsets == [(None, number) for number in range(6)]


def test_batch_that_is_sent_again_is_stored_once_and_a_gap_is_refused(tier):
    with KafkaConnection(tier.address) as raw:
        raw.make_topic("again")
        own = raw.new_producer()
        for sequence in range(3):
            assert raw.produce("again", {0: batch(b"%d" % sequence, producer=(*own, sequence))}) == {0: (0, sequence)}
        assert raw.produce("again", {0: batch(b"1", producer=(*own, 1))}) == {0: (0, 1)}
        assert raw.produce("again", {0: batch(b"5", producer=(*own, 5))})[0][0] == KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
        assert values_of(raw.fetch("again")[2]) == [b"0", b"1", b"2"]


def settings_of(admin, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(90).items()}


def test_topic_is_made_described_altered_extended_and_deleted(admin):
    admin.create_topics([NewTopic("made", 2, 1, config={"cleanup.policy": "compact"})])["made"].result(90)
    with pytest.raises(KafkaException) as refused:
        admin.create_topics([NewTopic("made", 2, 1)])["made"].result(90)
    assert refused.value.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    assert settings_of(admin, "made")["cleanup.policy"] == "compact"
    resource = ConfigResource(ConfigResource.Type.TOPIC, "made", set_config={"retention.ms": "120000", "max.message.bytes": "2000"})
    admin.alter_configs([resource])[resource].result(90)
    assert [settings_of(admin, "made")[name] for name in ("retention.ms", "max.message.bytes")] == ["120000", "2000"]
    admin.create_partitions([NewPartitions("made", 4)])["made"].result(90)
    assert len(admin.list_topics("made", timeout=90).topics["made"].partitions) == 4
    admin.delete_topics(["made"])["made"].result(90)
    assert "made" not in admin.list_topics(timeout=90).topics


def test_wrong_settings_are_refused_with_their_reason(admin):
    for wrong in ({"retention.ms": "soon"}, {"no.such.key": "1"}):
        with pytest.raises(KafkaException) as refused:
            admin.create_topics([NewTopic("wrong", 1, 1, config=wrong)])["wrong"].result(90)
        assert refused.value.args[0].code() == KafkaError.INVALID_CONFIG
        assert next(iter(wrong)) in refused.value.args[0].str()
    with pytest.raises(KafkaException) as refused:
        admin.create_topics([NewTopic("w/ng", 1, 1)])["w/ng"].result(90)
    assert refused.value.args[0].code() == KafkaError.TOPIC_EXCEPTION


def test_record_above_the_topics_limit_is_refused(tier, admin):
    admin.create_topics([NewTopic("small", 1, 1, config={"max.message.bytes": "2000"})])["small"].result(90)
    [(error, _)] = produce(tier, "small", [b"x" * 3000])
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert produce(tier, "small", [b"fits"]) == [(None, 0)]


def test_offsets_are_found_by_time_and_by_watermark(tier):
    producer = confluent_kafka.Producer({"bootstrap.servers": tier.brokers})
    for number in range(5):
        producer.produce("timed", b"x", partition=0, timestamp=1_700_000_000_000 + 1000 * number)
    assert producer.flush(90) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": tier.brokers, "group.id": "timed"})
    found = consumer.offsets_for_times([TopicPartition("timed", 0, 1_700_000_002_500)], timeout=90)
    assert (found[0].offset, found[0].error) == (3, None)
    assert consumer.get_watermark_offsets(TopicPartition("timed", 0), timeout=90) == (0, 5)
    consumer.close()


def test_append_time_is_the_brokers(tier, admin):
    admin.create_topics([NewTopic("stamped", 1, 1, config={"message.timestamp.type": "LogAppendTime"})])["stamped"].result(90)
    producer = confluent_kafka.Producer({"bootstrap.servers": tier.brokers})
    producer.produce("stamped", b"x", timestamp=1000)
    assert producer.flush(90) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": tier.brokers, "group.id": "stamped"})
    consumer.assign([TopicPartition("stamped", 0, 0)])
    kind, stamp = consumer.poll(90).timestamp()
    assert kind == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME and stamp > 1_700_000_000_000
    consumer.close()
