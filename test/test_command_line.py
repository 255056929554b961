"""The command line itself: its help, its version, completion in shells, and words that it does not know."""

import os
import pathlib
import re
import subprocess

import pytest

from site_under_test import MERIDIAN, ROOT

pytestmark = pytest.mark.covers("cli")


def meridian(*words):
    return subprocess.run([MERIDIAN, *words], capture_output=True, text=True, timeout=90, check=False)


@pytest.mark.parametrize(("words", "said"), [
    (["stauts"], 'there is no subcommand "stauts"; did you mean status?'),
    (["dc", "drian", "us-east"], 'meridian dc: there is no subcommand "drian"; did you mean drain?'),
    (["status", "--jsno"], "meridian status: there is no option --jsno; did you mean --json?"),
    (["run", "--dc", "us-east", "--roles", "dns,egde"], '"egde" is none of dns, edge, balancer, queue, session, watch, app, worker; did you mean edge?'),
    (["check", "a.toml", "b.toml"], '"b.toml" is one word too many'),
    (["edge", "--dc", "a", "--origin", "http://127.0.0.1:1", "--listen", "127.0.0.1:2"], "give exactly one of --origin, --dc"),
])
def test_a_word_that_does_not_fit_is_named_with_the_nearest_that_would(words, said):
    done = meridian(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "--help" in done.stderr


def test_a_site_file_may_follow_a_list_of_roles():
    done = meridian("run", "--dc", "us-east", "--roles", "dns,edge", "no-such-site.toml")
    assert "no-such-site.toml: " in done.stderr and "roles" not in done.stderr


def test_without_a_command_the_help_goes_to_standard_error():
    done = meridian()
    assert (done.returncode, done.stdout) == (2, "") and "\n  status  " in done.stderr


@pytest.mark.parametrize("command", ["up", "status", "run", "edge", "link", "visit"])
def test_the_help_of_a_command_says_each_thing_once(command):
    text = meridian(command, "--help").stdout
    assert text.count("--state DIR ") == 1 and text.count(".meridian") == 1
    for noise in ("Needs:", "Excludes:", "REQUIRED", "Option Group", "UINT"):
        assert noise not in text


def test_the_version_is_that_of_the_build_and_of_the_changelogs_newest_entry():
    built = re.search(r"^project\(meridian VERSION (\S+) ", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
    newest = re.search(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    assert newest == built
    done = meridian("--version")
    assert (done.returncode, done.stdout) == (0, f"meridian {built}\n")


COMPLETE_IN = {
    "bash": 'source <(meridian completion bash); COMP_WORDS=(meridian dc dra); COMP_CWORD=2; _meridian meridian; echo "${COMPREPLY[@]}"',
    "zsh": 'autoload -Uz compinit; compinit -D; source <(meridian completion zsh); compadd() { shift; print -- "$@" };'
           ' words=(meridian dc dra); CURRENT=3; _meridian',
    "fish": 'meridian completion fish | source; complete -C "meridian dc dra"',
}


@pytest.mark.parametrize("shell", COMPLETE_IN)
def test_the_shell_completes_a_subcommand(shell, tmp_path):
    path = f"{pathlib.Path(MERIDIAN).parent}:{os.environ['PATH']}"
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    # zsh reads a thousand files of completions first, which takes long beside other tests.
    done = subprocess.run([shell, *options, "-c", COMPLETE_IN[shell]], capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path,
                          env={**os.environ, "PATH": path, "HOME": str(tmp_path)})
    assert done.stdout.split() == ["drain"], done.stderr
