"""Workers of a site: processes without a port that consume topics, and what becomes of messages that they cannot handle."""

import json
import os
import signal
import subprocess

import pytest

from site_under_test import PYTHON_APP, ROOT, Site, curl, wait_until, whole_lines

pytestmark = pytest.mark.covers("agent", "queue", "site", "cli", "proc")

WORKER = ROOT / "test/support/worker.py"


def worker(name, out, keys="", topic="uploads"):
    return (f'\n[worker.{name}]\ncommand = ["/usr/bin/python3", "{WORKER}"]\ntopic = "{topic}"\n'
            f'environment = {{ OUT = "{out}" }}\n{keys}\n')


def site_with(tmp_path, keys="", queue="", data_centers=("us-east",), more=""):
    return Site(app=PYTHON_APP, instances=1, data_centers=data_centers,
                extra=f"\n[queue]\n{queue}\n" + worker("thumbnail", tmp_path / "out", keys) + more)


def handled(tmp_path):
    """What the worker got, in its order."""
    path = tmp_path / "out"
    return [json.loads(line) for line in whole_lines(path)] if path.exists() else []


def workers(site, data_center="us-east"):
    return site.data_center(data_center)["workers"]


def produce(site, *values, key=None, topic="uploads"):
    options = ["--key", key] if key else []
    site.run("queue", "produce", topic, *options, text="".join(f"{value}\n" for value in values))


def wait_for(tmp_path, count):
    return wait_until(lambda: len(found := handled(tmp_path)) >= count and found, what=f"{count} messages are handled")


def log_of(site, data_center="us-east"):
    return [json.loads(line) for line in whole_lines(site.state / "logs" / data_center / "agent.log")]


def test_a_worker_of_each_data_center_consumes_its_topic_and_is_shown_and_logged(tmp_path):
    with site_with(tmp_path, data_centers=("us-east", "us-west")) as site:
        for name in ("us-east", "us-west"):
            shown = wait_until(lambda name=name: [each for each in workers(site, name) if each["state"] == "running"], what="it runs")
            assert [(each["id"], each["worker"], each["topic"]) for each in shown] == [(f"{name}.thumbnail-1", "thumbnail", "uploads")]
        produce(site, "one", "two", key="photo-1")
        got = wait_for(tmp_path, 2)
        assert [(each["value"], each["key"], each["dc"], each["instance"]) for each in got] == [
            ("one", "photo-1", "us-east", "us-east.thumbnail-1"), ("two", "photo-1", "us-east", "us-east.thumbnail-1")]
        printed = wait_until(lambda: [line for line in log_of(site) if line["event"] == "output" and line.get("worker")], what="its line is logged")
        assert printed[0]["worker"] == "us-east.thumbnail-1"
        assert printed[0]["line"] == "worker us-east.thumbnail-1 consumes uploads"
        text = site.run("status").stdout
        assert "us-east.thumbnail-1 running" in text and "topic uploads" in text
        token = (site.state / "admin.token").read_text().strip()
        metrics = curl(f"http://{site.addresses['us-east']}:9000/metrics", "-H", f"Authorization: Bearer {token}")[2].decode()
        assert 'meridian_agent_workers_running{worker="thumbnail"} 1' in metrics
        pids = [each["pid"] for name in site.addresses for each in workers(site, name)]
        site.run("down")
        assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
        assert [line for line in log_of(site) if line.get("line") == "worker has left"], "it left in good order"


def test_instances_of_a_worker_share_the_partitions(tmp_path):
    with site_with(tmp_path, "instances = 3", "[queue.topic.uploads]\npartitions = 6\n") as site:
        wait_until(lambda: [each["state"] for each in workers(site)] == ["running"] * 3, what="all of them run")

        def group():
            said = site.run("queue", "lag", "thumbnail", "--json", check=False).stdout
            return said and [each for each in json.loads(said)["groups"] if (each["state"], each["members"], len(each["partitions"])) == ("Stable", 3, 6)]
        wait_until(group, what="three members have all partitions")
        for number in range(30):
            produce(site, f"v{number}", key=f"k{number}")
        got = wait_for(tmp_path, 30)
        assert sorted(each["value"] for each in got) == sorted(f"v{number}" for number in range(30))
        assert len({each["instance"] for each in got}) == 3


def test_a_worker_that_is_killed_goes_on_where_it_had_committed(tmp_path):
    with site_with(tmp_path) as site:
        produce(site, "one")
        wait_for(tmp_path, 1)
        # It commits after it has written down what it got.
        wait_until(lambda: [each["lag"] for each in json.loads(site.run("queue", "lag", "thumbnail", "--json").stdout)["groups"]] == [0],
                   what="the first message is committed")
        pid = workers(site)[0]["pid"]
        os.kill(pid, signal.SIGKILL)
        produce(site, "two")
        assert [each["value"] for each in wait_for(tmp_path, 2)] == ["one", "two"]
        now = workers(site)[0]
        assert now["pid"] != pid and now["restarts"] >= 1


