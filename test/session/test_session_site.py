"""The session tier in a site: what applications are given, and a store that is somebody else's."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile

import pytest
import redis

from site_under_test import PROCESS_PORT, Address, Site, curl, wait_until

pytestmark = pytest.mark.covers("session")


def redis_url(site, data_center):
    """What an instance of the application has in its environment."""
    pid = site.data_center(data_center)["instances"][0]["pid"]
    variables = (pathlib.Path("/proc") / str(pid) / "environ").read_text().split("\0")
    return next(line.partition("=")[2] for line in variables if line.startswith("REDIS_URL="))


def session_client(site, data_center):
    return redis.from_url(redis_url(site, data_center), decode_responses=True, socket_timeout=90)


class Visitor:
    """Somebody with a cookie jar."""

    def __init__(self, site):
        self.site = site
        self.jar = site.folder / "cookies"

    def ask(self, data_center, path, *options):
        # Cookies are kept by name, so that they go to every data center of the site.
        address = self.site.addresses[data_center]
        return curl(f"http://{self.site.domain}:8080{path}", "--resolve", f"{self.site.domain}:8080:{address}",
                    "-c", str(self.jar), "-b", str(self.jar), *options)

    def sign_in(self, data_center, name):
        status, _, body = self.ask(data_center, "/sign-in", "-d", f"name={name}")
        assert status == 303, body

    def name_at(self, data_center):
        status, _, body = self.ask(data_center, "/")
        assert status == 200, body
        text = body.decode()
        return text.partition("Hello, <strong>")[2].partition("<")[0] or None


@contextlib.contextmanager
def redis_server():
    """The one of the distribution: its address, its port, and a client."""
    with Address() as address, tempfile.TemporaryDirectory(prefix="meridian-test-") as folder:
        process = subprocess.Popen(["redis-server", "--port", str(PROCESS_PORT), "--bind", address, "--protected-mode", "no", "--dir", folder,
                                    "--save", ""], stdout=subprocess.DEVNULL)
        client = redis.Redis(host=address, port=PROCESS_PORT, decode_responses=True)

        def answers():
            assert process.poll() is None, "redis-server has ended"
            with contextlib.suppress(redis.ConnectionError):
                return client.ping()

        try:
            wait_until(answers, what="redis-server answers")
            yield address, PROCESS_PORT, client
        finally:
            process.terminate()
            process.wait(90)


@pytest.fixture(name="site", scope="module")
def one_data_center():
    with Site(data_centers=["us-east"]) as site:
        yield site


def test_application_is_given_a_store_with_a_password(site):
    url = redis_url(site, "us-east")
    assert url.startswith("redis://:")
    assert redis.from_url(url).ping()
    with pytest.raises((redis.AuthenticationError, redis.ResponseError)):
        redis.Redis(host=site.addresses["us-east"]).ping()
    assert (site.tier("us-east", "session")["state"], site.tier("us-east", "session")["port"]) == ("ready", 6379)


def test_sign_in_is_every_instances_and_ends_for_all(site):
    visitor = Visitor(site)
    visitor.sign_in("us-east", "Ada")
    assert {visitor.name_at("us-east") for _ in range(10)} == {"Ada"}
    [key] = session_client(site, "us-east").keys("photos:*")
    assert session_client(site, "us-east").ttl(key) > 6 * 24 * 3600
    visitor.ask("us-east", "/sign-out", "-d", "")
    assert {visitor.name_at("us-east") for _ in range(10)} == {None}


def test_tier_that_is_killed_comes_back_with_its_sessions(site):
    visitor = Visitor(site)
    visitor.sign_in("us-east", "Grace")
    before = site.tier("us-east", "session")["pid"]
    subprocess.run(["kill", "-9", str(before)], check=True)
    wait_until(lambda: (now := site.tier("us-east", "session"))["pid"] not in (0, before) and now["state"] == "ready", what="it is started again")
    assert visitor.name_at("us-east") == "Grace"


def test_external_store_is_handed_out_and_none_is_run():
    with contextlib.ExitStack() as stack:
        address, port, client = stack.enter_context(redis_server())
        url = f"redis://{address}:{port}"
        site = stack.enter_context(Site(data_centers=["us-east"], extra=f'[session]\nexternal = "{url}"\n'))
        assert redis_url(site, "us-east") == url
        tier = site.tier("us-east", "session")
        assert (tier["state"], tier["url"], tier["pid"]) == ("external", url, 0)
        assert url in site.run("status").stdout
        with pytest.raises(OSError):
            socket.create_connection((site.addresses["us-east"], 6379), timeout=60)
        visitor = Visitor(site)
        visitor.sign_in("us-east", "Ada")
        assert visitor.name_at("us-east") == "Ada"
        assert len(client.keys("photos:*")) == 1


def snapshot_files(site):
    return sorted(path.name for path in site.state.rglob("session-us-east/snapshots/*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk needs root")
def test_snapshot_that_does_not_fit_leaves_the_disk_its_reserve_and_the_log_its_writes():
    """It filled the disk to the last byte, left its file there, and began again each second."""
    site = Site(data_centers=["us-east"])
    site.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=350m,mode=0700", "tmpfs", str(site.state)], check=True, timeout=90)
    try:
        with site, session_client(site, "us-east") as client:
            def free_bytes():
                disk = os.statvfs(site.state)
                return disk.f_bavail * disk.f_frsize

            def told():
                return site.tier("us-east", "session").get("problem", "")

            least = free_bytes()
            written = {}
            for number in range(90):  # 280 MiB of log; 110 MiB of keys
                with client.pipeline(transaction=False) as pipeline:
                    for part in range(50):
                        key = f"k{(number * 50 + part) % 1750}"
                        pipeline.set(key, f"{number} " + "x" * 65_536)
                    replies = pipeline.execute(raise_on_error=False)
                for part, reply in enumerate(replies):
                    if reply is True:
                        written[f"k{(number * 50 + part) % 1750}"] = f"{number} "
                least = min(least, free_bytes())
                if "no room for" in told():
                    break
            wait_until(lambda: "no room for" in told() and "free space" in told(), what="status says so")
            assert least > 15 << 20, least
            assert snapshot_files(site) == []
            subprocess.run(["mount", "-o", "remount,size=900m", str(site.state)], check=True, timeout=90)
            wait_until(lambda: not told() and snapshot_files(site), what="the snapshot is written")
            assert client.set("after", "1")
            assert all(client.getrange(key, 0, len(start) - 1) == start for key, start in written.items())
    finally:
        subprocess.run(["umount", "-l", str(site.state)], check=False, timeout=90)
