"""`meridian logs` and the watch tier: the output of the application and the workers of all data centers in one place."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
import uuid

import pytest

from site_under_test import MERIDIAN, PYTHON_APP, Site, curl, wait_until, whole_lines

pytestmark = pytest.mark.covers("watch", "agent", "cli", "site")

WATCH_PORT = 9600
# Prints 64 MiB as fast as it is let, says so in the file $DONE, and stays.
FLOOD = """import os, signal, sys
line = b'flood ' + b'x' * 93 + b'\\n'
for _ in range(640):
    sys.stdout.buffer.write(line * 1048)
sys.stdout.flush()
open(os.environ['DONE'], 'w').close()
signal.pause()
"""


@pytest.fixture(scope="module")
def site():
    with Site(app=PYTHON_APP, instances=1, edge_places=("london",), extra="\n[watch]\n") as up:
        yield up


def logs(site, *arguments, **options):
    """The lines that `meridian logs` finds, as JSON."""
    return [json.loads(line) for line in site.run("logs", "--json", *arguments, **options).stdout.splitlines()]


def print_word(site, data_center):
    """Makes the application of a data center print a line with a word that no other line has: the word."""
    word = uuid.uuid4().hex
    assert curl(f"http://{site.addresses[data_center]}:8080/{word}")[0] == 200
    return word


def find(site, word, *arguments):
    return wait_until(lambda: logs(site, word, *arguments), what=f"{word} is found")


def watch_pid(site, data_center="us-east"):
    return wait_until(lambda: site.tier(data_center, "watch")["pid"], what="watch runs")


def wait_for_disk(site, data_center):
    """Until what is found is in a file, where it survives kill -9: every line of now is in the write that follows."""
    found, folder = time.time(), site.state / f"watch-{data_center}/log"
    wait_until(lambda: any(file.stat().st_mtime > found for file in folder.glob("*")), what="the store has written")


def wait_for_copy(site, word):
    """Until us-east has a line of us-west."""
    token = (site.state / "admin.token").read_text().strip()

    def has_it():
        return word.encode() in curl(f"http://{site.addresses['us-east']}:9000/.meridian/logs?copy=us-west", "-X", "POST",
                                     "-d", '{"order": "newest"}', "-H", f"Authorization: Bearer {token}")[2]

    wait_until(has_it, what="us-east has a copy")


def test_lines_of_every_data_center_are_found_in_the_order_of_time(site):
    words = [print_word(site, name) for name in ("us-east", "us-west", "us-east")]
    for word, data_center in zip(words, ("us-east", "us-west", "us-east")):
        line, = find(site, word)
        assert (line["dc"], line["tier"], line["instance"]) == (data_center, "app", f"{data_center}-1")
        assert line["text"].startswith(f"received GET /{word}") and line["host"]
    texts = [line["text"] for line in logs(site, "received", "--since", "10m")]
    places = [next(i for i, text in enumerate(texts) if word in text) for word in words]
    assert places == sorted(places)
    shown = site.run("logs", words[1])
    assert " us-west app/us-west-1 " in shown.stdout and words[1] in shown.stdout and "\x1b" not in shown.stdout
    assert shown.stderr == ""


def test_a_search_is_narrowed_by_each_of_its_options(site):
    word = print_word(site, "us-west")
    line, = find(site, word)
    for fitting in (["--dc", "us-west"], ["--tier", "app"], ["--instance", "us-west-1"], ["--since", "10m"], ["--since", line["time"][:19] + "Z"],
                    ["--level", "info"], ["--count", "1"]):
        assert [each["text"] for each in logs(site, word, *fitting)] == [line["text"]], fitting
    for other in (["--dc", "us-east"], ["--tier", "worker"], ["--instance", "us-west-2"], ["--until", "10m"], ["--level", "error"], ["--trace", "abc"]):
        assert logs(site, word, *other) == [], other
    assert len(logs(site, "--count", "3")) == 3
    assert "the newest 3 lines" in site.run("logs", "--count", "3").stderr


def test_the_command_says_what_is_wrong_with_its_options(site):
    for arguments, needle in ((["--since", "yesterday"], "--since"), (["--since", "1m", "--until", "2m"], "--until"), (["--level", "bad"], "warning"),
                              (["--dc", "us-eat"], "us-east"), (["--follow", "--until", "1m"], "--until"), (["x" * 300], "words")):
        done = site.run("logs", *arguments, check=False)
        assert done.returncode == 2 and needle in done.stderr, (arguments, done)
    assert "edge place" in site.run("logs", "--dc", "london", check=False).stderr


def test_a_follower_sees_new_lines_of_every_data_center(site, tmp_path):
    before = print_word(site, "us-east")
    find(site, before)
    with open(tmp_path / "out", "wb") as out:
        follower = subprocess.Popen([MERIDIAN, "logs", "-f", "received", "--state", str(site.state)], stdout=out)
    try:
        wait_until(lambda: before in (tmp_path / "out").read_text(), what="the lines before are shown")
        words = [print_word(site, name) for name in ("us-east", "us-west", "us-east")]
        wait_until(lambda: all((tmp_path / "out").read_text().count(word) == 1 for word in words), what="new lines are shown")
        assert follower.poll() is None
    finally:
        follower.kill()
        follower.wait()


def test_without_the_password_nobody_reads_or_writes(site):
    at = site.addresses["us-east"]
    admin_token = (site.state / "admin.token").read_text().strip()
    for path, options in (("/logs/search", ["-X", "POST", "-d", "{}"]), ("/logs/output", ["-H", "Connection: upgrade", "-H", "Upgrade: meridian-output"])):
        assert curl(f"http://{at}:{WATCH_PORT}{path}", *options)[0] == 401
        for wrong in ("wrong", admin_token, ""):
            assert curl(f"http://{at}:{WATCH_PORT}{path}", *options, "-H", f"Authorization: Bearer {wrong}")[0] == 401
    assert curl(f"http://{at}:9000/.meridian/logs", "-X", "POST", "-d", "{}")[0] == 401
    assert curl(f"http://{at}:9000/.meridian/logs", "-X", "POST", "-d", '{"order":"newest"}', "-H", f"Authorization: Bearer {admin_token}")[0] == 200
    folder = site.state / "watch-us-east"
    assert [each.stat().st_mode & 0o777 for each in (folder, folder / "log")] == [0o700, 0o700]


def test_lines_from_before_a_kill_are_found_and_the_tier_is_back(site):
    word = print_word(site, "us-east")
    find(site, word)
    wait_for_disk(site, "us-east")
    killed = watch_pid(site)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: watch_pid(site) != killed and site.tier("us-east", "watch")["state"] == "ready", what="watch is back")
    assert len(find(site, word)) == 1
    assert len(find(site, print_word(site, "us-east"))) == 1
    assert "problem" not in site.data_center("us-east")


def test_what_a_dead_tier_had_not_taken_is_found_later(site):
    """The agent keeps output while nobody takes it."""
    stopped = watch_pid(site)
    os.kill(stopped, signal.SIGSTOP)
    word = print_word(site, "us-east")
    os.kill(stopped, signal.SIGKILL)
    assert len(find(site, word)) == 1


def test_a_flood_blocks_no_process_and_pushes_no_other_line_away(tmp_path):
    done, program = tmp_path / "done", tmp_path / "flood.py"
    program.write_text(FLOOD)
    worker = f'[worker.flood]\ncommand = ["/usr/bin/python3", "{program}"]\nenvironment = {{ DONE = "{done}" }}\n'
    with Site(app=PYTHON_APP, instances=1, data_centers=("us-east",), extra=f'\n[agent]\nhung_timeout = "10m"\n[watch]\n{worker}') as site:
        wait_until(done.exists, 240, "the flood is printed")
        done.unlink()
        stopped = watch_pid(site)
        os.kill(stopped, signal.SIGSTOP)
        try:
            site.run("instance", "restart", "us-east.flood-1")  # it floods again while nobody takes its lines
            wait_until(done.exists, 240, "the flood is printed")
            word = print_word(site, "us-east")
            # Visitors stay here though the tier hangs, and the status says so.
            wait_until(lambda: site.tier("us-east", "watch")["state"] == "hung", what="watch counts as hung")
            assert "problem" not in site.data_center("us-east")
            assert curl(f"http://{site.addresses['us-east']}:8080/")[0] == 200
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert len(find(site, word)) == 1
        drops = wait_until(lambda: [each for each in logs(site, "dropped", "--tier", "worker") if "dropped" in each.get("marks", ())], what="drops are told")
        assert all(each["instance"] == "us-east.flood-1" and each["level"] == "warning" for each in drops)
        agent = [json.loads(line) for file in (site.state / "logs/us-east").glob("agent.log*") for line in whole_lines(file)]
        assert any(line["event"].startswith("output dropped") and line["worker"] == "us-east.flood-1" for line in agent)
        # What is dropped costs the agent no line of its own log.
        assert sum(line["event"] == "output" and line.get("worker") == "us-east.flood-1" for line in agent) < 500_000


def test_a_data_center_that_is_down_is_named_and_the_others_lines_are_shown():
    with Site(app=PYTHON_APP, instances=1, extra="\n[watch]\n") as site:
        words = {name: print_word(site, name) for name in ("us-east", "us-west")}
        for word in words.values():
            find(site, word)
        wait_for_disk(site, "us-west")
        wait_for_copy(site, words["us-west"])
        site.run("dc", "kill", "us-west")
        done = site.run("logs", "received", "--json")
        assert words["us-east"] in done.stdout and done.stdout.count(words["us-west"]) == 1
        assert "us-west is missing" in done.stderr and "its lines are copies that us-east keeps, up to 20" in done.stderr
        alone = site.run("logs", "received", "--dc", "us-west", check=False)
        assert alone.returncode == 0 and "us-west is missing" in alone.stderr and words["us-west"] in alone.stdout
        # Where nobody has a copy, nothing is shown, and nobody is told a copy.
        stopped = watch_pid(site)
        os.kill(stopped, signal.SIGSTOP)
        alone = site.run("logs", "--dc", "us-west", check=False)
        with contextlib.suppress(ProcessLookupError):  # it hung for too long
            os.kill(stopped, signal.SIGCONT)
        assert alone.returncode == 1 and "us-west is missing" in alone.stderr and "copies" not in alone.stderr
        # It is back with its lines.
        site.run("dc", "start", "us-west")
        assert len(find(site, words["us-west"])) == 1
        # And so are all, after a restart of everything.
        site.run("down")
        site.run("up", str(site.file), "--detach")
        assert len(find(site, words["us-east"])) == 1


def test_last_words_are_found_though_the_process_is_gone(tmp_path):
    worker = '[worker.brief]\ncommand = ["sh", "-c", "echo last words of $MERIDIAN_INSTANCE; printf unfinished; exec sleep 1000"]\n'
    with Site(app=PYTHON_APP, instances=1, data_centers=("us-east",), extra=f"\n[watch]\n{worker}") as site:
        line, *_ = wait_until(lambda: logs(site, "last words"), what="its line is found")
        assert (line["name"], line["instance"], line["text"]) == ("brief", "us-east.brief-1", "last words of us-east.brief-1")
        assert wait_until(lambda: logs(site, "unfinished"), what="a line without an end is found")[0]["marks"] == ["partial"]
        pids = {each["id"]: each["pid"] for each in site.data_center("us-east")["workers"]}
        os.kill(pids["us-east.brief-1"], signal.SIGKILL)
        wait_until(lambda: len(logs(site, "last words")) == 2, what="its successor's line is found")


def test_without_the_table_the_command_says_what_to_add():
    with Site(app=PYTHON_APP, instances=1, data_centers=("us-east",)) as site:
        done = site.run("logs", check=False)
        assert done.returncode == 1 and "[watch]" in done.stderr and str(site.file) in done.stderr
        assert not pathlib.Path(site.state / "watch-us-east").exists()
