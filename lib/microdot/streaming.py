# Bodies that are not in memory: files, generators, async iterators.
#
# The head leaves with the first piece, but at once for event streams: their clients wait for it, and the first event may be
# long in coming. A body without a known length goes in chunks (RFC 9112 7.1), to HTTP/1.0 clients until the connection ends. If
# the application fails before anything was sent the client gets a 500; in the middle of a body the connection is cut, so that
# the client can tell.
import asyncio

from microdot.errors import is_gone, print_exception
from microdot.helpers import iscoroutine
from microdot.http import CHUNKED
from microdot.server import MICROPYTHON, pending


def length_of(res):
    """Return the length that the application declared, or a file's; ``CHUNKED`` if there is none."""
    declared = res._headers and res._headers.get("Content-Length")
    if declared is not None and str(declared).isdigit():
        return int(declared)
    body = res.body
    if not hasattr(body, "readinto") or not hasattr(body, "seek"):
        return CHUNKED
    try:
        start = body.seek(0, 1)
        length = body.seek(0, 2) - start
        body.seek(start)
    except (OSError, ValueError):  # a pipe, say: it has the method and can't
        return CHUNKED
    return length


async def close(body):
    """Close a file or iterator, whichever way it is closed."""
    end = getattr(body, "aclose", None) or getattr(body, "close", None)
    if end:
        result = end()
        if iscoroutine(result) or hasattr(result, "__await__"):  # what ends an async generator is no coroutine
            await result


async def watch(connection, body):
    """Read ahead until the client has left, or has sent more than a buffer, and tell a body that waits for its application."""
    connection.guest = body
    try:
        n = 1
        while n != 0 and connection.end - connection.start < len(connection.buf):
            n = await connection.fill()
            connection.end += n or 0
    except (OSError, MemoryError):
        pass
    body.hang_up()


class Stream:
    """Sends one body piece by piece. A piece costs one write and one turn of the event loop, nothing else."""

    def __init__(self, connection, res, text, length, chunked):
        self.connection = connection
        self.res = res
        self.text = text  # the head, until it is sent
        self.left = length
        self.chunked = chunked
        self.size = 0  # of the last chunk
        self.size_line = b""
        self.ticks = connection.server.ticks(connection.server.app.write_timeout)

    async def send(self):
        """Send the body; tell whether it was sent. If not, the application failed and nothing was sent, not even the head."""
        connection = self.connection
        # What comes in a hurry is gathered to full packets up to its end, what comes now and then is not.
        connection.send_at_once(hasattr(self.res.body, "__anext__") or hasattr(self.res.body, "__aiter__"))
        watcher = None
        try:
            if not self.res.is_head:
                if hasattr(self.res.body, "hang_up"):
                    watcher = await self._open()
                await self._body(_drain_of(connection.writer))
            connection.send_at_once(True)
            self._write(b"0\r\n\r\n" if self.chunked and not self.res.is_head else b"")
            await connection.flush()
            return True
        except Exception as e:
            if self.text:
                print_exception(e)
                return False
            if not isinstance(e, OSError) or not is_gone(e):
                print_exception(e)
            raise OSError(104)  # ends the connection here, so that the client sees a truncated reply
        finally:
            if watcher:
                watcher.cancel()
                connection.guest = None
                await asyncio.sleep(0)  # no two tasks may read
            await close(self.res.body)

    async def _open(self):
        # Send the head of a body that waits for its application; return the task that looks after the client.
        text = self.text
        self.text = b""
        await self.connection.write(text)
        return asyncio.create_task(watch(self.connection, self.res.body)) if self.connection.idle else None

    async def _body(self, drain):
        body = self.res.body
        if hasattr(body, "__next__") and not hasattr(body, "read"):
            writer = self.connection.writer
            turn = False
            for chunk in body:
                self._put(chunk)
                if turn or pending(writer):  # others run after every second piece, or while the client is slow
                    await drain()
                turn = not turn
        elif MICROPYTHON and self.left >= 0 and hasattr(body, "readinto"):
            await self._file(body, drain)
        else:
            async for chunk in self.res.body_iter():
                self._put(chunk)
                await drain()
                self.connection.deadline = 0  # the application may take its time for the next
        if self.left > 0:
            raise ValueError("body shorter than its content length")

    async def _file(self, body, drain):
        # Read into one buffer, four times as long as the pieces that `body_iter` gives. The first piece goes with the head.
        connection = self.connection
        writer = connection.writer
        buf = bytearray(4 * self.res.send_file_buffer_size)
        view = memoryview(buf)
        n = body.readinto(buf)
        self._put(view[:n])
        left = self.left
        turn = False
        while n and left > 0:
            if turn or writer.out_buf:  # others run after every second piece, or while the client is slow
                await drain()
            n = body.readinto(buf)
            left -= n
            if left < 0:
                raise ValueError("body longer than its content length")
            writer.write(buf if n == len(buf) else view[:n])
            connection.deadline = connection.server.now + self.ticks
            turn = not turn
        self.left = left

    def _put(self, chunk):
        # Write a piece, and give the client its time to take it.
        if not isinstance(chunk, bytes):
            chunk = chunk.encode() if isinstance(chunk, str) else bytes(memoryview(chunk))
        if self.chunked:
            chunk = self._framed(chunk) if chunk else chunk
        elif self.left != CHUNKED:
            self.left -= len(chunk)
            if self.left < 0:
                raise ValueError("body longer than its content length")
        self._write(chunk)

    def _write(self, data):
        connection = self.connection
        if self.text:
            data = self.text + data
            self.text = b""
        connection.writer.write(data)
        connection.deadline = connection.server.now + self.ticks

    def _framed(self, chunk):
        # RFC 9112 7.1; the size line of the last chunk serves the next of the same size.
        if len(chunk) != self.size:
            self.size = len(chunk)
            self.size_line = b"%x\r\n" % self.size
        return b"".join((self.size_line, chunk, b"\r\n"))


if MICROPYTHON:

    def _drain_of(writer):
        # Return what waits until a piece is written, and lets others run.
        return writer.drain
else:

    def _drain_of(writer):
        # asyncio's own returns at once while the system takes everything: a long body would have the loop for itself.
        async def drain():
            await writer.drain()
            await asyncio.sleep(0)

        return drain
