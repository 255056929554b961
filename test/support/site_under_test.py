"""A whole site on this machine for one test: its own addresses, state directory and site.toml."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The loops of each tier (`--cores`); empty: as many as it takes by itself.
CORES = os.environ.get("MERIDIAN_TEST_CORES", "")
MERIDIAN = os.environ.get("MERIDIAN", str(ROOT / "build/release/meridian"))
# The loops of a tier that stands alone, before options that say otherwise.
THREADS = ("--threads", CORES) if CORES else ()
# A sanitizer's build spends memory and time of its own.
SANITIZED = any(name in MERIDIAN for name in ("/asan/", "/tsan/"))
PHOTOS = ROOT / "examples/photos"

# How long a test waits for what must come: beside other tests on a busy machine all takes many times longer than by itself.
PATIENCE_SECONDS = 90

# What tests start by itself at an Address listens here, and the ops port of a tier is 10,000 above.
PROCESS_PORT = 8080

# test/app.py as the application of a site.
PYTHON_APP = f'command = ["/usr/bin/python3", "{ROOT}/test/support/app.py"]\nhealth = "/healthz"'

LOCATIONS = {"us-east": "Ashburn", "us-west": "San Jose", "eu-west": "Dublin", "london": "London"}


def check_photos_packages():
    if not (PHOTOS / "node_modules/kafkajs").is_dir():
        raise AssertionError("the example's packages are not installed: npm ci --prefix examples/photos")


def wait_until(condition, seconds=PATIENCE_SECONDS, what=None):
    """Polls until `condition()` is true, and gives its value; fails when that takes too long.

    `seconds` is given only where they are a promise. A poll that began in time and saw nothing yet says nothing of the time at
    its end, which may be much later: one that begins after the deadline decides.
    """
    deadline = time.monotonic() + seconds
    pause = 0.01
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        if began > deadline:
            raise AssertionError(f"after {seconds} s still not: {what or condition.__name__}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def whole_lines(path):
    """The lines of a file that a process is writing: the last may be there only in part, and is left out then."""
    return path.read_text(errors="replace").rpartition("\n")[0].splitlines()


def reserve(network, address, port):
    """A lock that keeps other tests away from a loopback network until it is closed; None where the network is in use."""
    # An abstract socket's name belongs to the network namespace, as the addresses do.
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0meridian-test-{network}")
        socket.create_server((address, port)).close()
    except OSError:
        lock.close()
        return None
    return lock


class AddressBlock:
    """Second octets of 127.X.0.1 that nobody else on this loopback uses at the moment: addresses of data centers."""

    def __init__(self, count):
        self.octets = []
        self.locks = []
        for octet in range(10, 99):
            if lock := reserve(f"127.{octet}", f"127.{octet}.0.1", 9000):
                self.octets.append(octet)
                self.locks.append(lock)
            if len(self.octets) == count:
                return
        self.release()
        raise RuntimeError("no free addresses: too many tests at once")

    def release(self):
        for lock in self.locks:
            lock.close()
        self.locks = []


class Address:
    """A loopback address of its own for one process, which may have any port there; free again at the end of the `with` block."""

    def __init__(self):
        # Below the ports that outgoing connections get, and at no data center's address.
        for octet in range(1, 251):
            self.address = f"127.99.{octet}.1"
            self.lock = reserve(f"127.99.{octet}", self.address, PROCESS_PORT)
            if self.lock:
                return
        raise RuntimeError("no free addresses: too many tests at once")

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        self.lock.close()


class Site:
    """`meridian up --detach` of a site, ended at the end of the `with` block."""

    def __init__(self, data_centers=("us-east", "us-west"), app=None, extra="", instances=2, domain="photos.example", keys=None, wan=False,
                 edge_places=()):
        """`extra` follows at the end of site.toml; `keys` are further lines of a data center, by its name; `wan`: with links."""
        self.domain = domain
        self.edge_places = edge_places
        names = [*data_centers, *edge_places]
        self.block = AddressBlock(len(names))
        self.addresses = {name: f"127.{octet}.0.1" for name, octet in zip(names, self.block.octets)}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-test-"))
        self.state = self.folder / "state"
        # Inherited by everything that this site starts: how its processes are found.
        self.environment = {**os.environ, "MERIDIAN_TEST_SITE": str(self.folder)}
        self.file = self.folder / "site.toml"
        extra += "" if wan else "\n[lab]\nwan = false\n"
        if CORES and "[agent]" not in extra:
            extra += f"\n[agent]\ncores = {CORES}\n"
        self.file.write_text(self._toml(app or f'command = ["node", "server.js"]\ndirectory = "{PHOTOS}"\nhealth = "/health"', extra, instances, keys or {}))

    def _toml(self, app, extra, instances, keys):
        lines = [f'domain = "{self.domain}"', ""]
        for name, address in self.addresses.items():
            lines += ["[[edge_place]]" if name in self.edge_places else "[[datacenter]]", f'name = "{name}"', f'address = "{address}"', f'location = "{LOCATIONS[name]}"',
                      keys.get(name, "").format(address=address), ""]
        lines += ["[app]", app, f"instances = {instances}", ""]
        lines += ["[[dns.place]]", 'name = "new-york"', 'prefix = "198.51.100.0/24"', "latitude = 40.7", "longitude = -74.0", ""]
        lines += ["[[dns.place]]", 'name = "oregon"', 'prefix = "203.0.113.0/24"', "latitude = 44.0", "longitude = -120.5", ""]
        return "\n".join(lines) + extra

    def __enter__(self):
        try:
            self.run("up", str(self.file), "--detach")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.run("down")
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.block.release()

    def run(self, *arguments, check=True, timeout=120, text=None):
        """`meridian ARGUMENTS --state …` with `text` as its input: its CompletedProcess."""
        done = subprocess.run([MERIDIAN, *arguments, "--state", str(self.state)], input=text, capture_output=True, text=True,
                              timeout=timeout, cwd=self.folder, check=False, env=self.environment)
        if check and done.returncode != 0:
            raise AssertionError(f"meridian {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def data_center(self, name):
        return next(dc for dc in self.status()["datacenters"] if dc["name"] == name)

    def state_of(self, name):
        return self.data_center(name)["state"]

    def view(self, at):
        """What one data center's agent knows of all."""
        token = (self.state / "admin.token").read_text().strip()
        code, _, body = curl(f"http://{self.addresses[at]}:9000/.meridian/view", "-H", f"Authorization: Bearer {token}")
        assert code == 200, body
        return json.loads(body)

    def hears(self, at, other):
        """Whether one data center's agent has lately had an answer of another's."""
        return next(link["up"] for link in self.view(at)["links"] if link["to"] == other)

    def link(self, *arguments):
        """`meridian link …`: what is said of the links afterwards."""
        return json.loads(self.run("link", *arguments, "--json").stdout)["links"]

    def wait_for_state(self, name, state):
        wait_until(lambda: self.state_of(name) == state, what=f"{name} is {state}")

    def wait_for_answers(self, addresses=1):
        """Until every server has all data centers in its answers (and not because it believes that all are down)."""
        def whole(at):
            return len(self.dig(self.domain, at=at)) <= addresses and len(self.dig(self.domain, "HTTPS", at=at)) == len(self.addresses)

        for name in self.addresses:
            wait_until(lambda at=name: whole(at), what=f"{name} answers with all data centers")

    def wait_for_journals(self):
        """Until every edge follows every journal of purges: the first word of each empties the edge's cache."""
        def follows(name):
            metrics = curl(f"http://{self.addresses[name]}:18080/metrics")[2].decode()
            said = re.search(r"^meridian_edge_cache_dropped_total (\d+)$", metrics, re.M)
            return said and int(said[1]) >= len(self.addresses)

        for name in self.addresses:
            wait_until(lambda at=name: follows(at), what=f"{name} follows every journal")

    def tier(self, data_center, name):
        return next(tier for tier in self.data_center(data_center)["tiers"] if tier["name"] == name)

    def guard_and_agent(self, data_center):
        """Their pids."""
        lines = (self.state / "pids" / data_center).read_text().splitlines()
        pids = dict(line.split() for line in lines)
        return int(pids["guard"]), int(pids["agent"])

    def processes(self):
        """Pids of every living process that descends from this site's `up`."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
                if f"MERIDIAN_TEST_SITE={self.folder}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found

    def visit(self, *arguments, check=True):
        return self.run("visit", *arguments, check=check)

    def start_visits(self, *arguments):
        """`meridian visit … --json` in the background; `finish_visits` gives its summary."""
        return subprocess.Popen([MERIDIAN, "visit", *arguments, "--json", "--state", str(self.state)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder, env=self.environment)

    def dig(self, name, kind="A", subnet=None, at=None, tool="dig", options=()):
        """The short answers of one data center's own server."""
        at = at or next(iter(self.addresses))
        command = [tool, "+short", "+time=10", "+tries=1", f"@{self.addresses[at]}", "-p", "5300", name, kind, *options]
        if subnet:
            command.append(f"+subnet={subnet}")
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return [line for line in done.stdout.splitlines() if line and not line.startswith(";")]


def finish_visits(process, timeout=240):
    out, err = process.communicate(timeout=timeout)
    assert out, err
    return json.loads(out)


def get(url, fields, timeout):
    """As curl sends it with these lines of a head: (status, headers in lower case, body). Status 0: no whole answer.

    `timeout` limits each wait for bytes.
    """
    parts = urllib.parse.urlsplit(url)
    head = {"Host": parts.netloc, "Accept": "*/*"} | {name.strip(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.putrequest("GET", urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, "")), skip_host=True, skip_accept_encoding=True)
        for name, value in head.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value.strip() for name, value in answer.getheaders()}, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, {}, str(error).encode()
    finally:
        connection.close()


def curl(url, *options, timeout=60):
    """curl -s: (status, headers in lower case, body). With no option but -H this process asks, which costs a tenth of another one."""
    if set(options[::2]) <= {"-H"} and url.startswith("http://"):
        return get(url, options[1::2], timeout)
    done = subprocess.run(["curl", "-s", "-i", "--max-time", str(timeout), *options, url], capture_output=True,
                          timeout=timeout + 5, check=False)
    if not done.stdout:
        return 0, {}, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 1"):
        head, _, body = body.partition(b"\r\n\r\n")
    if not head:
        return 0, {}, done.stdout
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body
