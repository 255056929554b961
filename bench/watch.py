"""The log store: ingest, size on disk, and searches whose answers are compared with a plain scan. No peers: grep is what it is held against.

`MERIDIAN_BENCH_LINES` is the number of lines (1 million; the bars are those of 10 million). Rounds and seconds are not used: one round
of `log_bench` has 200 searches.
"""

import json
import os
import subprocess
import tempfile

import harness

LINES = int(os.environ.get("MERIDIAN_BENCH_LINES", "1000000"))
QUERIES = 200
PROGRAM = "build/release/log_bench"
# What is measured, the bar, and whether the figure may not be above it.
BARS = {
    "lines_per_cpu_second": (60_000, False),
    "disk_bytes_per_line": (110, True),
    "p95_ms": (300, True),
    "max_ms": (1500, True),
    "wrong": (0, True),
}


class Report:
    def __init__(self, figures):
        self.figures = figures

    def json(self):
        return json.dumps({"title": "log store", "machine": harness.machine(), "figures": self.figures}, indent=2)

    def table(self):
        lines = ["log store", harness.machine(), ""]
        for name, value in self.figures.items():
            bar = ""
            if name in BARS:
                limit, is_most = BARS[name]
                kept = value <= limit if is_most else value >= limit
                bar = f"  {'at most' if is_most else 'at least'} {limit}: {'kept' if kept else 'MISSED'}"
            lines.append(f"  {name:<22} {value:>14,}{bar}")
        return "\n".join(lines)


def run(_rounds, _seconds):
    with tempfile.TemporaryDirectory(prefix="meridian-bench-") as folder:
        done = subprocess.run([PROGRAM, str(LINES), str(QUERIES), folder], stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        raise SystemExit(f"{PROGRAM} failed with status {done.returncode}")
    return Report(json.loads(done.stdout))
