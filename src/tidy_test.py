"""The rules of the house that no compiler checks. Each failure says what to do instead."""

import collections
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The tiers, as the program lists them.
TIERS = re.findall(r"\b(\w+)::Describe\(\)", (ROOT / "src/cli/all_tiers.cpp").read_text(encoding="utf-8"))
# Floors from the ground up: a folder includes from lower floors.
FLOORS = [
    ["base"],
    ["wire", "io"],
    ["store", "http", "proc"],
    ["site"],
    ["dispatch"],
    [*TIERS, "queue", "watch"],
    ["agent", "visit"],
    ["lab"],
    ["cli"],
]
FLOOR_OF = {folder: floor for floor, folders in enumerate(FLOORS) for folder in folders}

MOST_FILES = 40  # of a folder's own
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
# Functions of headers that tests alone call, each because it shows what nothing else does.
SEEN_BY_TESTS = {
    "SkewWall": "a test's own clock",
    "Cities": "all entries of a table that the program searches by name",
    "durable_time": "what a log says of its end",
    "OffsetAt": "owners of a log find a record by its time",
    "AwaitChange": "keepers of shards wait for their term, which no process has yet",
    "QueueErrorName": "tests say why the queue refused",
    "fell_back": "a count that the program prints as JSON",
    "by_datacenter": "counts that the program prints as JSON",
    "at_line_start": "whether a splitter holds the start of a line",
    "examined": "what the choice of an instance costs",
    "is_null": "one of the kinds of a JSON value",
    "examined": "the cost of a choice, counted and not timed",
    "FindUser": "PostgreSQL refuses to run as root",
}
# Words of names that are not the field's, and what the field says.
NAMES = [
    (r"\bk(Most|Least|Longest|Shortest)[A-Z]\w*", "kMax..., kMin..."),
    (r"\b(most|least)_\w+", "max_..., min_..."),
    (r"\b\w*[Cc]leared(_\w+)?\b", "delete stamp"),
    (r"\b\w*(?<!Heart)(?<!heart)Beats?\b", "heartbeat"),
    (r"\b\w*[Bb]asis\b", "snapshot metadata"),
    (r"\b\w*Knowledge\b", "matrix clock, stability horizon"),
    (r"\b\w*[Pp]atience\b", "timeout, deadline"),
    (r"\b\w*(PerTurn|Turns)\b", "loop iteration"),
]
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


def is_for_tests(path):
    return path.stem.endswith(("_test", "_fixture")) or re.search("For tests|tests share", text_of(path)) is not None


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


def includes_of(path):
    return re.findall(r'^#include "([^"]+)"', text_of(path), re.M)


def circle_in(edges):
    """The nodes of a circle in the graph {node: successors}, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node) :] + [node]
        if node in done:
            return None
        path.append(node)
        found = next(filter(None, map(visit, sorted(edges.get(node, ())))), None)
        path.pop()
        done.add(node)
        return found

    return next(filter(None, map(visit, sorted(edges))), None)


def test_headers_and_subfolders_have_no_circle():
    headers = {}
    rooms = {}
    for path in tracked("src/*.cpp", "src/*.hpp"):
        name = str(path.relative_to("src"))
        if path.suffix == ".hpp":
            headers[name] = includes_of(path)
        if is_for_tests(path):
            continue
        # A folder's own files are both below its subfolders (limits, config) and above them (the tier itself).
        for included in map(pathlib.PurePath, includes_of(path)):
            own = path.parent.relative_to("src")
            other = included.parent
            nested = own == other or other in own.parents or own in other.parents
            if len(own.parts) > 1 and len(other.parts) > 1 and not nested:
                rooms.setdefault(str(own), set()).add(str(other))
    assert (found := circle_in(headers)) is None, " includes ".join(found)
    assert (found := circle_in(rooms)) is None, " includes ".join(found)


def test_no_folder_has_too_many_files():
    counts = collections.Counter(path.parent for path in tracked("*") if path.parts[0] != "fuzz")  # a corpus has many
    over = [f"{folder}: {count} files: give it subfolders" for folder, count in counts.items() if count > MOST_FILES]
    assert not over, "\n".join(over)


def test_every_header_is_included():
    included = {name for path in sources() for name in includes_of(path) if path.name != f"{pathlib.PurePath(name).stem}_test.cpp"}
    own = {str(path.relative_to("src")) for path in tracked("src/*.hpp")}
    assert not own - included, "\n".join(f"src/{name}: nobody includes it" for name in sorted(own - included))


def test_every_function_of_a_header_is_called():
    words, defined, declared = collections.Counter(), set(), {}
    for path in sources():
        if is_for_tests(path):
            continue
        code = code_of(path)
        words.update(re.findall(r"[A-Za-z]\w*", code))
        if path.suffix == ".cpp":
            defined.update(re.findall(r"^(?=\w).*?\b([A-Za-z]\w*)\(", code, re.M))
        else:
            for name in re.findall(r"^(?=\s|\w).*?\b(?<![.:>])([A-Za-z]\w*)\(", code, re.M):
                declared.setdefault(name, path)
    never = [
        f"{path}: nobody calls {name}: remove it, or say in SEEN_BY_TESTS why tests need it"
        for name, path in declared.items()
        if words[name] <= 1 + (name in defined) and name not in (*SEEN_BY_TESTS, "alignas") and not name.startswith("return_")
    ]
    assert not never, "\n".join(never)
    called = [name for name in SEEN_BY_TESTS if name not in declared or words[name] > 1 + (name in defined)]
    assert not called, f"SEEN_BY_TESTS names what is called, or is not there: {called}"


def test_no_two_types_of_a_namespace_have_the_same_name():
    """The linker takes one of two for both, without a word."""
    places = collections.defaultdict(set)
    for path in sources():
        code = code_of(path)
        namespaces = re.findall(r"^namespace (meridian[\w:]*) \{", code, re.M)
        if not namespaces or path.suffix != ".hpp":
            continue
        for name in re.findall(r"^(?:class|struct|enum class) (\w+)(?!\w|::)[^;{]*\{", code, re.M):
            places[namespaces[0], name].add(str(path))
    twice = [f"{space}::{name}: {', '.join(sorted(paths))}" for (space, name), paths in places.items() if len(paths) > 1]
    assert not twice, "\n".join(twice)


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


def test_names_are_the_words_of_the_field():
    wrong = []
    for path in sources():
        for number, line in enumerate(code_of(path).splitlines(), 1):
            for pattern, instead in NAMES:
                if found := re.search(pattern, line):
                    wrong.append(f"{path}:{number}: '{found.group()}': say {instead}")
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


def anchors_of(text):
    """GitHub's names of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_of_documents_lead_somewhere():
    wrong = []
    for path in tracked("*.md"):
        text = re.sub(r"^```.*?^```", "", text_of(path), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"https?:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (ROOT / path).parent / name if name else ROOT / path
            if not file.exists():
                wrong.append(f"{path}: {target}: there is no such file")
            elif anchor and anchor not in anchors_of(file.read_text(encoding="utf-8")):
                wrong.append(f"{path}: {target}: there is no such heading")
    assert not wrong, "\n".join(wrong)


def test_the_architecture_names_what_is_there():
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+)`", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    assert len(named) > 20
    missing = [name for name in sorted(named) if not any((ROOT / "src").glob(f"{name}*"))]
    assert not missing, f"ARCHITECTURE.md names what is not under src/: {', '.join(missing)}"
