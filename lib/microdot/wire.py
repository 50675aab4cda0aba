# A connection as a stream, for protocols that take it over (WebSocket) and for applications that use `request.sock`: first
# what was read ahead, then the socket; without the deadlines of HTTP, but for `write_timeout` while something waits to be sent.
#
# Several tasks may write: what one call is given leaves in one piece, and a task that is cancelled takes nothing back. It
# holds on to streams of its own, so that a task which outlives the connection meets a closed socket and never the next client.
import asyncio

from microdot.body import Body
from microdot.server import MICROPYTHON, pending, read_into


class Wire(Body):
    """Reader and writer of a connection. Reading goes on until the client leaves."""

    draining = False
    doomed = False  # to be ended at the next tick
    drainer = None  # the task that sends what `broadcast` left
    turns = 0

    def __init__(self, connection):
        super().__init__(connection, 0)
        self.reader = connection.reader
        self.writer = connection.writer

    def ended(self):
        return False

    async def read(self, n=-1):
        """Return 1 to ``n`` bytes, b"" when the client has left; all until then when ``n`` is negative."""
        if n < 0 or self.ahead:
            return await super().read(n)
        buf = bytearray(n)
        n = await self.readinto(buf)
        return bytes(memoryview(buf)[:n])

    async def readinto(self, buf):
        """Fill the front of ``buf``; return the number of bytes, 0 when the client has left."""
        if self.ahead:
            return await super().readinto(buf)
        connection = self._connection()
        n = min(len(buf), connection.end - connection.start)
        if n:
            buf[:n] = memoryview(connection.buf)[connection.start : connection.start + n]
            connection.skip(n)
            return n
        n = None
        while n is None:  # a stream under encryption may wake up for nothing
            n = await read_into(self.reader, buf)
        return n

    async def _available(self, n):
        return n

    def get_extra_info(self, name, default=None):
        if name == "peername":
            return self.source.client_addr()
        return self.writer.get_extra_info(name)

    def write(self, data):
        """Write what the system takes at once, and keep the rest for ``drain``; raise ``OSError`` after the connection."""
        self._connection()
        self.writer.write(data)

    def _connection(self):
        # A closed socket is not safe to ask: on the unix port its number may be another client's by now.
        if self.source.writer is not self.writer:
            raise OSError(9)  # EBADF
        return self.source

    async def awrite(self, data):
        """Write and wait until it is written; the client has ``write_timeout`` for it."""
        writer = self.writer
        if self.source.writer is not writer:
            self._connection()
        writer.write(data)
        if pending(writer):
            await self.drain()
        self.turns += 1
        if not self.turns & 15:  # a task that does nothing but write lets others run
            await asyncio.sleep(0)

    async def drain(self):
        """Wait until everything is written."""
        while self.draining:
            await asyncio.sleep(0.005)
        if not pending(self.writer):
            return
        self.draining = True
        self._deadline(self.source.server.app.write_timeout)
        try:
            await self._drain()
        finally:
            self.draining = False
            self._deadline(0)

    if MICROPYTHON:

        async def _drain(self):
            # asyncio's own sends everything again after a cancellation, and forgets what others wrote meanwhile. Waiting for
            # the socket would be cut short by a cancelled reader: the queue of events forgets both (1.25).
            writer = self.writer
            sent = 0
            try:
                while sent < len(writer.out_buf):
                    self._connection()
                    n = writer.s.write(memoryview(writer.out_buf)[sent:])
                    sent += n or 0
                    await asyncio.sleep(0 if n else 0.005)
            finally:
                writer.out_buf = writer.out_buf[sent:]
    else:

        async def _drain(self):
            await self.writer.drain()

    def backlog(self):
        """Return how many bytes wait to be sent."""
        waiting = pending(self.writer)
        return len(waiting) + len(getattr(self.writer, "more", b"")) if MICROPYTHON else waiting

    def _deadline(self, seconds):
        connection = self.source
        if connection.writer is self.writer and not self.doomed:
            connection.deadline = seconds and connection.server.now + connection.server.ticks(seconds)

    def cut(self):
        """Have the connection ended at the next tick: the task of its handler is cancelled."""
        self.doomed = True
        connection = self.source
        if connection.writer is self.writer:
            connection.deadline = 1

    def hang_up(self):
        """Do nothing when the server stops: who uses the wire may go on until ``shutdown_timeout``."""

    async def aclose(self):
        """Close the connection when the handler has returned: its socket is the server's."""
