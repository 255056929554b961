"""One tier by itself, as a process of its own, for one test."""

import contextlib
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

from site_under_test import LOCATIONS, MERIDIAN, AddressBlock, wait_until


class Tier:
    """`meridian NAME` of a data center, ended at the end of the `with` block."""

    name = ""
    port = 0

    def __init__(self, site, others=(), environment=None, descriptors=None):
        """`site`: what site.toml has behind its data centers. `others`: data centers that are away. `descriptors`: the limit of open files."""
        self.block = AddressBlock(1 + len(others))
        self.address, *elsewhere = [f"127.{octet}.0.1" for octet in self.block.octets]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="meridian-test-"))
        self.state = self.folder / "state"
        self.environment = environment
        self.descriptors = descriptors
        self.process = None
        (self.folder / "site.toml").write_text(
            'domain = "photos.example"\n' + self.place("us-east", self.address) + "".join(map(self.place, others, elsewhere)) +
            f'[app]\ncommand = ["true"]\ndirectory = "/tmp"\n{site}\n')

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
        limit = self.descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors)))
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
                [MERIDIAN, self.name, "--site", str(self.folder / "site.toml"), "--dc", "us-east", "--state", str(self.state)],
                stdout=log, stderr=log, env=self.environment, preexec_fn=limit)
        wait_until(self.accepts, what=f"the {self.name} tier accepts connections")

    def accepts(self):
        assert self.process.poll() is None, self.log()
        with contextlib.suppress(OSError):
            socket.create_connection((self.address, self.port), timeout=20).close()
            return True
        return False

    def kill(self, number=signal.SIGKILL, seconds=90):
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
