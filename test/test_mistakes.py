"""What one may get wrong with a site and its data centers: each mistake is named, says what to do, and leaves nothing running."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from background import read_line
from site_under_test import MERIDIAN, ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("site", "cli")

APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'


@pytest.fixture
def site():
    made = Site(app=APP)
    yield made
    made.__exit__()


def refused(site, status=None):
    """`up` fails and leaves nothing running: what it said."""
    done = site.run("up", str(site.file), "--detach", check=False)
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
    site.run("up", str(site.file), "--detach")
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
    site.run("up", str(site.file), "--detach")
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


LISTENS_ELSEWHERE = ("import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); s.accept()")


@pytest.mark.parametrize(("app", "said"), [
    ('command = ["no-such-program"]', "there is no program no-such-program on the PATH"),
    ('command = ["/no/such/program"]', "there is no program /no/such/program\n"),
    (f'command = ["{sys.executable}"]\ndirectory = "no-such-directory"', "there is no directory "),
    ('command = ["./script"]', "there is no interpreter for ./script: see its first line"),
    (f'command = ["{sys.executable}", "-c", "{LISTENS_ELSEWHERE}"]\nstart_timeout = "10s"', "not at $PORT: have it listen at the PORT and HOST"),
    ('command = ["sh", "-c", "echo first; echo second; exit 3"]', "exit status 3; it printed last:\n    first\n    second\n"),
])
def test_an_application_that_does_not_start_is_told_with_the_cause(app, said):
    site = Site(("us-east",), app=app, instances=1)
    try:
        script = site.folder / "script"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        told = refused(site)
        assert said in told and "[app]" in told and "$PORT" in told
    finally:
        site.__exit__()


@pytest.fixture(scope="module")
def key_pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    (folder / "text").write_text("no PEM\n")
    return folder


@pytest.mark.parametrize(("certificate", "key", "said"), [
    ("missing.pem", "one.key", "certificate {}/missing.pem: No such file or directory"),
    ("one.pem", "missing.key", "key {}/missing.key: No such file or directory"),
    ("text", "one.key", "It must hold a certificate in PEM form"),
    ("one.pem", "text", "It must be a private key in PEM form"),
    ("one.pem", "two.key", "key {0}/two.key does not belong to certificate {0}/one.pem"),
])
def test_a_certificate_that_cannot_be_used_is_told_with_its_file_and_the_cause(key_pairs, certificate, key, said):
    certificates = f'\n[[edge.certificate]]\ncertificate = "{key_pairs}/{certificate}"\nkey = "{key_pairs}/{key}"\n'
    site = Site(("us-east",), app=APP, extra=certificates, instances=1)
    try:
        told = refused(site)
        assert said.format(key_pairs) in told and "[[edge.certificate]]" in told
    finally:
        site.__exit__()


def test_a_port_that_takes_a_privilege_is_told_with_what_gives_it():
    site = Site(("us-east",), app=APP, extra="\n[edge]\nport = 81\n", instances=1)
    try:
        without = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"] if os.geteuid() == 0 else []
        done = subprocess.run([*without, MERIDIAN, "up", str(site.file), "--detach", "--state", str(site.state)], capture_output=True,
                              text=True, timeout=120, check=False, env=site.environment)
        assert done.returncode == 1 and site.processes() == []
        assert f"{site.addresses['us-east']}:81, for the edge tier: a port below 1024 takes a privilege" in done.stderr
        assert "CAP_NET_BIND_SERVICE" in done.stderr and "[edge] another port" in done.stderr
    finally:
        site.__exit__()


def pid_in(lock):
    return int(lock.read_text())


def test_another_lab_on_the_same_addresses_is_named_and_its_agents_are_not_taken_for_ours(quiet_site, site):
    text = site.file.read_text()
    for name, address in site.addresses.items():
        text = text.replace(address, quiet_site.addresses[name])
    site.file.write_text(text)
    told = refused(site)
    lab = pid_in(quiet_site.state / "lock")
    assert f"is in use by the lab of {quiet_site.state} (process {lab}). End it with: meridian down --state {quiet_site.state}" in told
    # Its state directory knows these addresses now, and another site answers there.
    for place in site.status()["datacenters"]:
        assert place["state"] == "unknown" and place["tiers"] == []
        assert "is of another site or state directory than" in place["problem"] and f"--state {quiet_site.state}" in place["problem"]


def test_a_run_in_the_state_directory_of_a_lab_is_refused(quiet_site):
    done = quiet_site.run("run", "--dc", "us-east", str(quiet_site.file), check=False)
    assert done.returncode == 1
    assert f"holds a lab that runs already (process {pid_in(quiet_site.state / 'lock')})" in done.stderr


def test_a_data_center_that_runs_by_itself_is_named_by_run_up_and_down():
    site = Site(("us-east",), app=APP, instances=1)
    run = None
    try:
        run = subprocess.Popen([MERIDIAN, "run", "--dc", "us-east", str(site.file), "--state", str(site.state)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=site.environment)
        wait_until(lambda: (site.state / "site").exists() and site.state_of("us-east") == "serving", what="it serves")
        again = site.run("run", "--dc", "us-east", str(site.file), check=False)
        assert again.returncode == 1 and f"us-east already runs in {site.state} (process {run.pid})" in again.stderr
        for command in (["down"], ["up", str(site.file)]):
            done = site.run(*command, check=False)
            assert done.returncode == 1
            assert f"us-east runs here by itself: meridian run, process {run.pid}. End it with: kill {run.pid}" in done.stderr
        # From another state directory it is known by its port.
        shutil.copytree(site.state, site.folder / "other", ignore=shutil.ignore_patterns("*.lock", "*.sock"))
        done = subprocess.run([MERIDIAN, "run", "--dc", "us-east", str(site.file), "--state", str(site.folder / "other")], capture_output=True,
                              text=True, timeout=90, check=False, env=site.environment)
        assert done.returncode == 1 and f"is in use by us-east of {site.state} (process {run.pid}). End it with: kill {run.pid}" in done.stderr
        assert site.state_of("us-east") == "serving"
    finally:
        if run:
            run.send_signal(signal.SIGTERM)
            run.wait(timeout=90)
        site.__exit__()


def check(site, program=MERIDIAN, environment=None, options=()):
    return subprocess.run([program, "check", str(site.file), *options], capture_output=True, text=True, timeout=90, check=False, env=environment)


@pytest.mark.parametrize(("app", "extra", "said"), [
    ('command = ["no-such-program"]', "", "there is no program no-such-program on the PATH. Install it, or correct command of [app]"),
    ('command = ["./no-such-program"]', "", "there is no program ./no-such-program in "),
    (f'command = ["{sys.executable}"]\ndirectory = "no-such-directory"', "", "no-such-directory. Make it, or correct directory of [app]"),
    (APP, '\n[[edge.certificate]]\ncertificate = "no.pem"\nkey = "no.key"\n', "no.pem: No such file or directory ([[edge.certificate]])"),
    (APP, '\n[dns]\ngeo_database = "no.mmdb"\n', "no.mmdb: No such file or directory. Correct geo_database of [dns]"),
])
def test_check_finds_what_this_machine_does_not_have(app, extra, said):
    site = Site(app=app, extra=extra)
    try:
        done = check(site)
        assert done.returncode == 1 and said in done.stderr and done.stderr.count("\n") == 1
        assert "us-east" in done.stdout, "what the site describes is said all the same"
    finally:
        site.__exit__()


@pytest.mark.parametrize("extra", ['\n[session]\nexternal = "$NO_SUCH_VARIABLE"\n', '\n[session]\npassword = "$NO_SUCH_VARIABLE"\n'])
def test_check_finds_a_variable_that_is_not_set(extra):
    site = Site(app=APP, extra=extra)
    try:
        done = check(site)
        assert done.returncode != 0 and "the environment variable NO_SUCH_VARIABLE is not set" in done.stderr
        variable = "redis://redis.internal:6379" if "external" in extra else "secret"
        assert check(site, environment={**os.environ, "NO_SUCH_VARIABLE": variable}).returncode == 0
    finally:
        site.__exit__()


NEEDS_APPLICATION_AND_PASSWORD = {"app": 'command = ["no-such-program"]', "extra": '\n[session]\npassword = "$NO_SUCH_VARIABLE"\n',
                                  "edge_places": ("london",)}


def test_check_of_an_edge_place_asks_for_no_application_and_no_session_password():
    site = Site(("us-east",), **NEEDS_APPLICATION_AND_PASSWORD)
    try:
        done = check(site, options=["--dc", "london"])
        assert (done.returncode, done.stderr) == (0, "")
        for options in (["--dc", "us-east"], []):
            done = check(site, options=options)
            assert done.returncode == 1 and "no program no-such-program" in done.stderr and "NO_SUCH_VARIABLE is not set" in done.stderr
        # Its edge and its dns need their files.
        site.file.write_text(site.file.read_text() + '[[edge.certificate]]\ncertificate = "no.pem"\nkey = "no.key"\n[dns]\ngeo_database = "no.mmdb"\n')
        done = check(site, options=["--dc", "london"])
        assert done.returncode == 1 and "no.pem" in done.stderr and "no.mmdb" in done.stderr and done.stderr.count("\n") == 2
    finally:
        site.__exit__()


@pytest.mark.parametrize("command", [["check"], ["run"]])
def test_a_data_center_that_the_site_does_not_have_is_told_with_those_that_it_has(site, command):
    for name, hint in (("us-eats", " Did you mean us-east?"), ("tokyo", "")):
        done = subprocess.run([MERIDIAN, *command, "--dc", name, str(site.file)], capture_output=True, text=True, timeout=90, check=False, cwd=site.folder)
        assert done.returncode == 2 and f'site.toml has no data center or edge place "{name}"; it has us-east, us-west.{hint}\n' in done.stderr


def test_an_edge_place_runs_on_a_server_without_application_or_session_password():
    site = Site(("us-east",), **NEEDS_APPLICATION_AND_PASSWORD)
    run = None
    try:
        site.run("ca", str(site.file))
        run = subprocess.Popen([MERIDIAN, "run", "--dc", "london", str(site.file), "--state", str(site.state)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=site.environment)
        wait_until(lambda: (site.state / "site").exists() and
                   [tier["state"] for tier in site.data_center("london")["tiers"]] == ["ready", "ready"], what="dns and edge are ready")
    finally:
        if run:
            run.send_signal(signal.SIGTERM)
            run.wait(timeout=90)
        site.__exit__()


def test_check_says_when_no_visitor_can_be_located_and_what_to_do(site, tmp_path):
    # Without the country database that comes with it.
    alone = shutil.copy(MERIDIAN, tmp_path / "meridian")
    with_places = check(site, alone)
    assert with_places.returncode == 0 and "located by [[dns.place]] alone; others go anywhere" in with_places.stdout
    text = site.file.read_text()
    site.file.write_text(re.sub(r"\[\[dns\.place\]\]\n(.+\n)+", "", text))
    done = check(site, alone)
    assert done.returncode == 1 and 'no visitor can be located, and steering = "nearest" sends them anywhere' in done.stderr
    assert "geo_database" in done.stderr and "[[dns.place]]" in done.stderr and "./dev" in done.stderr
    site.file.write_text(site.file.read_text() + '\n[dns]\nsteering = "weighted"\n')
    assert check(site, alone).returncode == 0
    # It is found beside the program, and in share beside its folder; one that cannot be read is told.
    site.file.write_text(re.sub(r"\[dns\].*", "", site.file.read_text(), flags=re.DOTALL))
    for folder in (tmp_path, tmp_path.parent):
        database = folder / "share/meridian/country.mmdb"
        database.parent.mkdir(parents=True)
        database.write_text("not a database")
        done = check(site, alone)
        assert done.returncode == 1 and f"{database} is not a MaxMind DB file" in done.stderr
        shutil.rmtree(folder / "share")


COUNTRIES = pathlib.Path(MERIDIAN).parent / "share/meridian/country.mmdb"


@pytest.mark.skipif(not COUNTRIES.exists(), reason="npm could not fetch the country database")
def test_check_shows_the_date_of_the_country_database(site):
    done = check(site)
    assert done.returncode == 0
    assert re.search(r"^Visitors are located by 2 \[\[dns\.place\]\], then by .*/country\.mmdb, of 20\d\d-\d\d-\d\d: by their country alone", done.stdout, re.M)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
@pytest.mark.parametrize("command", [["status"], ["down"], ["up", "site.toml", "--detach"]])
def test_a_state_directory_of_another_user_is_told_with_whose_it_is(site, command):
    site.state.mkdir(mode=0o700)
    shutil.chown(site.state, "nobody")
    done = site.run(*command, check=False)
    assert done.returncode == 1
    assert f"{site.state} belongs to another user: nobody (uid " in done.stderr and "--state" in done.stderr


@pytest.mark.slow
def test_the_wait_for_a_drain_outlives_polls_that_fail_and_tells_that_the_drain_was_taken_back():
    with Site(app=APP) as site:
        drain = subprocess.Popen([MERIDIAN, "dc", "drain", "us-east", "--wait", "--state", str(site.state)], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=site.environment)
        assert read_line(drain.stdout) == ("us-east is draining: it leaves the DNS answers and forwards the requests that still come. Back: meridian dc "
                                           "undrain us-east\n")
        agent = site.data_center("us-east")["pid"]
        os.kill(agent, signal.SIGSTOP)
        try:
            wait_until(lambda: re.match(r"waiting, \d+ s: us-east: its agent does not answer \(.+\); it is asked again\n", read_line(drain.stdout)),
                       what="a poll fails")
        finally:
            os.kill(agent, signal.SIGCONT)
        site.run("dc", "undrain", "us-east")
        _, err = drain.communicate(timeout=90)
        assert drain.returncode == 1 and err.startswith("meridian: us-east serves visitors again: the drain was taken back")


@pytest.mark.long
@pytest.mark.slow
def test_a_data_center_is_drained_when_the_answers_have_run_out_since_the_last_new_visitor():
    with Site(app=APP) as site:
        url = f"http://{site.addresses['us-east']}:8080/"
        drain = subprocess.Popen([MERIDIAN, "dc", "drain", "us-east", "--wait", "--state", str(site.state)], stdout=subprocess.PIPE, text=True,
                                 env=site.environment)
        site.wait_for_state("us-east", "draining")
        began = last = time.monotonic()
        # Visitors who go by the answer that they have from before the drain: the last comes late enough to be told from the drain.
        while last - began <= 3:
            last = time.monotonic()
            assert curl(url)[0] == 200
        assert drain.wait(timeout=90) == 0 and site.state_of("us-east") == "drained"
        said = drain.stdout.read()
        assert re.search(r"^waiting, \d+ s: us-east is draining: no new connection may come for 15 s \(", said, re.M) and said.endswith("\nus-east is drained\n")
        # The TTL and 10 s; a second for the edge to say so.
        assert 15 <= time.monotonic() - last < 30
        # Whoever still comes is served.
        assert curl(url)[0] == 200
