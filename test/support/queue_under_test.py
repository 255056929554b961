"""The queue tier by itself, for one test."""

import os
import re
import subprocess
import urllib.request

from site_under_test import CORES
from tier_under_test import Tier

OPS_PORT = 19092


class QueueTier(Tier):
    """`meridian queue` of a data center, ended at the end of the `with` block."""

    name = "queue"
    port = 9092

    def __init__(self, settings="", descriptors=None):
        """`settings`: lines of [queue] in site.toml."""
        super().__init__(f"[agent]\ncores = {CORES or 2}\n[queue]\n{settings}", descriptors=descriptors)
        self.brokers = f"{self.address}:{self.port}"

    def metric(self, name):
        """The sum of a metric's values: over all labels, where the name has none."""
        with urllib.request.urlopen(f"http://{self.address}:{OPS_PORT}/metrics", timeout=60) as response:
            text = response.read().decode()
        values = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", text, re.M)
        assert values, f"no metric {name}"
        return sum(map(float, values))

    def segment_bytes(self):
        """The contents of all segment files, which are batches and nothing else."""
        return b"".join(path.read_bytes() for path in sorted(self.state.glob("queue-us-east/topics/*/*/*.log")))

    def kcat(self, *arguments, text=None, check=True):
        """kcat's standard output."""
        done = subprocess.run(["kcat", "-b", self.brokers, *arguments], input=text, capture_output=True, text=True, timeout=90, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        if check and done.returncode != 0:
            raise AssertionError(f"kcat {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout
