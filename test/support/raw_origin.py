"""An application that understands little and forgets nothing: it records every byte that reaches it.

Each connection's bytes go into a file of its own in the folder $RECORD. Every complete request gets 200 and "ok",
unless its path names one of REPLIES: then those bytes, as they stand. A path that ends in /early is answered as soon as its head
is there, without a look at the body.
"""

import asyncio
import itertools
import os
import pathlib
import re

RECORD = pathlib.Path(os.environ["RECORD"])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STOLEN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Stolen: 1\r\n\r\nstolen"
REPLIES = {
    "/two-answers": OK + STOLEN,
    "/longer-than-it-said": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + b"x" * 40,
    "/length-and-chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\nok",
    "/body-for-head": STOLEN,
    "/body-for-304": b"HTTP/1.1 304 Not Modified\r\n\r\n" + STOLEN,
    "/body-for-204": b"HTTP/1.1 204 No Content\r\n\r\n" + STOLEN,
    "/line-feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "/folded": b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "/space-before-colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "/nul-in-value": b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "/bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n-1\r\n",
    "/unasked-upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + STOLEN,
}
numbers = itertools.count()


async def body_of(reader, head):
    """Reads the body that the head announces, as a plain server would."""
    if re.search(rb"\r\ntransfer-encoding:[^\r]*chunked", head, re.I):
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        while (await reader.readline()).strip():
            pass
    elif length := re.search(rb"\r\ncontent-length: *(\d+)", head, re.I):
        await reader.readexactly(int(length[1]))


class Recorder:
    """A reader that writes down what it gives."""

    def __init__(self, reader, path):
        self.reader, self.path = reader, path

    async def note(self, data):
        with self.path.open("ab") as file:
            file.write(data)
        return data

    async def readline(self):
        return await self.note(await self.reader.readline())

    async def readexactly(self, count):
        return await self.note(await self.reader.readexactly(count))

    async def head(self):
        return await self.note(await self.reader.readuntil(b"\r\n\r\n"))


async def serve(reader, writer):
    recorder = Recorder(reader, RECORD / f"connection-{next(numbers)}")
    try:
        while True:
            head = await recorder.head()
            path = head.split(b" ")[1].split(b"?")[0].decode("latin-1")
            if not path.endswith("/early"):
                await body_of(recorder, head)
            if head.startswith(b"HEAD ") and path not in REPLIES:
                writer.write(OK[:-2])
            else:
                writer.write(REPLIES.get(path, OK))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "", int(os.environ["PORT"]), limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
