"""The queue tier with the clients that Node's applications have: kafkajs, which knows no flexible versions, and @platformatic/kafka, which knows no others."""

import json
import subprocess

import pytest

from background import read_line
from queue_under_test import QueueTier
from site_under_test import ROOT

CLIENTS = ROOT / "test/queue_clients"
SCRIPTS = ["kafkajs", "platformatic"]
SECOND_NEEDS_NODE = (20, 19, 4)

pytestmark = [pytest.mark.covers("queue", "wire"), pytest.mark.slow]  # slow: needs the packages that only the whole run installs


class NodeClient:
    """A client's process, which takes steps (test/queue_clients) and tells what it saw."""

    def __init__(self, name, tier):
        if not (CLIENTS / "node_modules").is_dir():
            pytest.fail("the clients are not installed: npm ci --prefix test/queue_clients")
        self.process = subprocess.Popen(["node", f"{name}.mjs", tier.brokers], cwd=CLIENTS, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def step(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        line = read_line(self.process.stdout)
        assert line, f"the client has ended: {self.process.wait(90)}"
        return json.loads(line)

    def end(self):
        self.process.kill()
        self.process.wait(90)
        self.process.stdin.close()
        self.process.stdout.close()


def node_version():
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=90, check=True).stdout
    return tuple(int(number) for number in said.strip().removeprefix("v").split("."))


@pytest.fixture(name="tier")
def tier_alone():
    with QueueTier("auto_create = false") as tier:
        yield tier


@pytest.fixture(name="client", params=SCRIPTS)
def client_process(request, tier):
    if request.param == "platformatic" and node_version() < SECOND_NEEDS_NODE:
        pytest.skip("@platformatic/kafka needs Node 20.19.4")
    client = NodeClient(request.param, tier)
    yield client
    client.end()


def test_topics_are_made_described_and_produced_to(client, tier):
    assert client.step("admin") == {"made": True, "again": False, "partitions": 3, "retention": "60000"}
    assert client.step("produce") == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    lines = tier.kcat("-C", "-t", "uploads", "-e", "-q", "-f", "%p %k %s %h\n").splitlines()
    assert sorted(lines) == sorted(f"{number % 3} k{number % 3} v{number} kind=jpeg" for number in range(30))


def test_members_of_a_group_go_on_where_the_last_has_committed(client, tier):
    client = client
    client.step("admin")
    client.step("produce")
    first = client.step("first")
    assert sorted(each["value"] for each in first) == sorted(f"v{number}" for number in range(30))
    for partition in range(3):
        own = [each for each in first if each["partition"] == partition]
        assert [each["value"] for each in own] == [f"v{number}" for number in range(partition, 30, 3)]
        assert {(each["key"], each["header"]) for each in own} == {(f"k{partition}", "jpeg")}
    assert client.step("more") is True
    assert client.step("second") == [{"partition": 1, "value": "late", "key": None, "header": "png"}]
    ends = [[0, 10], [1, 11], [2, 10]]
    assert client.step("groups") == {"groups": ["thumbnails"], "offsets": ends, "ends": ends}
    tier.restart()
    assert client.step("groups") == {"groups": ["thumbnails"], "offsets": ends, "ends": ends}
    assert client.step("remove") == {"low": 4, "groups": 0, "topics": []}
