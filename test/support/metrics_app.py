"""An application, or a worker, with metrics at /metrics: as many series as the file $SERIES says, and some that pretend to be Meridian's."""

import http.server
import os
import pathlib


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.metrics().encode() if self.path == "/metrics" else b"well\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def metrics(self):
        file = pathlib.Path(os.environ["SERIES"])
        count = int(file.read_text()) if file.exists() else 3
        lines = [f'orders_total{{user="{number}",dc="nowhere"}} {number}' for number in range(count)]
        lines += ['meridian_edge_requests_total{code="5xx"} 1000000000', 'dc:meridian_tiers_ready:sum{dc="us-east"} 1000000000', "up 17"]
        return "\n".join(lines) + "\n"

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
