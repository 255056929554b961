"""The dashboards of `meridian watch grafana`: each expression is one that a real Prometheus answers, about metrics that there are."""

import json
import re
import subprocess
import urllib.parse

import pytest

from site_under_test import MERIDIAN, ROOT, Address, curl, wait_until

pytestmark = [pytest.mark.covers("cli", "watch")]

NAMES = ["balancer", "dns", "edge", "host", "overview", "queue", "session", "slo", "watch"]
# What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "1m", "$dc": ".*"}


def write(folder):
    return subprocess.run([MERIDIAN, "watch", "grafana", str(folder)], capture_output=True, text=True, timeout=90, check=False)


@pytest.fixture(scope="module")
def dashboards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grafana") / "a/b"
    done = write(folder)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(map(str, folder.iterdir()))
    return {path.stem.removeprefix("meridian-"): json.loads(path.read_text()) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("{}")
    with Address() as address:
        process = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}:9090"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: curl(f"http://{address}:9090/-/ready")[0] == 200, what="it is ready")
            yield f"http://{address}:9090"
        finally:
            process.kill()
            process.wait()


def expressions(dashboards):
    for name, dashboard in dashboards.items():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                text = target["expr"]
                for variable, value in VARIABLES.items():
                    text = text.replace(variable, value)
                yield name, panel["title"], text


def test_there_are_nine_that_need_no_one_to_fill_them_in(dashboards):
    assert sorted(dashboards) == NAMES
    for dashboard in dashboards.values():
        assert dashboard["id"] is None and dashboard["uid"].startswith("meridian-")
        sources = re.findall(r'"datasource": (\{[^}]*\})', json.dumps(dashboard))
        assert len(sources) > 4 and {json.loads(each)["uid"] for each in sources} == {"meridian"}


def test_a_real_prometheus_answers_each_expression(dashboards, prometheus):
    asked = list(expressions(dashboards))
    assert len(asked) > 60
    for name, panel, text in asked:
        assert "$" not in text, (name, panel)
        code, _, body = curl(f"{prometheus}/api/v1/query?query={urllib.parse.quote(text)}")
        assert code == 200 and json.loads(body)["status"] == "success", (name, panel, text, body)
    # And refuses what is wrong, so that the above means something.
    assert curl(f"{prometheus}/api/v1/query?query={urllib.parse.quote('sum by (dc (up)')}")[0] == 400


def test_every_metric_of_an_expression_is_one_that_meridian_has(dashboards):
    """Names, and the labels that select or group, are on the page of metrics."""
    page = (ROOT / "docs/metrics.md").read_text()
    known = {}
    for name, labels in re.findall(r"^\| `(meridian_\w+)` \| \w+ \|([^|]*)\|", page, re.M):
        known[name] = set(re.findall(r"`(\w+)`", labels)) | {"dc", "tier", "le"}
    assert len(known) > 100
    for dashboard, panel, text in expressions(dashboards):
        for name, selector in re.findall(r"\b(meridian_\w+)(?:\{([^}]*)\})?", text):
            family = next((each for each in (name, re.sub(r"_(bucket|sum|count)$", "", name)) if each in known), None)
            assert family, (dashboard, panel, name)
            for label in re.findall(r"(\w+)(?:=~|!~|!=|=)", selector):
                assert label in known[family], (dashboard, panel, name, label)
        labels = {label for each in re.findall(r"\bby \(([^)]*)\)", text) for label in re.findall(r"\w+", each)}
        of_all = set().union(*(known[re.sub(r"_(bucket|sum|count)$", "", name) if re.sub(r"_(bucket|sum|count)$", "", name) in known else name]
                               for name in re.findall(r"\bmeridian_\w+", text)))
        assert labels <= of_all, (dashboard, panel, text)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    done = write(tmp_path / "file" / "folder")
    assert done.returncode == 1 and str(tmp_path / "file") in done.stderr
    assert subprocess.run([MERIDIAN, "watch", "grafana"], capture_output=True, timeout=90, check=False).returncode == 2
