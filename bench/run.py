"""Server CPU per proxied request, beside nginx: `./dev bench [--json] [--rounds N] [--seconds S]`.

A visitor's request goes through edge and balancer to one instance that answers 1 KB; the same load goes through nginx as
a reverse proxy with upstream keep-alive. Servers under test share one core, client and origin the other; rounds
alternate, a warm-up is discarded, CPU time is the kernel's (/proc/PID/stat), figures are medians.
"""

import argparse
import contextlib
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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test"))
from site_under_test import Site, curl, wait_until  # noqa: E402

SERVER_CORE, CLIENT_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")

ORIGIN = """daemon off; worker_processes 1; error_log stderr crit; pid {folder}/origin.pid;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; server {{ listen 127.0.0.1:{port} backlog=4096; root {folder};
  location = /health {{ return 200; }} }} }}
"""
PROXY = """daemon off; worker_processes 1; error_log stderr crit; pid {folder}/proxy.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000000;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 512; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def pin(pid, core):
    subprocess.run(["taskset", "-a", "-c", "-p", core, str(pid)], check=True, capture_output=True)


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def nginx(folder, name, text, core):
    conf = folder / f"{name}.conf"
    conf.write_text(text)
    process = subprocess.Popen(["taskset", "-c", core, "nginx", "-c", str(conf)])
    try:
        yield [process.pid, *wait_until(lambda: children(process.pid), 10, f"{name} has a worker")]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def load(url, connections, seconds):
    """wrk's requests a second, and how many requests it made without an error."""
    done = subprocess.run(["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url],
                          capture_output=True, text=True, check=True)
    if "Socket errors" in done.stdout or "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1)), int(re.search(r"(\d+) requests in", done.stdout).group(1))


def measure(subjects, connections, rounds, seconds):
    figures = {name: [] for name in subjects}
    for url, _ in subjects.values():
        load(url, connections, 1)
    for _ in range(rounds):
        for name, (url, pids) in subjects.items():
            before = cpu_seconds(pids)
            rate, requests = load(url, connections, seconds)
            figures[name].append(((cpu_seconds(pids) - before) / requests * 1e6, rate))
    rows = {}
    for name, samples in figures.items():
        costs = [cost for cost, _ in samples]
        rows[name] = {"us_per_request": round(statistics.median(costs), 2), "spread_us": round(max(costs) - min(costs), 2),
                      "requests_per_s": round(statistics.median(rate for _, rate in samples))}
    return rows


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-bench-"))
    folder.chmod(0o755)
    (folder / "index.html").write_bytes(b"x" * 1024)
    (folder / "origin.template").write_text(ORIGIN.format(folder=folder, port="PORT"))
    app = f"""command = ["sh", "-c", "sed s/PORT/$PORT/ {folder}/origin.template > {folder}/app.conf && exec taskset -c {CLIENT_CORE} nginx -c {folder}/app.conf"]
health = "/health\""""
    results = {}
    try:
        with Site(("us-east",), app=app, instances=1) as site, contextlib.ExitStack() as stack:
            status = site.data_center("us-east")
            tiers = {tier["name"]: tier["pid"] for tier in status["tiers"]}
            for pid in tiers.values():
                pin(pid, SERVER_CORE)
            origin = status["instances"][0]["address"].rsplit(":", 1)[1]
            port = free_port()
            proxy = stack.enter_context(nginx(folder, "proxy", PROXY.format(folder=folder, origin=origin, port=port), SERVER_CORE))
            wait_until(lambda: curl(f"http://127.0.0.1:{port}/")[0] == 200, 10, "nginx answers")
            address = site.addresses["us-east"]
            subjects = {
                "nginx proxy": (f"http://127.0.0.1:{port}/", proxy),
                "balancer": (f"http://{address}:8000/", [tiers["balancer"]]),
                "edge + balancer": (f"http://{address}:8080/", [tiers["edge"], tiers["balancer"]]),
            }
            for connections in (64, 512):
                results[connections] = measure(subjects, connections, options.rounds, options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}"
    if options.json:
        print(json.dumps({"machine": machine, "body_bytes": 1024, "results": results}, indent=2))
        return
    print(f"1 KB through a proxy to one origin, keep-alive; servers on one core of {machine}; median of {options.rounds} rounds\n")
    print(f"{'connections':>11}  {'server':<16} {'µs CPU/request':>14} {'spread':>7} {'requests/s':>11} {'beside nginx':>13}")
    for connections, rows in results.items():
        peer = rows["nginx proxy"]["us_per_request"]
        for name, row in rows.items():
            print(f"{connections:>11}  {name:<16} {row['us_per_request']:>14} {row['spread_us']:>7} {row['requests_per_s']:>11} {row['us_per_request'] / peer:>13.2f}")


main()
