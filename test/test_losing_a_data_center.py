"""Kill, start, drain; tiers and instances that die: what visitors notice."""

import json
import os
import pathlib
import signal
import subprocess
import threading

import pytest

from background import Background
from http_connection import HttpConnection
from site_under_test import ROOT, Site, curl, finish_visits, wait_until

pytestmark = pytest.mark.covers("agent", "lab")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'
NEW_YORK = "198.51.100.0/24"
OREGON = "203.0.113.0/24"


def answers(site, subnet, at):
    return site.dig(site.domain, subnet=subnet, at=at)


def url(site):
    return f"http://{site.domain}/"


@pytest.mark.long
def test_visitors_move_when_a_data_center_is_killed_and_come_back_when_it_starts():
    with Site(app=APP, wan=True) as site:
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        assert answers(site, NEW_YORK, "us-west") == [east]
        visits = [site.start_visits("--from", place, url(site), "--repeat", "250", "--every", "30ms") for place in ("new-york", "oregon")]
        site.run("dc", "kill", "us-east")
        wait_until(lambda: answers(site, NEW_YORK, "us-west") == [west], 5, "us-east has left the answers")
        assert site.state_of("us-east") == "down"
        # Whoever looks the name up from now on is served, also without a second try.
        after = site.start_visits("--from", "new-york", url(site), "--repeat", "50", "--every", "20ms", "--no-fallback")
        assert finish_visits(after)["failed"] == 0
        for process in visits:
            summary = finish_visits(process)
            assert summary["requests"] == 250
            assert summary["failed"] == 0
        site.run("dc", "start", "us-east")
        site.wait_for_state("us-east", "serving")
        wait_until(lambda: answers(site, NEW_YORK, "us-west") == [east], what="us-east is back in the answers")


@pytest.mark.long
def test_draining_fails_no_request():
    with Site(app=APP, wan=True, extra='\n[dns]\nttl = "1s"\n') as site:
        east, west = site.addresses["us-east"], site.addresses["us-west"]
        visits = site.start_visits("--from", "new-york", url(site), "--repeat", "400", "--every", "25ms", "--no-fallback")
        site.run("dc", "drain", "us-east")
        wait_until(lambda: answers(site, NEW_YORK, "us-east") == [west], what="us-east has left its own answers")
        wait_until(lambda: answers(site, NEW_YORK, "us-west") == [west], what="us-east has left us-west's answers")
        assert curl(f"http://{east}:8080/.meridian/ready")[0] == 503
        code, _, body = curl(f"http://{east}:8080/")
        assert code == 200 and json.loads(body)["dc"] == "us-west"
        assert site.state_of("us-east") in ("draining", "drained")
        summary = finish_visits(visits)
        assert summary["failed"] == 0
        site.wait_for_state("us-east", "drained")
        site.run("dc", "undrain", "us-east")
        site.wait_for_state("us-east", "serving")
        wait_until(lambda: answers(site, NEW_YORK, "us-west") == [east], what="us-east is back in the answers")


