# A client for the tests of the server: sends raw bytes, and reads replies as strictly as a client may.

import asyncio

from support import MICROPYTHON


def request(method="GET", path="/", *fields, body=None, version="1.1"):
    """Return the bytes of a request; Host and the body's length are added."""
    lines = ["{} {} HTTP/{}".format(method, path, version), "Host: 127.0.0.1"]
    lines.extend(fields)
    if body is not None:
        lines.append("Content-Length: {}".format(len(body)))
    return "\r\n".join(lines + ["", ""]).encode() + (body or b"")


class Truncated(Exception):
    """The connection ended inside a reply."""


class Reply:
    """One reply: `version`, `status`, `reason`, `headers` (names in lower case), `body`, `chunks` if any."""

    def __init__(self, head):
        lines = head.decode().split("\r\n")
        self.version, status, self.reason = lines[0].split(" ", 2)
        self.status = int(status)
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value
        self.chunks = None
        self.body = b""

    @property
    def text(self):
        return self.body.decode()


class Client:
    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._buffer = b""
        self._closed = False

    async def send(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def send_if_wanted(self, pieces):
        """Send all pieces, or as many as the server takes."""
        try:
            for piece in pieces:
                await self.send(piece)
        except OSError:
            pass  # the server had enough: its reply is what counts

    async def send_bytewise(self, data):
        for i in range(len(data)):
            await self.send(data[i : i + 1])
            await asyncio.sleep(0)

    async def get(self, path="/", *fields):
        await self.send(request("GET", path, *fields))
        return await self.reply()

    async def reply(self, method="GET"):
        """Read one reply, and nothing behind it."""
        reply = Reply((await self._until(b"\r\n\r\n"))[:-4])
        if method == "HEAD" or reply.status in (204, 304) or reply.status < 200:
            return reply
        if reply.headers.get("transfer-encoding") == "chunked":
            reply.chunks = await self._chunks()
            reply.body = b"".join(reply.chunks)
        elif "content-length" in reply.headers:
            reply.body = await self._exactly(int(reply.headers["content-length"]))
        else:
            reply.body = await self.rest()
        return reply

    async def rest(self):
        """Return everything until the server closes the connection."""
        while await self._more():
            pass
        return self._take(len(self._buffer))

    async def bodies(self, count):
        """Return the bodies of the next replies."""
        bodies = []
        for _ in range(count):
            bodies.append((await self.reply()).body)
        return bodies

    async def is_open(self):
        """Tell whether the connection still answers."""
        try:
            return (await self.get("/alive")).status in (200, 404)
        except (Truncated, OSError):
            return False

    async def close(self):
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass

    async def reset(self):
        """End the connection at once and in the middle, as a client that is switched off."""
        if MICROPYTHON:
            await self.close()
        else:
            self._closed = True
            self._writer.transport.abort()
            await asyncio.sleep(0)

    async def _chunks(self):
        chunks = []
        while True:
            size = int((await self._until(b"\r\n"))[:-2], 16)
            data = await self._exactly(size + 2)
            if data[size:] != b"\r\n":
                raise Truncated("chunk without line end")
            if not size:
                return chunks
            chunks.append(data[:size])

    async def _until(self, mark):
        while mark not in self._buffer:
            if not await self._more():
                raise Truncated(self._buffer)
        return self._take(self._buffer.find(mark) + len(mark))

    async def _exactly(self, n):
        while len(self._buffer) < n:
            if not await self._more():
                raise Truncated(self._buffer)
        return self._take(n)

    async def _more(self):
        data = await self._reader.read(4096)
        self._buffer += data
        return len(data)

    def _take(self, n):
        data = self._buffer[:n]
        self._buffer = self._buffer[n:]
        return data
