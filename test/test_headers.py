"""Header budgets: what is over its budget or does not compile by itself is named, and only what changed is asked about."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from site_under_test import ROOT

pytestmark = pytest.mark.covers("base")
CHEAP = "#pragma once\ninline int Answer() { return 42; }\n"
# Some seconds of the front end on any machine.
DEAR = "#pragma once\n#include <algorithm>\n#include <filesystem>\n#include <iostream>\n#include <ranges>\n#include <regex>\n"
UNFINISHED = "#pragma once\ninline Unknown Answer();\n"


class Checkout:
    def __init__(self, folder):
        self.folder = folder
        for path in ("tools", "build/release", "src/base"):
            (folder / path).mkdir(parents=True)
        shutil.copy(ROOT / "tools/headers.py", folder / "tools/headers.py")
        subprocess.run(["git", "init", "-q", folder], check=True, timeout=90)
        self.write("unit.cpp", '#include "base/cheap.hpp"\n')
        self.write("cheap.hpp", CHEAP)
        command = f"{shutil.which('clang++-19')} -std=c++23 -I{folder}/src -o unit.o -c {folder}/src/base/unit.cpp"
        (folder / "build/release/compile_commands.json").write_text(
            json.dumps([{"directory": "build/release", "file": str(folder / "src/base/unit.cpp"), "command": command}]))

    def write(self, name, text):
        (self.folder / "src/base" / name).write_text(text)

    def headers(self, *arguments):
        done = subprocess.run([sys.executable, self.folder / "tools/headers.py", *arguments], capture_output=True, text=True, check=False, timeout=900)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path):
    return Checkout(tmp_path)


def test_a_header_over_its_budget_and_one_that_does_not_compile_by_itself_are_named_with_the_reason(checkout):
    checkout.write("dear.hpp", DEAR)
    checkout.write("unfinished.hpp", UNFINISHED)
    failed, said = checkout.headers("--check")
    assert failed and "cheap.hpp" not in said, said
    assert "src/base/unfinished.hpp does not compile by itself" in said and "unknown type name 'Unknown'" in said
    assert re.search(r"^src/base/dear.hpp: \d+\.\d\d s of the front end, budget 0.30 s: declare forward", said, re.M), said


def test_only_headers_that_changed_and_those_that_include_them_are_checked(checkout):
    checkout.write("dear.hpp", DEAR)
    checkout.write("above.hpp", '#pragma once\n#include "base/cheap.hpp"\n')
    assert checkout.headers("--check", "src/base/cheap.hpp") == (0, "2 headers keep their budgets\n")


def test_a_unit_stands_for_itself_and_for_its_header_and_the_first_reader_for_a_header_without_a_unit(checkout):
    checkout.write("own.hpp", CHEAP)
    checkout.write("own.cpp", '#include "base/own.hpp"\n')
    checkout.write("unread.hpp", CHEAP)
    assert checkout.headers("--units", "src/base/own.hpp", "src/base/cheap.hpp", "src/base/unread.hpp") == (0, "src/base/own.cpp\nsrc/base/unit.cpp\n")
    assert checkout.headers("--units", "src/base/own.cpp") == (0, "src/base/own.cpp\n")
