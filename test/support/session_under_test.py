"""The session tier by itself, for one test."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import redis

from site_under_test import LOCATIONS, MERIDIAN, AddressBlock, wait_until


class SessionTier:
    """`meridian session` of a data center, ended at the end of the `with` block."""

    def __init__(self, settings="", environment=None, others=()):
        """`others`: data centers of the site that are away."""
        self.block = AddressBlock(1 + len(others))
        self.address, *elsewhere = [f"127.{octet}.0.1" for octet in self.block.octets]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-test-"))
        self.environment = {**os.environ, **(environment or {})}
        (self.folder / "site.toml").write_text(
            'domain = "photos.example"\n' + self.place("us-east", self.address) + "".join(map(self.place, others, elsewhere)) +
            f'[app]\ncommand = ["true"]\ndirectory = "/tmp"\n{settings}')
        self.process = None
        if others:
            subprocess.run([MERIDIAN, "ca", str(self.folder / "site.toml"), "--state", str(self.folder / "state")], check=True, capture_output=True, timeout=20)

    @staticmethod
    def place(name, address):
        return f'[[datacenter]]\nname = "{name}"\naddress = "{address}"\nlocation = "{LOCATIONS[name]}"\n'

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
                [MERIDIAN, "session", "--site", str(self.folder / "site.toml"), "--dc", "us-east", "--state", str(self.folder / "state")],
                stdout=log, stderr=log, env=self.environment)
        wait_until(self.accepts, what="the session tier accepts connections")

    def accepts(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(OSError):
            socket.create_connection((self.address, 6379), timeout=1).close()
            return True
        return False

    def refuses(self):
        """Whether a new connection is refused, as nobody listens any more."""
        try:
            socket.create_connection((self.address, 6379), timeout=1).close()
        except ConnectionRefusedError:
            return True
        return False

    def kill(self, number=signal.SIGKILL):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(number)
        self.process.wait(timeout=20)

    def client(self, **options):
        return redis.Redis(host=self.address, decode_responses=True, socket_timeout=20, **options)

    def cli(self, *arguments):
        done = subprocess.run(["redis-cli", "-h", self.address, *arguments], capture_output=True, text=True, timeout=20, check=False)
        return done.stdout.strip()
