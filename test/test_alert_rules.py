"""The alert rules of src/watch/rules: what promtool says of them, that each fires and stays silent where it should, and that metrics,
alerts, tests and runbooks have the same names."""

import itertools
import pathlib
import re
import subprocess

import pytest
import yaml

from site_under_test import MERIDIAN

pytestmark = pytest.mark.covers("watch", "agent")

ROOT = pathlib.Path(__file__).parent.parent
RULES = sorted((ROOT / "src/watch/rules").glob("*.yml"))
TESTS = sorted((ROOT / "test/rules").glob("*.yml"))
RUNBOOKS = ROOT / "docs/runbooks"
IDLE = "idle_site.yml"
# Labels that Prometheus gives to what it scrapes, and that histograms have.
TARGET_LABELS = {"dc", "job", "tier", "instance", "le"}
KEYWORDS = {"and", "or", "unless", "by", "on", "without", "ignoring", "bool", "offset"}


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False)


def groups(files):
    return [(file, group) for file in files for group in yaml.safe_load(file.read_text())["groups"]]


def rules_of(kind):
    return {rule[kind]: rule for _, group in groups(RULES) for rule in group["rules"] if kind in rule}


ALERTS = rules_of("alert")


def cases(file):
    """Each alert with whether it is expected to fire, in the order of the file."""
    return [(check["alertname"], bool(check.get("exp_alerts"))) for test in yaml.safe_load(file.read_text())["tests"] for check in test["alert_rule_test"]]


def documented():
    """The labels of each family in docs/metrics.md."""
    found = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if row := re.match(r"\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*)\|", line):
            labels = found.setdefault(row[1], set())
            labels |= set(re.findall(r"`(\w+)`", row[3]))
            if row[2] == "histogram":
                found[f"{row[1]}_bucket"] = labels
    return found


def recorded():
    """The labels of each recorded series, which the first part of its name has: level:metric:operation. Under `peer:` each is that of
    another data center."""
    own = {name: set(name.partition(":")[0].split("_")) for name in rules_of("record")}
    return own | {f"peer:{name}": labels for name, labels in own.items()}


