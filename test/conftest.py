"""How the tests run side by side, which folder's tests they are, and the site that those share which change nothing.

`pytest -n auto test` runs them in several processes. Tests wait as well as compute, so there are more processes than cores.
Tests that share a module's site stay in one process; all others go wherever there is room. The longest begin first."""

import os
import pathlib
import signal
import sys

import pytest

# A shell starts what runs in its background with SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
# What the tests' sites read when they are imported; processes of xdist inherit it.
if "--cores" in sys.argv:
    os.environ["MERIDIAN_TEST_CORES"] = sys.argv[sys.argv.index("--cores") + 1]
from site_under_test import PYTHON_APP, Site  # noqa: E402

PROCESSES_PER_CORE = 2
FOLDERS = sorted(path.name for path in (pathlib.Path(__file__).parent.parent / "src").iterdir() if path.is_dir())


def pytest_addoption(parser):
    parser.addoption("--folder", action="append", default=[], metavar="FOLDER",
                     help="only the test files that cover this folder of src/; may be given several times")


    parser.addoption("--cores", type=int, metavar="N", help="each tier has N loops ([agent] cores), where a test does not say otherwise")


def pytest_configure(config):
    unknown = sorted(set(config.getoption("--folder")) - set(FOLDERS))
    if unknown:
        raise pytest.UsageError(f"--folder {unknown[0]}: src/ has no such folder; it has {', '.join(FOLDERS)}")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    # No other distribution keeps groups together. A process that runs tests has only the command line, so it is told too.
    if hasattr(config, "workerinput"):
        config.option.loadgroup = True
    elif getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "loadgroup"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    return PROCESSES_PER_CORE * len(os.sched_getaffinity(0))


def covered_folders(item):
    mark = item.get_closest_marker("covers")
    return mark.args if mark else ()


def group_of(item):
    """What must run in the same process as this test: the tests that share a fixture of its module."""
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    return item.module.__name__ if any(fixture.scope == "module" for each in fixtures for fixture in each) else None


@pytest.hookimpl(tryfirst=True)  # before the groups are made part of the tests' names
def pytest_collection_modifyitems(config, items):
    if wanted := set(config.getoption("--folder")):
        others = [item for item in items if not wanted & set(covered_folders(item))]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if wanted & set(covered_folders(item))]
    sizes = {}
    for item in items:
        if item.get_closest_marker("xdist_group") is None and (group := group_of(item)):
            item.add_marker(pytest.mark.xdist_group(group))
        sizes[unit_of(item)] = sizes.get(unit_of(item), 0) + 1
    if not hasattr(config, "workerinput"):
        return  # one process: in the order of the files
    long = {unit_of(item) for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (unit_of(item) not in long, -sizes[unit_of(item)]))


def unit_of(item):
    """Its group, or the test alone."""
    mark = item.get_closest_marker("xdist_group")
    return mark.args[0] if mark else item.nodeid


def tiers_and_instances(site):
    """What runs there, and with which state: {name: pid and state}."""
    return {(place["name"], part.get("name") or part.get("id")): (part["pid"], part["state"])
            for place in site.status()["datacenters"] for part in [*place["tiers"], *place["instances"]]}


# Clients that are known by the address they ask from, on loopback, are near us-west.
HERE = '\n[[dns.place]]\nname = "here"\nprefix = "127.100.0.0/16"\nlatitude = 45.5\nlongitude = -122.7\n'


@pytest.fixture(scope="session")
def quiet_site():
    """Two data centers with test/app.py, for tests that change nothing there; the same for all tests of one process."""
    with Site(app=f'{PYTHON_APP}\nrelease = "2026.11"\nenvironment = {{ GREETING = "hello" }}', extra=HERE) as site:
        site.wait_for_answers()
        began = tiers_and_instances(site)
        yield site
        assert tiers_and_instances(site) == began, "a test has changed the shared site"
