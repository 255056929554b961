"""The dns tier with several threads: each has its socket of the port, which the agent keeps when the process dies."""

import os
import pathlib
import re
import signal
import socket

import pytest

from dns_clients import head_of, query
from site_under_test import PYTHON_APP, Site, curl, wait_until

pytestmark = pytest.mark.covers("dns", "agent", "site")
THREADS = 3
PORT = 5300


@pytest.fixture(scope="module")
def site():
    with Site(("us-east",), app=PYTHON_APP, extra=f"\n[dns]\nthreads = {THREADS}\n") as running:
        yield running


def sockets_of(address):
    """How many UDP sockets are bound to the port at this address."""
    wanted = f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:{PORT:04X}"
    return pathlib.Path("/proc/net/udp").read_text().count(wanted)


def ask_from_new_port(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(query(), (address, PORT))
        return head_of(client.recv(4096))


def test_each_thread_has_its_socket_and_all_of_them_answer(site):
    address = site.addresses["us-east"]
    assert sockets_of(address) == THREADS
    # The kernel chooses a socket by the client's port: 200 ports miss none of three.
    for _ in range(200):
        assert ask_from_new_port(address).answers > 0


def test_no_query_is_lost_to_the_sockets_of_a_process_that_died(site):
    address = site.addresses["us-east"]
    pid = site.tier("us-east", "dns")["pid"]
    os.kill(pid, signal.SIGKILL)
    # Until it is dead it may take a query with it.
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), what="the process is gone")
    for _ in range(50):
        assert ask_from_new_port(address).answers > 0
    wait_until(lambda: site.tier("us-east", "dns")["state"] == "ready", what="dns is back")
    assert site.tier("us-east", "dns")["pid"] != pid
    assert sockets_of(address) == THREADS


def test_its_metrics_are_the_sum_of_all_threads(site):
    def answered():
        text = curl(f"http://{site.addresses['us-east']}:{PORT + 10000}/metrics")[2].decode()
        return sum(int(value) for value in re.findall(r"^meridian_dns_queries_total\{[^}]*\} (\d+)$", text, re.M))

    before = answered()
    for _ in range(60):
        ask_from_new_port(site.addresses["us-east"])
    wait_until(lambda: answered() >= before + 60, what="all are counted")
