"""The balancer of a site with four threads: what holds for the process as a whole."""

import collections
import json
import os
import pathlib
import signal
import threading

import pytest

from background import Background, results
from http_connection import HttpConnection
from site_under_test import PYTHON_APP, Site, curl, wait_until

pytestmark = pytest.mark.covers("balancer")

HERE = "us-east"
THREADS = 4
PORT = 8000


def site_of(settings="", instances=2, app=PYTHON_APP):
    return Site(data_centers=(HERE,), app=app, instances=instances, extra=f"\n[balancer]\nthreads = {THREADS}\n{settings}\n")


def loops_of(site):
    """The directories in /proc of the balancer's loops: its main thread and those that bear the tier's name."""
    pid = site.tier(HERE, "balancer")["pid"]
    tasks = {path.name: path for path in pathlib.Path(f"/proc/{pid}/task").iterdir()}
    main = tasks.pop(str(pid))
    return [main, *(path for path in tasks.values() if (path / "comm").read_text().startswith("balancer-"))]


def wake_ups(task):
    """How often the thread has waited for something."""
    return int((task / "status").read_text().split("voluntary_ctxt_switches:")[1].split()[0])


def get(connection, path):
    connection.send(f"GET {path} HTTP/1.1\r\nHost: photos.example\r\n\r\n".encode())
    return connection.response()


class Load:
    """Clients of the balancer who ask for / again and again on connections that they keep, until the block ends."""

    def __init__(self, site, clients=8):
        self.address, self.clients = site.addresses[HERE], clients
        self.answers, self.failures = 0, []
        self.over = threading.Event()

    def ask(self):
        connection = None
        while not self.over.is_set():
            connection = connection or HttpConnection(self.address, port=PORT)
            try:
                answer = get(connection, "/")
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
                connection = None
                continue
            self.answers += 1
            if answer.status != 200:
                self.failures.append(answer.status)
            if answer.field("connection") == "close":
                connection = None

    def wait_for(self, count):
        wanted = self.answers + count
        wait_until(lambda: self.answers >= wanted, what=f"{count} more answers")

    def __enter__(self):
        self.threads = [Background(self.ask) for _ in range(self.clients)]
        return self

    def __exit__(self, *_):
        self.over.set()
        results(self.threads)


def test_requests_are_spread_over_the_threads_and_the_instances():
    with site_of() as site:
        loops = wait_until(lambda: len(found := loops_of(site)) == THREADS and found, what="all threads have names")
        before = [wake_ups(loop) for loop in loops]
        connections = [HttpConnection(site.addresses[HERE], port=PORT) for _ in range(2 * THREADS)]
        answered = collections.Counter(json.loads(get(each, "/").body)["instance"] for _ in range(20) for each in connections)
        # Each thread has two of the connections; a thread without one would wake up a few times a second.
        assert min(wake_ups(loop) - start for loop, start in zip(loops, before)) >= 20
        assert len(answered) == 2 and min(answered.values()) > sum(answered.values()) / 4
        counted = f'meridian_balancer_requests_total{{code="2xx"}} {sum(answered.values())}\n'
        wait_until(lambda: counted in curl(f"http://{site.addresses[HERE]}:18000/metrics")[2].decode(), what="all are counted")


def test_an_instance_never_has_more_requests_than_it_may_from_all_threads_together():
    clients, requests, most = 24, 25, 3
    with site_of(f"max_in_flight = {4 * most}") as site:  # a quarter of it is the balancer's

        def work():
            with HttpConnection(site.addresses[HERE], port=PORT) as connection:
                return [get(connection, "/work") for _ in range(requests)]

        answers = [answer for client in results([Background(work) for _ in range(clients)]) for answer in client]
        assert {answer.status for answer in answers} == {200}
        together = collections.Counter(json.loads(answer.body)["together"] for answer in answers)
        assert max(together) == most, together
        assert site.tier(HERE, "balancer").get("problem") is None


def test_instances_that_are_restarted_under_load_fail_no_request():
    with site_of() as site, Load(site) as load:
        for _ in range(2):
            for number in range(2):
                before = site.data_center(HERE)["instances"][number]
                site.run("instance", "restart", before["id"])

                def is_back(number=number, pid=before["pid"]):
                    now = site.data_center(HERE)["instances"][number]
                    return now["state"] == "healthy" and now["pid"] not in (0, pid)
                wait_until(is_back)
                load.wait_for(100)
    assert load.failures == []


def test_a_balancer_that_restarts_under_load_fails_no_request():
    with site_of() as site, Load(site) as load:
        load.wait_for(100)
        pid = site.tier(HERE, "balancer")["pid"]
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: site.tier(HERE, "balancer")["pid"] not in (0, pid), what="another balancer")
        load.wait_for(100)
        wait_until(lambda: len(loops_of(site)) == THREADS, what="it has all its threads")
    assert load.failures == []
