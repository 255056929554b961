"""The queue tier is killed with SIGKILL while producers produce: what was acknowledged is there, once and in order."""

import signal
import threading

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from background import Background, results
from kafka_connection import FETCH, KafkaConnection, fetch_body, fetched, request
from queue_under_test import QueueTier
from site_under_test import wait_until

pytestmark = pytest.mark.covers("queue", "store", "io")

PARTITIONS = 4
KILLS = 5
RECORDS_BETWEEN_KILLS = 1500


class Load:
    """An idempotent producer that sends numbered records to all partitions, and remembers those that were acknowledged."""

    def __init__(self, tier, name):
        self.name = name
        self.acknowledged = {partition: [] for partition in range(PARTITIONS)}  # (offset, value); all there, as another thread counts them
        self.failed = []
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": tier.brokers, "enable.idempotence": True, "acks": "all", "linger.ms": 2, "batch.num.messages": 50,
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "retry.backoff.ms": 20, "message.timeout.ms": 120_000})

    def delivered(self, error, message):
        if error:
            self.failed.append(error)
        else:
            self.acknowledged[message.partition()].append((message.offset(), message.value()))

    def count(self):
        return sum(len(records) for records in self.acknowledged.values())

    def run(self, ended):
        number = 0
        while not ended.is_set():
            for _ in range(100):
                self.producer.produce("load", f"{self.name} {number:08}", partition=number % PARTITIONS, on_delivery=self.delivered)
                number += 1
            while len(self.producer) > 1000 and not ended.is_set():
                self.producer.poll(0.01)
            self.producer.poll(0)
        assert self.producer.flush(120) == 0
        return number


def read_all(tier, topic, partition):
    """[(offset, value)] of all records."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": tier.brokers, "group.id": "reader", "enable.auto.commit": False})
    place = confluent_kafka.TopicPartition(topic, partition, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=90)
    consumer.assign([place])
    found = []
    while len(found) < end:
        messages = consumer.consume(min(1000, end - len(found)), timeout=90)
        assert messages, f"{len(found)} of {end} records"
        assert not any(message.error() for message in messages)
        found += [(message.offset(), message.value()) for message in messages]
    consumer.close()
    return found


def test_acknowledged_records_are_there_once_and_in_order_after_kills_under_load():
    with QueueTier(f"partitions = {PARTITIONS}") as tier:
        with KafkaConnection(tier.address) as raw:
            raw.make_topic("load")
        loads = [Load(tier, name) for name in ("a", "b", "c")]
        ended = threading.Event()
        threads = [Background(load.run, ended) for load in loads]
        for _ in range(KILLS):
            before = sum(load.count() for load in loads)
            wait_until(lambda most=before: sum(load.count() for load in loads) > most + RECORDS_BETWEEN_KILLS, what="records are acknowledged")
            tier.restart()
        ended.set()
        sent = results(threads, 180)
        assert [load.failed for load in loads] == [[], [], []]
        assert [load.count() for load in loads] == sent
        for partition in range(PARTITIONS):
            there = read_all(tier, "load", partition)
            assert [offset for offset, _ in there] == list(range(len(there)))
            for load in loads:
                own = [(offset, value) for offset, value in there if value.startswith(load.name.encode())]
                assert own == load.acknowledged[partition]
                values = [value for _, value in own]
                assert values == sorted(set(values))  # once each, in the order of sending


def test_topics_settings_and_offsets_are_there_after_a_kill():
    with QueueTier("auto_create = false") as tier:
        admin = AdminClient({"bootstrap.servers": tier.brokers})
        admin.create_topics([NewTopic("kept", 7, 1, config={"retention.ms": "3600000"}), NewTopic("gone", 2, 1)])["kept"].result(90)
        wait_until(lambda: "gone" in admin.list_topics(timeout=90).topics, what="both topics are made")
        admin.delete_topics(["gone"])["gone"].result(90)
        producer = confluent_kafka.Producer({"bootstrap.servers": tier.brokers})
        producer.produce("kept", b"value", partition=6)
        assert producer.flush(90) == 0
        tier.restart()
        topics = admin.list_topics(timeout=90).topics
        assert (sorted(topics), len(topics["kept"].partitions)) == (["kept"], 7)
        resource = ConfigResource(ConfigResource.Type.TOPIC, "kept")
        assert admin.describe_configs([resource])[resource].result(90)["retention.ms"].value == "3600000"
        assert read_all(tier, "kept", 6) == [(0, b"value")]
        assert read_all(tier, "kept", 5) == []


def test_drain_answers_those_who_wait_and_keeps_what_was_acknowledged():
    with QueueTier(f"partitions = {PARTITIONS}") as tier:
        with KafkaConnection(tier.address) as raw, KafkaConnection(tier.address) as idle:
            raw.make_topic("load")
            raw.make_topic("quiet")
            load = Load(tier, "a")
            ended = threading.Event()
            thread = Background(load.run, ended)
            wait_until(lambda: load.count() > 500, what="records are acknowledged")
            raw.send(request(FETCH, 11, fetch_body("quiet", max_wait_ms=60_000)))
            wait_until(lambda: tier.metric('meridian_queue_requests_total{api="Fetch"}') > 0, what="the request has arrived")
            assert tier.kill(signal.SIGTERM) == 0
            assert fetched(raw.response()[1]) == (0, 0, [])
            assert raw.is_closed_by_the_server() and idle.is_closed_by_the_server()
        tier.start()
        ended.set()
        assert thread.result(180) == load.count()
        assert not load.failed
        for partition in range(PARTITIONS):
            assert read_all(tier, "load", partition) == load.acknowledged[partition]
