"""A worker of the tests: consumes its topic and its retry topics, and writes what it got, a JSON line each, to the file $OUT. A value
that begins with "fail" goes to the next retry topic, or to the dead letters; "crash" ends the process; SIGTERM ends it in good order."""

import json
import os
import signal
import sys
import time

from confluent_kafka import Consumer, Producer

TOPIC = os.environ["MERIDIAN_TOPIC"]
RETRIES = [name for name in os.environ.get("MERIDIAN_RETRY_TOPICS", "").split(",") if name]
DEAD_LETTERS = os.environ.get("MERIDIAN_DEAD_LETTER_TOPIC")
NEXT = dict(zip([TOPIC, *RETRIES], [*RETRIES, DEAD_LETTERS]))


def write(**fields):
    with open(os.environ["OUT"], "a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")


def hand_on(producer, message):
    """Publishes it to the next topic with all that it has, and waits until it is there."""
    failed = []
    producer.produce(NEXT[message.topic()], value=message.value(), key=message.key(), headers=message.headers(),
                     timestamp=message.timestamp()[1], on_delivery=lambda error, _: failed.append(error) if error else None)
    if producer.flush(30) or failed:
        sys.exit(f"not handed on: {failed}")


def main():
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    brokers = {"bootstrap.servers": os.environ["KAFKA_BROKERS"]}
    # As a static member, the next process goes on at once when this one was killed.
    consumer = Consumer({**brokers, "group.id": os.environ["MERIDIAN_GROUP"], "group.instance.id": os.environ["MERIDIAN_INSTANCE"],
                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    producer = Producer({**brokers, "enable.idempotence": True})
    consumer.subscribe([TOPIC, *RETRIES])
    print("worker", os.environ["MERIDIAN_INSTANCE"], "consumes", TOPIC, flush=True)
    while not ended:
        message = consumer.poll(0.2)
        if message is None or message.error():
            continue
        value = message.value().decode()
        write(topic=message.topic(), value=value, key=(message.key() or b"").decode(), timestamp=message.timestamp()[1], at=time.time(),
              headers=[[name, text.decode()] for name, text in message.headers() or []],
              instance=os.environ["MERIDIAN_INSTANCE"], dc=os.environ["MERIDIAN_DC"], worker=os.environ["MERIDIAN_WORKER"])
        if value == "crash":
            print("cannot go on", flush=True)
            sys.exit(3)
        if value.startswith("fail") and NEXT[message.topic()]:
            hand_on(producer, message)
        consumer.commit(message, asynchronous=False)
    consumer.close()
    print("worker has left", flush=True)


main()
