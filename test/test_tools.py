"""What ./dev builds with: units that another checkout compiled are found, what changed is tested, and a step that fails says
why, last."""

import os
import re
import shutil
import subprocess

import pytest

from site_under_test import ROOT

pytestmark = pytest.mark.covers("base")
COMPILER = "clang++-19"
ANOTHER_ANSWER = "#pragma once\ninline int Answer() { return 43; }\n"
PRECOMPILED = "CMakeFiles/set.dir/cmake_pch.hxx"


class Checkout:
    """A folder with one header, one unit, and the precompiled header of both; compiled as CMake has it done."""

    def __init__(self, folder, cache):
        self.folder, self.build = folder, folder / "build/release"
        self.environment = {**os.environ, "CCACHE_DIR": str(cache)}
        (self.build / PRECOMPILED).parent.mkdir(parents=True)
        (folder / "tools").mkdir()
        (folder / "src").mkdir()
        shutil.copy(ROOT / "tools/compile", folder / "tools/compile")
        (self.build / PRECOMPILED).write_text('#include "answer.hpp"\n')
        self.write("answer.hpp", "#pragma once\ninline int Answer() { return 42; }\n")
        self.write("unit.cpp", '#include "answer.hpp"\nint Twice() { return 2 * Answer(); }\n')

    def write(self, name, text):
        (self.folder / "src" / name).write_text(text)

    def compile(self, compiler=COMPILER):
        """Precompiles and compiles: how often ccache found the unit, and what was made."""
        flags = ["-std=c++23", f"-I{self.folder}/src", f"-ffile-prefix-map={self.folder}=."]
        precompiled = str(self.build / PRECOMPILED)
        self.run(*flags, "-x", "c++-header", "-MD", "-MF", "set.d", "-o", f"{PRECOMPILED}.pch", "-c", precompiled)
        hits = self.hits()
        self.run(*flags, "-Xclang", "-include-pch", "-Xclang", f"{precompiled}.pch", "-Xclang", "-include", "-Xclang", precompiled,
                 "-MD", "-MF", "unit.d", "-o", "unit.o", "-c", f"{self.folder}/src/unit.cpp", compiler=compiler)
        return self.hits() - hits, (self.build / "unit.o").read_bytes()

    def run(self, *arguments, compiler=COMPILER):
        subprocess.run([self.folder / "tools/compile", compiler, *arguments], cwd=self.build, env=self.environment, check=True, timeout=240)

    def hits(self):
        told = subprocess.run(["ccache", "--print-stats"], env=self.environment, capture_output=True, text=True, check=True, timeout=90).stdout
        return int(re.search(r"^direct_cache_hit\t(\d+)$", told, re.M)[1])


def test_another_checkout_of_the_same_sources_compiles_nothing(tmp_path):
    hits, first = Checkout(tmp_path / "one", tmp_path / "cache").compile()
    assert hits == 0
    hits, second = Checkout(tmp_path / "another", tmp_path / "cache").compile()
    assert hits == 1
    assert first == second and bytes(tmp_path) not in first


def test_a_unit_is_compiled_again_when_a_precompiled_header_changes(tmp_path):
    _, first = Checkout(tmp_path / "one", tmp_path / "cache").compile()
    changed = Checkout(tmp_path / "another", tmp_path / "cache")
    changed.write("answer.hpp", ANOTHER_ANSWER)
    hits, second = changed.compile()
    assert hits == 0 and first != second


def test_a_header_that_is_saved_while_a_unit_is_compiled_was_stored_with_the_object_of_before(tmp_path):
    checkout = Checkout(tmp_path / "one", tmp_path / "cache")
    checkout.write("twice.hpp", "#pragma once\nconstexpr int kFactor = 2;\n")
    checkout.write("unit.cpp", '#include "answer.hpp"\n#include "twice.hpp"\nint Twice() { return kFactor * Answer(); }\n')
    compiler = tmp_path / "compiler"
    compiler.write_text(f"""#!/usr/bin/env bash
{COMPILER} "$@" || exit
if [[ $* == *unit.cpp* ]]; then echo 'constexpr int kFactor = 3;' >{checkout.folder}/src/twice.hpp; fi
""")
    compiler.chmod(0o755)
    _, before = checkout.compile(compiler)
    hits, after = checkout.compile(compiler)
    assert hits == 0 and before != after


def test_a_checkout_may_have_a_space_in_its_path(tmp_path):
    assert Checkout(tmp_path / "one two", tmp_path / "cache").compile()[1]


def step(tmp_path, command):
    script = tmp_path / "script"
    script.write_text(f"set -euo pipefail\nsource {ROOT}/tools/progress.sh\nstep compiling bash -c '{command}'\nsay after\n")
    done = subprocess.run(["bash", script], capture_output=True, text=True, timeout=90, check=False)
    return done.returncode, re.sub(r"^dev \d+:\d\d  ", "dev ", done.stderr, flags=re.M)


def test_a_step_that_fails_ends_with_its_own_lines_and_without_what_it_counted(tmp_path):
    code, said = step(tmp_path, 'echo "[1/2] unit"; echo "unit.cpp:1: error"; echo "[2/2] other"; exit 3')
    assert (code, said) == (1, "dev compiling: failed\nunit.cpp:1: error\n")


def test_a_step_that_took_no_time_says_nothing(tmp_path):
    code, said = step(tmp_path, 'echo "[1/1] unit"; echo "a warning"')
    assert (code, said) == (0, "dev after\n")


