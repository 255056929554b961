"""What headers and units cost the compiler's front end, and the budget that each header must keep.

  headers.py --check [FILE...]
                         each header, beside the precompiled headers of its folder: fails when one is over budget
                         (or does not compile by itself). With files: only those of them that are headers, and the
                         headers that include one of them. Headers are measured a few at a time: where several
                         together keep the budget of one, each does
  headers.py --units FILE...
                         the units that stand for these files: a .cpp for itself, a header for the .cpp that is named as
                         it is, or else the first that includes it
  headers.py --slowest   compiles the whole program anew in build/trace (minutes), and prints the units and headers that
                         took most

Seconds are CPU seconds of a machine on which CALIBRATION takes 0.5 s: what is measured is divided by how much slower
or faster this one is.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"

BUDGET = 0.3
# Headers that may cost more, in seconds: few units read them.
BUDGETS = {
    "src/session/session.hpp": 0.4,  # a whole tier, for the composition root
    "src/edge/fetch/cache_handler_fixture.hpp": 0.4,  # a whole edge, for its tests
    "src/edge/edge_loops_fixture.hpp": 0.45,  # the same, on several loops
    "src/queue/mirror/mirror_fixture.hpp": 0.6,  # a whole queue, for tests and simulations
    "src/queue/mirror/mirror_site_fixture.hpp": 0.7,  # several of them
    "src/visit/world.hpp": 0.5,  # dns, edges and visitors, for tests
}

CALIBRATION = "#include <chrono>\n#include <functional>\n#include <map>\n#include <memory>\n#include <string>\n#include <vector>\n"
CALIBRATION_SECONDS = 0.5
JOBS = os.cpu_count() or 1
# Headers that are measured together.
GROUP = 8


def tracked(*patterns):
    """Also what is not added to git yet."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


def flags_by_folder():
    """For each folder the compiler's arguments of a library unit and of a test, without input and output."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(ROOT):
            continue
        arguments = shlex.split(entry["command"])
        arguments = [word for word in arguments if not word.endswith("tools/compile")]
        output = arguments.index("-o")
        kind = "test" if path.name.endswith("_test.cpp") else "library"
        found.setdefault((str(path.parent.relative_to(ROOT)), kind), arguments[:output])
    return found


def front_end_seconds(arguments, text):
    """CPU seconds to read `text` as a unit, and what the compiler said if it refused."""
    command = [*arguments, "-fsyntax-only", "-x", "c++", "-"]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as unit:
        unit.write(text.encode())
        unit.seek(0)
        process = subprocess.Popen(command, cwd=BUILD, stdin=unit, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return usage.ru_utime + usage.ru_stime, said.read().decode() if process.returncode else ""


def least_seconds(arguments, text, times):
    return min(front_end_seconds(arguments, text)[0] for _ in range(times))


def read_includes(headers):
    """For each header and unit the project's headers that it includes."""
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in [*headers, *tracked("src/*.cpp", "sim/*.cpp", "fuzz/*.cpp")]}
    return {path: {f"src/{name}" if f"src/{name}" in texts else name for name in re.findall(r'^#include "([^"]+)"', text, re.M)}
            for path, text in texts.items()}


def reached_from(paths, includes):
    """These files, and all that they include."""
    reached, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += includes.get(path, ())
    return reached


def first_of_a_unit(header):
    """Whether a unit begins with it, and so shows that it compiles by itself."""
    wanted = f'#include "{header.removeprefix("src/")}"'
    for ending in (".cpp", "_test.cpp"):
        unit = ROOT / (header.removesuffix(".hpp") + ending)
        if unit.exists() and next(re.finditer(r"^#include .*", unit.read_text(encoding="utf-8"), re.M))[0] == wanted:
            return True
    return False


