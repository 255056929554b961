"""`./dev bench session`: sessions of 300 bytes with an expiry, beside redis-server: operations, memory, and how far behind a copy is."""

import contextlib
import pathlib
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/support"))
from harness import Figure, Report, Subject, compare, peer, scratch  # noqa: E402
from session_load import KEYS, PORT, VALUE, Mix, connect, fill, read_exactly, redis_benchmark, request  # noqa: E402
from site_under_test import MERIDIAN, AddressBlock, wait_until  # noqa: E402

CONNECTIONS = (50, 500)
PIPELINES = (1, 16)
WRITES_PER_S = 20_000
WRITES_PER_STEP = 200
NAMES = ("us-east", "us-west")
REDIS = {"memory": ["--save", "", "--appendonly", "no"],
         # As Meridian keeps its log short, so is the file rewritten.
         "disk": ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]}


def answers(address):
    with contextlib.suppress(OSError), connect(address) as stream:
        stream.sendall(b"PING\r\n")
        return stream.recv(100) == b"+PONG\r\n"
    return False


def site_file(folder, addresses, durability):
    lines = ['domain = "photos.example"']
    for name, address in addresses.items():
        lines += ["[[datacenter]]", f'name = "{name}"', f'address = "{address}"', 'location = "Ashburn"']
    lines += ["[app]", 'command = ["true"]', 'directory = "/tmp"', "[session]", f'durability = "{durability}"', ""]
    (folder / "site.toml").write_text("\n".join(lines))
    return folder / "site.toml"


def start(folder, file, name):
    return peer(MERIDIAN, "session", "--site", str(file), "--dc", name, "--state", str(folder / f"state-{name}"))


@contextlib.contextmanager
def addresses(count):
    block = AddressBlock(count)
    try:
        yield [f"127.{octet}.0.1" for octet in block.octets]
    finally:
        block.release()


@contextlib.contextmanager
def both(durability):
    """Meridian and redis-server, empty."""
    with scratch() as folder, addresses(2) as (ours, theirs), contextlib.ExitStack() as stack:
        file = site_file(folder, {"us-east": ours}, durability)
        ours_pid = stack.enter_context(start(folder, file, "us-east"))
        theirs_pid = stack.enter_context(peer("redis-server", "--bind", theirs, "--port", str(PORT), "--dir", str(folder), *REDIS[durability]))
        subjects = [Subject("meridian session", ours, [ours_pid]), Subject("redis-server", theirs, [theirs_pid])]
        for subject in subjects:
            wait_until(lambda at=subject: answers(at.target), 20, f"{subject.name} answers")
        yield subjects


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def fill_all(subjects):
    """Every session in every subject; what each takes in memory."""
    figures = []
    for subject in subjects:
        before = resident_bytes(subject.pids[0])
        fill(subject.target)
        figures.append(Figure(subject.name, round((resident_bytes(subject.pids[0]) - before) / KEYS, 1), "bytes"))
    return figures


def operations(report, durability, rounds, seconds):
    with both(durability) as subjects:
        report.add_figures(f"memory for a session of 300 bytes with an expiry, durability {durability}, a million of them", fill_all(subjects))
        for connections in CONNECTIONS:
            for pipeline in PIPELINES:
                loads = {command: redis_benchmark(command, connections, pipeline) for command in ("GET", "SET")}
                loads["80% GET, 15% EXPIRE, 5% SET"] = Mix(connections, pipeline)
                for name, load in loads.items():
                    report.add(f"{name}, durability {durability}, {connections} connections, pipeline {pipeline}",
                               compare(subjects, load, rounds, seconds, peers=("redis-server",)))


class Watcher(threading.Thread):
    """Asks one data center for the number that the other is told, and remembers when it first saw each."""

    def __init__(self, address):
        super().__init__()
        self.stream = connect(address)
        self.seen = {}
        self.number = 0
        self.ended = False

    def run(self):
        while not self.ended:
            self.stream.sendall(b"GET probe\r\n")
            said = self.stream.recv(100)
            now = time.monotonic()
            number = 0 if said.startswith(b"$-1") else int(said.split(b"\r\n")[1])
            for i in range(self.number + 1, number + 1):
                self.seen[i] = now
            self.number = number
        self.stream.close()


def write_paced(address, seconds):
    """WRITES_PER_S of them, in steps; when the number of each step was acknowledged."""
    acknowledged = {}
    with connect(address) as stream:
        begin = time.monotonic()
        for step in range(1, seconds * WRITES_PER_S // WRITES_PER_STEP + 1):
            writes = [request(b"SET", b"lag:%d" % (step * WRITES_PER_STEP + i), VALUE) for i in range(WRITES_PER_STEP - 1)]
            stream.sendall(b"".join([*writes, request(b"SET", b"probe", b"%d" % step)]))
            read_exactly(stream, WRITES_PER_STEP * len(b"+OK\r\n"))
            acknowledged[step] = time.monotonic()
            time.sleep(max(0.0, begin + step * WRITES_PER_STEP / WRITES_PER_S - time.monotonic()))
        return acknowledged, len(acknowledged) * WRITES_PER_STEP / (time.monotonic() - begin)


def lag(report, seconds):
    """From the acknowledgement in one data center until a reader in the other sees the write."""
    with scratch() as folder, addresses(2) as places, contextlib.ExitStack() as stack:
        file = site_file(folder, dict(zip(NAMES, places)), "disk")
        # The CA's folder is the site's; each data center has its own of the rest.
        subprocess.run([MERIDIAN, "ca", str(file), "--state", str(folder / "state-us-east")], check=True, capture_output=True)
        # The password would be made of this.
        (folder / "state-us-east" / "admin.token").unlink()
        shutil.copytree(folder / "state-us-east", folder / "state-us-west")
        for name in NAMES:
            stack.enter_context(start(folder, file, name))
        east, west = places
        for place in places:
            wait_until(lambda at=place: answers(at), 20, "the data center answers")
        with connect(east) as stream:
            stream.sendall(b"SET probe 0\r\nWAIT 1 20000\r\n")
            if read_exactly(stream, len(b"+OK\r\n:1\r\n")) != b"+OK\r\n:1\r\n":
                raise RuntimeError("the other data center does not follow")
        watcher = Watcher(west)
        watcher.start()
        try:
            acknowledged, rate = write_paced(east, seconds)
            wait_until(lambda: watcher.number == len(acknowledged), 20, "the last write has arrived")
        finally:
            watcher.ended = True
            watcher.join()
    lags = sorted((watcher.seen[step] - at) * 1000 for step, at in acknowledged.items())
    # Less than nothing: the other had it before the reply was read here.
    report.add_figures("a write seen in the other data center, after its acknowledgement", [
        Figure("writes", round(rate), "per second"), Figure("median", round(max(0.0, lags[len(lags) // 2]), 2), "ms"),
        Figure("p99", round(max(0.0, lags[len(lags) * 99 // 100]), 2), "ms")])


def run(rounds, seconds):
    report = Report("Sessions of 300 bytes with an expiry, a million keys", rounds, seconds)
    for durability in ("memory", "disk"):
        operations(report, durability, rounds, seconds)
    lag(report, rounds * seconds)
    return report
