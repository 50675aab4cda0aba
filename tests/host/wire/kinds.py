# Every kind of reply: what a handler returns, and what a client must then receive. Loaded by the application on
# both interpreters, and by the test that asks for each.

import io

from microdot import Response, abort, redirect, send_file

LONG = b"0123456789" * 2000
LARGE = "large.bin"  # names of files that the application makes in its folder
EMPTY = "empty.bin"


class Pieces:
    """An async iterator over a list, as MicroPython can have one; counts those that were not closed."""

    open = 0

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        Pieces.open += 1

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)

    async def aclose(self):
        Pieces.open -= 1


class Readable:
    """A file without a length: it has `read` and nothing else."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read(self, size):
        return self.pieces.pop(0) if self.pieces else b""


class ReadableLater(Readable):
    """The same, with a coroutine for `read`."""

    async def read(self, size):
        return self.pieces.pop(0) if self.pieces else b""


class Port(Readable):
    """The same with `readinto`, like a serial port."""

    def readinto(self, buf):
        data = self.pieces.pop(0) if self.pieces else b""
        buf[: len(data)] = data
        return len(data)


def with_cookies():
    response = Response("cookies")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", path="/", max_age=60, http_only=True)
    response.delete_cookie("c")
    return response


def without_body(status, headers=None):
    return lambda: Response(None, status, headers)


def generated(*pieces):
    return lambda: (piece for piece in pieces)


def split(value):
    return {"X-Split": "a\r\nX-Evil: 1\r\n\r\n" + value}


# name: (what makes the handler's result, status, body; None for one that is not compared)
KINDS = {
    "text": (lambda: "hello", 200, b"hello"),
    "text-of-many-bytes": (lambda: "h\xe9llo \u20ac", 200, "h\xe9llo \u20ac".encode()),
    "empty-text": (lambda: "", 200, b""),
    "bytes": (lambda: b"\0\r\n\r\n\xff", 200, b"\0\r\n\r\n\xff"),
    "long-bytes": (lambda: LONG, 200, LONG),
    "bytearray": (lambda: bytearray(b"hello"), 200, b"hello"),
    "json-object": (lambda: {"user": 1}, 200, b'{"user": 1}'),
    "json-list": (lambda: [1, "2"], 200, b'[1, "2"]'),
    "none": (lambda: None, 204, b""),
    "status": (lambda: 201, 201, b""),
    "body-and-status": (lambda: ("made", 201), 201, b"made"),
    "body-and-headers": (lambda: ("x", {"X-A": "1", "X-B": ["1", "2"]}), 200, b"x"),
    "body-status-headers": (lambda: ("x", 418, {"X-A": ""}), 418, b"x"),
    "status-and-headers": (lambda: (404, {"X-A": "1"}), 404, b""),
    "reason": (lambda: Response("x", 599, reason="no reason at all"), 599, b"x"),
    "header-of-many-bytes": (lambda: ("x", 200, {"X-A": "h\xe9 \u20ac"}), 200, b"x"),
    "framing-headers-of-its-own": (
        lambda: ("x", 200, {"Content-Length": "77", "transfer-encoding": "chunked"}),
        200,
        b"x",
    ),
    "closing": (lambda: ("bye", 200, {"Connection": "close"}), 200, b"bye"),
    "cookies": (with_cookies, 200, b"cookies"),
    "redirect": (lambda: redirect("/elsewhere"), 302, b""),
    "abort": (lambda: abort(403), 403, b"403 error"),
    "abort-with-reason": (lambda: abort(409, "no"), 409, b"no"),
    "no-content": (lambda: ("", 204), 204, b""),
    "no-content-with-a-body": (lambda: ("body", 204), 204, b""),
    "no-content-with-a-generator": (lambda: (generated("a", "b")(), 204), 204, b""),
    "reset-content": (lambda: ("", 205), 205, b""),
    "not-modified": (lambda: ("", 304, {"ETag": '"1"'}), 304, b""),
    "not-modified-with-a-body": (lambda: ("body", 304, {"Content-Length": "4"}), 304, b""),
    "no-body-and-200": (lambda: Response(None, 200), 204, b""),
    "no-body-and-201": (without_body(201), 201, b""),
    "no-body-and-404": (without_body(404), 404, b""),
    "no-body-and-500": (without_body(500, {"X-A": "1"}), 500, b""),
    "no-body-and-204": (without_body(204), 204, b""),
    "no-body-and-304": (without_body(304), 304, b""),
    "generator": (generated("one", b"two", "thr\xe9e"), 200, b"onetwothr\xc3\xa9e"),
    "generator-of-nothing": (generated(), 200, b""),
    "generator-of-empty-pieces": (generated("", b"a", b"", "b", ""), 200, b"ab"),
    "generator-of-buffers": (generated(b"a", bytearray(b"b"), memoryview(b"c")), 200, b"abc"),
    "generator-of-long-pieces": (generated(LONG, LONG), 200, LONG + LONG),
    "generator-of-many-pieces": (lambda: (b"x" for _ in range(500)), 200, b"x" * 500),
    "generator-with-length": (lambda: (generated("a", "b")(), 200, {"Content-Length": "2"}), 200, b"ab"),
    "generator-with-a-length-that-is-none": (lambda: (generated("a")(), 200, {"Content-Length": "abc"}), 200, b"a"),
    "generator-and-404": (lambda: (generated("gone")(), 404), 404, b"gone"),
    "iterator": (lambda: Pieces("a", b"", b"b"), 200, b"ab"),
    "iterator-of-nothing": (lambda: Pieces(), 200, b""),
    "memory-file": (lambda: io.BytesIO(LONG), 200, LONG),
    "memory-file-read-on": (lambda: read_on(io.BytesIO(b"hello")), 200, b"llo"),
    "readable": (lambda: Readable(b"x" * 1024, b"y"), 200, b"x" * 1024 + b"y"),
    "readable-later": (lambda: ReadableLater(b"x" * 1024, b"y"), 200, b"x" * 1024 + b"y"),
    "port": (lambda: Port(b"x" * 1024, b"y"), 200, b"x" * 1024 + b"y"),
    "file": (lambda: send_file(LARGE), 200, None),
    "empty-file": (lambda: send_file(EMPTY), 200, b""),
    "file-with-age": (lambda: send_file(EMPTY, max_age=0, compressed=True), 200, b""),
}

# The same for replies that the application is to blame for: these, and no others, leave a traceback.
FAULTY = {
    "exception": (lambda: [][0], 500, b"Internal server error"),
    "missing-file": (lambda: send_file("missing.bin"), 500, b"Internal server error"),
    "split-header": (lambda: ("x", 200, split("x")), 500, None),
    "split-header-and-204": (lambda: ("", 204, split("x")), 500, None),
    "split-header-and-304": (lambda: ("", 304, split("x")), 500, None),
    "split-header-and-no-body": (lambda: Response(None, 404, split("x")), 500, None),
    "split-header-and-generator": (lambda: (generated("a", "b")(), 200, split("x")), 500, None),
    "split-reason": (lambda: Response("x", 200, reason="a\r\nX-Evil: 1"), 500, None),
    "name-of-a-header-is-no-token": (lambda: ("x", 200, {"X A": "1"}), 500, None),
}


def read_on(file):
    file.read(2)
    return file


def failing(*pieces):
    yield from pieces
    raise ValueError("body broken by a test")
