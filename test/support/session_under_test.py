"""The session tier by itself, for one test."""

import os
import socket
import subprocess

import redis

from site_under_test import MERIDIAN
from tier_under_test import Tier


class SessionTier(Tier):
    """`meridian session` of a data center, ended at the end of the `with` block."""

    name = "session"
    port = 6379

    def __init__(self, settings="", environment=None, others=()):
        """`others`: data centers of the site that are away."""
        super().__init__(settings, others=others, environment={**os.environ, **(environment or {})})
        if others:
            subprocess.run([MERIDIAN, "ca", str(self.folder / "site.toml"), "--state", str(self.state)], check=True, capture_output=True, timeout=60)

    def refuses(self):
        """Whether a new connection is refused, as nobody listens any more."""
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:  # neither taken nor refused in this time
            return False
        return False

    def client(self, **options):
        return redis.Redis(host=self.address, decode_responses=True, socket_timeout=90, **options)

    def cli(self, *arguments):
        done = subprocess.run(["redis-cli", "-h", self.address, *arguments], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip()
