"""What ./dev builds with: units that another checkout compiled are found, and a step that fails says why, last."""

import os
import re
import shutil
import subprocess

import pytest

from site_under_test import ROOT

pytestmark = pytest.mark.covers("base")
COMPILER = "clang++-19"
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

    def compile(self):
        """Precompiles and compiles: how often ccache found the unit, and what was made."""
        flags = ["-std=c++23", f"-I{self.folder}/src", f"-ffile-prefix-map={self.folder}=."]
        precompiled = str(self.build / PRECOMPILED)
        self.run(*flags, "-x", "c++-header", "-MD", "-MF", "set.d", "-o", f"{PRECOMPILED}.pch", "-c", precompiled)
        hits = self.hits()
        self.run(*flags, "-Xclang", "-include-pch", "-Xclang", f"{precompiled}.pch", "-Xclang", "-include", "-Xclang", precompiled,
                 "-MD", "-MF", "unit.d", "-o", "unit.o", "-c", f"{self.folder}/src/unit.cpp")
        return self.hits() - hits, (self.build / "unit.o").read_bytes()

    def run(self, *arguments):
        subprocess.run([self.folder / "tools/compile", COMPILER, *arguments], cwd=self.build, env=self.environment, check=True, timeout=60)

    def hits(self):
        told = subprocess.run(["ccache", "--print-stats"], env=self.environment, capture_output=True, text=True, check=True, timeout=20).stdout
        return int(re.search(r"^direct_cache_hit\t(\d+)$", told, re.M)[1])


def test_another_checkout_of_the_same_sources_compiles_nothing(tmp_path):
    hits, first = Checkout(tmp_path / "one", tmp_path / "cache").compile()
    assert hits == 0
    hits, second = Checkout(tmp_path / "another", tmp_path / "cache").compile()
    assert hits == 1
    assert first == second and bytes(tmp_path) not in first


def test_a_unit_is_compiled_again_when_a_precompiled_header_changes(tmp_path):
    Checkout(tmp_path / "one", tmp_path / "cache").compile()
    changed = Checkout(tmp_path / "another", tmp_path / "cache")
    changed.write("answer.hpp", "#pragma once\ninline int Answer() { return 43; }\n")
    assert changed.compile()[0] == 0


def step(tmp_path, command):
    script = tmp_path / "script"
    script.write_text(f"set -euo pipefail\nsource {ROOT}/tools/progress.sh\nstep compiling bash -c '{command}'\nsay after\n")
    done = subprocess.run(["bash", script], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, re.sub(r"^dev \d+:\d\d  ", "dev ", done.stderr, flags=re.M)


def test_a_step_that_fails_ends_with_its_own_lines_and_without_what_it_counted(tmp_path):
    code, said = step(tmp_path, 'echo "[1/2] unit"; echo "unit.cpp:1: error"; echo "[2/2] other"; exit 3')
    assert (code, said) == (1, "dev compiling: failed\nunit.cpp:1: error\n")


def test_a_step_that_took_no_time_says_nothing(tmp_path):
    code, said = step(tmp_path, 'echo "[1/1] unit"; echo "a warning"')
    assert (code, said) == (0, "dev after\n")
