"""The session tier by itself, with the clients that people have: redis-py and redis-cli."""

import contextlib
import pathlib
import signal
import socket

import pytest
import redis

from background import Background, results
from session_under_test import SessionTier
from site_under_test import wait_until

pytestmark = pytest.mark.covers("session")


@pytest.fixture(name="tier", scope="module")
def tier_in_memory():
    with SessionTier('[session]\ndurability = "memory"\n[session.cache]\nprefix = "cache:"\n') as tier:
        yield tier


@pytest.fixture(name="client")
def fresh_client(tier):
    client = tier.client()
    client.flushall()
    yield client
    client.close()


def test_session_store_of_a_web_framework(client):
    assert client.set("sess:1", '{"user":1}', ex=60)
    assert client.get("sess:1") == '{"user":1}'
    assert client.expire("sess:1", 600)
    assert 590 < client.ttl("sess:1") <= 600
    assert client.mget("sess:1", "sess:2") == ['{"user":1}', None]
    assert list(client.scan_iter(match="sess:*", count=1)) == ["sess:1"]
    assert client.delete("sess:1") == 1
    assert client.get("sess:1") is None


def test_session_hash_of_spring(client):
    client.hset("spring:session:1", mapping={"creationTime": "1", "attr:user": "x"})
    assert client.hgetall("spring:session:1") == {"creationTime": "1", "attr:user": "x"}
    assert client.hdel("spring:session:1", "attr:user", "creationTime") == 2
    assert not client.exists("spring:session:1")


def test_scan_finds_every_key(client):
    for i in range(2000):
        client.set(f"k:{i}", i)
    assert len(set(client.scan_iter(count=100))) == 2000
    assert client.dbsize() == 2000


def test_transaction_is_refused_when_a_watched_key_has_changed(client):
    client.set("stock", 1)
    with client.pipeline() as transaction:
        transaction.watch("stock")
        client.set("stock", 2)
        transaction.multi()
        transaction.set("stock", 3)
        with pytest.raises(redis.WatchError):
            transaction.execute()
    assert client.get("stock") == "2"


def test_one_expired_event_is_published(client):
    client.config_set("notify-keyspace-events", "Ex")
    listener = client.pubsub()
    listener.psubscribe("__keyevent@0__:*")
    assert listener.get_message(timeout=60)["type"] == "psubscribe"
    client.set("brief", "x", px=50)
    message = listener.get_message(timeout=60)
    assert (message["channel"], message["data"]) == ("__keyevent@0__:expired", "brief")
    listener.close()


def test_client_that_is_killed_notices(tier, client):
    with socket.create_connection((tier.address, 6379), timeout=90) as victim:
        victim.sendall(b"CLIENT ID\r\n")
        number = int(victim.recv(100)[1:])
        assert client.client_kill_filter(_id=number) == 1
        assert victim.recv(100) == b""


def test_redis_cli_speaks_both_versions(tier, client):
    client.hset("h", "f", "v")
    assert tier.cli("HGET", "h", "f") == "v"
    assert tier.cli("-3", "HGETALL", "h") == "f v"
    assert "Returns the string value of a key." in tier.cli("COMMAND", "DOCS", "GET")
    assert tier.cli("GET") == "ERR wrong number of arguments for 'get' command"


def test_protocol_error_is_answered_and_closes(tier):
    with socket.create_connection((tier.address, 6379), timeout=60) as connection:
        connection.sendall(b"*1\r\n:5\r\n" + b"PING\r\n" * 100)
        connection.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(4096), b""))
    assert said == b"-ERR Protocol error: expected '$', got ':'\r\n"


def test_large_value_arrives_whole(client):
    value = "x" * 5_000_000
    client.set("large", value)
    assert client.get("large") == value


def test_subscriber_that_does_not_read_is_cut_off(tier, client):
    with socket.create_connection((tier.address, 6379), timeout=90) as deaf:
        deaf.sendall(b"SUBSCRIBE news\r\n")
        assert b"subscribe" in deaf.recv(4096)
        wait_until(lambda: client.publish("news", "x" * 1_000_000) == 0, what="the subscriber is cut off")
    assert client.ping()


def test_password_is_asked_for():
    settings = '[session]\ndurability = "memory"\npassword = "$SESSION_PASSWORD"\n[session.users]\napp = "$APP_PASSWORD"\n'
    with SessionTier(settings, {"SESSION_PASSWORD": "secret", "APP_PASSWORD": "other"}) as tier:
        with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
            tier.client().ping()
        with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
            tier.client(password="wrong").ping()
        assert tier.client(password="secret").ping()
        assert tier.client(username="app", password="other").ping()
        assert "secret" not in (tier.folder / "log").read_text()


def test_silent_connections_do_not_lock_the_application_out():
    settings = '[session]\ndurability = "memory"\npassword = "$SESSION_PASSWORD"\nmax_clients = 20\n'
    with SessionTier(settings, {"SESSION_PASSWORD": "secret"}) as tier, contextlib.ExitStack() as silent:
        for _ in range(40):
            silent.enter_context(socket.create_connection((tier.address, 6379), timeout=90))
        last = silent.enter_context(socket.create_connection((tier.address, 6379), timeout=90))
        assert tier.client(password="secret").ping()
        assert last.recv(100).startswith(b"-NOAUTH no authentication came in time"), "it is closed after 5 s"


