"""An edge that stands alone in front of an origin of the test's own, and a client that sees every byte."""

import asyncio
import contextlib
import http.client
import signal
import socket
import subprocess
import threading
import urllib.request

from cache_origin import Origin
from site_under_test import MERIDIAN, wait_until

MINUTE = {"Cache-Control": "max-age=60"}


def free_port():
    """One whose ops port is free too."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        if port + 10000 > 65535:
            continue
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port + 10000)).close()
            return port


class Reply:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body
        self.cache = self.headers.get("Cache-Status", "")

    @property
    def hit(self):
        return self.cache.startswith("meridian-edge; hit")


class Edge:
    def __init__(self, *options):
        self.options = options
        self.origin = Origin()

    def __enter__(self):
        self.origin.__enter__()
        self.port = free_port()
        self.log = subprocess.PIPE
        self.process = subprocess.Popen([MERIDIAN, "edge", "--listen", f"127.0.0.1:{self.port}", "--origin",
                                         f"http://127.0.0.1:{self.origin.port}", *self.options],
                                        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(self.answers, what="the edge answers")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            with contextlib.suppress(OSError):
                self.origin.stop()
        assert status == 0

    def answers(self):
        assert self.process.poll() is None, "the edge has ended"
        with contextlib.suppress(OSError):
            return self.get("/.meridian/ready").status == 200

    def get(self, target, method="GET", body=None, **fields):
        """Fields by name, with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Host": "photos.example", **{name.replace("_", "-"): value for name, value in fields.items()}}
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 10000}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.rsplit(" ", 1)[1] for line in lines if line.startswith(name + " ")))

    def wait_stored(self, target, **fields):
        """Until a request is a hit: the body's last bytes may be on their way to the store yet."""
        wait_until(lambda: self.get(target, **fields).hit, what=f"{target} is stored")


async def ask_at_once(port, target, count):
    """`count` requests, all sent before any is answered; their heads and bodies, empty where the connection was reset."""
    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: photos.example\r\nConnection: close\r\n\r\n".encode())
        try:
            answer = await reader.read()
        except ConnectionResetError:
            answer = b""
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head, body
    return await asyncio.gather(*(ask() for _ in range(count)))


def in_background(function, *arguments):
    """Runs it in a thread: call what is returned for its value."""
    box = []
    thread = threading.Thread(target=lambda: box.append(function(*arguments)), daemon=True)
    thread.start()

    def result():
        thread.join(60)
        return box[0]
    return result


def herd(edge, target, count):
    return in_background(lambda: asyncio.run(ask_at_once(edge.port, target, count)))
