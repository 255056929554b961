"""meridian doctor: what is wrong with a machine or a site, with the site down and up, each time with the mend."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from site_under_test import MERIDIAN, PYTHON_APP, Site, wait_until

pytestmark = pytest.mark.covers("cli", "agent")


def doctor(*arguments, folder=None, limit=None, timeout=120):
    """Its exit status, output and errors. `limit`: of descriptors."""
    command = [MERIDIAN, "doctor", *map(str, arguments)]
    if limit:
        command = ["bash", "-c", f'ulimit -n {limit} && exec "$@"', "bash", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def findings(*arguments, **options):
    """The findings by subject, and the whole of what it said."""
    status, output, errors = doctor(*arguments, "--json", **options)
    assert status in (0, 1), errors
    told = json.loads(output)
    assert status == (1 if told["errors"] else 0)
    assert told["errors"] + told["warnings"] == len(told["findings"])
    by_subject = {}
    for each in told["findings"]:
        assert each["problem"] and each["mend"]
        by_subject.setdefault(each["subject"], []).append(each)
    return by_subject, told


def problems(found, subject):
    return [each["problem"] for each in found.get(subject, [])]


@pytest.fixture(scope="module")
def down():
    """A site that was never brought up."""
    site = Site(app=PYTHON_APP)
    yield site
    site.__exit__()


@pytest.fixture
def up():
    with Site(app=PYTHON_APP) as site:
        yield site


def test_a_machine_without_a_site_is_looked_at_alone(tmp_path):
    found, told = findings(folder=tmp_path)
    assert told["site"] is None and told["state"] == str(tmp_path / ".meridian")
    assert any("no site.toml was found" in each for each in told["unchecked"])
    assert not {"data center", "port", "site.toml", "descriptors"} & set(found)
    assert not (tmp_path / ".meridian").exists(), "it makes nothing"


def test_text_and_json_have_the_same_findings(tmp_path):
    (tmp_path / ".meridian").mkdir(mode=0o755)
    (tmp_path / ".meridian").chmod(0o755)
    status, text, errors = doctor(folder=tmp_path)
    assert (status, errors) == (1, "")
    _, told = findings(folder=tmp_path)
    for each in told["findings"]:
        assert f'{each["severity"]}: {each["subject"]}: ' in text
    assert f"error: permissions: {tmp_path}/.meridian has mode 0755" in text
    assert f"Mend: chmod 0700 {tmp_path}/.meridian" in text
    # The mend mends it.
    subprocess.run(["chmod", "0700", tmp_path / ".meridian"], check=True)
    assert "permissions" not in findings(folder=tmp_path)[0]


@pytest.mark.parametrize(("arguments", "told"), [
    (["nothing.toml"], "nothing.toml"), (["--dc", "us-east"], "needs a site.toml"), (["--nonsense"], "nonsense")])
def test_wrong_words_are_misuse(tmp_path, arguments, told):
    status, output, errors = doctor(*arguments, folder=tmp_path)
    assert (status, output) == (2, "") and told in errors


def test_an_unknown_data_center_is_misuse(down):
    status, output, errors = doctor(down.file, "--dc", "us-eest", "--state", down.state)
    assert (status, output) == (2, "") and "Did you mean us-east?" in errors


def test_a_stranger_on_a_port_is_named_with_the_site_down(down):
    assert "port" not in findings(down.file, "--state", down.state)[0]
    with socket.socket() as stranger, socket.socket(type=socket.SOCK_DGRAM) as other:
        # Closed connections of a site that was here before do not count.
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind((down.addresses["us-east"], 8080))
        stranger.listen()
        other.bind((down.addresses["us-west"], 5300))
        found, told = findings(down.file, "--state", down.state)
        east, west = problems(found, "port")
        assert f"{down.addresses['us-east']}:8080, for the edge tier, is in use by process {os.getpid()}" in east
        assert f"{down.addresses['us-west']}:5300, for the dns tier, is in use by process {os.getpid()}" in west
        assert told["errors"] >= 2 and "another port in site.toml" in found["port"][0]["mend"]
        assert len(problems(findings(down.file, "--state", down.state, "--dc", "us-west")[0], "port")) == 1
    assert any("none of its data centers answers" in each for each in told["unchecked"])


def test_a_low_limit_of_descriptors_is_named_with_one_that_is_enough(down):
    found, told = findings(down.file, "--state", down.state, limit=1024)
    assert any("the limit of 1024 descriptors allows the edge tier" in each for each in problems(found, "descriptors"))
    assert told["errors"] > 0 and "LimitNOFILE=65536" in found["descriptors"][0]["mend"]
    if int(subprocess.run(["bash", "-c", "ulimit -Hn"], capture_output=True, text=True, check=True).stdout) >= 65536:
        assert "descriptors" not in findings(down.file, "--state", down.state, limit=65536)[0]


def test_caches_larger_than_the_memory_are_named(down, tmp_path):
    large = tmp_path / "site.toml"
    large.write_text(down.file.read_text() + '\n[edge]\ncache_bytes = "512GiB"\n')
    found, _ = findings(large, "--state", down.state)
    assert any("the caches of site.toml may take 1024.0 GiB" in each for each in problems(found, "memory"))
    assert "memory" not in findings(down.file, "--state", down.state)[0]


def test_certificates_that_end_soon_are_named(down, tmp_path):
    for name, days in (("soon", 10), ("now", 1), ("later", 100)):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", f"/CN={name}",
                        "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem"], check=True, capture_output=True)
    tables = "".join(f'\n[[edge.certificate]]\ncertificate = "{tmp_path}/{name}.pem"\nkey = "{tmp_path}/{name}.key"\n' for name in ("soon", "now", "later"))
    file = tmp_path / "site.toml"
    file.write_text(down.file.read_text() + tables)
    found, _ = findings(file, "--state", down.state)
    told = {pathlib.Path(each["problem"].split()[2]).stem: each["severity"] for each in found["certificate"]}
    assert told == {"soon": "warning", "now": "error"}


def test_a_site_that_runs_well_has_no_error_and_one_that_lost_a_part_has(up):
    # On a busy machine an agent may need more than the two seconds that it has.
    found, told = wait_until(lambda: (now := findings("--state", up.state)) and not any("answer" in each for each in now[1]["unchecked"]) and now,
                             what="every agent has answered")
    assert told["site"] == "photos"
    # What the machine of the tests has by itself (an unsynchronized clock, say) is a warning.
    assert told["errors"] == 0 and not {"data center", "port", "version", "permissions"} & set(found), told

    up.run("dc", "kill", "us-west")
    wait_until(lambda: up.state_of("us-west") == "down", what="us-west is down")
    found, told = findings("--state", up.state)
    assert told["errors"] and any("us-west does not answer" in each for each in problems(found, "data center"))
    assert "the clock and version of us-west" in told["unchecked"]
    assert "port" not in found

    # A stranger takes a port of the data center that is to be started again.
    with socket.socket() as stranger:
        stranger.bind((up.addresses["us-west"], 6379))
        stranger.listen()
        assert any("for the session tier, is in use" in each for each in problems(findings("--state", up.state)[0], "port"))


def test_a_hung_agent_costs_two_seconds_and_its_own_ports_are_no_strangers(up):
    agent = up.data_center("us-east")["pid"]
    os.kill(agent, signal.SIGSTOP)
    try:
        found, _ = findings("--state", up.state, timeout=90)
    finally:
        os.kill(agent, signal.SIGCONT)
    assert any("us-east does not answer" in each for each in problems(found, "data center"))
    assert "port" not in found
