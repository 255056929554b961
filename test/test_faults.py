"""What operators meet: processes that hang instead of dying, commands at awkward moments, files edited under a running site."""

import os
import signal
import subprocess

import pytest

from site_under_test import MERIDIAN, ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("agent", "lab")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'


@pytest.mark.long
def test_a_balancer_that_hangs_costs_the_visitors_of_its_own_edge_nothing():
    with Site(app=APP) as site:
        balancer = site.tier("us-east", "balancer")["pid"]
        os.kill(balancer, signal.SIGSTOP)

        def served(data_center):
            status, fields, _ = curl(f"http://{site.addresses['us-east']}:8080/", "-H", "Meridian-Debug: 1", timeout=5)
            assert status == 200
            return fields["meridian-path"].startswith(f"edge=us-east datacenter={data_center}")

        try:
            assert served("us-east")
            wait_until(lambda: served("us-east") and site.tier("us-east", "balancer")["state"] == "hung", what="it is said to hang")
            assert served("us-east") and "other data centers forward nothing" in site.data_center("us-east")["problem"]
        finally:
            os.kill(balancer, signal.SIGCONT)
        assert served("us-east")


@pytest.mark.long
def test_of_an_agent_that_hangs_status_says_so_beside_what_is_known():
    with Site(app=APP) as site:
        _, agent = site.guard_and_agent("us-east")
        os.kill(agent, signal.SIGSTOP)
        try:
            east = site.data_center("us-east")
            assert (east["state"], {tier["state"] for tier in east["tiers"]}) == ("serving", {"ready"})
            assert "agent does not answer" in east["problem"]
            assert "agent does not answer" in site.run("status").stdout
            assert site.state_of("us-west") == "serving"
            done = site.run("dc", "drain", "us-east", check=False)
            assert done.returncode == 1 and "agent does not answer" in done.stderr
        finally:
            os.kill(agent, signal.SIGCONT)
        wait_until(lambda: "problem" not in site.data_center("us-east"), what="the agent answers again")


@pytest.mark.long
def test_a_lab_that_hangs_is_told_from_none_and_no_command_waits_for_ever():
    with Site(app=APP) as site:
        lab = int((site.state / "lock").read_text())
        os.kill(lab, signal.SIGSTOP)
        try:
            for arguments in (("dc", "kill", "us-east"), ("down",)):
                done = site.run(*arguments, check=False)
                assert done.returncode == 1
                assert f"kill -CONT {lab}" in done.stderr, done.stderr
        finally:
            os.kill(lab, signal.SIGCONT)
        assert site.state_of("us-east") == "serving"


def test_a_data_center_is_killed_though_its_guard_is_stopped():
    with Site(app=APP) as site:
        guard, _ = site.guard_and_agent("us-east")
        os.kill(guard, signal.SIGSTOP)
        site.run("dc", "kill", "us-east")
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 0
        assert site.state_of("us-east") == "down"
        site.run("dc", "start", "us-east")
        assert site.state_of("us-east") == "serving"


def test_a_data_center_is_killed_though_its_guard_died_while_its_agent_was_stopped():
    with Site(app=APP) as site:
        guard, agent = site.guard_and_agent("us-east")
        os.kill(agent, signal.SIGSTOP)
        os.kill(guard, signal.SIGKILL)
        site.run("dc", "kill", "us-east")
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 0
        site.run("dc", "start", "us-east")
        assert site.state_of("us-west") == "serving"


def test_a_running_site_goes_by_the_file_that_it_was_brought_up_with():
    with Site(app=APP) as site:
        with open(site.file, "a", encoding="utf-8") as file:
            file.write("\nx = = 1\n")
        edge = site.tier("us-east", "edge")["pid"]
        os.kill(edge, signal.SIGKILL)
        wait_until(lambda: site.tier("us-east", "edge")["state"] == "ready" and site.tier("us-east", "edge")["pid"] != edge)
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
        site.run("dc", "kill", "us-east")
        site.run("dc", "start", "us-east")
        site.run("down")
        assert site.processes() == []


def starting(site):
    """`up --detach` of a site whose application never becomes healthy, in a process group of its own, once it has begun."""
    up = subprocess.Popen([MERIDIAN, "up", str(site.file), "--detach", "--state", str(site.state)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=site.environment, start_new_session=True)
    wait_until(lambda: (site.state / "pids/us-east").exists() and (site.state / "lab.sock").exists())
    return up


def test_down_ends_a_site_that_is_still_starting():
    site = Site(app='command = ["sleep", "1000"]')
    try:
        up = starting(site)
        site.run("down")
        up.communicate(timeout=90)
        assert up.returncode != 0
        assert site.processes() == []
    finally:
        site.__exit__()


def test_interrupting_a_detached_up_while_it_starts_leaves_nothing():
    site = Site(app='command = ["sleep", "1000"]')
    try:
        up = starting(site)
        os.killpg(up.pid, signal.SIGINT)
        up.communicate(timeout=90)
        assert up.returncode != 0
        wait_until(lambda: site.processes() == [], what="nothing of it runs")
    finally:
        site.__exit__()


def test_silence_of_an_agent_does_not_move_its_visitors():
    with Site(app=APP) as site:
        _, agent = site.guard_and_agent("us-east")
        os.kill(agent, signal.SIGSTOP)
        try:
            wait_until(lambda: not site.hears("us-west", "us-east"), what="us-east's agent is missed")
            for at in site.addresses:
                assert site.dig(site.domain, subnet="198.51.100.0/24", at=at) == [site.addresses["us-east"]]
        finally:
            os.kill(agent, signal.SIGCONT)


def test_many_instances_have_ports_of_their_own():
    with Site(app=APP, instances=8) as site:
        addresses = [instance["address"] for dc in site.status()["datacenters"] for instance in dc["instances"]]
        assert len(set(addresses)) == 16