def test_a_broken_worker_says_why_and_visitors_are_served_all_the_same(tmp_path):
    broken = '\n[worker.broken]\ncommand = ["/bin/sh", "-c", "echo no database; exit 7"]\n'
    with site_with(tmp_path, more=broken) as site:
        def failing():
            return [each for each in workers(site) if each["worker"] == "broken" and each["state"] == "failing"]
        shown = wait_until(failing, what="it keeps ending")[0]
        assert "exit status 7; it printed last: no database" in shown["problem"]
        assert site.state_of("us-east") == "serving" and not site.data_center("us-east").get("problem")
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
        wait_until(lambda: "no database" in site.run("status").stdout, what="the status says why")
        produce(site, "one")
        wait_for(tmp_path, 1)


def test_a_worker_is_restarted_by_its_id(tmp_path):
    with site_with(tmp_path) as site:
        before = wait_until(lambda: [each for each in workers(site) if each["state"] == "running"], what="it runs")[0]
        assert "gets SIGTERM" in site.run("instance", "restart", "us-east.thumbnail-1").stdout
        wait_until(lambda: [each for each in workers(site) if each["pid"] not in (0, before["pid"])], what="another process runs")
        refused = site.run("instance", "restart", "us-east.thumbnail-2", check=False)
        assert refused.returncode == 1 and "there is no instance us-east.thumbnail-2 here" in refused.stderr


RETRIES = """retries = 2

[queue.topic."uploads.thumbnail.retry.1"]
delay = "1s"

[queue.topic."uploads.thumbnail.retry.2"]
delay = "2s"
"""


def test_a_message_that_fails_is_tried_again_later_each_time_and_ends_among_the_dead_letters(tmp_path):
    with site_with(tmp_path, RETRIES) as site:
        brokers = f"{site.addresses['us-east']}:9092"
        names = [each["topic"] for each in json.loads(site.run("queue", "topics", "--json").stdout)["topics"]]
        assert names == ["uploads", "uploads.thumbnail.dead-letter", "uploads.thumbnail.retry.1", "uploads.thumbnail.retry.2"]
        subprocess.run(["kcat", "-b", brokers, "-P", "-t", "uploads", "-K", ":", "-H", "source=camera"], input="photo-1:fail\n", text=True,
                       timeout=90, check=True)
        got = wait_for(tmp_path, 3)
        assert [each["topic"] for each in got] == ["uploads", "uploads.thumbnail.retry.1", "uploads.thumbnail.retry.2"]
        assert {(each["value"], each["key"], each["timestamp"]) for each in got} == {("fail", "photo-1", got[0]["timestamp"])}
        assert all(each["headers"] == [["source", "camera"]] for each in got)
        assert got[1]["at"] - got[0]["at"] >= 1 and got[2]["at"] - got[1]["at"] >= 2

        def letters():
            return [json.loads(line) for line in site.run("queue", "dead-letter", "list", "thumbnail", "--json").stdout.splitlines()]
        letter = wait_until(letters, what="there is a dead letter")[0]
        assert (letter["key"], letter["value"], letter["timestamp_ms"]) == ("photo-1", "fail", got[0]["timestamp"])
        assert letter["headers"] == [{"key": "source", "value": "camera"}]
        table = site.run("queue", "dead-letter", "list", "thumbnail").stdout.splitlines()
        assert table[0].split() == ["PARTITION", "OFFSET", "TIME", "KEY", "VALUE"] and table[1].split()[-2:] == ["photo-1", "fail"]

        assert site.run("queue", "dead-letter", "replay", "thumbnail").stdout == "1 dead letter of thumbnail published to uploads again\n"
        assert letters() == []
        assert "has no dead letters" in site.run("queue", "dead-letter", "list", "thumbnail").stdout
        again = wait_for(tmp_path, 4)[3]
        assert (again["topic"], again["key"], again["timestamp"], again["headers"]) == ("uploads", "photo-1", got[0]["timestamp"], [["source", "camera"]])


def test_dead_letters_of_a_worker_without_any_are_refused_with_the_reason(tmp_path):
    with site_with(tmp_path) as site:
        for name, reason in (("thumbnail", "[worker.thumbnail] has no retries"), ("thumbnai", "Did you mean thumbnail?")):
            refused = site.run("queue", "dead-letter", "list", name, check=False)
            assert refused.returncode == 2 and reason in refused.stderr
