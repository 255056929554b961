"""A webhook of a test's own: what the Alertmanagers of a site tell people."""

import http.server
import json
import threading


class NoticeReceiver:
    """`told`: (external URL of the Alertmanager, status, labels) of each alert of each notice, as they came. `answer`: the status of its
    responses."""

    def __init__(self, answer=200):
        self.told = []
        told = self.told

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend((message["externalURL"], alert["status"], alert["labels"]) for alert in message["alerts"])
                self.send_response(answer)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/alerts"

    def of(self, name):
        """(external URL, status) of each time that it was told of alerts of this name."""
        return [(url, status) for url, status, labels in list(self.told) if labels["alertname"] == name]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
