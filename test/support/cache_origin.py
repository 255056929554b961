"""An origin in the test's own process: it answers as the test says, and remembers what it was asked.

    with Origin() as origin:
        origin.at("/a", body=b"one", fields={"Cache-Control": "max-age=60"})
        ...
        assert len(origin.asked("/a")) == 1
"""

import contextlib
import http.server
import socket
import threading


class Answer:
    """One answer: `hold` is an event that it waits for before the head, `hold_body` within the body; `broken` ends the
    connection in the middle of the body."""

    def __init__(self, status=200, body=b"", fields=(), hold=None, hold_body=None, broken=False, chunked=False):
        self.status, self.body, self.chunked, self.broken = status, body, chunked, broken
        self.fields = list(fields.items() if isinstance(fields, dict) else fields)
        self.hold, self.hold_body = hold, hold_body


class Origin:
    def __init__(self):
        self.requests = []
        self.answers = {}
        self.errors = []  # of the test's own functions, and holds that nobody ended
        self.lock = threading.Lock()
        self.arrived = threading.Condition(self.lock)
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                asked = {"method": self.command, "target": self.path, "headers": self.headers, "body": self.read_body()}
                with origin.arrived:
                    origin.requests.append(asked)
                    origin.arrived.notify_all()
                answer = origin.answers.get(self.path, Answer(404, b"nothing here\n"))
                try:
                    answer = answer(asked) if callable(answer) else answer
                except Exception as error:
                    origin.errors.append(error)
                    raise
                with contextlib.suppress(ConnectionError):
                    self.give(answer)

            do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_GET

            def read_body(self):
                """All of it: what is left on the connection would be taken for the next request."""
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers
                return body

            def give(self, answer):
                if answer is None:
                    self.close_connection = True
                    return
                self.wait(answer.hold)
                self.send_response(answer.status)
                for name, value in answer.fields:
                    self.send_header(name, value)
                has_body = answer.status not in (204, 304)
                if has_body and answer.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                elif has_body:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if not has_body or self.command == "HEAD":
                    return
                half = len(answer.body) // 2
                self.send(answer, answer.body[:half])
                self.wait(answer.hold_body)
                if answer.broken:
                    self.close_connection = True
                    return
                self.send(answer, answer.body[half:])
                if answer.chunked:
                    self.wfile.write(b"0\r\n\r\n")

            def wait(self, hold):
                if hold and not hold.wait(120):
                    origin.errors.append(f"the answer at {self.path} was held for 120 s")

            def send(self, answer, data):
                if answer.chunked and data:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                elif data:
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 4096
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a connection that the edge gave up

        self.server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.server.server_bind()
        self.port = self.server.server_address[1]
        # Bound beside the server, before it listens: the port stays taken when the server stops, without a moment between.
        self.placeholder = socket.socket()
        self.placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.placeholder.bind(("127.0.0.1", self.port))
        self.server.server_activate()
        self.stopped = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.placeholder.close()

    def stop(self):
        """Refuses connections from now on. The port stays taken, so that no other origin gets it."""
        if self.stopped:
            return
        self.stopped = True
        self.server.shutdown()
        self.server.server_close()
        assert not self.errors, self.errors

    def at(self, target, *arguments, **named):
        """What is answered at `target`: an Answer's parts, or a function of what was asked."""
        self.answers[target] = arguments[0] if arguments and callable(arguments[0]) else Answer(*arguments, **named)

    def asked(self, target):
        with self.lock:
            return [request for request in self.requests if request["target"] == target]

    def wait_for(self, target, count=1):
        with self.arrived:
            there = self.arrived.wait_for(lambda: sum(r["target"] == target for r in self.requests) >= count, 90)
        assert there, f"{target} was not asked for {count} times"
