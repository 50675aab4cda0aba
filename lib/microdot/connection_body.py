# Request bodies, and heads that a buffer does not hold: methods of Connection (see helpers.py).
import asyncio

from microdot.body import Body
from microdot.server import read_into

METHODS = "make_room", "load_body", "read", "readinto", "readline", "skip", "wait"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def make_room(self):
    """Make the buffer longer, or move what is unread to its front."""
    unread = self.buf[self.start : self.end]
    if not self.start:
        self.buf = bytearray(2 * len(self.buf))
    self.buf[: len(unread)] = unread
    self.start = 0
    self.end = len(unread)


async def load_body(self, request, length):
    """Give the request its body: in memory when it is small, else as a stream; return the stream."""
    self.lent = True
    body = Body(self, length, request.max_content_length)
    if length <= request.max_content_length:  # dispatch refuses what is longer
        if length <= request.max_body_length:
            self.deadline = self.server.now + self.server.ticks(self.server.app.body_timeout)
            request.body = await body.fetch(request.max_body_length)
            self.deadline = 0
        if not body.ended() or body.ahead:
            request.stream = body
    return body


async def read(self, n):
    """Return 1 to ``n`` bytes of what the client sent, b"" when it has left."""
    buf = bytearray(n)
    n = await self.readinto(buf)
    return bytes(memoryview(buf)[:n])


async def readinto(self, buf):
    """Fill the front of ``buf``; return the number of bytes, 0 when the client has left."""
    n = min(len(buf), self.end - self.start)
    if not n:
        return await self.wait(read_into, self.reader, buf)
    buf[:n] = memoryview(self.buf)[self.start : self.start + n]
    self.skip(n)
    return n


async def readline(self, limit):
    """Return a line with its line end, b"" when the client has left before it; no more than ``limit`` bytes."""
    while True:
        at = self.buf.find(b"\n", self.start, self.end) + 1
        n = (at or self.end) - self.start
        if at or n >= limit:
            line = bytes(memoryview(self.buf)[self.start : self.start + min(n, limit)])
            self.skip(len(line))
            return line
        n = await self.wait(self.fill)
        if not n:
            return b""
        self.end += n


def skip(self, n):
    """Take bytes off the front of the buffer."""
    self.start += n
    if self.start == self.end:
        self.start = self.end = 0


async def wait(self, read, *args):
    """Await a read of the body: ask for the body first if the client waits for that, and not for ever."""
    if not self.reader:
        raise OSError(9)  # EBADF: the connection has ended
    left = True
    try:
        if self.expects:
            self.expects = 0
            running = self.deadline
            try:
                await self.write(_CONTINUE)
            finally:
                self.deadline = running
        self.patience = self.server.now + self.server.ticks(self.server.app.body_timeout)
        n = await read(*args)
        left = not n
    except asyncio.CancelledError:
        left = False  # by a time limit of the handler's own, say: the client is there
        raise
    finally:
        if self.reader:  # else the connection has ended meanwhile
            self.departed = left
            self.patience = 0
    return n
