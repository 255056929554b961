"""A member of a consumer group in a process of its own, which can be killed. As a program, it consumes until it is told to leave.

It writes a line of JSON for each new assignment, {"assigned": [partition, …]}, and for each record, {"value": …}, of which it
commits the offset first. SIGTERM: it leaves its group, and ends."""

import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import threading


class GroupMember:
    """To be used in a `with` block, which ends it."""

    def __init__(self, client, brokers, topic, group, strategy="range", instance=""):
        """`client`: "confluent" or "kafka-python". `instance`: a static member's name, with confluent."""
        self.assigned = []
        self.times_assigned = 0
        self.values = []
        self.process = subprocess.Popen([sys.executable, str(pathlib.Path(__file__)), client, brokers, topic, group, strategy, instance],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if "assigned" in told:
                self.times_assigned += 1  # before a test can see the assignment
                self.assigned = told["assigned"]
            else:
                self.values.append(told["value"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)

    def end(self, number):
        """SIGKILL: the group is not told."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=90)
        self.thread.join(timeout=90)
        self.assigned = []


def tell(**told):
    print(json.dumps(told), flush=True)


def consume_with_confluent(brokers, topic, group, strategy, instance, leaving):
    import confluent_kafka  # pylint: disable=import-outside-toplevel
    # A static member that is killed keeps its partitions for the time of its session: its next process must have started by then.
    static = {"group.instance.id": instance, "session.timeout.ms": 120_000} if instance else {"session.timeout.ms": 6000}
    consumer = confluent_kafka.Consumer({
        **static, "bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
        "partition.assignment.strategy": strategy, "heartbeat.interval.ms": 200})
    consumer.subscribe([topic])
    known = None
    while not leaving:
        message = consumer.poll(0.1)
        assigned = sorted(each.partition for each in consumer.assignment())
        if assigned != known:
            tell(assigned=assigned)
            known = assigned
        if message is not None and not message.error():
            try:
                consumer.commit(message, asynchronous=False)
            except confluent_kafka.KafkaException:
                # The group rebalances. Another member gets the record, or, with a cooperative strategy, the partition stays here.
                with contextlib.suppress(confluent_kafka.KafkaException):
                    consumer.seek(confluent_kafka.TopicPartition(message.topic(), message.partition(), message.offset()))
                continue
            tell(value=message.value().decode())
    consumer.close()


def consume_with_kafka_python(brokers, topic, group, strategy, instance, leaving):
    import kafka  # pylint: disable=import-outside-toplevel
    from kafka.coordinator.assignors.range import RangePartitionAssignor  # pylint: disable=import-outside-toplevel
    assert strategy == "range" and not instance
    consumer = kafka.KafkaConsumer(topic, bootstrap_servers=brokers, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False,
                                   api_version_auto_timeout_ms=60_000, partition_assignment_strategy=[RangePartitionAssignor], session_timeout_ms=6000, heartbeat_interval_ms=200)
    known = None
    while not leaving:
        records = [record for some in consumer.poll(timeout_ms=100).values() for record in some]
        assigned = sorted(each.partition for each in consumer.assignment())
        if assigned != known:
            tell(assigned=assigned)
            known = assigned
        try:
            if records:
                consumer.commit()
        except kafka.errors.CommitFailedError:
            continue  # the group rebalances: another member gets the records
        for record in records:
            tell(value=record.value.decode())
    consumer.close()


def main():
    client, *arguments = sys.argv[1:]
    leaving = []
    signal.signal(signal.SIGTERM, lambda *_: leaving.append(True))
    consume = {"confluent": consume_with_confluent, "kafka-python": consume_with_kafka_python}[client]
    consume(*arguments, leaving)


if __name__ == "__main__":
    main()
