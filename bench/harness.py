"""What every benchmark uses: servers on one core and the load on the other, in turns, with the kernel's own CPU times.

A benchmark makes Subjects (a server under test and the processes whose CPU time it costs) and a load: a function of a subject and of
seconds that gives a Load. `compare` runs them in alternating rounds, after a warm-up that is not counted, and gives rows of medians;
`Report` prints them, beside the machine that they were measured on. The figure that counts is server CPU time for each request:
unlike throughput it does not depend on how fast the client is, and `compare` says so when the client was the limit.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

SERVER_CORE, CLIENT_CORE = "0", "1"
BOTH_CORES = "0,1"
TICKS = os.sysconf("SC_CLK_TCK")
# A core that is busier than this has no time left.
SATURATED = 0.95


@dataclasses.dataclass
class Subject:
    name: str
    target: str  # where the load goes, such as a URL
    pids: list  # of the processes under test


@dataclasses.dataclass
class Load:
    requests: int  # that were answered as they should be
    seconds: float


@dataclasses.dataclass
class Row:
    """Medians over the rounds."""
    name: str
    us_per_request: float  # of server CPU
    spread_us: float  # from the lowest to the highest round
    requests_per_s: float
    limited_by: str  # "server", "client", or "neither" core had no time left
    beside: dict  # peer's name: the median over rounds of our CPU time over the peer's


@dataclasses.dataclass
class Figure:
    """What is no cost of a request: such as memory, or a lag."""
    name: str
    value: float
    unit: str


def pin(pid, core):
    subprocess.run(["taskset", "-a", "-c", "-p", core, str(pid)], check=True, capture_output=True)


def on_core(core, *command):
    return ["taskset", "-c", core, *command]


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def cpu_seconds(pids):
    """CPU time that the processes have used, in user and kernel."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def busy_seconds(core):
    """How long a core has not been idle."""
    line = next(line for line in pathlib.Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    ticks = [int(field) for field in line.split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS


@contextlib.contextmanager
def scratch():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def peer(*command, core=SERVER_CORE):
    """A server in the foreground on the servers' core; its pid. What it says is shown if it ends by itself."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(on_core(core, *command), stdout=said, stderr=said)
        try:
            yield process.pid
        finally:
            ended = process.poll()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if ended is not None:
                said.seek(0)
                print(f"{command[0]} ended with {ended}:\n{said.read()}", file=sys.stderr)


def wrk(connections, path="", script=None, core=CLIENT_CORE):
    """A load of GETs of the target and `path` on so many kept connections, from the client's core. `script`: a file of Lua that wrk runs."""
    scripted = ["-s", str(script)] if script else []

    def load(subject, seconds):
        # A peer that lets one of many connections wait for seconds is slow, not wrong.
        done = subprocess.run(on_core(core, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", *scripted,
                                      subject.target + path),
                              capture_output=True, text=True, check=True)
        if "Socket errors" in done.stdout or "Non-2xx" in done.stdout:
            raise RuntimeError(f"{subject.name}: {done.stdout}")
        requests, taken, unit = re.search(r"(\d+) requests in ([\d.]+)(s|m)", done.stdout).groups()
        return Load(int(requests), float(taken) * (60 if unit == "m" else 1))
    return load


@dataclasses.dataclass
class Sample:
    us_per_request: float
    requests_per_s: float
    server_busy: float
    client_busy: float


def sample(subject, load, seconds):
    cpu, server, client = cpu_seconds(subject.pids), busy_seconds(SERVER_CORE), busy_seconds(CLIENT_CORE)
    done = load(subject, seconds)
    if done.requests == 0:
        raise RuntimeError(f"{subject.name}: no request was answered")
    return Sample(us_per_request=(cpu_seconds(subject.pids) - cpu) / done.requests * 1e6,
                  requests_per_s=done.requests / done.seconds,
                  server_busy=(busy_seconds(SERVER_CORE) - server) / done.seconds,
                  client_busy=(busy_seconds(CLIENT_CORE) - client) / done.seconds)


def limit(samples):
    if statistics.median(each.server_busy for each in samples) >= SATURATED:
        return "server"
    return "client" if statistics.median(each.client_busy for each in samples) >= SATURATED else "neither"


def compare(subjects, load, rounds, seconds, peers=()):
    """A Row for each subject. `peers` are the names of those that the others are held against."""
    for subject in subjects:
        load(subject, 1)
    samples = {subject.name: [] for subject in subjects}
    for _ in range(rounds):
        for subject in subjects:
            samples[subject.name].append(sample(subject, load, seconds))
    rows = []
    for name, own in samples.items():
        costs = [each.us_per_request for each in own]
        beside = {} if name in peers else {
            other: round(statistics.median(mine / theirs.us_per_request for mine, theirs in zip(costs, samples[other])), 3)
            for other in peers}
        rows.append(Row(name=name, us_per_request=round(statistics.median(costs), 2), spread_us=round(max(costs) - min(costs), 2),
                        requests_per_s=round(statistics.median(each.requests_per_s for each in own)), limited_by=limit(own),
                        beside=beside))
    return rows


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} x {model[1] if model else platform.machine()}, Linux {platform.release()}"


class Report:
    """Rows under headings, printed as a table or as JSON."""

    def __init__(self, title, rounds, seconds):
        self.title, self.rounds, self.seconds = title, rounds, seconds
        self.groups = []
        self.figures = []

    def add(self, heading, rows):
        self.groups.append((heading, rows))

    def add_figures(self, heading, figures):
        self.figures.append((heading, figures))

    def json(self):
        return json.dumps({"title": self.title, "machine": machine(), "rounds": self.rounds, "seconds": self.seconds,
                           "results": [{"case": heading, "rows": [dataclasses.asdict(row) for row in rows]} for heading, rows in self.groups],
                           "figures": [{"case": heading, "rows": [dataclasses.asdict(figure) for figure in figures]}
                                       for heading, figures in self.figures]},
                          indent=2)

    def table(self):
        lines = [self.title, f"{machine()}; servers on one core, clients on the other; medians of {self.rounds} rounds of {self.seconds} s", ""]
        lines.append(f"{'':<24} {'CPU µs/request':>14} {'spread':>7} {'requests/s':>11}  {'limit':<8} beside")
        for heading, rows in self.groups:
            lines += ["", heading]
            for row in rows:
                beside = ", ".join(f"{ratio:.2f} of {name}" for name, ratio in row.beside.items())
                lines.append(f"  {row.name:<22} {row.us_per_request:>14.2f} {row.spread_us:>7.2f} {row.requests_per_s:>11.0f}  "
                             f"{row.limited_by:<8} {beside}")
        for heading, figures in self.figures:
            lines += ["", heading, *(f"  {figure.name:<22} {figure.value:>14.2f} {figure.unit}" for figure in figures)]
        if any(row.limited_by == "client" for _, rows in self.groups for row in rows):
            lines += ["", "Where the limit is the client, requests/s says how fast the client was; CPU per request is the server's all the same."]
        return "\n".join(lines)