@pytest.mark.long
def test_a_data_center_was_drained_with_kept_connections_in_use_and_requests_going_on(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    app = APP + f'\nenvironment = {{ HOLD = "{hold}" }}'
    with Site(app=app, extra='\n[dns]\nttl = "1s"\n') as site:
        kept, slow = (HttpConnection(site.addresses["us-east"]) for _ in range(2))
        kept.request("GET", "/")
        assert kept.response().field("connection") is None
        slow.request("GET", "/slow", "Cache-Control: no-store")
        wait_until(lambda: ", 1 in flight" in site.run("status").stdout, what="the slow request is there")
        site.run("dc", "drain", "us-east")
        kept.request("GET", "/")
        assert kept.response().field("connection") == "close"
        # us-west has no request: when it is drained, us-east, which began earlier, would be too.
        site.run("dc", "drain", "us-west")
        site.wait_for_state("us-west", "drained")
        assert site.state_of("us-east") == "draining"
        hold.unlink()
        assert slow.response().status == 200
        site.wait_for_state("us-east", "drained")
        for name in site.addresses:
            site.run("dc", "undrain", name)
            site.wait_for_state(name, "serving")

        def is_kept():
            with HttpConnection(site.addresses["us-east"]) as again:
                again.request("GET", "/")
                return again.response().field("connection") is None

        wait_until(is_kept, what="the edge has heard of it")


class Asker:
    """Asks one question after the other in a thread, and counts those that got no good answer."""

    def __init__(self, ask):
        self.ask = ask
        self.asked = self.failed = 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            self.asked += 1
            self.failed += not self.ask()

    def __enter__(self):
        self.thread = Background(self.run)
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.result()


@pytest.mark.parametrize("tier", ["dns", "edge", "balancer"])
def test_killing_one_tier_fails_only_what_was_inside_it(tier):
    with Site(app=APP, wan=True) as site:
        east = site.addresses["us-east"]
        ask = {
            "dns": lambda: answers(site, NEW_YORK, "us-east") == [east],
            "edge": lambda: curl(f"http://{east}:8080/")[0] == 200,
            "balancer": lambda: curl(f"http://{east}:8080/")[0] == 200,
        }[tier]
        kills = 4
        with Asker(ask) as asker:
            for _ in range(kills):
                before = asker.asked
                wait_until(lambda: asker.asked > before + 5)
                pid = site.tier("us-east", tier)["pid"]
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: site.tier("us-east", tier)["pid"] not in (0, pid), what=f"{tier} runs again")
            before = asker.asked
            wait_until(lambda: asker.asked > before + 5)
        # One at a time was inside; GETs that a dead balancer had are sent again by the edge.
        assert asker.failed <= (0 if tier == "balancer" else kills)
        wait_until(lambda: site.tier("us-east", tier)["state"] == "ready")
        assert site.state_of("us-east") == "serving"


def test_killing_an_idle_instance_fails_nothing():
    with Site(app=APP, wan=True) as site:
        edge = f"http://{site.addresses['us-east']}:8080/"
        for _ in range(5):
            pid = json.loads(curl(edge)[2])["pid"]
            os.kill(pid, signal.SIGKILL)
            for _ in range(20):
                assert curl(edge)[0] == 200
            wait_until(lambda: all(i["state"] == "healthy" for i in site.data_center("us-east")["instances"]))


def test_an_instance_that_dies_inside_a_response_breaks_it_visibly():
    with Site(app=APP, wan=True) as site:
        for path in ("die", "die-chunked"):
            done = subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://{site.addresses['us-east']}:8080/{path}"], timeout=90, check=False)
            # 18: fewer bytes than announced; 56: the connection was reset.
            assert done.returncode in (18, 56), path
            wait_until(lambda: all(i["state"] == "healthy" for i in site.data_center("us-east")["instances"]))


def test_what_an_instance_left_behind_ends_before_its_next_start_and_others_children_stay():
    with Site(app=APP, wan=True) as site:
        def escape():
            port = instance["address"].rsplit(":", 1)[1]
            return int(curl(f"http://127.0.0.1:{port}/escape")[2])

        escaped = []
        for instance in site.data_center("us-east")["instances"]:
            escaped.append(escape())
        first = site.data_center("us-east")["instances"][0]["pid"]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: site.data_center("us-east")["instances"][0]["pid"] not in (0, first), what="it runs again")
        left = [pid for pid in escaped if pathlib.Path(f"/proc/{pid}").exists()]
        assert left == escaped[1:]


