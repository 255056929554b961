"""SIGHUP, and terminals that close: no data center ends by accident, and what is in flight is answered."""

import contextlib
import os
import pty
import signal

import pytest

from background import Background
from site_under_test import MERIDIAN, PYTHON_APP, Site, curl, wait_until

pytestmark = pytest.mark.covers("agent", "site", "lab", "cli")


def lab_of(site):
    """The pid of `up`: what no other process of the site has as its child."""
    pids = site.processes()
    commands = {pid: open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0") for pid in pids}
    return next(pid for pid, command in commands.items() if b"up" in command)


def test_a_hangup_ends_nothing_and_a_request_in_flight_gets_its_answer(tmp_path):
    """It ended a data center at once, and all requests with it."""
    hold = tmp_path / "hold"
    hold.touch()
    app = PYTHON_APP + f'\nenvironment = {{ HOLD = "{hold}" }}'
    with Site(("us-east",), app=app) as site:
        east = site.addresses["us-east"]
        logs = site.state / "logs"
        asker = Background(lambda: curl(f"http://{east}:8080/slow")[0])
        wait_until(lambda: "received GET /slow" in (logs / "us-east/agent.log").read_text(), what="the request is at the application")
        guard, agent = site.guard_and_agent("us-east")
        tiers = {tier["name"]: tier["pid"] for tier in site.data_center("us-east")["tiers"]}
        for name, pid in {"lab": lab_of(site), "us-east/agent": guard, **{f"us-east/{name}": pid for name, pid in tiers.items()}}.items():
            os.kill(pid, signal.SIGHUP)
            wait_until(lambda name=name: "SIGHUP is ignored" in (logs / f"{name}.log").read_text(), what=f"{name} says so")
        os.kill(agent, signal.SIGHUP)
        wait_until(lambda: (logs / "us-east/agent.log").read_text().count("SIGHUP is ignored") == 2, what="the agent says so")
        hold.unlink()
        assert asker.result() == 200
        assert site.guard_and_agent("us-east") == (guard, agent)
        assert {tier["name"]: tier["pid"] for tier in site.data_center("us-east")["tiers"]} == tiers


def in_terminal(site, command):
    """Runs a shell's command in a terminal of its own: the shell's pid, and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        # The tests themselves may be run with SIGHUP ignored (nohup), which a shell passes on.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.execvpe("sh", ["sh", "-c", command], site.environment)
    return pid, terminal


def status_of(pid):
    """How a child ended, once it has."""
    ended = wait_until(lambda: (status := os.waitpid(pid, os.WNOHANG))[0] and status, what=f"process {pid} has ended")
    return ended[1]


def read_until(terminal, text):
    said = b""
    while text not in said:
        said += os.read(terminal, 4096)
    return said


def test_a_detached_lab_survives_its_terminal():
    site = Site(("us-east",), app=PYTHON_APP)
    try:
        shell, terminal = in_terminal(site, f"{MERIDIAN} up {site.file} --detach --state {site.state} && echo serves-now && exec sleep 1000")
        read_until(terminal, b"serves-now\r\n")
        os.close(terminal)
        assert os.WIFSIGNALED(status_of(shell))
        assert site.state_of("us-east") == "serving"
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
    finally:
        site.__exit__()


def test_a_lab_in_a_terminal_that_closes_goes_down_in_good_order():
    site = Site(("us-east",), app=PYTHON_APP)
    try:
        lab, terminal = in_terminal(site, f"exec {MERIDIAN} up {site.file} --state {site.state}")
        read_until(terminal, b"Ctrl-C.\r\n")
        os.close(terminal)
        status = status_of(lab)
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        assert site.processes() == []
        with contextlib.suppress(FileNotFoundError):
            assert list((site.state / "pids").iterdir()) == []
    finally:
        site.__exit__()
