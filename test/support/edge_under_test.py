"""An edge that stands alone in front of an origin of the test's own, and a client that sees every byte."""

import asyncio
import contextlib
import http.client
import signal
import subprocess
import urllib.request

from background import Background
from cache_origin import Origin
from site_under_test import MERIDIAN, PROCESS_PORT, THREADS, Address, wait_until

MINUTE = {"Cache-Control": "max-age=60"}


class Reply:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body
        self.cache = self.headers.get("Cache-Status", "")

    @property
    def hit(self):
        return self.cache.startswith("meridian-edge; hit")


class Edge:
    port = PROCESS_PORT

    def __init__(self, *options, origin=None, address=None):
        """`origin`: one that runs already, or will: its `port`, and its `host` unless that is 127.0.0.1. `address`: a reserved one."""
        self.options = options
        self.origin = origin
        self.address = address

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.address = self.address or stack.enter_context(Address())
            self.origin = self.origin or stack.enter_context(Origin())
            origin = f"http://{getattr(self.origin, 'host', '127.0.0.1')}:{self.origin.port}"
            self.process = subprocess.Popen([MERIDIAN, "edge", "--listen", f"{self.address}:{self.port}", "--origin", origin,
                                             *(() if "--threads" in self.options else THREADS), *self.options],
                                            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            stack.callback(self.end)
            wait_until(self.answers, what="the edge answers")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        assert status == 0

    def answers(self):
        assert self.process.poll() is None, "the edge has ended"
        with contextlib.suppress(OSError):
            return self.get("/.meridian/ready").status == 200

    def get(self, target, method="GET", body=None, **fields):
        """Fields by name, with _ for -."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=60)
        try:
            headers = {"Host": "photos.example", **{name.replace("_", "-"): value for name, value in fields.items()}}
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.address}:{self.port + 10000}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.rsplit(" ", 1)[1] for line in lines if line.startswith(name + " ")))

    def wait_stored(self, target, **fields):
        """Until a request is a hit: the body's last bytes may be on their way to the store yet."""
        wait_until(lambda: self.get(target, **fields).hit, what=f"{target} is stored")

    def wait_held(self, target, body=None, **fields):
        """The same of what others do not wait for: asks the cache alone. `body`: and it has this."""
        def held():
            answer = self.get(target, Cache_Control="only-if-cached", **fields)
            return answer.hit and body in (None, answer.body)
        wait_until(held, what=f"{target} is stored")

    def wait_known(self, target):
        """Until a request is no miss: what is stored may have to be confirmed."""
        wait_until(lambda: "miss" not in (cache := self.get(target).cache) and "collapsed" not in cache, what=f"{target} is stored")


async def ask_at_once(edge, target, count):
    """`count` requests, all sent before any is answered; their heads and bodies, empty where the connection was reset."""
    async def ask():
        reader, writer = await asyncio.open_connection(edge.address, edge.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: photos.example\r\nConnection: close\r\n\r\n".encode())
        try:
            answer = await reader.read()
        except ConnectionResetError:
            answer = b""
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head, body
    return await asyncio.gather(*(ask() for _ in range(count)))


def herd(edge, target, count):
    """`count` visitors who ask at the same time, in the background: call what is returned for their heads and bodies."""
    return Background(lambda: asyncio.run(ask_at_once(edge, target, count))).result