def test_a_guard_that_is_killed_leaves_no_pid_file():
    with Site(app=APP, wan=True) as site:
        pids = dict(line.split() for line in (site.state / "pids/us-east").read_text().splitlines())
        os.kill(int(pids["guard"]), signal.SIGKILL)
        wait_until(lambda: not (site.state / "pids/us-east").exists(), what="the pid file is gone")
        assert (site.state / "pids/us-west").exists()
        site.run("dc", "start", "us-east")
        assert (site.state / "pids/us-east").exists()


def test_no_descendant_outlives_its_agent_even_one_that_called_setsid():
    with Site(app=APP, wan=True) as site:
        escaped = int(curl(f"http://{site.addresses['us-east']}:8080/escape")[2])
        os.kill(escaped, 0)
        agent = site.data_center("us-east")["pid"]
        east = [pid for pid in site.processes() if b"us-east" in open(f"/proc/{pid}/cmdline", "rb").read()]
        assert agent in east
        os.kill(agent, signal.SIGKILL)

        def gone():
            return not any(os.path.exists(f"/proc/{pid}") for pid in [*east, escaped])

        wait_until(gone, what="everything of us-east has ended")
        site.wait_for_state("us-east", "down")
        assert site.state_of("us-west") == "serving"


def test_a_stopped_agent_leaves_its_tiers_serving():
    with Site(app=APP, wan=True) as site:
        agent = site.data_center("us-east")["pid"]
        os.kill(agent, signal.SIGSTOP)
        try:
            for _ in range(50):
                assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
            assert answers(site, NEW_YORK, "us-east") == [site.addresses["us-east"]]
        finally:
            os.kill(agent, signal.SIGCONT)


@pytest.mark.long
def test_without_a_healthy_instance_the_nearest_other_data_center_answers():
    with Site(app=APP + '\nenvironment = { UNHEALTHY = "unhealthy-$MERIDIAN_DC" }', instances=1) as site:
        # The instance of us-east is kept from coming back by a stop; its edge forwards to us-west.
        instance = json.loads(curl(f"http://{site.addresses['us-east']}:8080/")[2])
        os.kill(instance["pid"], signal.SIGSTOP)
        try:
            wait_until(lambda: site.data_center("us-east")["instances"][0]["state"] != "healthy")

            def path():
                code, headers, body = curl(f"http://{site.addresses['us-east']}:8080/", "-H", "Meridian-Debug: 1")
                return code == 200 and json.loads(body)["dc"] == "us-west" and headers["meridian-path"]

            # The edge hears of it after the status does.
            assert wait_until(path, what="us-west answers") == "edge=us-east datacenter=us-west instance=us-west-1"
        finally:
            os.kill(instance["pid"], signal.SIGCONT)


@pytest.mark.long
def test_no_healthy_instance_anywhere_is_503_with_retry_after():
    with Site(app=APP, instances=1) as site:
        pids = [json.loads(curl(f"http://{address}:8080/")[2])["pid"] for address in site.addresses.values()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: all(dc["instances"][0]["state"] != "healthy" for dc in site.status()["datacenters"]))
            answer = wait_until(lambda: (now := curl(f"http://{site.addresses['us-east']}:8080/"))[0] == 503 and now, what="the edge has heard of it")
            assert int(answer[1]["retry-after"]) > 0
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def test_requests_in_flight_finish_when_the_site_goes_down(tmp_path):
    hold = tmp_path / "hold"
    with Site(app=f'{APP}\nenvironment = {{ HOLD = "{hold}" }}') as site:
        hold.touch()
        try:
            reader = Background(curl, f"http://{site.addresses['us-east']}:8080/slow")
            log = site.state / "logs"
            wait_until(lambda: any("GET /slow" in path.read_text() for path in log.rglob("*.log")))
            down = Background(site.run, "down")
            wait_until(lambda: curl(f"http://{site.addresses['us-east']}:8080/.meridian/ready", timeout=2)[0] != 200)
            hold.unlink()
            status, _, body = reader.result()
            assert (status, body) == (200, b"at last\n")
            down.result()
        finally:
            hold.unlink(missing_ok=True)
