"""A small application for tests: it says what it received, and misbehaves on request.

/            who I am, as JSON: data center, instance, pid, release
/healthz     200, unless the file $UNHEALTHY exists
/echo        the request as it arrived, as JSON
/digest      of the request's body: how many bytes, and their SHA-256
/drop        no answer: the connection is closed
/slow        answers when the file $HOLD is gone; prints "abandoned /slow" when whoever asked has gone first
/work        takes some milliseconds; the answer: how many requests for /work are here with it, as JSON
/die         promises 1,000,000 bytes, sends some, and kills itself with SIGKILL
/die-chunked the same, with chunked coding
/escape      starts a process in a session of its own, and answers with its pid
/large       8 MiB; a Range of one part is obeyed
/chunked     a body in chunks, with a trailer
/early       103 with a Link and a forged field, then 200
/status?N    an answer with status N
/serve       200; 500 while the file $FAILING names this instance
/pretend     503, with the field by which a balancer says that it has no instance
/refuse      403 without taking the body, and the connection closed
/fields      fields that are not for every hop, some of them forged
/websocket   gives back every text that it is sent (RFC 6455), until the connection is closed
"""

import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

ME = {"dc": os.environ.get("MERIDIAN_DC"), "instance": os.environ.get("MERIDIAN_INSTANCE"), "pid": os.getpid(),
      "release": os.environ.get("MERIDIAN_RELEASE")}
LARGE = b"0123456789abcdef" * 65536 * 8
http.client._MAXHEADERS = 1000  # past Meridian's limit, so that it is Meridian's which is met
WEBSOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def say(*words):
    """Prints a line in one piece: print would let the lines of two threads mix."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    at_work, at_work_lock = 0, threading.Lock()
    wbufsize = -1  # head and body leave together, so that one who dies has sent a small answer whole or not at all

    def do_GET(self):
        route, _, query = self.path.partition("?")
        say("received", self.requestline)
        special = {"/healthz": self.health, "/echo": self.echo, "/digest": self.digest, "/drop": self.drop, "/slow": self.slow, "/escape": self.escape,
                   "/large": self.large, "/chunked": self.chunked, "/early": self.early, "/fields": self.fields,
                   "/pretend": self.pretend, "/refuse": self.refuse, "/serve": self.serve, "/work": self.work, "/websocket": self.websocket}
        if route in ("/die", "/die-chunked"):
            self.die(chunked=route == "/die-chunked")
        elif route == "/status":
            self.answer(int(query), b"" if query in ("204", "304") else b"as you wish\n")
        else:
            special.get(route, self.who)()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_GET

    def body(self):
        """The request's body in pieces."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.trailers = []
            while (line := self.rfile.readline().strip()):
                self.trailers.append(line.decode("latin-1"))
        else:
            left = int(self.headers.get("Content-Length", 0))
            while left:
                piece = self.rfile.read(min(left, 65536))
                left -= len(piece)
                yield piece

    def who(self):
        for _ in self.body():
            pass
        self.answer(200, json.dumps(ME).encode())

    def health(self):
        self.answer(503 if os.path.exists(os.environ.get("UNHEALTHY", "/nonexistent")) else 200, b"ok\n")

    def serve(self):
        failing = os.environ.get("FAILING", "/nonexistent")
        fails = os.path.exists(failing) and open(failing, encoding="ascii").read() == ME["instance"]
        self.answer(500 if fails else 200, b"as you wish\n")

    def work(self):
        with Handler.at_work_lock:
            Handler.at_work += 1
            together = Handler.at_work
        threading.Event().wait(0.005)
        with Handler.at_work_lock:
            Handler.at_work -= 1
        self.answer(200, json.dumps({"together": together, **ME}).encode())

    def echo(self):
        self.trailers = []
        body = b"".join(self.body()).decode("latin-1")
        told = {"method": self.command, "target": self.path, "version": self.request_version, "headers": self.headers.items(),
                "body": body, "trailers": self.trailers, **ME}
        self.answer(200, json.dumps(told).encode())

    def digest(self):
        length, sum_of_all = 0, hashlib.sha256()
        for piece in self.body():
            length += len(piece)
            sum_of_all.update(piece)
        self.answer(200, json.dumps({"length": length, "sha256": sum_of_all.hexdigest()}).encode())

    def drop(self):
        self.close_connection = True

    def slow(self):
        pause = threading.Event()
        while os.path.exists(os.environ["HOLD"]):
            if self.is_abandoned():
                say("abandoned", self.path)
                self.close_connection = True
                return
            pause.wait(0.01)
        self.answer(200, b"at last\n")

    def is_abandoned(self):
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def escape(self):
        child = subprocess.Popen(["setsid", "sh", "-c", "sleep 1000 & sleep 1000"])
        self.answer(200, str(child.pid).encode())

    def large(self):
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not part:
            return self.answer(200, LARGE, ("Accept-Ranges", "bytes"))
        first, last = int(part.group(1)), int(part.group(2))
        if first >= len(LARGE):
            return self.answer(416, b"", ("Content-Range", f"bytes */{len(LARGE)}"))
        return self.answer(206, LARGE[first:last + 1], ("Content-Range", f"bytes {first}-{min(last, len(LARGE) - 1)}/{len(LARGE)}"))

    def chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Trailer", "X-Sum")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nX-Sum: 12\r\n\r\n")

    def early(self):
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nMeridian-Path: edge=forged\r\n\r\n")
        self.wfile.flush()
        self.answer(200, b"late\n")

    def fields(self):
        self.answer(200, b"fields\n", ("Connection", "X-Hop"), ("X-Hop", "mine"), ("Keep-Alive", "timeout=5"), ("X-End", "yours"),
                    ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Meridian-Path", "edge=forged"), ("Via", "1.0 inner"))

    def pretend(self):
        self.answer(503, b"mine\n", ("Meridian-Unavailable", "1"))

    def refuse(self):
        self.answer(403, b"not you\n", ("Connection", "close"))
        self.close_connection = True

    def die(self, chunked):
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "1000000")))
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n" if chunked else b"hello")
        self.wfile.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def websocket(self):
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + WEBSOCKET_KEY).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while len(head := self.rfile.read(2)) == 2 and head[0] == 0x81:
            length = head[1] & 127
            if length == 126:
                length = int.from_bytes(self.rfile.read(2), "big")
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(length)))
            size = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
            self.wfile.write(b"\x81" + size + text)
            self.wfile.flush()

    def answer(self, status, body, *fields):
        self.send_response(status)
        for field in fields:
            self.send_header(*field)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass  # said on arrival


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("listening on", os.environ["PORT"], file=sys.stderr, flush=True)
Server((os.environ.get("HOST", ""), int(os.environ["PORT"])), Handler).serve_forever()
