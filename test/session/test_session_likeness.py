"""The session tier beside redis-server of the distribution: the same requests, and what differs in the answers.

redis_likeness/*.txt are conversations (strings.txt says how they are written); on_purpose.txt has what differs, and why.
Then some thousand requests by chance, from seeds that a failure names."""

import random
import shlex
import time

import pytest

from resp_connection import Reply, RespConnection
from session_under_test import SessionTier
from site_under_test import ROOT, wait_until
from test_session_site import redis_server

pytestmark = pytest.mark.covers("session", "wire")

CONVERSATIONS = sorted((ROOT / "test/redis_likeness").glob("*.txt"))
SETTINGS = '[session]\ndurability = "{}"\n'
UNORDERED = {b"KEYS", b"SMEMBERS", b"SUNION", b"SINTER", b"SDIFF", b"HKEYS", b"HVALS", b"SSCAN", b"SCAN", b"SRANDMEMBER", b"SPOP", b"PUBSUB", b"EXEC"}
PAIRS = {b"HGETALL", b"CONFIG"}
ORDERED = {b"HGETALL", b"HKEYS", b"HVALS", b"HSCAN", b"SMEMBERS", b"SSCAN"}
# Of times to come: how far the answers of two servers may be apart that are asked one after the other.
TIMES = {b"TTL": 2, b"EXPIRETIME": 2, b"PTTL": 2000, b"PEXPIRETIME": 2000, b"OBJECT": 1}


def is_same(words, one, other, apart=0):
    """`apart`: seconds by which one server may have been asked after the other."""
    name = words[0].upper()
    if name in TIMES and one.kind == other.kind == ":":
        one, other = int(one.value), int(other.value)
        # When the end was set and now that it is asked for.
        allowed = TIMES[name] + 2 * apart * (1000 if name.startswith(b"P") else 1)
        return one == other if min(one, other) < 0 else abs(one - other) <= allowed
    with_values = name == b"HRANDFIELD" and words[-1].upper() == b"WITHVALUES"
    in_pairs = with_values and all(reply.kind == "*" and reply.value and reply.value[0].kind == "*" for reply in (one, other))
    if name in PAIRS or (with_values and not in_pairs):
        return one.pairs_in_order() == other.pairs_in_order()
    if name == b"HSCAN":
        return [one.value[0], one.value[1].pairs_in_order()] == [other.value[0], other.value[1].pairs_in_order()] if one.kind == other.kind == "*" else one == other
    return one.in_order() == other.in_order() if name in UNORDERED | {b"HRANDFIELD"} else one == other


class Pair:
    """The same connection to both servers. `apart`: the longest time, in seconds, that a question to both has taken."""

    apart = 0

    def __init__(self, servers, version):
        self.both = [RespConnection(*server) for server in servers]
        if version == 3:
            for connection in self.both:
                connection.ask([b"HELLO", b"3"])

    def ask(self, words):
        began = time.monotonic()
        replies = [connection.ask(words) for connection in self.both]
        self.apart = max(self.apart, time.monotonic() - began)
        return replies

    def hear(self):
        return [connection.hear() for connection in self.both]

    def close(self):
        for connection in self.both:
            connection.close()


def words_of(text):
    """As redis-cli reads them: \\r, \\n and \\xHH within double quotes."""
    return [word.replace("\\r", "\r").replace("\\n", "\n").encode("latin-1") for word in shlex.split(text)]


class Conversation:
    """Says the lines of a file to both, and collects those that are not answered alike."""

    def __init__(self, servers, version):
        self.servers = servers
        self.version = version
        self.pairs = {}
        self.differences = []
        self.said = []

    def begin(self):
        self.end()
        first = Pair(self.servers, self.version)
        self.pairs = {"a": first}
        first.ask([b"FLUSHALL"])
        first.ask([b"CONFIG", b"SET", b"notify-keyspace-events", b"", b"maxmemory", b"0"])

    def end(self):
        for pair in self.pairs.values():
            pair.close()
        self.pairs = {}

    def speaker(self, name):
        if name not in self.pairs:
            self.pairs[name] = Pair(self.servers, self.version)
        return self.pairs[name]

    def say(self, line):
        self.said.append(line)
        if line.startswith("..."):
            return self.let_pass(int(line[3:]) / 1000)
        name, line = ("b", line[2:].strip()) if line.startswith("b:") else ("a", line)
        if line == ">":
            return self.compare([b"message"], *self.speaker("a").hear(), line, False)
        if line == "b>":
            return self.compare([b"events"], *self.events(), self.said[-2], False)
        differs = line.startswith("!")
        by_shape = line.lstrip("!").startswith("~")
        words = words_of(line.lstrip("!~="))
        one, other = self.speaker(name).ask(words)
        if line.startswith("=") and one != other:
            return self.differences.append(f"{line}\n    redis-server: {one}\n    meridian:     {other}")
        if by_shape:
            one, other = one.shape(), other.shape()
        return self.compare(words, one, other, line, differs)

    def let_pass(self, seconds):
        """Until so much has passed by both servers' clocks; no key is looked at, as its end may be noticed by that."""
        def times():
            return [int(reply.value[0].value) + int(reply.value[1].value) / 1e6 for reply in self.speaker("a").ask([b"TIME"])]
        begun = times()
        wait_until(lambda: all(late - early >= seconds for early, late in zip(begun, times())), what=f"{seconds} s have passed")

    def events(self):
        """What has been published for the second connection, which listens to __key*, up to now."""
        self.speaker("a").ask([b"PUBLISH", b"__key-end", b"x"])
        heard = []
        for connection in self.speaker("b").both:
            messages = []
            while not messages or messages[-1].value[2].value != b"__key-end":
                messages.append(connection.hear())
            heard.append(Reply("*", messages))
        return heard

    def compare(self, words, one, other, line, differs):
        if is_same(words, one, other, max(pair.apart for pair in self.pairs.values())) == differs:
            self.differences.append(f"{line}\n    redis-server: {one}\n    meridian:     {other}")


