"""Each test file says which folders of src/ it tests, so that `./dev test FOLDER` runs it."""

import importlib
import pathlib
import subprocess
import sys

import pytest

from conftest import FOLDERS

pytestmark = pytest.mark.covers(*FOLDERS)
HERE = pathlib.Path(__file__).parent
FILES = sorted(path.stem for path in HERE.rglob("test_*.py") if "node_modules" not in path.parts)


sys.path[:0] = sorted({str(path.parent) for path in HERE.rglob("test_*.py") if "node_modules" not in path.parts})


def folders_of(name):
    marks = getattr(importlib.import_module(name), "pytestmark", [])
    return {folder for mark in (marks if isinstance(marks, list) else [marks]) if mark.name == "covers" for folder in mark.args}


def test_every_test_file_says_which_folders_it_covers():
    without = [f"{name}.py" for name in FILES if not folders_of(name)]
    assert not without, f'say it at the top of the file: pytestmark = pytest.mark.covers("FOLDER", ...): {without}'


def test_every_folder_that_a_test_file_covers_is_in_src():
    unknown = {name: wrong for name in FILES if (wrong := folders_of(name) - set(FOLDERS))}
    assert not unknown


def collect(*options):
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", *options, str(HERE)], capture_output=True,
                          text=True, timeout=240, check=False)


def test_only_the_files_that_cover_a_folder_are_run():
    done = collect("--folder", "dns", "--folder", "store")
    assert done.returncode == 0, done.stdout
    files = {pathlib.Path(line.partition("::")[0]).stem for line in done.stdout.splitlines() if "::" in line}
    assert files == {name for name in FILES if folders_of(name) & {"dns", "store"}}


def test_an_unknown_folder_is_an_error_that_names_those_known():
    done = collect("--folder", "dsn")
    assert done.returncode != 0
    assert "--folder dsn" in done.stderr and ", ".join(FOLDERS) in done.stderr
