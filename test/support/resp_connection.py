"""A connection that speaks RESP and keeps what it hears as it was said: the kinds of replies are part of what is compared."""

import socket


class Reply:
    """One reply: its kind ('+', '-', ':', '$', '*', '%', '~', '>', '_', ',', '#', '=', '(') and what is in it."""

    def __init__(self, kind, value):
        self.kind = kind
        self.value = value

    def __eq__(self, other):
        return (self.kind, self.value) == (other.kind, other.value)

    def __repr__(self):
        return f"{self.kind}{self.value!r}"

    def in_order(self):
        """Itself, with the elements of an aggregate sorted; those of a map by pairs."""
        if self.kind == "%":
            pairs = sorted(zip(self.value[::2], self.value[1::2]), key=repr)
            return Reply(self.kind, [each for pair in pairs for each in pair])
        return Reply(self.kind, sorted((each.in_order() for each in self.value), key=repr)) if self.kind in "*~" and self.value is not None else self

    def pairs_in_order(self):
        """As in_order, for an array that is a map to an old client."""
        if self.kind != "*" or self.value is None:
            return self.in_order()
        pairs = sorted(zip(self.value[::2], self.value[1::2]), key=repr)
        return Reply(self.kind, [each for pair in pairs for each in pair])

    def shape(self):
        """Kinds and sizes, without what was chosen by chance."""
        return Reply(self.kind, [each.shape() for each in self.value] if isinstance(self.value, list) else type(self.value).__name__)


class RespConnection:
    """To one server; `ask` is bounded in time."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
        self.socket.sendall(b"".join(parts))

    def ask(self, words):
        """The replies to one request: some have several (SUBSCRIBE), and messages may come before."""
        self.send(words)
        return self.hear()

    def hear(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            return Reply("end", None)
        kind, rest = chr(line[0]), line[1:-2]
        if kind in "+-:,#(_":
            return Reply(kind, rest)
        count = int(rest)
        if count < 0:
            return Reply(kind, None)
        if kind in "$=":
            return Reply(kind, self.stream.read(count + 2)[:-2])
        return Reply(kind, [self.hear() for _ in range(count * 2 if kind == "%" else count)])
