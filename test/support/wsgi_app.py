"""A WSGI application that believes what frameworks believe: it tells who, by its variables, has come, how, and for what.

As a program of its own it is an application of a site; in a test's process it is an origin: `with WsgiOrigin() as origin`.
"""

import os
import socketserver
import threading
import wsgiref.simple_server

CLIENT = ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_TRUE_CLIENT_IP", "HTTP_X_CLIENT_IP", "HTTP_X_REAL_IP", "HTTP_CF_CONNECTING_IP",
          "HTTP_FASTLY_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_X_PROXYUSER_IP", "HTTP_CLIENT_IP"]
SCHEME = ["HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_SSL", "HTTP_FRONT_END_HTTPS", "HTTP_X_URL_SCHEME"]
HOST = ["HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_PORT", "HTTP_X_HOST", "HTTP_X_ORIGINAL_HOST", "HTTP_HOST"]
PATH = ["HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_PATH", "HTTP_X_ENVOY_ORIGINAL_PATH"]
METHOD = ["HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD", "HTTP_X_METHOD_OVERRIDE"]
OTHERS = ["HTTP_PROXY", "HTTP_ACCEPT_ENCODING", "HTTP_API_KEY"]


def application(environ, start_response):
    fields = [("Content-Type", "text/plain"), ("Cache-Control", "max-age=60")]
    if environ["PATH_INFO"].startswith("/by-device"):
        fields.append(("Vary", "X-Device"))
    start_response("200 OK", fields)
    told = [f"{name}={environ[name]}" for name in [*CLIENT, *SCHEME, *HOST, *PATH, *METHOD, *OTHERS, "HTTP_X_DEVICE"] if name in environ]
    return ["\n".join(told).encode("latin-1")]


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class WsgiOrigin:
    def __enter__(self):
        self.server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, Server, Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    wsgiref.simple_server.make_server("", int(os.environ["PORT"]), application, Server, Handler).serve_forever()
