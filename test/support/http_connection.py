"""An HTTP connection in bytes, for requests that no client library would send and answers that none would show."""

import dataclasses
import socket
import ssl


@dataclasses.dataclass
class Response:
    status: int
    fields: list  # (name in lower case, value)
    body: bytes
    interim: list  # statuses before the final one
    trailers: list = dataclasses.field(default_factory=list)

    def field(self, name):
        """The value of a field that is there once; None when it is not."""
        values = [value for each, value in self.fields if each == name]
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None


class HttpConnection:
    def __init__(self, address, port=8080, ca=None, server_name=None, timeout=60):
        self.socket = socket.create_connection((address, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca:
            self.socket = ssl.create_default_context(cafile=ca).wrap_socket(self.socket, server_hostname=server_name)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, target, *fields, body=b""):
        head = [f"{method} {target} HTTP/1.1", "Host: photos.example", *fields]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*head, "", ""]).encode("latin-1") + body)

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError(f"closed after {self.received[:200]}")
        self.received += piece

    def take(self, count):
        while len(self.received) < count:
            self._more()
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def take_to(self, mark):
        while mark not in self.received:
            self._more()
        taken, _, self.received = self.received.partition(mark)
        return taken

    def take_fields(self):
        fields = []
        while line := self.take_to(b"\r\n").decode("latin-1"):
            name, colon, value = line.partition(":")
            assert colon and name == name.strip(), line
            fields.append((name.lower(), value.strip()))
        return fields

    def response(self, method="GET"):
        """The next response; EOFError when the connection ends within it or before."""
        interim = []
        while True:
            version, status = self.take_to(b"\r\n").decode("latin-1").split(" ")[:2]
            assert version == "HTTP/1.1"
            fields = self.take_fields()
            if status[0] != "1" or status == "101":
                break
            interim.append(int(status))
        response = Response(int(status), fields, b"", interim)
        if method == "HEAD" or response.status in (101, 204, 304):
            return response
        if response.field("transfer-encoding") == "chunked":
            while size := int(self.take_to(b"\r\n").split(b";")[0], 16):
                response.body += self.take(size)
                assert self.take(2) == b"\r\n"
            response.trailers = self.take_fields()
        elif response.field("content-length") is not None:
            response.body = self.take(int(response.field("content-length")))
        else:
            response.body = self.rest()
        return response

    def rest(self):
        """Everything until the server closes."""
        while True:
            try:
                self._more()
            except (EOFError, ConnectionResetError):
                return self.received

    def closed(self):
        """Waits for the server to close; false when it sends something else first."""
        return self.rest() == b""
