"""Instances of the application that come and go under load, and visitors who leave before their answer."""

import collections
import contextlib
import json
import os
import signal
import socket
import threading

import pytest

from background import Background, results
from http_connection import HttpConnection
from site_under_test import ROOT, Site, wait_until, whole_lines

pytestmark = pytest.mark.covers("agent", "balancer")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
VISITORS = 8


@pytest.fixture(name="hold")
def held_file(tmp_path):
    """/slow answers when it is gone."""
    path = tmp_path / "hold"
    path.touch()
    return path


def holding(hold):
    return f'{APP}\nenvironment = {{ HOLD = "{hold}" }}'


class Load:
    """Visitors who ask one thing after the other on connections that they keep: `answers` counts
    them by status, 0 for none. While the block lasts."""

    def __init__(self, address, posts=True):
        self.address = address
        self.methods = ["GET", "POST"] if posts else ["GET"]
        self.answers = {method: collections.Counter() for method in self.methods}
        self.over = threading.Event()

    def __enter__(self):
        self.threads = [Background(self._visit, i) for i in range(VISITORS)]
        try:
            self.wait_for_more()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.over.set()
        results(self.threads)

    def _visit(self, number):
        connection = None
        while not self.over.is_set():
            method = self.methods[number % len(self.methods)]
            status = 0
            with contextlib.suppress(OSError, EOFError):
                connection = connection or HttpConnection(self.address)
                connection.request(method, "/", body=b"x" if method == "POST" else b"")
                response = connection.response()
                status = response.status
                if response.field("connection") == "close":
                    connection = None
            if not status:
                connection = None
            self.answers[method][status] += 1

    def served(self):
        return sum(counter[200] for counter in self.answers.values())

    def wait_for_more(self, count=300):
        """Until so many further requests are answered."""
        goal = self.served() + count
        wait_until(lambda: self.served() >= goal, what=f"{count} more requests are served: {self.answers}")

    def failed(self, method):
        return sum(count for status, count in self.answers[method].items() if status != 200)


def instance(site, number, data_center="us-east"):
    return site.data_center(data_center)["instances"][number]


def wait_for_another(site, number, pid):
    """The pid of its next process, once that is healthy."""
    def healthy():
        now = instance(site, number)
        return now["state"] == "healthy" and now["pid"] not in (0, pid) and now["pid"]
    return wait_until(healthy, what=f"instance {number} runs anew")


def seen_by(site, text):
    """The numbers of the instances that printed `text`, once for each time."""
    lines = [line for path in (site.state / "logs").rglob("*.log") for line in whole_lines(path)]
    return [json.loads(line)["instance"].rpartition("-")[2] for line in lines if '"output"' in line and text in line]


def test_instances_that_are_restarted_one_after_the_other_fail_no_request():
    with Site(app=APP, data_centers=("us-east",)) as site, Load(site.addresses["us-east"]) as load:
        for _ in range(2):
            for number in range(2):
                before = instance(site, number)
                site.run("instance", "restart", before["id"])
                wait_for_another(site, number, before["pid"])
                load.wait_for_more()
    assert load.failed("GET") == 0 and load.failed("POST") == 0, load.answers


def test_a_request_that_is_at_an_instance_when_it_is_to_restart_gets_its_answer(hold):
    with Site(app=holding(hold), data_centers=("us-east",)) as site:
        with HttpConnection(site.addresses["us-east"]) as visitor:
            visitor.request("POST", "/slow")
            number = wait_until(lambda: [int(each) - 1 for each in seen_by(site, "POST /slow")])[0]
            before = instance(site, number)
            site.run("instance", "restart", before["id"])
            now = instance(site, number)
            assert (now["state"], now["pid"]) == ("draining", before["pid"])
            # The application dies of SIGTERM at once: so it has not got any.
            hold.unlink()
            assert visitor.response().body == b"at last\n"
        wait_for_another(site, number, before["pid"])


def test_the_only_healthy_instance_is_not_restarted():
    with Site(app=APP, data_centers=("us-east",), instances=1) as site:
        before = instance(site, 0)
        refused = site.run("instance", "restart", before["id"], check=False)
        assert refused.returncode == 1 and "no other instance is healthy" in refused.stderr
        unknown = site.run("instance", "restart", "us-east-9", check=False)
        assert unknown.returncode == 1 and "no instance us-east-9" in unknown.stderr
        nowhere = site.run("instance", "restart", "mars-1", check=False)
        assert nowhere.returncode == 2 and 'no instance "mars-1"' in nowhere.stderr
        # What the tiers report of it may have come meanwhile.
        after = instance(site, 0)
        assert (after["pid"], after["state"]) == (before["pid"], before["state"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_an_instance_that_dies_fails_no_get_and_only_those_posts_that_it_had(how):
    with Site(app=APP, data_centers=("us-east",)) as site, Load(site.addresses["us-east"]) as load:
        before = instance(site, 0)
        os.kill(before["pid"], how)
        wait_for_another(site, 0, before["pid"])
        load.wait_for_more()
    assert load.failed("GET") == 0, load.answers
    # One for each connection that the balancer kept to it. They end one after the other, and a visitor whose POST
    # failed with one may have the next sent on another that has not ended yet.
    assert load.failed("POST") <= VISITORS, load.answers


def test_a_data_center_that_drains_and_returns_under_load_fails_no_request():
    with Site(app=APP) as site, Load(site.addresses["us-east"]) as load:
        site.run("dc", "drain", "us-east")
        load.wait_for_more()
        site.run("dc", "undrain", "us-east")
        load.wait_for_more()
    assert load.failed("GET") == 0 and load.failed("POST") == 0, load.answers


@pytest.mark.long
@pytest.mark.slow
def test_a_closed_tab_takes_its_request_from_the_instance(hold):
    with Site(app=holding(hold), data_centers=("us-east",)) as site:
        with HttpConnection(site.addresses["us-east"]) as visitor:
            visitor.request("GET", "/slow")
            wait_until(lambda: seen_by(site, "GET /slow"))
        wait_until(lambda: seen_by(site, "abandoned /slow"), what="the instance is told")


def test_a_visitor_who_has_only_said_that_no_more_comes_gets_the_answer(hold):
    with Site(app=holding(hold), data_centers=("us-east",)) as site:
        with HttpConnection(site.addresses["us-east"]) as visitor:
            visitor.request("GET", "/slow")
            visitor.socket.shutdown(socket.SHUT_WR)
            wait_until(lambda: seen_by(site, "GET /slow"))
            hold.unlink()
            assert visitor.response().body == b"at last\n"