@pytest.fixture(name="redis_address", scope="module")
def other_server():
    with redis_server() as (address, port, _):
        yield address, port


@pytest.fixture(name="tier_address", scope="module")
def tier_in_memory():
    with SessionTier(SETTINGS.format("memory")) as tier:
        yield tier.address, 6379


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_conversation_is_answered_as_redis_answers(redis_address, tier_address, path, version):
    conversation = Conversation([redis_address, tier_address], version)
    conversation.begin()
    for line in path.read_text().splitlines():
        if not line:
            conversation.begin()
        elif not line.startswith("#"):
            conversation.say(line)
    conversation.end()
    assert not conversation.differences, "\n" + "\n".join(conversation.differences)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("mode", [b"OFF", b"SKIP"])
def test_confirmation_of_a_subscription_comes_whatever_client_reply_says(redis_address, tier_address, mode, version):
    heard = []
    for server in (redis_address, tier_address):
        connection = RespConnection(*server)
        if version == 3:
            connection.ask([b"HELLO", b"3"])
        for words in ([b"CLIENT", b"REPLY", mode], [b"SUBSCRIBE", b"a", b"b"], [b"UNSUBSCRIBE", b"a"], [b"PSUBSCRIBE", b"*"], [b"PUNSUBSCRIBE"],
                      [b"UNSUBSCRIBE"], [b"CLIENT", b"REPLY", b"ON"], [b"PING"]):
            connection.send(words)
        replies = [connection.hear()]
        while replies[-1] != Reply("+", b"PONG"):
            replies.append(connection.hear())
        heard.append(replies)
        connection.close()
    assert heard[0] == heard[1]
    assert str(heard[1]).count("subscribe") == 6


def commands_of(address):
    connection = RespConnection(*address)
    names = [reply.value for reply in connection.ask([b"COMMAND", b"LIST"]).value]
    connection.close()
    return names


@pytest.mark.parametrize("version", [2, 3])
def test_command_info_has_the_acl_categories_and_key_specifications_of_redis(redis_address, tier_address, version):
    containers = {b"acl", b"client", b"config", b"memory", b"object", b"pubsub"}  # Redis says it of their subcommands
    names = [name for name in sorted(commands_of(tier_address)) if name not in containers]
    assert len(names) > 90
    pair = Pair([redis_address, tier_address], version)
    for name, one, other in zip(names, *(reply.value for reply in pair.ask([b"COMMAND", b"INFO", *names])), strict=True):
        for part in (0, 1, 3, 4, 5, 6, 8):  # name, arity, first, last, step, categories, key specifications
            assert one.value[part] == other.value[part], (name, part)
    pair.close()


# --- by chance

