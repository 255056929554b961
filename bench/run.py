"""`./dev bench [NAME] [--json] [--rounds N] [--seconds S]`: see `harness` for how, and docs/benchmarks.md for what came out."""

import argparse
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# Named apart from the modules of Python itself.
MODULES = {"http": "http_proxy", "edge": "edge_cache", "loops": "edge_loops", "session": "session", "queue": "queue_tier", "watch": "watch"}
BENCHMARKS = tuple(MODULES)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("names", nargs="*", metavar="NAME", default=BENCHMARKS, help=f"one of {', '.join(BENCHMARKS)}; all when none is given")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each round and subject")
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"{name} is no benchmark; there are: {', '.join(BENCHMARKS)}")
        report = importlib.import_module(MODULES[name]).run(options.rounds, options.seconds)
        print(report.json() if options.json else report.table(), flush=True)


main()
