"""`./dev bench loops`: what an edge with several loops costs for each request beside one with a single loop, and what it serves on two
cores beside nginx with two workers.

The loops share one core, so a request can only cost more because of what the loops share. With MERIDIAN_BEFORE=PROGRAM, an older
build is held beside the others."""

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/support"))
from harness import BOTH_CORES, CLIENT_CORE, SERVER_CORE, Report, Subject, children, compare, free_port, peer, wrk  # noqa: E402
from site_under_test import MERIDIAN, PROCESS_PORT, Address, curl, wait_until  # noqa: E402

BEFORE = os.environ.get("MERIDIAN_BEFORE")
LOOPS = (1, 2, 8)
KEYS = 1_000_000
BODY = "x" * 1024
HIT, PASS = "/hit", "/pass"

# Requests of a random key, and of all keys above a number.
RANDOM_KEYS = """init = function() math.randomseed(os.time()) end
request = function() return wrk.format("GET", "/k/" .. math.random(%d)) end
"""
KEYS_FROM = """local next = %d
request = function() next = next + 1; return wrk.format("GET", "/k/" .. next) end
"""
NGINX = """daemon off; worker_processes {workers}; error_log stderr crit; pid {folder}/{name}.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000000; sendfile on; tcp_nopush on; open_file_cache max=64;
  {cache}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location {passed} {{ add_header Cache-Control no-store; return 200 "{body}"; }}
    location / {{ {answer} }} }} }}
"""
CACHE = "proxy_cache_path {folder}/cache levels=1 keys_zone=images:10m max_size=64m use_temp_path=off;"
FROM_CACHE = "proxy_pass http://127.0.0.1:{origin}; proxy_cache images;"
FROM_MEMORY = 'add_header Cache-Control "public, max-age=86400"; return 200 "{body}";'


@contextlib.contextmanager
def nginx(folder, name, core, **settings):
    """Its port and pid."""
    port = free_port()
    config = folder / f"{name}.conf"
    config.write_text(NGINX.format(folder=folder, name=name, port=port, passed=PASS, body=BODY, **settings))
    with peer("nginx", "-c", str(config), core=core) as pid:
        wait_until(lambda: curl(f"http://127.0.0.1:{port}{HIT}")[0] == 200, 10, f"{name} answers")
        yield port, pid


@contextlib.contextmanager
def edge(origin, name, *options, program=MERIDIAN, core=SERVER_CORE):
    with Address() as address:
        at = f"{address}:{PROCESS_PORT}"
        with peer(program, "edge", "--listen", at, "--origin", f"http://127.0.0.1:{origin}", "--cache-bytes", "4GiB", *options,
                  core=core) as pid:
            wait_until(lambda: curl(f"http://{at}{HIT}")[0] == 200, 20, f"{name} answers")
            yield Subject(name, f"http://{at}", [pid])


def fill(script, subject):
    stored = 0
    while stored < KEYS:
        script.write_text(KEYS_FROM % stored)
        stored += wrk(64, script=script)(subject, 10).requests


def cost(report, folder, origin, rounds, seconds):
    """On the servers' core: CPU for each request by the number of loops."""
    random_keys = folder / "random.lua"
    random_keys.write_text(RANDOM_KEYS % KEYS)
    with contextlib.ExitStack() as stack:
        subjects = [stack.enter_context(edge(origin, f"{count} loops", "--threads", str(count))) for count in LOOPS]
        peers = (f"{LOOPS[0]} loops",)
        if BEFORE:
            subjects.append(stack.enter_context(edge(origin, "before", program=BEFORE)))
            peers = ("before", *peers)
        for connections in (64, 512):
            report.add(f"a hit of one key, {connections} connections",
                       compare(subjects, wrk(connections, HIT), rounds, seconds, peers=peers))
        report.add("passed on to the origin, 64 connections", compare(subjects, wrk(64, PASS), rounds, seconds, peers=peers))
        for subject in subjects:
            fill(folder / "fill.lua", subject)
        report.add(f"a hit of one in {KEYS} keys, 64 connections",
                   compare(subjects, wrk(64, script=random_keys), rounds, seconds, peers=peers))


def throughput(report, folder, origin, rounds, seconds):
    """Servers and client on both cores: requests/s."""
    cache, answer = CACHE.format(folder=folder), FROM_CACHE.format(origin=origin)
    with (edge(origin, "edge, 2 loops", "--threads", "2", core=BOTH_CORES) as ours,
          nginx(folder, "cache", BOTH_CORES, workers=2, cache=cache, answer=answer) as (port, pid)):
        theirs = Subject("nginx, 2 workers", f"http://127.0.0.1:{port}", [pid, *children(pid)])
        for connections in (64, 512):
            report.add(f"a hit of one key, {connections} connections, everyone on both cores",
                       compare([ours, theirs], wrk(connections, HIT, core=BOTH_CORES), rounds, seconds, peers=(theirs.name,)))


def run(rounds, seconds):
    report = Report("An edge with several loops, 1 KB bodies, kept connections, no access log", rounds, seconds)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-bench-", dir="/dev/shm"))
    folder.chmod(0o755)
    try:
        with nginx(folder, "origin", CLIENT_CORE, workers=1, cache="", answer=FROM_MEMORY.format(body=BODY)) as (origin, _):
            cost(report, folder, origin, rounds, seconds)
            throughput(report, folder, origin, rounds, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report