class Chance:
    """Requests about a few keys, so that their types clash and they end as others use them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        # No two are the same: which of two ends is the later one must not hang on milliseconds.
        self.ends = iter(self.random.sample(range(1_000, 1_000_000), 10_000))

    def key(self):
        return self.random.choice(["k", "l", "m", "n", "cache:k"])

    def name(self):
        return self.random.choice(["f", "g", "h", "1", "2"])

    def value(self):
        return self.random.choice(["v", "", "5", "-3", "0.5", "9223372036854775807", "x" * 70, self.name()])

    def number(self):
        return self.random.choice(["0", "1", "2", "-1", "-2", "7", "x", "9223372036854775807"])

    def end(self):
        seconds = str(next(self.ends))
        return self.random.choice([[], [], ["EX", seconds], ["PX", seconds + "000"], ["EXAT", "9999999999"], ["KEEPTTL"], ["EX", "0"],
                                   ["EX", seconds, "NX"], ["XX"], ["NX"], ["GET"], ["XX", "GET"]])

    def some(self, kind):
        return [kind() for _ in range(self.random.randint(1, 3))]

    def request(self):
        key, other, name, value, number = self.key(), self.key(), self.name(), self.value(), self.number()
        pairs = [word for each in self.some(self.name) for word in (each, self.value())]
        seconds = str(next(self.ends))
        condition = self.random.choice([[], ["NX"], ["XX"], ["GT"], ["LT"]])
        return self.random.choice([
            ["GET", key], ["SET", key, value, *self.end()], ["SETNX", key, value], ["SETEX", key, seconds, value], ["GETSET", key, value],
            ["GETDEL", key], ["GETEX", key], ["GETEX", key, "EX", seconds], ["GETEX", key, "PERSIST"], ["APPEND", key, value], ["STRLEN", key],
            ["MGET", key, other], ["MSET", key, value, other, name], ["MSETNX", key, value, other, name], ["GETRANGE", key, number, number],
            ["SETRANGE", key, self.random.choice(["0", "1", "5", "-1", "x"]), value], ["INCR", key], ["DECR", key], ["INCRBY", key, number],
            ["DECRBY", key, number], ["INCRBYFLOAT", key, self.random.choice(["1.5", "-0.1", "3", "x", "1e3"])], ["DEL", key, other],
            ["UNLINK", key], ["EXISTS", key, other], ["TYPE", key], ["RENAME", key, other], ["RENAMENX", key, other], ["COPY", key, other],
            ["COPY", key, other, "REPLACE"], ["DBSIZE"], ["KEYS", "*"], ["TOUCH", key], ["EXPIRE", key, seconds, *condition],
            ["EXPIRE", key, self.random.choice(["0", "-5", "x"]), *condition], ["TTL", key], ["PTTL", key], ["PERSIST", key],
            ["EXPIRETIME", key], ["HSET", key, *pairs], ["HSET", key, *pairs], ["HSETNX", key, name, value], ["HGET", key, name],
            ["HMGET", key, *self.some(self.name)], ["HGETALL", key], ["HDEL", key, *self.some(self.name)], ["HLEN", key], ["HKEYS", key],
            ["HVALS", key], ["HEXISTS", key, name], ["HSTRLEN", key, name], ["HINCRBY", key, name, number],
            ["HINCRBYFLOAT", key, name, self.random.choice(["1.5", "-0.1", "x"])], ["HRANDFIELD", key, "10", "WITHVALUES"],
            ["SADD", key, *self.some(self.name)], ["SADD", key, *self.some(self.name)], ["SREM", key, *self.some(self.name)], ["SMEMBERS", key],
            ["SISMEMBER", key, name], ["SMISMEMBER", key, *self.some(self.name)], ["SCARD", key], ["SMOVE", key, other, name], ["SPOP", key, "10"],
            ["SRANDMEMBER", key, "10"], ["SINTER", key, other], ["SUNION", key, other], ["SDIFF", key, other], ["SINTERSTORE", key, other, self.key()],
            ["SUNIONSTORE", key, other, self.key()], ["SDIFFSTORE", key, other, self.key()], ["SINTERCARD", "2", key, other],
            ["HSCAN", key, "0"], ["SSCAN", key, "0"], ["SCAN", "0", "COUNT", "1000"], ["OBJECT", "ENCODING", key]])


def requests(seed, count):
    """Requests, now and then within a transaction and beside a watched key."""
    chance = Chance(seed)
    while count > 0:
        around = chance.random.random()
        inner = [chance.request() for _ in range(chance.random.randint(1, 4))]
        if around < 0.12:  # within one reply of a transaction times are not told apart from numbers
            inner = [request for request in inner if request[0].encode() not in TIMES]
        if around < 0.1:
            inner = [["WATCH", chance.key()], chance.request(), ["MULTI"], *inner, ["EXEC"]]
        elif around < 0.12:
            inner = [["MULTI"], *inner, ["DISCARD"]]
        elif around < 0.13:
            inner = [["FLUSHALL"]]
        yield from inner
        count -= len(inner)


def expect_alike(servers, seed, version, password=None):
    pair = Pair(servers, version)
    if password:
        assert pair.both[1].ask([b"AUTH", password]).kind == "+"
    pair.ask([b"FLUSHALL"])
    history = []
    for request in requests(seed, 1500):
        words = [word.encode() for word in request]
        history.append(" ".join(request))
        one, other = pair.ask(words)
        if words[0] in ORDERED and one.kind in "*%~" and one != other:
            # Only what is small is in order.
            encodings = pair.ask([b"OBJECT", b"ENCODING", words[1]])
            assert encodings[0] == encodings[1] and encodings[0].value == b"hashtable", f"seed {seed}, RESP{version}, after {history[-20:]}: {encodings}\n    {one}\n    {other}"
        assert is_same(words, one, other, pair.apart), f"seed {seed}, RESP{version}, after {history[-20:]}:\n    redis-server: {one}\n    meridian:     {other}"
    pair.close()


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_requests_by_chance_are_answered_as_redis_answers(redis_address, tier_address, seed, version):
    expect_alike([redis_address, tier_address], seed, version)


@pytest.mark.long
@pytest.mark.xdist_group("test_session_likeness_traces")
def test_traces_that_are_kept_for_a_data_center_that_is_away_are_not_seen(redis_address):
    settings = '[session]\npassword = "$SESSION_PASSWORD"\n[session.cache]\nprefix = "cache:"\n'
    with SessionTier(settings, {"SESSION_PASSWORD": "secret"}, others=["us-west"]) as tier:
        for seed in range(100, 120):
            expect_alike([redis_address, (tier.address, 6379)], seed, 2, b"secret")
