"""`meridian balancer --listen … --server …`: a balancer without a site, in front of servers of the test's own."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

from site_under_test import MERIDIAN, PROCESS_PORT, ROOT, THREADS, Address, curl, wait_until

pytestmark = pytest.mark.covers("balancer", "cli")

SERVER_PORT = 8081


class Balancer:
    """Two servers at a reserved address, at port 8081 and after it, and a balancer there that has `options` too."""

    def __init__(self, *options, servers=2):
        self.options = options
        self.ports = range(SERVER_PORT, SERVER_PORT + servers)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.address = stack.enter_context(Address())
            self.servers = {port: self.start_server(stack, port) for port in self.ports}
            for port in self.ports:
                wait_until(lambda at=port: curl(f"http://{self.address}:{at}/healthz")[0] == 200, what=f"the server at {port} answers")
            named = [word for port in self.ports for word in ("--server", f"{self.address}:{port}")]
            self.process = subprocess.Popen([MERIDIAN, "balancer", "--listen", f"{self.address}:{PROCESS_PORT}", *named, "--health", "/healthz",
                                             *(() if "--threads" in self.options else THREADS), *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(self.end)
            wait_until(lambda: self.get("/.meridian/ready")[0] == 200, what="the balancer answers")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)

    def start_server(self, stack, port):
        server = subprocess.Popen(["/usr/bin/python3", f"{ROOT}/test/support/app.py"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "HOST": self.address, "PORT": str(port)})
        stack.callback(server.wait)
        stack.callback(server.kill)
        return server

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(90) == 0

    def get(self, path, *options):
        status, _, body = curl(f"http://{self.address}:{PROCESS_PORT}{path}", *options)
        return status, body

    def pids(self, count=20):
        return {json.loads(self.get("/")[1])["pid"] for _ in range(count)}

    def metric(self, name):
        text = curl(f"http://{self.address}:{PROCESS_PORT + 10000}/metrics")[2].decode()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])


@pytest.fixture(scope="module")
def balancer():
    with Balancer() as both:
        yield both


def test_requests_go_to_every_server(balancer):
    # It is ready with the first that it has found healthy.
    wait_until(lambda: balancer.pids() == {server.pid for server in balancer.servers.values()}, what="both servers are used")


@pytest.mark.parametrize("threads", [1, 3])
def test_it_has_as_many_threads_as_the_command_line_says(threads):
    with Balancer("--threads", str(threads)) as alone:
        def loops():
            names = [(task / "comm").read_text().strip() for task in pathlib.Path(f"/proc/{alone.process.pid}/task").iterdir()]
            return [name for name in names if name.startswith("balancer-")]

        wait_until(lambda: len(loops()) >= threads - 1, what="all threads have names")
        assert len(loops()) == threads - 1  # besides the main thread
        wait_until(lambda: alone.pids() == {server.pid for server in alone.servers.values()}, what="both servers are used")


def test_nobody_is_believed_about_the_visitor(balancer):
    fields = dict(json.loads(balancer.get("/echo", "-H", "X-Forwarded-For: 6.6.6.6")[1])["headers"])
    assert fields["X-Forwarded-For"] != "6.6.6.6"


def test_a_proxy_that_the_command_line_names_is_believed_about_the_visitor():
    with Balancer("--forwarded-from", "127.0.0.0/8", servers=1) as alone:
        fields = dict(json.loads(alone.get("/echo", "-H", "X-Forwarded-For: 6.6.6.6")[1])["headers"])
        assert fields["X-Forwarded-For"] == "6.6.6.6"


def test_a_server_that_dies_fails_no_request():
    with Balancer() as alone:
        first, second = alone.servers.values()
        first.kill()
        first.wait()
        assert alone.pids() == {second.pid}
        assert alone.metric('meridian_balancer_requests_total{code="5xx"}') == 0


def test_without_a_living_server_the_answer_is_503():
    with Balancer(servers=1) as alone:
        alone.servers[SERVER_PORT].kill()
        alone.servers[SERVER_PORT].wait()
        assert alone.get("/")[0] == 503


@pytest.mark.parametrize(("arguments", "said"), [
    (["--listen", "127.0.0.1:50000", "--server", "127.0.0.1:1"], "--listen: a port is from 1 to 45535"),
    (["--listen", "127.0.0.1:8000", "--server", "localhost"], "--server: "),
    (["--listen", "127.0.0.1:8000", "--server", "127.0.0.1:1", "--health", "up"], "--health: a path begins with /"),
    (["--listen", "127.0.0.1:8000", "--server", "127.0.0.1:1", "--forwarded-from", "me"], "--forwarded-from: "),
    (["--listen", "127.0.0.1:8000", "--server", "127.0.0.1:1", "--threads", "0"], "--threads"),
    (["--listen", "127.0.0.1:8000"], "--listen requires --server"),
    (["--server", "127.0.0.1:1"], "--server requires --listen"),
    (["--server", "127.0.0.1:1", "--listen", "127.0.0.1:8000", "--dc", "us-east"], "exactly one of --server, --dc"),
])
def test_a_wrong_command_line_is_refused_with_the_reason(arguments, said):
    done = subprocess.run([MERIDIAN, "balancer", *arguments], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2 and said in done.stderr
