"""`meridian alerts`: whom it asks, and what it says where it cannot. The rules themselves: test_alert_rules.py."""

import json

import pytest

from site_under_test import PYTHON_APP, Site

pytestmark = pytest.mark.covers("cli", "watch", "agent")


def test_a_data_center_that_cannot_be_asked_is_named_and_the_status_says_so():
    with Site(app=PYTHON_APP, instances=1, edge_places=("london",), extra="\n[watch]\n") as site:
        for arguments, needle in ((["--dc", "us-eat"], "us-east"), (["--dc", "london"], "edge place"), (["--severity", "page"], "--severity")):
            done = site.run("alerts", *arguments, check=False)
            assert done.returncode == 2 and needle in done.stderr and done.stdout == "", done
        site.run("dc", "kill", "us-west")
        done = site.run("alerts", "--json", check=False)
        assert done.returncode == 1 and "us-west: its agent does not answer" in done.stderr and "london" not in done.stderr
        shown = json.loads(done.stdout)
        assert "us-west" in [each["datacenter"] for each in shown["missing"]] and set(shown) == {"alerts", "missing"}
        alone = site.run("alerts", "--dc", "us-west", check=False)
        assert (alone.returncode, alone.stdout) == (1, "") and "us-east" not in alone.stderr


def test_without_the_table_the_command_says_what_to_add():
    with Site(app=PYTHON_APP, instances=1, data_centers=("us-east",)) as site:
        done = site.run("alerts", check=False)
        assert done.returncode == 1 and "[watch]" in done.stderr and str(site.file) in done.stderr
