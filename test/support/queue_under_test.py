"""The queue tier by itself, for one test."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request

from site_under_test import CORES, LOCATIONS, MERIDIAN, AddressBlock, wait_until

PORT = 9092
OPS_PORT = 19092


class QueueTier:
    """`meridian queue` of a data center, ended at the end of the `with` block."""

    def __init__(self, settings=""):
        """`settings`: lines of [queue] in site.toml."""
        self.block = AddressBlock(1)
        self.address = f"127.{self.block.octets[0]}.0.1"
        self.brokers = f"{self.address}:{PORT}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-test-"))
        self.state = self.folder / "state"
        (self.folder / "site.toml").write_text(
            f'domain = "photos.example"\n[[datacenter]]\nname = "us-east"\naddress = "{self.address}"\nlocation = "{LOCATIONS["us-east"]}"\n'
            f'[agent]\ncores = {CORES or 2}\n[app]\ncommand = ["true"]\ndirectory = "/tmp"\n[queue]\n{settings}\n')
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.block.release()

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [MERIDIAN, "queue", "--site", str(self.folder / "site.toml"), "--dc", "us-east", "--state", str(self.state)],
                stdout=log, stderr=log)
        wait_until(self.accepts, what="the queue tier accepts connections")

    def accepts(self):
        assert self.process.poll() is None, self.log()
        with contextlib.suppress(OSError):
            socket.create_connection((self.address, PORT), timeout=1).close()
            return True
        return False

    def kill(self, number=signal.SIGKILL, seconds=20):
        """The exit status; None when it had not been started."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=seconds)

    def restart(self):
        self.kill()
        self.start()

    def log(self):
        return (self.folder / "log").read_text()

    def metric(self, name):
        """The sum of a metric's values: over all labels, where the name has none."""
        with urllib.request.urlopen(f"http://{self.address}:{OPS_PORT}/metrics", timeout=10) as response:
            text = response.read().decode()
        values = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", text, re.M)
        assert values, f"no metric {name}"
        return sum(map(float, values))

    def segment_bytes(self):
        """The contents of all segment files, which are batches and nothing else."""
        return b"".join(path.read_bytes() for path in sorted(self.state.glob("queue-us-east/topics/*/*/*.log")))

    def kcat(self, *arguments, text=None, check=True):
        """kcat's standard output."""
        done = subprocess.run(["kcat", "-b", self.brokers, *arguments], input=text, capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        if check and done.returncode != 0:
            raise AssertionError(f"kcat {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout
