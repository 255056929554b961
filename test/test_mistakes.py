"""What one may get wrong with a site and its data centers: each mistake is named, says what to do, and leaves nothing running."""

import re
import socket
import subprocess
import time

import pytest

from site_under_test import MERIDIAN, ROOT, Site, curl, finish_visits, wait_until

pytestmark = pytest.mark.covers("site", "cli")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/app.py"]\nhealth = "/healthz"'


@pytest.fixture
def site():
    made = Site(app=APP)
    yield made
    made.__exit__()


def refused(site, status=None):
    """`up` fails and leaves nothing running: what it said."""
    done = site.run("up", str(site.file), "--detach", check=False, timeout=60)
    assert done.returncode == status if status else done.returncode != 0
    assert done.stderr and site.processes() == []
    return done.stderr


@pytest.mark.parametrize(("kind", "port", "whose"), [
    (socket.SOCK_DGRAM, 5300, "dns"), (socket.SOCK_STREAM, 5300, "dns"), (socket.SOCK_STREAM, 8443, "edge"),
    (socket.SOCK_STREAM, 8000, "balancer"), (socket.SOCK_STREAM, 28000, "balancer"), (socket.SOCK_STREAM, 9000, "agent")])
def test_every_port_in_use_is_named_with_what_to_do(site, kind, port, whose):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
        taken.bind((site.addresses["us-east"], port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        said = refused(site)
    assert f"{site.addresses['us-east']}:{port}" in said and f"the {whose}" in said and "in use" in said and "another port" in said
    assert "us-west:" not in said, "us-west has no such problem"
    # Once it is free the same site comes up.
    site.run("up", str(site.file), "--detach", timeout=60)
    assert site.state_of("us-east") == "serving"


def test_all_mistakes_are_told_in_one_pass_each_where_it_stands(site):
    text = site.file.read_text()
    east, west = site.addresses.values()
    text = text.replace(f'address = "{west}"', f'address = "{east}"').replace('location = "San Jose"', 'location = "San Hose"')
    text += '\n[edge]\nprot = 8080\nmax_connections = 0\n[dns]\nsteering = "nearst"\nttl = 5\n[nonsense]\na = 1\n'
    site.file.write_text(text)
    said = refused(site, status=2)
    lines = text.splitlines()
    told = {}
    for number, column, message in re.findall(r"site\.toml:(\d+):(\d+): (.*)", said):
        told.setdefault(lines[int(number) - 1], []).append(message)
        # The line is quoted and a caret stands under the place.
        assert f"{lines[int(number) - 1]}\n" in said
        assert re.search(r"\n[ |]*\^", said) and int(column) <= len(lines[int(number) - 1])
    assert set(told) == {f'address = "{east}"', 'location = "San Hose"', "prot = 8080", "max_connections = 0", 'steering = "nearst"', "ttl = 5",
                         "[nonsense]"}
    for hint in ("San Jose", '"port"', '"nearest"', "each data center needs its own"):
        assert hint in said, hint
    checked = subprocess.run([MERIDIAN, "check", str(site.file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 2 and said.count("site.toml:") == (checked.stdout + checked.stderr).count("site.toml:")


@pytest.mark.parametrize("content", [None, "", "domain =", "\x00\xff", "[[datacenter]]\n"])
def test_a_site_file_that_is_none_is_refused(site, content):
    if content is None:
        site.file.unlink()
    else:
        site.file.write_bytes(content.encode("latin-1"))
    assert "site.toml" in refused(site, status=2)


def test_commands_on_a_data_center_say_what_does_not_fit_its_state(site):
    site.run("up", str(site.file), "--detach", timeout=60)
    again = site.run("dc", "start", "us-east", check=False)
    assert again.returncode != 0 and "us-east" in again.stderr
    site.run("dc", "undrain", "us-east")
    assert site.state_of("us-east") == "serving"
    site.run("dc", "kill", "us-east")
    for verb in ("drain", "undrain"):
        done = site.run("dc", verb, "us-east", check=False)
        assert done.returncode != 0 and "us-east" in done.stderr
    site.run("dc", "kill", "us-east")
    assert site.state_of("us-east") == "down"
    site.run("dc", "start", "us-east")
    site.wait_for_state("us-east", "serving")
    assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200


@pytest.mark.long
@pytest.mark.slow
def test_a_data_center_is_drained_when_the_answers_have_run_out_since_the_last_new_visitor():
    with Site(app=APP) as site:
        url = f"http://{site.addresses['us-east']}:8080/"
        # Visitors who go by the answer that they have from before the drain, as they may for its TTL of 5 s.
        visits = site.start_visits("--from", "new-york", f"http://{site.domain}/", "--repeat", "36", "--every", "100ms")
        wait_until(lambda: "GET / " in "".join(log.read_text() for log in (site.state / "logs/us-east").glob("*.log")), what="a visitor is there")
        site.run("dc", "drain", "us-east")
        began = time.monotonic()
        assert finish_visits(visits)["by_edge"] == {"us-east": 36}
        last = time.monotonic()
        assert curl(url)[0] == 200
        assert last - began > 2, "the last visitor comes too early to be told from the drain"
        site.wait_for_state("us-east", "drained", 30)
        # The TTL and 10 s; a second for the edge to say so.
        assert 15 <= time.monotonic() - last < 19
        # Whoever still comes is served.
        assert curl(url)[0] == 200
