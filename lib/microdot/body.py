# The body of a request as a stream that ends where the message ends (RFC 9112 6): by its length, or decoded from chunks.
#
# It reads from a connection (or anything with coroutines `read(n)` and `readline()`), never past the body. Cost: the object;
# data goes from the connection's buffer, or straight from the socket, into what the caller asked for.
import io

from microdot.http import CHUNKED, ClientError

MAX_CHUNK_LINE = 256  # bytes of a chunk's first line, extensions included
MAX_TRAILER = 2048  # bytes of all lines after the last chunk


class Body:
    """The request's body. ``length`` is its size in bytes or ``CHUNKED``; ``limit`` bounds what chunks may add up to."""

    def __init__(self, source, length, limit=0):
        self.source = source
        self.chunked = length == CHUNKED
        self.left = 0 if self.chunked else length  # bytes of the body, or of the present chunk, not yet read
        self.limit = limit
        self.begun = False  # a chunk was begun, so that a line end comes before the next
        self.ahead = b""  # read, and put back

    def ended(self):
        """Tell whether every byte of the body was taken from the connection."""
        return not self.left and not self.chunked

    async def readinto(self, buf):
        """Fill the front of ``buf``; return the number of bytes, 0 at the end of the body."""
        if self.ahead:
            data = await self.read(len(buf))
            buf[: len(data)] = data
            return len(data)
        n = await self._available(len(buf))
        if n:
            n = self._took(await self._read_into(memoryview(buf)[:n]))
        return n

    async def _read_into(self, view):
        if hasattr(self.source, "readinto"):
            return await self.source.readinto(view)
        data = await self.source.read(len(view))
        view[: len(data)] = data
        return len(data)

    async def read(self, n=-1):
        """Return up to ``n`` bytes, b"" at the end; all that is left when ``n`` is negative."""
        if n < 0:
            return await self._collect(None)
        if self.ahead:
            data = self.ahead[:n]
            self.ahead = self.ahead[n:]
            return data
        n = await self._available(n)
        if not n:
            return b""
        data = await self.source.read(n)
        self._took(len(data))
        return data

    async def readexactly(self, n):
        """Return ``n`` bytes; raise ``EOFError`` if the body ends before."""
        buf = bytearray(n)
        size = await self._fill(buf, 0)
        if size < n:
            raise EOFError
        return bytes(buf)

    async def _fill(self, buf, size):
        # Read behind the first `size` bytes of the buffer until it is full or the body ends; return what it holds then.
        view = memoryview(buf)
        while size < len(buf):
            n = await self.readinto(view[size:])
            if not n:
                break
            size += n
        return size

    async def readline(self):
        """Return the next line with its line end, or what is left without one, as much as ``limit`` allows."""
        parts = []
        while True:
            data = await self.read(128)
            at = data.find(b"\n") + 1
            if at:
                self.ahead = data[at:] + self.ahead
                data = data[:at]
            parts.append(data)
            if at or not data:
                return b"".join(parts)

    async def skip(self):
        """Read what is left, and forget it."""
        while await self.read(1024):
            pass

    async def fetch(self, n):
        """Return the whole body if it has no more than ``n`` bytes; else put back what was read and return b""."""
        data = await self._collect(n)
        if len(data) > n:
            self.ahead = data
            return b""
        return data

    async def _collect(self, most):
        # Read the whole body, or just more than `most` bytes, in a buffer that doubles: a client may send it byte by byte.
        buf = bytearray(512 if self.chunked or self.ahead else self.left or 512)
        size = await self._fill(buf, 0)
        while size == len(buf) and not self.ended() and (most is None or size <= most):
            longer = bytearray(2 * size if most is None else min(2 * size, most + 1))
            longer[:size] = buf
            buf = longer
            size = await self._fill(buf, size)
        return bytes(memoryview(buf)[:size])

    def _took(self, n):
        if not n:
            raise OSError(104)  # ECONNRESET: the client left in the middle of its body
        self.left -= n
        return n

    async def _available(self, n):
        # How many of n bytes may be read now: not past the body, nor past the present chunk.
        if self.chunked and not self.left:
            await self._next_chunk()
        return min(n, self.left)

    async def _next_chunk(self):
        if self.begun and await self._line(2):
            raise ClientError("malformed chunk")
        self.begun = True
        from microdot.grammar import chunk_size

        self.left = chunk_size(await self._line(MAX_CHUNK_LINE))
        if self.left:
            self.limit -= self.left
            if self.limit < 0:
                raise ClientError("body too large", 413)
        else:
            await self._skip_trailer()
            self.chunked = False

    async def _skip_trailer(self):
        from microdot.grammar import is_text, is_token

        room = MAX_TRAILER
        line = await self._line(room)
        while line:
            room -= len(line)
            colon = line.find(b":")
            if colon < 1 or not is_token(line[:colon]) or not is_text(line):
                raise ClientError("malformed trailer")
            line = await self._line(room)

    async def _line(self, limit):
        line = await self.source.readline(limit)
        if line[-2:] != b"\r\n":
            if not line:
                raise OSError(104)
            raise ClientError("malformed chunk")
        return line[:-2]


class AsyncBytesIO:
    """Bytes in memory with the coroutines of a stream."""

    def __init__(self, data):
        self.stream = io.BytesIO(data)

    async def read(self, n=-1):
        return self.stream.read(n)

    async def readinto(self, buf):
        return self.stream.readinto(buf)

    async def readline(self):
        return self.stream.readline()

    async def readexactly(self, n):
        return self.stream.read(n)

    async def readuntil(self, separator=b"\n"):
        start = self.stream.tell()
        data = self.stream.read()
        at = data.find(separator)
        if at >= 0:
            data = data[: at + len(separator)]
            self.stream.seek(start + len(data))
        return data

    async def awrite(self, data):
        return self.stream.write(data)

    async def aclose(self):
        pass
