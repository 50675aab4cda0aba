# Streams that are not a connection of our server (those of another server, of tests), as websocket.py reads from them.
_BUFFER = 512


class Streams:
    """A buffer over a stream whose only method is a coroutine ``read(n)``."""

    departed = False
    task = None  # there is no handler's task to know
    start = end = 0  # the unread bytes in buf

    def __init__(self, stream):
        self.stream = stream
        self.reader = self
        self.buf = bytearray(_BUFFER)

    def fill(self):
        """Return the coroutine that reads more bytes behind those in the buffer."""
        if self.end == len(self.buf):
            unread = self.buf[self.start : self.end]
            self.buf[: len(unread)] = unread
            self.start = 0
            self.end = len(unread)
        return self.readinto(memoryview(self.buf)[self.end :])

    def skip(self, n):
        """Take bytes off the front of the buffer."""
        self.start += n
        if self.start == self.end:
            self.start = self.end = 0

    def read(self, n):
        return self.stream.read(n)

    async def readinto(self, buf):
        data = await self.stream.read(len(buf))
        buf[: len(data)] = data
        return len(data)
