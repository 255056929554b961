"""A process that hangs is as bad as one that is dead: it is noticed, visitors go elsewhere, and it is replaced."""

import contextlib
import os
import signal
import subprocess

import pytest

from site_under_test import PYTHON_APP, Site, wait_until

pytestmark = [pytest.mark.covers("agent", "dns"), pytest.mark.long]


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def is_answered(site, name, at):
    return site.addresses[name] in site.dig(site.domain, at=at)


@pytest.mark.parametrize("tier", ["session", "queue", "balancer", "edge", "dns"])
def test_a_tier_that_hangs_is_said_to_and_is_killed_and_started_again(tier):
    """It was "ready" in status for minutes, every sign-in hung, and dns went on sending visitors."""
    with Site(app=PYTHON_APP, extra='\n[agent]\nhung_timeout = "25s"\n[queue]\n') as site:
        site.wait_for_answers()
        before = site.tier("us-east", tier)
        with stopped(before["pid"]):
            hung = wait_until(lambda: (now := site.tier("us-east", tier))["state"] == "hung" and now, what=f"{tier} is hung")
            assert "hung_timeout" in hung["problem"]
            assert tier in site.data_center("us-east")["problem"]
            # Visitors do without the balancer of their own data center.
            serves = site.addresses["us-east" if tier == "balancer" else "us-west"]
            for at in site.addresses:
                if tier != "dns" or at != "us-east":
                    wait_until(lambda at=at: site.dig(site.domain, subnet="198.51.100.1/32", at=at) == [serves], what=f"{at} sends visitors to {serves}")

            def replaced():
                now = site.tier("us-east", tier)
                return now["state"] == "ready" and now["pid"] != before["pid"]

            wait_until(replaced, what=f"{tier} is started again")
        wait_until(lambda: "problem" not in site.data_center("us-east"), what="us-east is available")
        site.wait_for_answers()


def test_a_tier_that_a_debugger_holds_is_not_killed():
    with Site(("us-east",), app=PYTHON_APP, extra='\n[agent]\nhung_timeout = "6s"\n') as site:
        pid = site.tier("us-east", "session")["pid"]
        # Attaches, and so stops, every thread of the tier until it is told to end.
        holder = subprocess.Popen(["/usr/bin/python3", "-c", HOLD, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout.readline() == "held\n"
            wait_until(lambda: "debugger" in site.tier("us-east", "session").get("problem", ""), what="the debugger is seen")
            assert site.tier("us-east", "session")["pid"] == pid
        finally:
            holder.communicate("let go\n", timeout=60)
        wait_until(lambda: site.tier("us-east", "session")["state"] == "ready", what="it answers again")
        assert site.tier("us-east", "session")["pid"] == pid


HOLD = """
import ctypes, os, sys
libc, pid = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])
assert libc.ptrace(16, pid, None, None) == 0, os.strerror(ctypes.get_errno())  # PTRACE_ATTACH
os.waitpid(pid, 0x40000000)  # __WALL
print("held", flush=True)
sys.stdin.readline()
"""


def test_an_instance_that_hangs_is_replaced_while_another_serves():
    app = PYTHON_APP + '\nunhealthy_timeout = "2s"\nstop_timeout = "1s"'
    with Site(("us-east",), app=app) as site:
        before = site.data_center("us-east")["instances"]
        with stopped(before[0]["pid"]):
            def replaced():
                now = site.data_center("us-east")["instances"]
                return now[0]["pid"] != before[0]["pid"] and now[0]["state"] == "healthy"

            wait_until(replaced, what="the instance is replaced")
        assert site.data_center("us-east")["instances"][1]["pid"] == before[1]["pid"]


def test_instances_that_are_all_unhealthy_are_not_all_replaced_at_once(tmp_path):
    unhealthy = tmp_path / "unhealthy"
    app = PYTHON_APP + f'\nunhealthy_timeout = "3s"\nenvironment = {{ UNHEALTHY = "{unhealthy}" }}'
    with Site(("us-east",), app=app, instances=3) as site:
        def pids():
            return [each["pid"] for each in site.data_center("us-east")["instances"]]

        before = pids()
        unhealthy.touch()
        try:
            wait_until(lambda: pids() != before, what="one is tried")
            assert sum(new != old for new, old in zip(pids(), before)) == 1
        finally:
            unhealthy.unlink()
        wait_until(lambda: all(each["state"] == "healthy" for each in site.data_center("us-east")["instances"]), what="all are healthy")
