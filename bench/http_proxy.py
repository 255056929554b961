"""`./dev bench http`: edge and balancer, each as a reverse proxy to one origin, beside nginx and HAProxy."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/support"))
from harness import CLIENT_CORE, SERVER_CORE, Report, Subject, children, compare, free_port, on_core, peer, pin, wrk  # noqa: E402
from site_under_test import Site, curl, wait_until  # noqa: E402

SIZES = {"1 KB": 1024, "64 KB": 65536}
CONNECTIONS = (64, 512)

ORIGIN = """daemon off; worker_processes 1; error_log stderr crit; pid {folder}/origin.pid;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; sendfile on; tcp_nopush on; open_file_cache max=16;
  server {{ listen 127.0.0.1:PORT backlog=4096; root {folder}; location = /health {{ return 200; }} }} }}
"""
NGINX = """daemon off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000000;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 512; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
"""
HAPROXY = """global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend visitors
  bind 127.0.0.1:{port}
  default_backend origin
backend origin
  server one 127.0.0.1:{origin}
"""


@contextlib.contextmanager
def nginx(folder, origin):
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, origin=origin, port=port))
    with peer("nginx", "-c", str(folder / "nginx.conf")) as pid:
        workers = wait_until(lambda: children(pid), 10, "nginx has a worker")
        yield Subject("nginx", f"http://127.0.0.1:{port}", [pid, *workers])


@contextlib.contextmanager
def haproxy(folder, origin):
    port = free_port()
    (folder / "haproxy.cfg").write_text(HAPROXY.format(origin=origin, port=port))
    with peer("haproxy", "-db", "-q", "-f", str(folder / "haproxy.cfg")) as pid:
        yield Subject("haproxy", f"http://127.0.0.1:{port}", [pid])


@contextlib.contextmanager
def meridian(folder):
    """Edge and balancer, and the port of the one instance behind them."""
    (folder / "origin.conf").write_text(ORIGIN.format(folder=folder))
    start = f"sed s/PORT/$PORT/ {folder}/origin.conf > {folder}/instance.conf && exec taskset -c {CLIENT_CORE} nginx -c {folder}/instance.conf"
    with Site(("us-east",), app=f'command = ["sh", "-c", {json.dumps(start)}]\nhealth = "/health"', instances=1,
              extra="\n[edge]\naccess_log = \"off\"\n[balancer]\nmax_in_flight = 4096\n") as site:  # a quarter of it is the balancer's
        status = site.data_center("us-east")
        tiers = {tier["name"]: tier["pid"] for tier in status["tiers"]}
        for pid in tiers.values():
            pin(pid, SERVER_CORE)
        address = site.addresses["us-east"]
        yield ([Subject("meridian balancer", f"http://{address}:8000", [tiers["balancer"]]),
                Subject("meridian edge", f"http://{address}:8080", [tiers["edge"]])],
               status["instances"][0]["address"].rsplit(":", 1)[1])


def run(rounds, seconds):
    report = Report("A reverse proxy to one origin, kept connections on both sides, no access log", rounds, seconds)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-bench-"))
    folder.chmod(0o755)
    for size in SIZES.values():
        (folder / str(size)).write_bytes(b"x" * size)
    try:
        with meridian(folder) as (ours, origin), nginx(folder, origin) as one, haproxy(folder, origin) as other:
            subjects = [*ours, one, other]
            for subject in subjects:
                wait_until(lambda at=subject: curl(f"{at.target}/1024")[0] == 200, 10, f"{subject.name} answers")
            for name, size in SIZES.items():
                for connections in CONNECTIONS:
                    at_size = [Subject(each.name, f"{each.target}/{size}", each.pids) for each in subjects]
                    report.add(f"{name}, {connections} connections",
                               compare(at_size, wrk(connections), rounds, seconds, peers=("nginx", "haproxy")))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report
