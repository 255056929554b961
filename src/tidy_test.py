"""The rules of the house that no compiler checks. Each failure says what to do instead."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Floors from the ground up. A folder includes from its own floor's folders only where stated, else below.
FLOORS = [
    ["base"],
    ["wire", "io"],
    ["store", "http"],
    ["site"],
    ["dispatch"],
    ["dns", "edge", "balancer", "session", "queue", "sql", "watch"],
    ["agent", "visit"],
    ["lab"],
    ["cli"],
]
FLOOR_OF = {folder: floor for floor, folders in enumerate(FLOORS) for folder in folders}

HIGHEST_LINES = 1000
USUAL_LINES = 450  # nine files in ten

BANNED = [
    (r"\busing namespace (?!std::(chrono_)?literals)", "name what you use"),
    (r"\bstd::regex\b", "write the few lines of parsing: std::regex recurses on input"),
    (r"\b(sprintf|strcpy|strcat|gets|strtok)\s*\(", "fmt::format or std::string_view"),
    (r"\b(atoi|atol|strtol|strtoul|stoi|stoul|stod)\s*\(", "std::from_chars, which reports errors"),
    (r"\b(rand|srand)\s*\(", "base/random.hpp, which has a seed"),
    (r"\bstd::this_thread::sleep_|\busleep\s*\(|(?<![\w:.])sleep\s*\(", "io::Sleep, or wait for the thing itself"),
    (r"\bsystem_clock::now|\bsteady_clock::now|\bgettimeofday\b", "the Clock or Loop you were handed"),
    (r"\bstd::(cout|cerr)\b", "LOG_*, or fmt::print in src/cli"),
    (r"\bfmt::format_to\b", "`out += fmt::format(...)`: fmt::format_to compiles fmt's formatter once more in each unit"),
    (r"\bassert\s*\(", "CHECK, which is on in every build"),
    (r"\bdynamic_cast\b", "a virtual function at a seam"),
    (r"\bthrow\b(?!\w)", "Result"),
    (r"\b(killall|pkill)\b", "end processes by their pid"),
]
# Where the thing that the others should use is made.
EXEMPT = {
    "src/base/clock.hpp": ["system_clock", "steady_clock"],
    "src/base/log.cpp": ["system_clock"],
}
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|#if 0|not implemented")


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [pathlib.Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def sources():
    return tracked("src/*.cpp", "src/*.hpp", "fuzz/*.cpp", "sim/*.cpp", "sim/*.hpp")


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def code_of(path):
    """The text with comments and string literals blanked, line by line in place."""
    text = text_of(path)
    text = re.sub(r'R"(\w*)\(.*?\)\1"', lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def folder_of(path):
    return path.parts[1] if path.parts[0] == "src" and len(path.parts) > 2 else None


def test_arrows_point_down_only():
    wrong = []
    for path in sources():
        own = folder_of(path)
        if own is None:
            continue
        assert own in FLOOR_OF, f"{path}: no floor is named for src/{own}: see FLOORS here"
        for number, line in enumerate(text_of(path).splitlines(), 1):
            include = re.match(r'#include "(\w+)/', line)
            if include is None or include.group(1) == own:
                continue
            other = include.group(1)
            if other not in FLOOR_OF or FLOOR_OF[other] >= FLOOR_OF[own]:
                wrong.append(f"{path}:{number}: {own} must not include {other}: move what both need to a lower floor")
    assert not wrong, "\n".join(wrong)


def test_headers_say_pragma_once_and_open_with_their_purpose():
    wrong = []
    for path in sources():
        if path.suffix != ".hpp":
            continue
        text = text_of(path)
        if "#pragma once" not in text:
            wrong.append(f"{path}: #pragma once is missing")
        if not text.startswith("//"):
            wrong.append(f"{path}: open with what it is for, who owns it, which thread may touch it")
    assert not wrong, "\n".join(wrong)


def test_files_are_short():
    lengths = {path: text_of(path).count("\n") for path in sources()}
    long = [f"{path}: {lines} lines; split by what changes together" for path, lines in lengths.items() if lines > HIGHEST_LINES]
    assert not long, "\n".join(long)
    over = [str(path) for path, lines in lengths.items() if lines > USUAL_LINES]
    assert len(over) * 10 <= len(lengths), f"more than one file in ten is over {USUAL_LINES} lines: {over}"


def test_banned_calls_are_not_used():
    wrong = []
    for path in sources():
        for number, line in enumerate(code_of(path).splitlines(), 1):
            for pattern, instead in BANNED:
                found = re.search(pattern, line)
                if found and not any(word in found.group() for word in EXEMPT.get(str(path), [])):
                    wrong.append(f"{path}:{number}: '{found.group().strip()}': use {instead}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_over():
    wrong = []
    for path in sources() + tracked("test/*.py", "dev", "ui/*", "examples/*.js", "docs/*.md", "*.md"):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if LEFTOVERS.search(line):
                wrong.append(f"{path}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_every_test_expects_something():
    wrong = []
    for path in sources():
        if not path.name.endswith("_test.cpp"):
            continue
        tests = re.split(r"^(?=TEST(?:_F|_P)?\()", code_of(path), flags=re.M)[1:]
        for test in tests:
            body = test.split("\n}\n", 1)[0]
            if not re.search(r"\b(EXPECT|ASSERT)_|\bFAIL\(|\bExpect\w*\(", body):
                wrong.append(f"{path}: {test.splitlines()[0]} expects nothing")
    assert not wrong, "\n".join(wrong)


def test_no_lock_file_names_a_registry():
    for path in tracked("*package-lock.json"):
        assert '"resolved"' not in text_of(path), f"{path}: install with --omit-lockfile-registry-resolved"


def test_the_architecture_names_what_is_there():
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+)`", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    assert len(named) > 20
    missing = [name for name in sorted(named) if not any((ROOT / "src").glob(f"{name}*"))]
    assert not missing, f"ARCHITECTURE.md names what is not under src/: {', '.join(missing)}"
