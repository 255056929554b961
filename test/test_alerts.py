"""`meridian alerts`: whom it asks, and what it says where it cannot. And the rules on a site that runs, in a Prometheus of the test's
own; their cases one by one: test_alert_rules.py."""

import json
import pathlib
import subprocess
import time
import urllib.parse

import pytest

from site_under_test import PYTHON_APP, ROOT, Site, curl, wait_until

pytestmark = pytest.mark.covers("cli", "watch", "agent", "dns", "edge", "session", "queue")

PORTS = {"dns": 15300, "edge": 18080, "balancer": 18000, "session": 16379, "queue": 19092, "agent": 9000}


class Prometheus:
    """One that scrapes a data center, with the labels that series have there, and evaluates the rules."""

    def __init__(self, site, data_center, folder):
        at = site.addresses[data_center]
        self.address = f"{at}:9090"
        token = (site.state / "admin.token").read_text().strip()
        jobs = [{"job_name": tier, "authorization": {"credentials": token},
                 "static_configs": [{"targets": [f"{at}:{port}"], "labels": {"dc": data_center, "tier": tier}}]} for tier, port in PORTS.items()]
        config = {"global": {"scrape_interval": "5s", "evaluation_interval": "5s"}, "rule_files": [str(ROOT / "src/watch/rules/*.yml")], "scrape_configs": jobs}
        pathlib.Path(folder, "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self.log = open(pathlib.Path(folder, "prometheus.log"), "wb")  # noqa: SIM115
        self.process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                         f"--web.listen-address={self.address}"], stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def ask(self, path):
        code, _, body = curl(f"http://{self.address}/api/v1/{path}")
        return json.loads(body)["data"] if code == 200 else None

    def value(self, query):
        """Of the only series that the query finds."""
        data = self.ask(f"query?query={urllib.parse.quote(query)}")
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def alerts(self):
        """The names of those that fire."""
        return sorted(each["labels"]["alertname"] for each in self.ask("alerts")["alerts"] if each["state"] == "firing")

    def evaluations(self):
        """When each group was evaluated last, and what is wrong with rules."""
        groups = self.ask("rules")["groups"]
        return {group["name"]: group["lastEvaluation"] for group in groups}, [rule["lastError"] for group in groups for rule in group["rules"] if rule["health"] == "err"]

    def wait_for_evaluations(self):
        """Until every group has been evaluated after now. (Those of slo_long and of host take their time.)"""
        before, _ = self.evaluations()
        fast = {"datacenter", "processes", "replication", "queue", "visitors", "watch"} & set(before)
        wait_until(lambda: all(self.evaluations()[0][name] != before[name] for name in fast), 40, "the rules are evaluated")


def test_rules_on_a_site_that_runs(tmp_path):
    """Nothing fires on an idle site; the loss of a data center does, alone and at once, until it is back; a drained one may be switched off."""
    worker = '\n[queue]\n[worker.idle]\ncommand = ["sleep", "1000"]\ntopic = "idle"\nretries = 1\n'
    with Site(app=PYTHON_APP, instances=1, extra=worker) as site, Prometheus(site, "us-west", tmp_path) as prometheus:
        wait_until(lambda: prometheus.value("sum(up)") == len(PORTS), 40, "every target is scraped")
        prometheus.wait_for_evaluations()
        prometheus.wait_for_evaluations()
        assert prometheus.evaluations()[1] == []
        assert prometheus.alerts() == []
        site.run("dc", "kill", "us-east")
        killed = time.monotonic()
        wait_until(lambda: "DataCenterDown" in prometheus.alerts(), 40, "DataCenterDown fires")
        # The bar for the notice is 20 s.
        assert time.monotonic() - killed < 16
        assert prometheus.alerts() == ["DataCenterDown"]
        down, = [each for each in prometheus.ask("alerts")["alerts"] if each["state"] == "firing"]
        assert down["annotations"]["summary"] == "us-east is down as seen from us-west: neither its agent nor its edge answers."
        assert (down["labels"]["dc"], down["labels"]["datacenter"]) == ("us-west", "us-east")
        site.run("dc", "start", "us-east", timeout=60)
        wait_until(lambda: prometheus.alerts() == [], 90, "the alert ends")

        site.run("dc", "drain", "us-east")
        wait_until(lambda: prometheus.value('meridian_agent_datacenter_drained{datacenter="us-east"}') == 1, 20, "the drain is seen")
        site.run("dc", "kill", "us-east")
        wait_until(lambda: prometheus.value('meridian_agent_peer_lost{datacenter="us-east"}') == 1, 20, "the loss is seen")
        prometheus.wait_for_evaluations()
        assert prometheus.alerts() == []


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
