"""The session tier with the clients that Node's applications have: node-redis in both versions of the protocol, and ioredis."""

import json
import select
import subprocess

import pytest

from session_under_test import SessionTier
from site_under_test import ROOT

CLIENTS = ROOT / "test/redis_clients"
KINDS = {"node-redis-resp2": ("node_redis.mjs", "2"), "node-redis-resp3": ("node_redis.mjs", "3"), "ioredis": ("ioredis.mjs",)}

pytestmark = [pytest.mark.covers("session"), pytest.mark.slow]  # slow: needs the packages that only the whole run installs


class NodeClient:
    """A client's process, which takes steps (test/redis_clients) and tells what it saw."""

    def __init__(self, kind, tier):
        if not (CLIENTS / "node_modules").is_dir():
            pytest.fail("the clients are not installed: npm ci --prefix test/redis_clients")
        script, *options = KINDS[kind]
        self.process = subprocess.Popen(["node", script, f"redis://{tier.address}:6379", *options], cwd=CLIENTS, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, step):
        self.process.stdin.write(step + "\n")
        self.process.stdin.flush()

    def hear(self):
        assert select.select([self.process.stdout], [], [], 90)[0], "the client says nothing"
        line = self.process.stdout.readline()
        assert line, f"the client has ended: {self.process.wait(90)}"
        return json.loads(line)

    def step(self, name):
        self.ask(name)
        return self.hear()

    def end(self):
        self.process.kill()
        self.process.wait(90)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture(name="tier", scope="module")
def tier_on_disk():
    with SessionTier() as tier:
        yield tier


@pytest.fixture(name="client", params=KINDS)
def connected_client(request, tier):
    tier.client().flushall()
    client = NodeClient(request.param, tier)
    try:
        client.connected = client.step("connect")
        client.kind = request.param
        yield client
    finally:
        client.end()


def test_handshake_and_leaving(client):
    assert (client.connected["ping"], client.connected["name"], client.connected["ready"]) == ("PONG", "photos", True)
    assert client.connected["library"].startswith(client.kind.partition("-resp")[0])
    if "resp" in client.kind:
        assert client.connected["version"] == int(client.kind[-1])
    client.step("leave")
    client.process.stdin.close()
    assert client.process.wait(90) == 0


def test_session_store(client):
    seen = client.step("session")
    assert 590 < seen.pop("ttl") <= 600
    assert seen == {"set": "OK", "get": '{"user":1}', "touched": 1, "many": ['{"user":1}', None], "deleted": 1, "after": None}


def test_hashes_sets_counters_and_errors(client):
    assert client.step("types") == {
        "fields": 2, "hash": {"user": "Ada", "seen": "1"}, "members": 2, "set": ["a", "b"], "count": 5,
        "wrong": "WRONGTYPE Operation against a key holding the wrong kind of value"}


def test_pipeline_of_a_thousand_is_answered_in_order(client):
    assert client.step("pipeline") == [i * (i + 1) // 2 for i in range(1000)]


def test_transactions(client):
    assert client.step("transaction") == {"replies": ["OK", 2, 1, "2"], "refused": True, "stock": "2"}


def test_messages_reach_channels_and_patterns(client):
    assert client.step("messages") == {"all": [["news", "hello"], ["news", "hello"]], "usable": "PONG"}


def test_iterators_find_everything(client):
    assert client.step("scan") == {"keys": 1000, "fields": 1000, "members": 1000}


def test_end_of_a_key_is_told(client):
    assert client.step("expiry") == {"key": "brief", "value": None}


def test_client_that_lost_its_tier_comes_back_by_itself(tier, client):
    assert client.step("write") == "OK"
    tier.kill()
    assert client.step("loss")
    client.ask("again")
    tier.start()
    assert client.hear() == {"kept": "before", "set": "OK", "lost": True}
