"""The commands of operators, meridian queue topics and so on, beside kcat and a client's groups."""

import json
import re
import socket
import subprocess

import pytest

from background import Background, results
from queue_under_test import QueueTier
from site_under_test import MERIDIAN, Address, wait_until

pytestmark = pytest.mark.covers("cli", "queue", "wire")

TOPICS = "auto_create = false\n[queue.topic.orders]\npartitions = 3\n[queue.topic.uploads]\nretention = \"1h\"\n"


@pytest.fixture(name="tier")
def tier_with_topics():
    with QueueTier(TOPICS) as tier:
        yield tier


def queue(tier, *arguments, text=None, status=0):
    done = subprocess.run([MERIDIAN, "queue", *arguments, "--brokers", tier.brokers], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if status == 0 else done.stderr


def table(text):
    return [re.split(r"  +", line.strip()) for line in text.splitlines() if line]


def test_topics_of_site_toml_are_there_with_their_partitions_and_keys(tier):
    assert table(queue(tier, "topics")) == [["TOPIC", "PARTITIONS", "MESSAGES"], ["orders", "3", "0"], ["uploads", "1", "0"]]
    told = json.loads(queue(tier, "describe", "uploads", "--json"))
    assert told["partitions"] == [{"partition": 0, "leader": 1, "begin": 0, "end": 0}]
    assert {"key": "retention.ms", "value": "3600000", "set_by": "topic"} in told["configs"]
    assert "retention.ms               3600000" in queue(tier, "describe", "uploads")


def test_check_compares_the_file_with_the_topics_that_run(tier):
    file = tier.folder / "site.toml"

    def check(*options):
        return subprocess.run([MERIDIAN, "check", file, "--brokers", tier.brokers, *options], capture_output=True, text=True, timeout=60, check=False)

    assert "The topics are as this file says in the cluster of --brokers.\n" in check().stdout
    file.write_text(file.read_text().replace("partitions = 3", "partitions = 5").replace('retention = "1h"', 'retention = "2h"') +
                    "[queue.topic.audit]\n")
    done = check()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the cluster of --brokers is not as this file says:\n"
                                "  topic audit is in the file alone\n"
                                "  topic orders has 3 partitions, the file says 5\n"
                                "  topic uploads has retention.ms = 3600000, the file says 7200000\n")
    tier.kill()
    done = check()
    assert done.returncode == 1 and "were not compared with the running ones: " in done.stdout


def test_lines_are_published_in_order_and_consumed_up_to_the_end(tier):
    lines = [f"line {number}" for number in range(5000)]
    said = queue(tier, "produce", "orders", "--key", "ada", text="\n".join(lines))
    assert re.fullmatch(r"5000 messages published to orders partition (\d), offsets 0 to 4999\n", said)
    assert queue(tier, "consume", "orders").splitlines() == lines
    assert tier.kcat("-C", "-t", "orders", "-e", "-q", "-f", "%k:%s\n").splitlines() == [f"ada:{line}" for line in lines]
    assert table(queue(tier, "topics"))[1] == ["orders", "3", "5000"]


def test_a_key_is_in_the_partition_where_kafkas_clients_put_it(tier):
    for key in ("ada", "bob", "photo-1", "ünï"):
        told = json.loads(queue(tier, "produce", "orders", "--key", key, "--json", text="x\n"))
        tier.kcat("-P", "-t", "orders", "-K", ":", "-X", "partitioner=murmur2", text=f"{key}:y\n")
        with_key = [json.loads(line) for line in queue(tier, "consume", "orders", "--json").splitlines()]
        assert {record["partition"] for record in with_key if record["key"] == key} == {told["partition"]}


def test_consume_begins_where_it_is_told_and_ends_after_the_count(tier):
    queue(tier, "produce", "uploads", text="".join(f"{number}\n" for number in range(10)))
    assert queue(tier, "consume", "uploads", "--from", "7").split() == ["7", "8", "9"]
    assert queue(tier, "consume", "uploads", "--from", "end") == ""
    assert queue(tier, "consume", "uploads", "--from", "beginning", "--count", "2").split() == ["0", "1"]
    assert queue(tier, "consume", "uploads", "--from", "1h", "--count", "1").split() == ["0"]
    assert queue(tier, "consume", "uploads", "--from", "2099-01-01") == ""
    record = json.loads(queue(tier, "consume", "uploads", "--json", "--from", "9"))
    assert (record["topic"], record["partition"], record["offset"], record["value"], record["key"]) == ("uploads", 0, 9, "9", None)