def test_the_last_line_of_a_step_that_fails_is_shown_without_a_newline(tmp_path):
    assert step(tmp_path, 'printf "no space left"; exit 1') == (1, "dev compiling: failed\nno space left\n")


class Repository:
    """A repository on main, with programs in the place of ninja and ctest, and folders base and dns of which dns builds on base."""

    def __init__(self, folder):
        self.folder = folder
        self.hours = 0
        self.git("init", "-q", "-b", "main")
        programs = folder / "programs"
        programs.mkdir()
        # The match comes first of many lines: whoever stops reading there must not fail.
        inputs = {"base_test": ["base/bytes.cpp"], "dns_test": ["base/bytes.cpp", "dns/zone.cpp"]}
        cases = "".join(f"{target}) printf '../../src/%s\\n' {' '.join(files)} ;;\n" for target, files in inputs.items())
        self.program(programs / "ninja", f"case $5 in\n{cases}esac\nseq 100000\n")
        self.program(programs / "ctest", "echo '  Test #1: base'; echo '  Test  #2: dns'\n")
        # What the tests themselves are run with says nothing of this repository.
        inherited = {name: value for name, value in os.environ.items() if name != "MERIDIAN_BASE"}
        self.environment = {**inherited, "PATH": f"{programs}:{os.environ['PATH']}"}
        (folder / ".gitignore").write_text("programs/\n")
        self.commit(".gitignore", hours=-100)

    @staticmethod
    def program(path, text):
        path.write_text(f"#!/usr/bin/env bash\n{text}")
        path.chmod(0o755)

    def git(self, *arguments, hours=0):
        date = f"{1_700_000_000 + hours * 3600} +0000"
        environment = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "GIT_CONFIG_GLOBAL": "/dev/null"}
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=self.folder, env=environment, check=True,
                       capture_output=True, timeout=90)

    def write(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text() + "more\n" if path.exists() else "text\n")

    def commit(self, name, hours):
        self.write(name)
        self.git("add", "-A")
        self.git("commit", "-qm", name, hours=hours)

    def ask(self, command, **variables):
        script = f"set -euo pipefail; shopt -s inherit_errexit; source {ROOT}/tools/changed.sh; {command}"
        return subprocess.run(["bash", "-c", script], cwd=self.folder, env={**self.environment, **variables}, capture_output=True, text=True,
                              timeout=90, check=False)

    def changed(self, **variables):
        return self.ask("changed_files", **variables).stdout.split()

    def targets(self, what="changed"):
        return self.ask(f"unit_test_targets release {what}").stdout.split()


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_on_main_what_the_last_half_day_brought_has_changed(repository):
    repository.commit("src/base/old.cpp", hours=-13)
    repository.commit("src/base/new.cpp", hours=-1)
    repository.commit("docs/newest.md", hours=0)
    assert repository.changed() == ["docs/newest.md", "src/base/new.cpp"]


def test_a_branch_that_was_merged_late_was_taken_for_checked(repository):
    repository.git("checkout", "-qb", "side")
    repository.commit("src/dns/side.cpp", hours=-50)
    repository.git("checkout", "-q", "main")
    repository.commit("src/base/main.cpp", hours=-60)
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "side", hours=0)
    assert repository.changed() == ["src/dns/side.cpp"]


def test_on_a_branch_what_differs_from_main_has_changed_however_old_it_is(repository):
    repository.git("checkout", "-qb", "side")
    repository.commit("src/dns/first.cpp", hours=-50)
    repository.commit("src/dns/last.cpp", hours=0)
    assert repository.changed() == ["src/dns/first.cpp", "src/dns/last.cpp"]
    assert repository.changed(MERIDIAN_BASE="HEAD^") == ["src/dns/last.cpp"]


def test_on_main_only_what_is_not_committed_has_changed_while_there_is_something(repository):
    """Otherwise a newcomer's first lint reads all that the last half day brought."""
    repository.commit("docs/late.md", hours=-80)
    repository.commit("src/dns/old.cpp", hours=0)
    repository.write("docs/late.md")
    repository.write("src/dns/new.cpp")
    assert repository.changed() == ["docs/late.md", "src/dns/new.cpp"]


def test_a_file_that_is_not_added_yet_has_changed(repository):
    repository.commit("docs/early.md", hours=-80)
    repository.commit("docs/late.md", hours=0)
    repository.write("src/dns/new.cpp")
    assert repository.changed() == ["src/dns/new.cpp"]
    assert repository.targets() == ["dns_test"]


@pytest.mark.parametrize(("file", "targets"), [
    ("src/base/bytes.hpp", ["base_test", "dns_test"]), ("src/dns/zone.cpp", ["dns_test"]), ("src/dns/testdata/answers.txt", ["dns_test"]),
    ("docs/dns.md", []), ("CMakeLists.txt", ["base_test", "dns_test"]), ("tools/compile", ["base_test", "dns_test"])])
def test_the_unit_tests_of_a_folder_that_changed_and_of_what_builds_on_it_are_chosen(repository, file, targets):
    repository.commit("docs/early.md", hours=-14)
    repository.write(file)
    assert repository.targets() == targets


def test_unit_tests_are_chosen_by_folder(repository):
    assert repository.targets("all") == ["base_test", "dns_test"]
    assert repository.targets("dns nothing") == ["dns_test"]


def test_a_ninja_that_fails_is_not_taken_for_nothing_to_do(repository):
    repository.write("src/dns/new.cpp")
    repository.program(repository.folder / "programs/ninja", "exit 1\n")
    assert repository.ask("list=$(unit_test_targets release changed); echo reached").returncode != 0
