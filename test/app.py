"""A small application for tests: it says what it received, and misbehaves on request.

/            who I am, as JSON: data center, instance, pid, release
/healthz     200, unless the file $UNHEALTHY exists
/echo        the request as it arrived, as JSON
/slow        answers when the file $HOLD is gone
/die         promises 1,000,000 bytes, sends some, and kills itself with SIGKILL
/die-chunked the same, with chunked coding
/escape      starts a process in a session of its own, and answers with its pid
/large       8 MiB
"""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading

ME = {"dc": os.environ.get("MERIDIAN_DC"), "instance": os.environ.get("MERIDIAN_INSTANCE"), "pid": os.getpid(),
      "release": os.environ.get("MERIDIAN_RELEASE")}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        route = self.path.partition("?")[0]
        print("received", self.requestline, flush=True)
        if route == "/healthz":
            self.answer(503 if os.path.exists(os.environ.get("UNHEALTHY", "/nonexistent")) else 200, b"ok\n")
        elif route == "/echo":
            self.echo(b"")
        elif route == "/slow":
            pause = threading.Event()
            while os.path.exists(os.environ["HOLD"]):
                pause.wait(0.01)
            self.answer(200, b"at last\n")
        elif route in ("/die", "/die-chunked"):
            self.die(chunked=route == "/die-chunked")
        elif route == "/escape":
            child = subprocess.Popen(["setsid", "sh", "-c", "sleep 1000 & sleep 1000"])
            self.answer(200, str(child.pid).encode())
        elif route == "/large":
            self.answer(200, b"0123456789abcdef" * 65536 * 8)
        else:
            self.answer(200, json.dumps(ME).encode())

    do_HEAD = do_GET

    def do_POST(self):
        self.echo(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_PUT = do_POST

    def echo(self, body):
        told = {"method": self.command, "target": self.path, "headers": self.headers.items(), "body": body.decode("latin-1"), **ME}
        self.answer(200, json.dumps(told).encode())

    def die(self, chunked):
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "1000000")))
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n" if chunked else b"hello")
        self.wfile.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def answer(self, status, body):
        self.send_response(status)
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
Server(("", int(os.environ["PORT"])), Handler).serve_forever()