def test_headers_keys_tombstones_and_bytes_that_are_no_text_are_told_as_they_are(tier):
    tier.kcat("-P", "-t", "uploads", "-K", ":", "-H", "source=camera", "-Z", text="ada:\n")
    tier.kcat("-P", "-t", "uploads", "-z", "zstd", text="packed\n")
    subprocess.run(["kcat", "-b", tier.brokers, "-P", "-t", "uploads"], input=b"\xff\xfe", check=True, timeout=90)
    first, second, third = [json.loads(line) for line in queue(tier, "consume", "uploads", "--json").splitlines()]
    assert (first["key"], first["value"], first["headers"]) == ("ada", None, [{"key": "source", "value": "camera"}])
    assert second["value"] == "packed"
    assert third["value_base64"] == "//4=" and "value" not in third


def test_follow_prints_messages_as_they_come(tier):
    process = subprocess.Popen([MERIDIAN, "queue", "consume", "uploads", "--follow", "--from", "beginning", "--count", "3", "--brokers", tier.brokers],
                               stdout=subprocess.PIPE, text=True)
    try:
        for value in ("one", "two", "three"):
            queue(tier, "produce", "uploads", text=value + "\n")
            assert process.stdout.readline() == value + "\n"
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_group_goes_on_where_it_is_and_its_lag_is_told(tier):
    queue(tier, "produce", "uploads", text="".join(f"{number}\n" for number in range(10)))
    assert queue(tier, "consume", "uploads", "--group", "mine", "--count", "4").split() == ["0", "1", "2", "3"]
    assert table(queue(tier, "lag", "mine")) == [["GROUP", "TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "CONSUMER"],
                                                 ["mine", "uploads", "0", "4", "10", "6", "-"]]
    assert table(queue(tier, "groups")) == [["GROUP", "STATE", "MEMBERS", "PARTITIONS", "LAG"], ["mine", "Empty", "0", "1", "6"]]
    assert queue(tier, "consume", "uploads", "--group", "mine").split() == [str(number) for number in range(4, 10)]
    assert json.loads(queue(tier, "lag", "--json"))["groups"][0]["lag"] == 0
    assert queue(tier, "consume", "uploads", "--group", "mine") == ""


def test_offsets_are_reset_and_a_dry_run_only_says_how(tier):
    queue(tier, "produce", "uploads", text="".join(f"{number}\n" for number in range(10)))
    queue(tier, "consume", "uploads", "--group", "mine")
    shown = queue(tier, "reset-offsets", "mine", "uploads", "--to", "3", "--dry-run")
    assert table(shown)[1] == ["uploads", "0", "10", "3", "10"] and "Nothing was changed" in shown
    assert json.loads(queue(tier, "lag", "mine", "--json"))["groups"][0]["lag"] == 0
    for to, lag in (("3", 7), ("earliest", 10), ("latest", 0), ("1h", 10), ("2099-01-01T00:00:00Z", 0), ("99", 0)):
        told = json.loads(queue(tier, "reset-offsets", "mine", "uploads", "--to", to, "--json"))
        assert told["partitions"][0]["after"] == 10 - lag and told["dry_run"] is False
        assert json.loads(queue(tier, "lag", "mine", "--json"))["groups"][0]["lag"] == lag
    assert "is none of earliest, latest" in queue(tier, "reset-offsets", "mine", "uploads", "--to", "newest", status=2)


def test_a_group_with_members_is_neither_reset_nor_consumed_for(tier):
    queue(tier, "produce", "uploads", text="one\n")
    member = subprocess.Popen(["kcat", "-b", tier.brokers, "-q", "-u", "-X", "auto.offset.reset=earliest", "-G", "busy", "uploads"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert member.stdout.readline() == b"one\n"
        shown = table(queue(tier, "lag", "busy"))
        assert re.fullmatch(r"rdkafka at 127\.\d+\.\d+\.\d+", shown[1][-1])
        assert table(queue(tier, "groups"))[1][:3] == ["busy", "Stable", "1"]
        assert "has 1 members" in queue(tier, "reset-offsets", "busy", "uploads", "--to", "earliest", status=1)
        assert "has members" in queue(tier, "consume", "uploads", "--group", "busy", status=1)
    finally:
        member.kill()
        member.wait()
        member.stdout.close()


def test_what_does_not_exist_is_named_with_what_is_like_it(tier):
    assert queue(tier, "describe", "upload", status=1) == 'meridian: there is no topic "upload"; did you mean "uploads"?\n'
    assert 'there is no topic "zzz"; see: meridian queue topics' in queue(tier, "consume", "zzz", status=1)
    assert 'there is no topic "zzz"' in queue(tier, "produce", "zzz", text="x\n", status=1)
    assert 'there is no group "nobody"' in queue(tier, "lag", "nobody", status=1)
    assert "there are" not in queue(tier, "topics")


def test_without_an_answer_the_address_and_the_reason_are_told(tier):
    tier.kill()
    said = queue(tier, "topics", status=1)
    assert said.startswith(f"meridian: the cluster of --brokers does not answer ({tier.brokers}: ") and "refused" in said
    assert "See: meridian status" in said


def test_what_is_no_broker_or_hangs_is_told_in_time():
    """A stranger on the port that sends something else, and one that sends nothing."""
    with Address() as address, socket.create_server((address, 9092)) as server:
        def answer(bytes_to_send):
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(bytes_to_send)
            return connection
        stranger = Background(answer, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        done = subprocess.run([MERIDIAN, "queue", "topics", "--brokers", address], capture_output=True, text=True, timeout=90, check=False)
        results([stranger])[0].close()
        assert done.returncode == 1 and "is no Kafka broker" in done.stderr
        silent = Background(answer, b"")
        done = subprocess.run([MERIDIAN, "queue", "topics", "--brokers", address], capture_output=True, text=True, timeout=90, check=False)
        results([silent])[0].close()
        assert done.returncode == 1 and "does not answer" in done.stderr


def test_a_message_that_the_topic_refuses_says_how_many_were_published(tier):
    said = queue(tier, "produce", "uploads", text="one\n" + "x" * 3_000_000 + "\n", status=1)
    assert "MESSAGE_TOO_LARGE" in said
    published = queue(tier, "consume", "uploads").split()
    assert published in (["one"], [])
    assert ("the 1 messages before it are published" in said) == (published == ["one"])


def test_partitions_are_added_and_fewer_are_told_as_a_problem():
    with QueueTier("[queue.topic.orders]\npartitions = 3\n") as tier:
        path = tier.folder / "site.toml"
        path.write_text(path.read_text().replace("partitions = 3", "partitions = 5"))
        tier.restart()
        assert table(queue(tier, "topics"))[1] == ["orders", "5", "0"]
        path.write_text(path.read_text().replace("partitions = 5", "partitions = 2"))
        tier.restart()
        assert table(queue(tier, "topics"))[1] == ["orders", "5", "0"]
        wait_until(lambda: "topic orders has 5 partitions, and site.toml says 2" in tier.log(), what="the log says so")


def test_a_delayed_message_is_seen_by_clients_when_its_time_has_come():
    with QueueTier('[queue.topic.later]\ndelay = "10s"\n') as tier:  # so that those who look too early do come before it is due
        tier.kcat("-P", "-t", "later", text="soon\n")
        assert tier.kcat("-C", "-t", "later", "-e", "-q", "-o", "beginning") == ""
        assert tier.kcat("-Q", "-t", "later:0:-1").strip() == "later [0] offset 0"
        # Waits at the broker until the message is due.
        done = subprocess.run(["kcat", "-b", tier.brokers, "-C", "-t", "later", "-q", "-c", "1", "-o", "beginning"], capture_output=True, text=True,
                              timeout=90, check=True)
        assert done.stdout == "soon\n"
        assert tier.kcat("-Q", "-t", "later:0:-1").strip() == "later [0] offset 1"
        tier.restart()
        assert queue(tier, "consume", "later") == "soon\n"