def check(changed):
    flags = flags_by_folder()
    headers = tracked("src/*.hpp", "sim/*.hpp")
    includes = read_includes(headers)
    # Tests alone include the other headers.
    units = reached_from([path for path in includes if path.endswith(".cpp") and not path.endswith("_test.cpp")], includes)
    if changed:
        headers = [header for header in headers if reached_from([header], includes) & set(changed)]
    plain = [word for word in next(iter(flags.values())) if word.startswith(("/", "-std", "-O"))]
    speed = least_seconds(plain, CALIBRATION, 5) / CALIBRATION_SECONDS

    def arguments_of(header):
        kinds = ("library", "test") if header in units else ("test", "library")
        # A folder without units is compiled as the folder that it is in.
        folders = [str(folder) for folder in pathlib.PurePath(header).parents]
        return next((flags[folder, kind] for folder in folders for kind in kinds if (folder, kind) in flags), flags["src/base", "library"])

    empty = {}
    for header in headers:
        key = tuple(arguments_of(header))
        if key not in empty:
            empty[key] = least_seconds(list(key), "", 5)

    def unit_of(header):
        return f'#include "{header.removeprefix("src/")}"\n'

    def cost(header):
        arguments = arguments_of(header)
        seconds, said = front_end_seconds(arguments, unit_of(header))
        return (seconds - empty[tuple(arguments)]) / speed, said

    def careful_cost(header):
        """Alternating with the calibration: what else the machine does then slows both alike."""
        units = [(plain, CALIBRATION), (arguments_of(header), ""), (arguments_of(header), unit_of(header))]
        rounds, seconds, budget = [], 0, BUDGETS.get(header, BUDGET)
        # Two rounds tell that it keeps its budget after all, or is far over it.
        while len(rounds) < 2 or (len(rounds) < 7 and budget < seconds < 2 * budget):
            rounds.append([front_end_seconds(*unit)[0] for unit in units])
            calibration, nothing, whole = (min(column) for column in zip(*rounds))
            seconds = (whole - nothing) / (calibration / CALIBRATION_SECONDS)
        return seconds

    def keep_together(group):
        """Whether all of them are known to keep the smallest budget."""
        text = "".join(map(unit_of, group))
        seconds, said = front_end_seconds(arguments_of(group[0]), text)
        return not said and (seconds - empty[tuple(arguments_of(group[0]))]) / speed <= BUDGET

    def keepers(group):
        """Those of a group that are known to keep their budgets."""
        if len(group) < 2:
            return []
        if keep_together(group):
            return group
        half = len(group) // 2
        return keepers(group[:half]) + keepers(group[half:])

    groups = collections.defaultdict(list)
    for header in headers:
        if first_of_a_unit(header):
            groups[tuple(arguments_of(header))].append(header)
    groups = [group[i:i + GROUP] for group in groups.values() for i in range(0, len(group), GROUP)]

    wrong = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        kept = {header for group in pool.map(keepers, groups) for header in group}
        alone = [header for header in headers if header not in kept]
        for header, (seconds, said) in zip(alone, pool.map(cost, alone)):
            budget = BUDGETS.get(header, BUDGET)
            if said:
                wrong.append(f"{header} does not compile by itself:\n{said}")
            elif seconds > budget and (seconds := careful_cost(header)) > budget:
                wrong.append(f"{header}: {seconds:.2f} s of the front end, budget {budget:.2f} s: "
                             "declare forward, move code and includes into the .cpp, or give it a budget in tools/headers.py")
    print("\n".join(wrong) or f"{len(headers)} headers keep their budgets")
    return 1 if wrong else 0


def units(files):
    includes = read_includes(tracked("src/*.hpp", "sim/*.hpp"))
    sources = sorted(path for path in includes if path.endswith(".cpp") and not path.endswith("_test.cpp"))
    chosen = set()
    for path in files:
        if path.endswith(".cpp"):
            chosen.add(path)
        elif path.endswith(".hpp"):
            same = path.removesuffix(".hpp") + ".cpp"
            chosen.update([same] if same in sources else [source for source in sources if path in includes[source]][:1])
    print("\n".join(sorted(chosen)))
    return 0


def slowest(_):
    trace = ROOT / "build/trace"
    subprocess.run(["cmake", "--preset", "release", "-B", trace, "-DCMAKE_CXX_FLAGS=-ftime-trace"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", trace, "--quiet", "-t", "clean"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", trace, "-j", str(JOBS), "meridian"], check=True, env={**os.environ, "CCACHE_DISABLE": "1"})
    units, headers, times = [], collections.Counter(), collections.Counter()
    for path in trace.glob("CMakeFiles/*.dir/src/**/*.json"):
        front = back = 0.0
        # Begin and end of reading a file may be two events or one.
        for event in json.loads(path.read_text())["traceEvents"]:
            seconds = event.get("dur", 0) / 1e6
            if event["name"] == "Total Frontend":
                front = seconds
            elif event["name"] == "Total Backend":
                back = seconds
            elif event["name"] == "Source" and "dur" in event:
                header = re.sub(r"^.*?/src/", "src/", event["args"]["detail"])
                headers[header] += seconds
                times[header] += 1
        units.append((front + back, front, back, re.sub(r"^.*?/src/", "src/", str(path)).removesuffix(".json")))
    print(f"{len(units)} units, {sum(unit[0] for unit in units):.0f} s: {sum(unit[1] for unit in units):.0f} s front end, "
          f"{sum(unit[2] for unit in units):.0f} s back end\n\nUnits: seconds, of these front and back end")
    for seconds, front, back, path in sorted(units, reverse=True)[:20]:
        print(f"{seconds:7.2f} {front:7.2f} {back:7.2f}  {path}")
    print("\nHeaders that were read beside the precompiled ones: seconds in all, how often")
    for header, seconds in headers.most_common(20):
        print(f"{seconds:7.2f} {times[header]:5d}  {header}")
    return 0


if __name__ == "__main__":
    sys.exit({"--check": check, "--units": units, "--slowest": slowest}[sys.argv[1]](sys.argv[2:]))
