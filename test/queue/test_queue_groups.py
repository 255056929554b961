"""Consumer groups of the queue tier whose members are processes: they come, leave and are killed."""

import signal

import confluent_kafka
import pytest

from group_member import GroupMember
from queue_under_test import QueueTier
from site_under_test import wait_until

pytestmark = pytest.mark.covers("queue", "wire")

KINDS = {"librdkafka-eager": ("confluent", "range"), "librdkafka-cooperative": ("confluent", "cooperative-sticky"), "kafka-python": ("kafka-python", "range")}


@pytest.fixture(name="tier", scope="module")
def tier_with_four_partitions():
    with QueueTier("partitions = 4") as tier:
        yield tier


def produce(tier, topic, first, count):
    """Numbers, spread over the partitions."""
    producer = confluent_kafka.Producer({"bootstrap.servers": tier.brokers, "linger.ms": 0})
    for number in range(first, first + count):
        producer.produce(topic, str(number), partition=number % 4)
    assert producer.flush(90) == 0


def share(*members):
    """Whether the members have all partitions, none twice, and each has its part."""
    shares = [member.assigned for member in members]
    return sorted(sum(shares, [])) == [0, 1, 2, 3] and all(len(each) == 4 // len(members) for each in shares)


def numbers(*members):
    return sorted(int(value) for member in members for value in list(member.values))


@pytest.mark.parametrize("kind", KINDS)
def test_members_share_the_records_while_others_join_leave_and_are_killed(tier, kind):
    client, strategy = KINDS[kind]
    topic = f"work-{kind}"
    produce(tier, topic, 0, 40)
    with GroupMember(client, tier.brokers, topic, kind, strategy) as first, GroupMember(client, tier.brokers, topic, kind, strategy) as second:
        wait_until(lambda: share(first, second), what="both members have two partitions")
        wait_until(lambda: set(numbers(first, second)) == set(range(40)), what="all records were consumed")
        with GroupMember(client, tier.brokers, topic, kind, strategy) as third:
            wait_until(lambda: third.assigned, what="the third member has a partition")
            third.end(signal.SIGTERM)
            wait_until(lambda: share(first, second), what="both members have two partitions again")
        second.end(signal.SIGKILL)
        wait_until(lambda: share(first), what="the member that is left has all partitions")
        produce(tier, topic, 40, 40)
        wait_until(lambda: set(range(40, 80)) <= set(numbers(first)), what="it consumes the records of all partitions")
        assert numbers(first, second).count(7) == 1  # what a group has committed, it does not get again


def test_static_member_that_comes_back_gets_its_partitions_without_a_rebalance(tier):
    produce(tier, "static", 0, 4)
    with GroupMember("confluent", tier.brokers, "static", "static", instance="one") as first:
        wait_until(lambda: share(first), what="one member has all partitions")
        with GroupMember("confluent", tier.brokers, "static", "static", instance="two") as second:
            wait_until(lambda: share(first, second), what="both members have two partitions")
            before, told = second.assigned, first.times_assigned
            second.end(signal.SIGKILL)
        with GroupMember("confluent", tier.brokers, "static", "static", instance="two") as again:
            wait_until(lambda: again.assigned == before, what="it has its partitions back")
            assert first.times_assigned == told


def committed(tier, group, topic):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": tier.brokers, "group.id": group})
    try:
        places = consumer.committed([confluent_kafka.TopicPartition(topic, index) for index in range(4)], timeout=90)
        return [place.offset for place in places]
    finally:
        consumer.close()


def test_group_goes_on_after_the_queue_was_killed():
    with QueueTier("partitions = 4") as tier:
        produce(tier, "jobs", 0, 40)
        with GroupMember("confluent", tier.brokers, "jobs", "workers") as member:
            wait_until(lambda: numbers(member) == list(range(40)), what="all records were consumed")
            assert committed(tier, "workers", "jobs") == [10] * 4
            tier.restart()
            assert committed(tier, "workers", "jobs") == [10] * 4
            produce(tier, "jobs", 40, 8)
            wait_until(lambda: set(range(48)) <= set(numbers(member)), what="the member goes on by itself")
            assert numbers(member) == list(range(48))
