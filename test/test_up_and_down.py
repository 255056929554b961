"""`meridian up`, `status`, `down`: what starts, what is said when it cannot, and that nothing stays behind."""

import contextlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from background import read_line
from site_under_test import MERIDIAN, ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("cli", "lab", "agent")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'


def test_both_data_centers_serve_and_status_follows_the_contract():
    with Site() as site:
        status = site.status()
        assert status["site"] == "photos"
        assert [dc["name"] for dc in status["datacenters"]] == ["us-east", "us-west"]
        for dc in status["datacenters"]:
            assert dc["state"] == "serving"
            assert dc["address"] == site.addresses[dc["name"]]
            assert {tier["name"] for tier in dc["tiers"]} == {"dns", "edge", "balancer", "session"}
            for tier in dc["tiers"]:
                assert set(tier) >= {"name", "state", "pid", "port"}
                os.kill(tier["pid"], 0)
            assert [instance["id"] for instance in dc["instances"]] == [f"{dc['name']}-1", f"{dc['name']}-2"]
            assert all(set(instance) >= {"id", "address", "release", "state"} for instance in dc["instances"])
            code, headers, body = curl(f"http://{dc['address']}:8080/")
            assert code == 200 and b"<html" in body.lower()
            assert "1.1 meridian-edge" in headers["via"]


def test_it_says_how_to_trust_the_sites_authority_and_the_line_works_when_pasted(tmp_path):
    site = Site(("us-east",), app=APP, instances=1)
    site.state = site.folder / "a state of it's own"
    try:
        said = site.run("up", str(site.file), "--detach").stdout
        line = next(line.strip() for line in said.splitlines() if "--cacert" in line)
        assert str(site.state / "ca/authority.pem").replace("'", "'\\''") in line
        done = subprocess.run(f"{line} -sS -o /dev/null -w '%{{http_code}}'", shell=True, cwd=tmp_path, capture_output=True,
                              text=True, timeout=90, check=False)
        assert (done.stdout, done.stderr) == ("200", "")
    finally:
        site.__exit__()


def test_down_leaves_no_process_socket_or_temporary_file():
    with Site(app=APP) as site:
        assert site.processes()
        assert sorted(path.name for path in (site.state / "pids").iterdir()) == ["us-east", "us-west"]
        site.run("down")
        assert site.processes() == []
        left = [str(path.relative_to(site.state)) for path in site.state.rglob("*") if path.is_socket() or path.name.endswith(".new") or path.parent.name == "pids"]
        assert left == []
        assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 0


def test_interrupting_up_in_the_foreground_leaves_nothing():
    site = Site(app=APP)
    try:
        up = subprocess.Popen([MERIDIAN, "up", str(site.file), "--state", str(site.state)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=site.environment)
        said = ""
        while not said.endswith("Ctrl-C.\n"):
            said += (line := read_line(up.stdout))
            assert line, up.stderr.read()
        assert all(address in said for address in site.addresses.values())
        up.send_signal(signal.SIGINT)
        _, err = up.communicate(timeout=90)
        assert (up.returncode, err) == (0, "")
        assert site.processes() == []
    finally:
        site.__exit__()


@pytest.fixture
def waiting_site(tmp_path):
    """`up` of it waits until tmp_path/go is there."""
    site = Site(("us-east",), app=f'command = ["sh", "-c", "until [ -e {tmp_path}/go ]; do sleep 0.05; done; exec /usr/bin/python3 {ROOT}/test/support/app.py"]\n'
                                  'health = "/healthz"', instances=1)
    yield site
    site.__exit__()


def test_up_says_now_and_then_what_it_waits_for(waiting_site, tmp_path):
    up = subprocess.Popen([MERIDIAN, "up", str(waiting_site.file), "--detach", "--state", str(waiting_site.state)], stdout=subprocess.PIPE,
                          text=True, env=waiting_site.environment)
    # A busy machine may come to the first line later, and when the tiers are not ready yet.
    told = re.compile(r"waiting, \d+ s: us-east: .*us-east-1 \(GET /healthz: .+\)")
    wait_until(lambda: told.match(read_line(up.stdout)), what="the instance is told")
    (tmp_path / "go").touch()
    out, _ = up.communicate(timeout=90)
    assert re.match(r"(waiting, .+\n)*photos is up", out) and up.returncode == 0


def read_until(terminal, end, seconds=90):
    """What comes from a terminal until `end` has come."""
    said = b""
    deadline = time.monotonic() + seconds
    while end not in said:
        readable, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert readable, f"after {seconds} s still without {end}: {said}"
        said += os.read(terminal, 4096)
    return said


def test_on_a_terminal_up_rewrites_one_line_and_takes_it_away(waiting_site, tmp_path):
    here, there = os.openpty()
    up = subprocess.Popen([MERIDIAN, "up", str(waiting_site.file), "--detach", "--state", str(waiting_site.state)], stdout=there,
                          env=waiting_site.environment)
    os.close(there)
    said = read_until(here, b"us-east-1 (GET /healthz: ")
    (tmp_path / "go").touch()
    said += read_until(here, b"photos is up")
    before = said.partition(b"photos is up")[0]
    assert b"\n" not in before and before.endswith(b"\r\x1b[K") and before.count(b"\r\x1b[Kwaiting, ") == before.count(b"waiting")
    assert up.wait(timeout=90) == 0
    os.close(here)


def test_status_is_watched_until_it_is_interrupted():
    with Site(("us-east",), app=APP, instances=1) as site:
        watch = subprocess.Popen([MERIDIAN, "status", "--watch", "--state", str(site.state)], stdout=subprocess.PIPE, text=True,
                                 env=site.environment)
        assert read_line(watch.stdout) == "photos: photos.example\n"
        site.run("dc", "drain", "us-east")
        wait_until(lambda: "draining" in read_line(watch.stdout), what="the change is shown")
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=60) == -signal.SIGINT
        watch.stdout.close()