def selectors(expression):
    """The metrics that an expression names, each with the labels of its selector."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', re.sub(r"#.*", "", expression))
    text = re.sub(r"\b(by|on|without|ignoring)\s*\([^)]*\)", " ", text)
    found = []
    for match in re.finditer(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\(|\[)?", text):
        if match[2] == "(" or match[1] in KEYWORDS:
            continue
        found.append((match[1], set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", match[2] or ""))))
    return found


def series_selectors(expression):
    """Each (metric, selector as it is written, without a range)."""
    metrics = {name for name, _ in selectors(expression)}
    found = re.finditer(r'(?<![\w:.])([a-zA-Z_:][\w:]*)(\{(?:[^}"]|"(?:[^"\\]|\\.)*")*\})?', re.sub(r"#.*", "", expression))
    return {(match[1], match[0]) for match in found if match[1] in metrics}


def test_the_parser_of_expressions_finds_what_they_name():
    text = 'sum by (dc) (rate(a_total{code="5xx",x!~"or b"}[5m])) > 14.4 * 0.001 and on (dc) avg_over_time(dc:b:c[6h] offset 30m) > bool 1e3'
    assert selectors(text) == [("a_total", {"code", "x"}), ("dc:b:c", set())]
    assert series_selectors(text) == {("a_total", 'a_total{code="5xx",x!~"or b"}'), ("dc:b:c", "dc:b:c")}


def test_promtool_accepts_the_rules():
    done = promtool("check", "rules", "--lint-fatal", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(RULES) > 5


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_and_are_silent_where_they_should(file):
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    checked = {case for file in TESTS if file.name != IDLE for case in cases(file)}
    missing = [f"{alert}: no case in which it {'fires' if fires else 'is silent'}" for alert in ALERTS for fires in (True, False) if (alert, fires) not in checked]
    assert not missing, "\n".join(missing)
    assert {alert for alert, _ in checked} <= set(ALERTS), "a test names an alert that is not there"


def test_no_alert_fires_on_an_idle_site():
    test = ROOT / "test/rules" / IDLE
    assert set(cases(test)) == {(alert, False) for alert in ALERTS}
    files = yaml.safe_load(test.read_text())["rule_files"]
    assert {(test.parent / file).resolve() for file in files} >= {file for file, group in groups(RULES) if any("alert" in rule for rule in group["rules"])}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_whom_and_where_to_look(alert):
    rule = ALERTS[alert]
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert set(rule["labels"]) == {"severity", "scope"}
    assert rule["labels"]["severity"] in ("page", "ticket") and rule["labels"]["scope"] in ("dc", "site")
    summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
    assert "{{ $labels." in summary and summary.endswith(".") and len(summary) < 250
    # The name of a data center, or a value, in the description would be a part of the summary.
    assert "{{" not in description and description.endswith(".") and len(description) < 200
    runbook = rule["annotations"]["runbook"]
    assert re.fullmatch(r"docs/runbooks/\w+\.md", runbook) and (ROOT / runbook).exists()
    assert alert in (ROOT / runbook).read_text().splitlines()[0]


def test_every_runbook_belongs_to_an_alert_and_is_in_the_index():
    named = {pathlib.PurePath(rule["annotations"]["runbook"]).name for rule in ALERTS.values()}
    there = {file.name for file in RUNBOOKS.glob("*.md")} - {"README.md"}
    assert there == named
    index = (RUNBOOKS / "README.md").read_text()
    rows = dict(re.findall(r"^\| \[(\w+)\]\((\w+\.md)\)", index, re.M))
    assert rows == {alert: pathlib.PurePath(rule["annotations"]["runbook"]).name for alert, rule in ALERTS.items()}
    severities = dict(re.findall(r"^\| \[(\w+)\]\(\w+\.md\) \| (\w+) \|", index, re.M))
    assert severities == {alert: rule["labels"]["severity"] for alert, rule in ALERTS.items()}


@pytest.mark.parametrize("runbook", sorted(file.name for file in RUNBOOKS.glob("*.md") if file.name != "README.md"))
def test_a_runbook_is_one_screen_with_all_its_parts(runbook):
    lines = (RUNBOOKS / runbook).read_text().splitlines()
    assert len(lines) <= 50
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == ["## What it means", "## What visitors notice", "## How to look", "## What to do", "## When it goes away"]


def help_of(command):
    """The help of a command, whose second word may be an argument; None: there is no such command. The program itself shows the help of
    `meridian alerts` for `meridian alerts nonsense --help`."""
    done = subprocess.run([MERIDIAN, *command, "--help"], capture_output=True, text=True, timeout=90, check=False)
    usage = re.search(r"^Usage: meridian((?: [a-z-]+)*)", done.stdout, re.M)
    if done.returncode != 0 or not usage:
        return None
    named = usage[1].split()
    is_argument = named == command[:1] and "\nCommands:\n" not in done.stdout
    return done.stdout if named == command or is_argument else None


def test_a_command_that_does_not_exist_has_no_help():
    assert help_of(["alerts", "silence"]) and help_of(["alerts"]) and help_of(["logs", "slow"])
    assert help_of(["alerts", "silense"]) is None and help_of(["alrts"]) is None and help_of(["queue", "nonsense"]) is None


def test_commands_of_the_runbooks_exist():
    """All that begins with the program's name: the help knows the command, and its options."""
    helped = {}
    for file in RUNBOOKS.glob("*.md"):
        for code in re.findall(r"(?:^|`)meridian ([^`\n]+)", file.read_text(), re.M):
            words = code.partition("#")[0].split()
            command = list(itertools.takewhile(lambda word: re.fullmatch(r"[a-z][a-z-]*", word), words))[:2]
            options = {word for word in words if word.startswith("-")}
            helped.setdefault((file.name, *command), set()).update(options)
    assert len(helped) > 30
    pages = {}
    for (name, *command), options in helped.items():
        page = pages[tuple(command)] = pages.get(tuple(command)) or help_of(command)
        assert page is not None, f"{name}: there is no command: meridian {' '.join(command)}"
        missing = [option for option in options if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", page)]
        assert not missing, f"{name}: meridian {' '.join(command)} has no {missing}"


def test_rules_name_only_metrics_that_are_documented():
    known = documented() | recorded()
    wrong = []
    for file, group in groups(RULES):
        for rule in group["rules"]:
            for name, labels in selectors(rule["expr"]):
                where = f"{file.name}: {rule.get('alert') or rule.get('record')}"
                if name not in known:
                    wrong.append(f"{where}: docs/metrics.md has no {name}")
                elif unknown := labels - known[name] - TARGET_LABELS:
                    wrong.append(f"{where}: {name} has no label {', '.join(unknown)}")
    assert not wrong, "\n".join(wrong)


def test_recorded_series_have_the_labels_of_their_names():
    for name, rule in rules_of("record").items():
        grouped = [set(re.split(r",\s*", labels)) for labels in re.findall(r"\bby \(([^)]*)\)", rule["expr"])]
        assert name.count(":") == 2 and all(labels == recorded()[name] for labels in grouped), name


def test_tests_feed_only_series_that_are_documented():
    known = documented() | recorded()
    for file in TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            for series in test["input_series"]:
                (name, labels), = selectors(series["series"])
                assert name in known and labels <= known[name] | TARGET_LABELS, f"{file.name}: {series['series']}"


def test_groups_have_names_of_their_own_an_interval_and_a_limit():
    names = [group["name"] for _, group in groups(RULES)]
    assert len(names) == len(set(names))
    assert all(group["interval"] and group["limit"] > 0 for _, group in groups(RULES))


def test_the_rules_lie_beside_the_program():
    beside = pathlib.Path(MERIDIAN).resolve().parent / "share/meridian/rules"
    assert [file.name for file in RULES if not (beside / file.name).exists() or (beside / file.name).read_text() != file.read_text()] == []
