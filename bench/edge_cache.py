"""`./dev bench edge`: a 1 KB hit in the edge's memory, beside nginx proxy_cache on tmpfs and Varnish.

With MERIDIAN_BEFORE=PROGRAM, an older build of Meridian: what a hit costs now, without and with an access log, beside that."""

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/support"))
from cache_origin import Answer, Origin  # noqa: E402
from harness import Report, Subject, children, compare, free_port, peer, wrk  # noqa: E402
from site_under_test import MERIDIAN, PROCESS_PORT, Address, curl, wait_until  # noqa: E402

BEFORE = os.environ.get("MERIDIAN_BEFORE")
CONNECTIONS = (64, 512)
PATH = "/logo.png"
BODY = b"x" * 1024
# Long enough that nothing is asked for again while this runs.
FIELDS = {"Content-Type": "image/png", "Cache-Control": "public, max-age=86400"}

NGINX = """daemon off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000000; sendfile on; tcp_nopush on; open_file_cache max=64;
  proxy_cache_path {folder}/cache levels=1 keys_zone=images:10m max_size=64m use_temp_path=off;
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_cache images; }} }} }}
"""


@contextlib.contextmanager
def meridian(origin, *options, program=MERIDIAN, name="meridian edge"):
    with Address() as address:
        at = f"{address}:{PROCESS_PORT}"
        with peer(program, "edge", "--listen", at, "--origin", f"http://127.0.0.1:{origin}", *options) as pid:
            yield Subject(name, f"http://{at}{PATH}", [pid])


def everyone(folder, origin):
    """The subjects to be, and the names of those that the others are held against."""
    logging = meridian(origin, "--access-log", str(folder / "access.log"), name="all logged")
    if BEFORE:
        return (meridian(origin, program=BEFORE, name="before"), meridian(origin, name="now"), logging), ("before",)
    return (meridian(origin), logging, nginx(folder, origin), varnish(folder, origin)), ("nginx", "varnish")


@contextlib.contextmanager
def nginx(folder, origin):
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, origin=origin, port=port))
    with peer("nginx", "-c", str(folder / "nginx.conf")) as pid:
        # Beside its worker it has a process that loads the cache, which ends within the minute.
        workers = wait_until(lambda: [child for child in children(pid) if is_worker(child)], 10, "nginx has a worker")
        yield Subject("nginx", f"http://127.0.0.1:{port}{PATH}", [pid, *workers])


def is_worker(pid):
    return b"worker process" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()


@contextlib.contextmanager
def varnish(folder, origin):
    port = free_port()
    with peer("varnishd", "-F", "-j", "none", "-n", str(folder / "varnish"), "-a", f"127.0.0.1:{port}",
              "-b", f"127.0.0.1:{origin}", "-s", "malloc,64m", "-p", "thread_pools=1") as pid:
        url = f"http://127.0.0.1:{port}{PATH}"
        # Its first child is a compiler.
        wait_until(lambda: curl(url)[0] == 200, 30, "varnish answers")
        yield Subject("varnish", url, [pid, *children(pid)])


def run(rounds, seconds):
    report = Report("A 1 KB hit in a cache's memory, kept connections, no access log but where it says so", rounds, seconds)
    # In memory: nginx keeps its cache, and Varnish its log, in files.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-bench-", dir="/dev/shm"))
    folder.chmod(0o755)
    try:
        with contextlib.ExitStack() as stack:
            origin = stack.enter_context(Origin())
            origin.answers[PATH] = Answer(body=BODY, fields=FIELDS)
            starts, peers = everyone(folder, origin.port)
            subjects = [stack.enter_context(start) for start in starts]
            for subject in subjects:
                wait_until(lambda at=subject: curl(at.target)[0] == 200, 20, f"{subject.name} answers")
            for connections in CONNECTIONS:
                report.add(f"{connections} connections",
                           compare(subjects, wrk(connections), rounds, seconds, peers=peers))
            asked = sum(request["target"] == PATH for request in origin.requests)
            if asked != len(subjects):
                raise RuntimeError(f"the origin was asked {asked} times: not all were hits")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report
