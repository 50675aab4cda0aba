# Response.write: the bytes that reach a stream that offers only awrite and aclose, in HTTP/1.0's shape.

import io
import os
import unittest

from microdot import Response
from support import Chunks, Sink, run


def written(response):
    sink = Sink()
    run(response.write(sink))
    return sink.data


def parts_of(data):
    """Return status line, sorted header lines and body."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    return lines[0], sorted(lines[1:]), body


TEXT = b"Content-Type: text/plain; charset=UTF-8"

# (name, arguments of Response, status line, header lines, body)
SHAPES = [
    ("text", ("foo",), b"HTTP/1.0 200 OK", [b"Content-Length: 3", TEXT], b"foo"),
    ("empty", (), b"HTTP/1.0 200 OK", [b"Content-Length: 0", TEXT], b""),
    ("none", (None,), b"HTTP/1.0 204 N/A", [b"Content-Length: 0", TEXT], b""),
    ("reason", ("x", 404, {}, "NOT FOUND"), b"HTTP/1.0 404 NOT FOUND", [b"Content-Length: 1", TEXT], b"x"),
    ("no reason", ("x", 404), b"HTTP/1.0 404 N/A", [b"Content-Length: 1", TEXT], b"x"),
    ("odd status", ("", 299), b"HTTP/1.0 299 N/A", [b"Content-Length: 0", TEXT], b""),
    ("reason for 200", ("", 200, {}, "FINE"), b"HTTP/1.0 200 FINE", [b"Content-Length: 0", TEXT], b""),
    (
        "json",
        ({"foo": "bar"},),
        b"HTTP/1.0 200 OK",
        [b"Content-Length: 14", b"Content-Type: application/json; charset=UTF-8"],
        b'{"foo": "bar"}',
    ),
    (
        "headers",
        ("x", 200, {"X-A": "1", "Content-Type": "text/html"}),
        b"HTTP/1.0 200 OK",
        [b"Content-Length: 1", b"Content-Type: text/html", b"X-A: 1"],
        b"x",
    ),
    (
        "list of values",
        ("x", 200, {"Set-Cookie": ["a=1", "b=2"]}),
        b"HTTP/1.0 200 OK",
        [b"Content-Length: 1", TEXT, b"Set-Cookie: a=1", b"Set-Cookie: b=2"],
        b"x",
    ),
    (
        "value above ASCII",
        ("x", 200, {"X-A": "é"}),
        b"HTTP/1.0 200 OK",
        [b"Content-Length: 1", TEXT, b"X-A: \xc3\xa9"],
        b"x",
    ),
]


class FailingSink(Sink):
    """A stream whose peer goes away after some writes."""

    def __init__(self, error, after):
        super().__init__()
        self.error = error
        self.after = after

    async def awrite(self, data):
        if len(self.pieces) >= self.after:
            raise self.error
        await super().awrite(data)


class TestShape(unittest.TestCase):
    def test_shapes(self):
        for name, arguments, status, headers, body in SHAPES:
            with self.subTest(name=name):
                self.assertEqual(parts_of(written(Response(*arguments))), (status, sorted(headers), body))

    def test_head_has_no_body(self):
        response = Response("foo")
        response.is_head = True
        status, headers, body = parts_of(written(response))
        self.assertEqual((status, headers, body), (b"HTTP/1.0 200 OK", [b"Content-Length: 3", TEXT], b""))

    def test_chunks(self):
        def generator():
            yield "foo"
            yield b"bar"
            yield "é"

        for name, body in (("generator", generator()), ("async iterator", Chunks(["foo", b"bar", "é"]))):
            with self.subTest(name=name):
                expected = (b"HTTP/1.0 200 OK", [TEXT], "foobaré".encode())
                self.assertEqual(parts_of(written(Response(body))), expected)

    def test_async_iterator_is_closed_afterwards(self):
        body = Chunks(["a"])
        written(Response(body))
        self.assertTrue(body.closed)

    def test_stream_is_left_open(self):
        sink = Sink()
        run(Response("x").write(sink))
        self.assertFalse(sink.closed)

    def test_long_body_is_written_whole(self):
        body = bytes(range(256)) * 200
        self.assertEqual(parts_of(written(Response(body)))[2], body)


class TestFiles(unittest.TestCase):
    def setUp(self):
        with open("page.html", "wb") as file:
            file.write(b"foo\n")
        self.addCleanup(os.remove, "page.html")

    def test_file_is_written_without_length(self):
        expected = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nfoo\n"
        self.assertEqual(written(Response.send_file("page.html")), expected)

    def test_stream_is_written_without_length(self):
        response = Response.send_file("x.txt", stream=io.BytesIO(b"data"))
        self.assertEqual(written(response), b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\ndata")

    def test_file_longer_than_the_buffer(self):
        self.addCleanup(setattr, Response, "send_file_buffer_size", Response.send_file_buffer_size)
        Response.send_file_buffer_size = 2
        self.assertEqual(parts_of(written(Response.send_file("page.html")))[2], b"foo\n")

    def test_file_is_closed(self):
        response = Response.send_file("page.html")
        written(response)
        with self.assertRaises((ValueError, OSError)):
            response.body.read(1)


class TestUnsafeHeaders(unittest.TestCase):
    def test_values_that_would_end_the_line_are_refused(self):
        for value in ("a\r\nX: y", "a\nb", "a\rb", "a\0b", "\n", ["fine", "a\r\nX: y"]):
            with self.subTest(value=value):
                self.refuses({"X-A": value})

    def test_names_that_are_no_tokens_are_refused(self):
        for name in ("X A", "X:A", "X\r\nA", "X\0", "", "X\n", "(X)", "é"):
            with self.subTest(name=name):
                self.refuses({name: "value"})

    def test_reasons_that_would_end_the_line_are_refused(self):
        for reason in ("a\r\nX: y", "a\nb", "a\0b"):
            with self.subTest(reason=reason):
                sink = Sink()
                with self.assertRaises(ValueError):
                    run(Response("x", 200, {}, reason).write(sink))
                self.assertEqual(sink.data, b"")

    def refuses(self, headers):
        sink = Sink()
        with self.assertRaises(ValueError):
            run(Response("x", 200, headers).write(sink))
        self.assertEqual(sink.data, b"")

    def test_numbers_and_tabs_are_written(self):
        lines = parts_of(written(Response("x", 200, {"X-A": 5, "X-B": "a\tb"})))[1]
        self.assertIn(b"X-A: 5", lines)
        self.assertIn(b"X-B: a\tb", lines)


class TestClientThatLeaves(unittest.TestCase):
    def test_departure_in_the_body_closes_it_and_is_no_error(self):
        for number in (32, 54, 104, 128):
            body = Chunks(["a"] * 100)
            with self.subTest(number=number):
                run(Response(body).write(FailingSink(OSError(number, "gone"), 3)))
                self.assertTrue(body.closed)

    def test_lost_connection_is_no_error(self):
        body = Chunks(["a"] * 100)
        run(Response(body).write(FailingSink(OSError("Connection lost"), 3)))
        self.assertTrue(body.closed)

    def test_other_errors_reach_the_caller(self):
        body = Chunks(["a"] * 100)
        with self.assertRaises(OSError):
            run(Response(body).write(FailingSink(OSError(28, "no space"), 3)))

    def test_application_can_mute_more_errors(self):
        from microdot.microdot import MUTED_SOCKET_ERRORS

        MUTED_SOCKET_ERRORS.append(999)
        self.addCleanup(MUTED_SOCKET_ERRORS.remove, 999)
        body = Chunks(["a"] * 100)
        run(Response(body).write(FailingSink(OSError(999, "odd"), 3)))
        self.assertTrue(body.closed)