def command_of(pid):
    """The name of its program; None when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def test_interrupting_up_before_anything_serves_leaves_nothing():
    site = Site(app='command = ["sleep", "1000"]')
    try:
        up = subprocess.Popen([MERIDIAN, "up", str(site.file), "--state", str(site.state)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=site.environment)

        def instances():
            return [pid for pid in site.processes() if command_of(pid) == "sleep"]

        wait_until(lambda: len(instances()) == 4)
        up.send_signal(signal.SIGINT)
        _, err = up.communicate(timeout=90)
        assert up.returncode != 0
        assert err.startswith("meridian: ") and err.endswith(": it was ended while it started\n") and err.count("\n") == 1
        assert site.processes() == []
    finally:
        site.__exit__()


def test_a_second_up_on_the_same_state_says_so(quiet_site):
    again = quiet_site.run("up", str(quiet_site.file), "--detach", check=False)
    assert again.returncode != 0
    assert "already" in again.stderr
    assert quiet_site.state_of("us-east") == "serving"


def test_two_sites_do_not_disturb_each_other():
    with Site(app=APP) as one, Site(app=APP) as other:
        for site in (one, other):
            _, _, body = curl(f"http://{site.addresses['us-east']}:8080/")
            pid = json.loads(body)["pid"]
            assert pid in site.processes()
        one.run("down")
        assert other.state_of("us-east") == "serving"
        assert curl(f"http://{other.addresses['us-west']}:8080/")[0] == 200


def refused(site, *needles):
    """`up` of this site fails, says all of `needles`, and leaves nothing running."""
    try:
        done = site.run("up", str(site.file), "--detach", check=False)
        assert done.returncode != 0
        for needle in needles:
            assert needle in done.stderr, done.stderr
        assert site.processes() == []
        return done
    finally:
        site.__exit__()


def test_a_command_that_does_not_exist_is_named():
    refused(Site(app='command = ["no-such-program"]'), "no-such-program", "[app]")


def test_a_command_that_ends_at_once_shows_what_it_said():
    refused(Site(app='command = ["sh", "-c", "echo out of coffee >&2; exit 3"]'), "exit status 3", "out of coffee")


def test_a_command_that_never_becomes_healthy_is_given_up():
    refused(Site(app='command = ["sleep", "1000"]\nstart_timeout = "1s"'), "healthy", "start_timeout")


def test_a_port_in_use_is_named():
    site = Site(app=APP)
    with socket.create_server((site.addresses["us-west"], 8080)):
        refused(site, f"{site.addresses['us-west']}:8080", "in use")


@pytest.mark.parametrize(("extra", "needles"), [
    ("\n[edge]\nprot = 8080\n", ["site.toml:", "prot", "port", "^"]),
    ("\n[edge]\nport = \"http\"\n", ["site.toml:", "port", "^"]),
    ("\n[[datacenter]]\nname = \"us-east\"\naddress = \"127.200.0.1\"\nlocation = \"Dublin\"\n", ["us-east", "twice"]),
    ("\n[edge]\nport = 1\n[balancer]\nprot = 2\n", ["prot"]),
])
def test_mistakes_in_site_toml_are_shown_where_they_stand(extra, needles):
    site = Site(app=APP, extra=extra)
    done = refused(site, *[needle for needle in needles if needle != "twice"])
    assert done.returncode == 2
    checked = subprocess.run([MERIDIAN, "check", str(site.file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 2


def test_check_accepts_the_example():
    done = subprocess.run([MERIDIAN, "check", str(ROOT / "examples/photos/site.toml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_state_directory_is_private(quiet_site):
    assert quiet_site.state.stat().st_mode & 0o777 == 0o700
    assert (quiet_site.state / "admin.token").stat().st_mode & 0o777 == 0o600


def test_admin_refuses_whoever_has_no_token(quiet_site):
    url = f"http://{quiet_site.addresses['us-east']}:9000/.meridian/drain"
    assert curl(url, "-X", "POST")[0] == 401
    assert curl(url, "-X", "POST", "-H", "Authorization: Bearer wrong")[0] == 401
    assert quiet_site.state_of("us-east") == "serving"