def test_http_request_of_a_browser_executes_nothing(tier, client):
    def lines():
        return [line for line in (tier.folder / "log").read_text().splitlines() if "an HTTP request came" in line]
    for head in (b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: sessions.example\r\n"):
        with socket.create_connection((tier.address, 6379), timeout=90) as browser:
            with contextlib.suppress(ConnectionError):
                browser.sendall(head + b"Content-Type: text/plain\r\n\r\nSET stolen yes\r\n")
                browser.recv(4096)
            with contextlib.suppress(ConnectionError):
                assert browser.recv(4096) == b""
    assert not client.exists("stolen")
    wait_until(lines, what="the log says so")
    assert len(lines()) == 1 and '"peer":"127.' in lines()[0]


def test_drained_tier_answers_what_it_was_asked_and_leaves():
    # Three times what the kernel takes from the tier for a client that does not read: most of the answer is still the tier's.
    value = b"x" * (3 * int(pathlib.Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2]))
    with SessionTier('[session]\ndurability = "memory"\n') as own, socket.socket() as asker:
        own.client().set("large", value)
        asker.settimeout(90)
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        asker.connect((own.address, 6379))
        asker.sendall(b"GET large\r\n")
        said = asker.recv(1)
        own.process.send_signal(signal.SIGTERM)
        wait_until(own.refuses, what="no new connection is served")
        assert own.process.poll() is None, "it has left before its answer was taken"
        said += b"".join(iter(lambda: asker.recv(1 << 20), b""))
        assert said == b"$%d\r\n%s\r\n" % (len(value), value)
        assert own.process.wait(90) == 0


class Writers:
    """Clients that write until the tier is gone, and remember what was acknowledged."""

    def __init__(self, tier, life):
        self.acknowledged = {}
        self.threads = [Background(self.write, tier, f"{life}:{number}") for number in range(4)]

    def write(self, tier, name):
        client = tier.client()
        with contextlib.suppress(redis.ConnectionError):
            for i in range(1_000_000):
                client.set(f"k:{name}:{i % 50}", str(i), ex=1000)
                self.acknowledged[f"k:{name}:{i % 50}"] = i

    def join(self):
        results(self.threads)


@pytest.mark.slow
def test_kill_under_load_loses_nothing_acknowledged():
    with SessionTier() as tier:
        acknowledged = {}
        for life in range(20):
            writers = Writers(tier, life)
            wait_until(lambda w=writers: len(w.acknowledged) > 100, what="writes are acknowledged")
            tier.kill()
            writers.join()
            acknowledged.update(writers.acknowledged)
            tier.start()
            client = tier.client()
            keys = list(acknowledged)
            for key, value in zip(keys, client.mget(keys)):
                assert value is not None and int(value) >= acknowledged[key], key
            assert 0 < client.ttl(keys[0]) <= 1000


@pytest.mark.slow
def test_sigterm_under_load_loses_nothing_acknowledged():
    with SessionTier() as tier:
        acknowledged = {}
        for life in range(5):
            writers = Writers(tier, life)
            wait_until(lambda w=writers: len(w.acknowledged) > 100, what="writes are acknowledged")
            tier.kill(signal.SIGTERM)
            assert tier.process.returncode == 0
            writers.join()
            acknowledged.update(writers.acknowledged)
            tier.start()
            keys = list(acknowledged)
            for key, value in zip(keys, tier.client().mget(keys)):
                assert value is not None and int(value) >= acknowledged[key], key


def test_sigterm_answers_what_has_come_and_closes_idle_connections():
    with SessionTier() as tier:
        address = (tier.address, 6379)
        with socket.create_connection(address, timeout=90) as idle, socket.create_connection(address, timeout=90) as busy:
            idle.sendall(b"PING\r\n")
            assert idle.recv(100) == b"+PONG\r\n"
            busy.sendall(b"INCR n\r\n" * 20000)
            said = busy.recv(1)
            tier.process.send_signal(signal.SIGTERM)
            said += b"".join(iter(lambda: busy.recv(65536), b""))
            assert said == b"".join(b":%d\r\n" % (i + 1) for i in range(20000))
            assert idle.recv(100) == b""
        assert tier.process.wait(90) == 0
        tier.start()
        assert tier.client().get("n") == "20000"


def test_restart_brings_back_every_type():
    with SessionTier() as tier:
        client = tier.client()
        client.set("text", "x" * 9_000_000)
        client.incrby("count", 5)
        client.hset("hash", mapping={"a": "1", "b": "2"})
        client.sadd("set", "m", "n")
        client.set("deleted", "x")
        client.delete("deleted")
        client.rename("hash", "renamed")
        tier.kill()
        tier.start()
        client = tier.client()
        assert client.incr("count") == 6
        assert client.hgetall("renamed") == {"a": "1", "b": "2"}
        assert client.smembers("set") == {"m", "n"}
        assert len(client.get("text")) == 9_000_000
        assert sorted(client.keys()) == ["count", "renamed", "set", "text"]
