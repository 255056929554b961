"""`meridian status` is true when things are broken, and gives the reason."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from site_under_test import MERIDIAN, PYTHON_APP, ROOT, Site, curl, wait_until

pytestmark = [pytest.mark.covers("agent", "dns", "session", "site"), pytest.mark.long]


def problem_of(site, name):
    return site.data_center(name).get("problem", "")


def answers(site, at):
    return site.dig(site.domain, subnet="198.51.100.1/32", at=at)  # New York: nearest to us-east


def test_a_data_center_whose_instances_are_all_unhealthy_says_so_and_leaves_the_answers():
    with Site(app=PYTHON_APP) as site:
        site.wait_for_answers()
        for instance in site.data_center("us-east")["instances"]:
            os.kill(instance["pid"], signal.SIGSTOP)
        try:
            wait_until(lambda: all(each["state"] == "unhealthy" for each in site.data_center("us-east")["instances"]), what="they are unhealthy")
            for at in site.addresses:
                wait_until(lambda at=at: answers(site, at) == [site.addresses["us-west"]], what=f"{at} sends visitors to us-west")
            assert "all instances of the application are unhealthy" in problem_of(site, "us-east")
            assert "all instances" in site.run("status").stdout
        finally:
            for instance in site.data_center("us-east")["instances"]:
                os.kill(instance["pid"], signal.SIGCONT)
        wait_until(lambda: not problem_of(site, "us-east"), what="us-east is well")
        wait_until(lambda: answers(site, "us-west") == [site.addresses["us-east"]], what="visitors come back")


def test_with_no_data_center_that_can_serve_all_are_answered():
    with Site(("us-east",), app=PYTHON_APP) as site:
        instances = site.data_center("us-east")["instances"]
        for instance in instances:
            os.kill(instance["pid"], signal.SIGSTOP)
        try:
            wait_until(lambda: problem_of(site, "us-east"), what="it says so")
            assert answers(site, "us-east") == [site.addresses["us-east"]]
        finally:
            for instance in instances:
                os.kill(instance["pid"], signal.SIGCONT)


def test_an_instance_in_a_crash_loop_is_shown_with_its_last_words(tmp_path):
    flag = tmp_path / "crash"
    app = f'command = ["sh", "-c", "if [ -e {flag} ]; then echo no database; exit 3; fi; exec /usr/bin/python3 {ROOT}/test/support/app.py"]\nhealth = "/healthz"'
    with Site(("us-east",), app=app) as site:
        flag.touch()
        victim = site.data_center("us-east")["instances"][0]
        os.kill(victim["pid"], signal.SIGKILL)

        def told():
            return site.data_center("us-east")["instances"][0].get("problem", "")

        problem = wait_until(lambda: "times in a row" in (now := told()) and now, what="the crash loop is told")
        assert "exit status 3" in problem and problem.endswith("it printed last: no database")
        assert "no database" in site.run("status").stdout


def test_an_instance_that_ended_is_shown_with_its_last_lines_while_it_starts_again(tmp_path):
    fails, hangs = tmp_path / "fails", tmp_path / "hangs"
    script = (f"if [ -e {fails} ]; then rm {fails}; echo no database; echo at db.internal; exit 3; fi; if [ -e {hangs} ]; then exec sleep 1000; fi; "
              f"exec /usr/bin/python3 {ROOT}/test/support/app.py")
    with Site(("us-east",), app=f'command = ["sh", "-c", "{script}"]\nhealth = "/healthz"', instances=1) as site:
        hangs.touch()
        fails.touch()
        os.kill(site.data_center("us-east")["instances"][0]["pid"], signal.SIGKILL)
        ended = "ended: exit status 3; it printed last:\n    no database\n    at db.internal"
        wait_until(lambda: site.data_center("us-east")["instances"][0].get("problem") == ended, what="it is told why")
        assert "    ended: exit status 3; it printed last:\n        no database\n        at db.internal\n" in site.run("status").stdout


def test_a_data_center_that_is_not_heard_is_named():
    with Site(app=PYTHON_APP) as site:
        site.run("dc", "kill", "us-west")
        wait_until(lambda: "does not hear us-west" in problem_of(site, "us-east"), what="us-east says so")
        wait_until(lambda: "sessions of us-west" in site.tier("us-east", "session").get("problem", ""), what="its session tier says so")
        site.run("dc", "start", "us-west")
        wait_until(lambda: not problem_of(site, "us-east"), what="it is heard again")
        wait_until(lambda: not site.tier("us-east", "session").get("problem"), what="its sessions are followed again")


def test_an_agent_with_another_site_toml_is_told_with_the_key_that_differs(tmp_path):
    site = Site(app=PYTHON_APP)
    try:
        subprocess.run([MERIDIAN, "ca", str(site.file), "--state", str(site.state)], check=True, capture_output=True, timeout=90)
        running = []
        for name in site.addresses:
            folder = tmp_path / name
            shutil.copytree(site.state, folder / "state")
            weight = "" if name == "us-east" else "weight = 7\n"
            (folder / "site.toml").write_text(site.file.read_text().replace('name = "us-east"\n', f'name = "us-east"\n{weight}'))
            with open(folder / "log", "wb") as log:
                running.append(subprocess.Popen([MERIDIAN, "run", str(folder / "site.toml"), "--dc", name, "--state", str(folder / "state")],
                                                stdout=log, stderr=log, env=site.environment))

        def status():
            done = subprocess.run([MERIDIAN, "status", "--state", str(tmp_path / "us-east/state")], capture_output=True, text=True, timeout=90, check=False)
            return done.stdout

        wait_until(lambda: "us-west has another site.toml ([[datacenter]] us-east differs)" in status(), what="status names the key")
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(90)
        site.__exit__()


def test_a_drain_outlives_the_agent():
    with Site(app=PYTHON_APP) as site:
        site.run("dc", "drain", "us-east")
        assert "meridian dc undrain us-east" in problem_of(site, "us-east")
        site.run("dc", "kill", "us-east")
        site.run("dc", "start", "us-east")
        assert site.state_of("us-east") in ("draining", "drained")
        site.run("dc", "undrain", "us-east")
        site.run("dc", "kill", "us-east")
        site.run("dc", "start", "us-east")
        assert site.state_of("us-east") == "serving"


def test_healthy_instances_of_a_drained_data_center_were_not_used_when_no_other_could_serve():
    with Site(app=PYTHON_APP) as site:
        site.run("dc", "drain", "us-west")
        wait_until(lambda: site.state_of("us-west") in ("draining", "drained"), what="us-west is drained")
        instances = site.data_center("us-east")["instances"]
        for instance in instances:
            os.kill(instance["pid"], signal.SIGSTOP)
        try:
            wait_until(lambda: all(each["state"] == "unhealthy" for each in site.data_center("us-east")["instances"]), what="they are unhealthy")
            for name in site.addresses:
                wait_until(lambda name=name: curl(f"http://{site.addresses[name]}:8080/")[0] == 200, what=f"the edge of {name} finds who can serve")
        finally:
            for instance in instances:
                os.kill(instance["pid"], signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk needs root")
def test_a_disk_that_is_nearly_full_is_told_once_and_its_end_too(tmp_path):
    """The log had two lines a second while the disk was full, and status said "ready"."""
    site = Site(app=PYTHON_APP)
    site.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", str(site.state)], check=True, timeout=90)
    try:
        with site:
            filler = site.state / "filler"
            filler.write_bytes(b"x" * (110 << 20))  # less than the headroom of 64 MiB is left

            def told():
                return site.tier("us-east", "session").get("problem", "")

            wait_until(lambda: "writes are refused" in told() and "free space" in told(), what="status says so")
            assert site.tier("us-east", "session")["state"] == "ready"  # it still reads

            def lines():
                return [line for path in (site.state / "logs").rglob("session.log") for line in path.read_text().splitlines()]

            # What is refused goes on being tried, but is no news.
            began, before = time.monotonic(), lines()
            wait_until(lambda: time.monotonic() - began > 5, what="five seconds have passed")
            new = [line for line in lines() if line not in before]
            assert len(new) <= 2, new[:20]
            filler.unlink()
            wait_until(lambda: not told(), what="writes are taken again")
    finally:
        subprocess.run(["umount", "-l", str(site.state)], check=False, timeout=90)
