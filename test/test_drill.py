"""The drill of docs/testing-your-site.md: the photos example's own test that loses a data center."""

import contextlib
import subprocess

import pytest

from site_under_test import MERIDIAN, PHOTOS, Site

pytestmark = [pytest.mark.covers("cli", "lab", "visit"), pytest.mark.long]


@contextlib.contextmanager
def site_of_a_drill():
    """A site that is not up: the drill does that, with a state directory of its own."""
    site = Site(wan=True)
    try:
        yield site
    finally:
        site.__exit__()


def drill(site, program=MERIDIAN):
    return subprocess.run(["node", "--test", "drill/lose-a-data-center.mjs"], cwd=PHOTOS, capture_output=True, text=True, timeout=400, check=False,
                          env={**site.environment, "MERIDIAN": str(program), "SITE": str(site.file)})


def test_the_drill_passes_and_tells_what_visitors_noticed():
    with site_of_a_drill() as site:
        done = drill(site)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "100 requests: 0 failed" in done.stdout
        assert not site.processes()


def test_the_drill_fails_when_no_data_center_is_left(tmp_path):
    both = tmp_path / "meridian"
    both.write_text(f'#!/bin/sh\nif [ "$1 $2" = "dc kill" ]; then "{MERIDIAN}" dc kill us-west "$4" "$5"; fi\nexec "{MERIDIAN}" "$@"\n')
    both.chmod(0o755)
    with site_of_a_drill() as site:
        done = drill(site, both)
        assert done.returncode != 0
        assert "not ok 1 - us-east is lost" in done.stdout
