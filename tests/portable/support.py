# What the portable tests share: running coroutines, chance, readers and writers without sockets, requests from bytes.

import asyncio
import sys

from microdot import Request, errors

MICROPYTHON = sys.implementation.name == "micropython"
PATIENCE = 60  # seconds after which a test counts as stuck; nothing here should take one


def run(coroutine, seconds=PATIENCE):
    """Run a coroutine to its end on a fresh event loop and return its result."""
    try:
        return asyncio.run(asyncio.wait_for(coroutine, seconds))
    finally:
        # MicroPython keeps one loop for ever: what a failed test left in it must not run in the next one.
        if MICROPYTHON:
            asyncio.new_event_loop()


async def until(condition):
    """Let other tasks run until the condition holds; fail when it does not in a long while."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("did not come true")


class Random:
    """A small linear congruential generator: the same numbers on every interpreter."""

    def __init__(self, seed):
        self._state = seed

    def below(self, n):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % n

    def choice(self, items):
        return items[self.below(len(items))]


class Complaints:
    """Collects, while it is entered, the exceptions that the framework would print."""

    def __init__(self):
        self.exceptions = []

    def __enter__(self):
        self._print_exception = errors.print_exception
        self._replace(self.exceptions.append)
        return self.exceptions

    def __exit__(self, kind, exc, trace):
        self._replace(self._print_exception)

    def _replace(self, function):
        for name in list(sys.modules):
            if name.startswith("microdot.") and hasattr(sys.modules[name], "print_exception"):
                sys.modules[name].print_exception = function


class LineReader:
    """The least that `Request.create` is promised: coroutines readline, read and readexactly."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def _take(self, n):
        piece = self._data[self._at : self._at + n]
        self._at += len(piece)
        return piece

    async def readline(self):
        end = self._data.find(b"\n", self._at)
        return self._take((len(self._data) if end < 0 else end + 1) - self._at)

    async def read(self, n=-1):
        return self._take(len(self._data) - self._at if n < 0 else n)

    async def readexactly(self, n):
        piece = self._take(n)
        if len(piece) < n:
            raise EOFError
        return piece


class Sink:
    """The least that `Response.write` is promised: coroutines awrite and aclose."""

    def __init__(self):
        self.pieces = []
        self.closed = False

    async def awrite(self, data):
        self.pieces.append(bytes(data))

    async def aclose(self):
        self.closed = True

    @property
    def data(self):
        return b"".join(self.pieces)


def request_bytes(method="GET", path="/", headers=(), body=b"", version="1.1"):
    """Return a request as a client sends it; Host and Content-Length are added."""
    lines = ["{} {} HTTP/{}".format(method, path, version), "Host: example.com"]
    lines.extend(["{}: {}".format(name, value) for name, value in headers])
    if body:
        lines.append("Content-Length: {}".format(len(body)))
    return "\r\n".join(lines + ["", ""]).encode() + body


def make_request(method="GET", path="/", headers=(), body=b"", app="app"):
    """Return the Request that these parts make."""
    reader = LineReader(request_bytes(method, path, headers, body))
    return run(Request.create(app, reader, None, ("127.0.0.1", 1234)))


async def collect(iterator):
    """Return the chunks of an async iterator as a list."""
    chunks = []
    async for chunk in iterator:
        chunks.append(chunk)
    return chunks


class Chunks:
    """An async iterator over a list, as MicroPython can have one; `closed` tells of aclose."""

    def __init__(self, chunks):
        self._chunks = list(chunks)
        self.closed = False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._chunks:
            raise StopAsyncIteration
        chunk = self._chunks.pop(0)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    async def aclose(self):
        self.closed = True


class Endless:
    """A body without end; knows whether it was closed."""

    closed = False

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        return b"x" * 1000

    async def aclose(self):
        self.closed = True
