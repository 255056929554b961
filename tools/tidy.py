"""tools/tidy.py FILE: runs clang-tidy on a unit, and prints the findings, else one line that counts.

A unit without findings is remembered by a hash of all that the outcome depends on: clang-tidy, its configuration, the
command line, and the contents of every file that the unit includes. So another checkout of the same sources, or a run
after a change elsewhere, reads only what is new. `--forget DAYS` removes what was not used for so long.
"""

import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "meridian/tidy"
CLANG_TIDY = "clang-tidy-19"


def command_of(unit):
    """The unit's compiler command, as the compile database has it."""
    for entry in json.loads((ROOT / "build/tidy/compile_commands.json").read_text()):
        if pathlib.Path(entry["directory"], entry["file"]) == unit:
            return shlex.split(entry["command"]), entry["directory"]
    return None, None


def dependencies(command, directory):
    """All files that the unit includes, those of the system too."""
    command = command[:command.index("-o")] + command[command.index("-o") + 2:]
    made = subprocess.run([*command, "-M", "-w"], cwd=directory, capture_output=True, text=True)
    if made.returncode:
        return None
    return made.stdout.split(":", 1)[1].replace("\\\n", " ").split()


def key_of(unit):
    """None: the outcome cannot be remembered, because the unit does not compile or is in no database."""
    command, directory = command_of(unit)
    files = command and dependencies(command, directory)
    if not files:
        return None
    key = hashlib.sha256(subprocess.run([CLANG_TIDY, "--version"], capture_output=True).stdout)
    key.update((ROOT / ".clang-tidy").read_bytes())
    key.update(" ".join(command).replace(str(ROOT), "").encode())
    for file in files:
        path = pathlib.Path(directory, file).resolve()
        inside = path.is_relative_to(ROOT)
        key.update(f"\0{path.relative_to(ROOT) if inside else path}\0".encode())
        key.update(hashlib.sha256(path.read_bytes()).digest())
    return key.hexdigest()


def forget(days):
    for path in CACHE.glob("*"):
        if path.stat().st_mtime < time.time() - days * 24 * 3600:
            path.unlink(missing_ok=True)


def check(name):
    key = key_of((ROOT / name).resolve())
    if key is None or not (CACHE / key).exists():
        run = subprocess.run([CLANG_TIDY, "-p", "build/tidy", "--quiet", name], cwd=ROOT, capture_output=True, text=True)
        if run.returncode:
            lines = (run.stdout + run.stderr).splitlines()
            print("\n".join(line for line in lines if not line.rstrip(".").endswith("warnings generated")))
            return 1
    if key:
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / key).touch()
    print(f"[.] {name}")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--forget":
        forget(int(sys.argv[2]))
    else:
        sys.exit(check(sys.argv[1]))
