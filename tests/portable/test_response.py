# Response: what bodies become, what `complete` adds and `body_iter` yields, redirects.

import io
import unittest

from microdot import Response, redirect
from microdot.microdot import NoCaseDict
from support import Chunks, collect, run


def chunks_of(response):
    return run(collect(response.body_iter()))


class TestConstructor(unittest.TestCase):
    def test_defaults(self):
        response = Response()
        self.assertEqual((response.status_code, response.body, response.reason), (200, b"", None))
        self.assertEqual(response.headers, {})
        self.assertFalse(response.is_head)

    def test_bodies(self):
        table = [
            (b"foo", b"foo"),
            ("foo", b"foo"),
            ("é", b"\xc3\xa9"),
            ("", b""),
            (b"", b""),
            (23.7, 23.7),
            (0, 0),
            (True, True),
        ]
        for given, expected in table:
            with self.subTest(given=given):
                response = Response(given)
                self.assertEqual((response.body, response.status_code), (expected, 200))
                self.assertEqual(response.headers, {})

    def test_other_bodies_are_kept(self):
        for body in (io.BytesIO(b"x"), Chunks(["a"]), (text for text in ("a", "b"))):
            self.assertIs(Response(body).body, body)

    def test_positional_arguments(self):
        response = Response("foo", 404, {"X-Test": "Foo"}, "NOT FOUND")
        self.assertEqual((response.body, response.status_code, response.reason), (b"foo", 404, "NOT FOUND"))
        self.assertEqual(response.headers, {"X-Test": "Foo"})

    def test_none_is_no_content(self):
        response = Response(None)
        self.assertEqual((response.body, response.status_code), (b"", 204))

    def test_none_with_another_status_has_no_body(self):
        response = Response(None, 304)
        self.assertEqual((response.body, response.status_code), (None, 304))
        response.complete()
        self.assertNotIn("Content-Length", response.headers)
        self.assertEqual(chunks_of(response), [])

    def test_headers_match_in_any_case(self):
        response = Response(headers={"X-Test": "Foo"})
        self.assertIsInstance(response.headers, NoCaseDict)
        self.assertEqual(response.headers["x-test"], "Foo")

    def test_given_headers_are_not_changed(self):
        given = {"X-Test": "Foo"}
        response = Response([1], headers=given)
        response.headers["X-Other"] = "1"
        response.complete()
        self.assertEqual(given, {"X-Test": "Foo"})

    def test_responses_share_no_headers(self):
        Response().headers["X-Test"] = "1"
        self.assertEqual(Response().headers, {})


class TestJson(unittest.TestCase):
    def test_text(self):
        table = [
            ({"foo": "bar"}, b'{"foo": "bar"}'),
            ({"user": 1}, b'{"user": 1}'),
            ([1, "2"], b'[1, "2"]'),
            ({}, b"{}"),
            ([], b"[]"),
            ([None, True, [1, 2]], b"[null, true, [1, 2]]"),
        ]
        for value, text in table:
            with self.subTest(value=value):
                response = Response(value)
                self.assertEqual((response.body, response.status_code), (text, 200))
                self.assertEqual(response.headers, {"Content-Type": "application/json; charset=UTF-8"})

    def test_given_content_type_wins(self):
        response = Response({"a": 1}, headers={"content-type": "application/problem+json"})
        self.assertEqual(response.headers, {"content-type": "application/problem+json"})

    def test_other_headers_stay(self):
        response = Response([1], 201, {"X-Test": "1"})
        self.assertEqual(response.headers, {"X-Test": "1", "Content-Type": "application/json; charset=UTF-8"})


class TestComplete(unittest.TestCase):
    def complete(self, *args, **kwargs):
        response = Response(*args, **kwargs)
        response.complete()
        return response.headers

    def test_length_and_default_type(self):
        expected = {"Content-Length": "3", "Content-Type": "text/plain; charset=UTF-8"}
        self.assertEqual(self.complete("foo"), expected)

    def test_length_counts_bytes(self):
        self.assertEqual(self.complete("é€")["Content-Length"], "5")

    def test_empty_body_has_a_length(self):
        self.assertEqual(self.complete()["Content-Length"], "0")
        self.assertEqual(self.complete(None)["Content-Length"], "0")

    def test_given_length_stays(self):
        self.assertEqual(self.complete("foo", headers={"content-length": "7"})["Content-Length"], "7")

    def test_body_without_length(self):
        for body in (io.BytesIO(b"x"), Chunks(["a"]), (text for text in "ab")):
            self.assertNotIn("Content-Length", self.complete(body))

    def test_given_type_stays_as_it_is(self):
        for given in ("text/html", "text/plain; charset=ISO-8859-1", "image/png"):
            with self.subTest(given=given):
                self.assertEqual(self.complete("x", headers={"Content-Type": given})["Content-Type"], given)

    def test_default_type_is_read_from_the_class_at_run_time(self):
        self.addCleanup(setattr, Response, "default_content_type", Response.default_content_type)
        table = [
            ("text/html", "text/html; charset=UTF-8"),
            ("text/html; charset=latin1", "text/html; charset=latin1"),
        ]
        for default, expected in table:
            with self.subTest(default=default):
                Response.default_content_type = default
                self.assertEqual(self.complete("x")["Content-Type"], expected)

    def test_body_may_change_until_completion(self):
        response = Response("foo")
        response.body += b"bar"
        response.complete()
        self.assertEqual(response.headers["Content-Length"], "6")

    def test_completing_twice_changes_nothing(self):
        response = Response("foo")
        response.complete()
        before = dict(response.headers.items())
        response.complete()
        self.assertEqual(response.headers, before)


class SyncFile:
    def __init__(self, data):
        self.stream = io.BytesIO(data)
        self.sizes = []
        self.closed = False

    def read(self, n=-1):
        self.sizes.append(n)
        return self.stream.read(n)

    def close(self):
        self.closed = True


class AsyncFile:
    def __init__(self, data):
        self.stream = io.BytesIO(data)
        self.closed = False

    async def read(self, n=-1):
        return self.stream.read(n)

    async def close(self):
        self.closed = True


class TestBodyIter(unittest.TestCase):
    def test_what_is_yielded(self):
        def generator():
            yield "a"
            yield b"b"

        def empty_generator():
            return
            yield

        table = [
            ("bytes", b"foo", [b"foo"]),
            ("text", "foo", [b"foo"]),
            ("empty", b"", []),
            ("nothing", None, []),
            ("generator", generator(), ["a", b"b"]),
            ("empty generator", empty_generator(), []),
            ("iterator", iter(["a", "b"]), ["a", "b"]),
            ("async iterator", Chunks(["a", b"b"]), ["a", b"b"]),
            ("empty async iterator", Chunks([]), []),
            ("number", 23.7, [23.7]),
            ("json", {"a": 1}, [b'{"a": 1}']),
        ]
        for name, body, expected in table:
            with self.subTest(name=name):
                self.assertEqual(chunks_of(Response(body)), expected)

    def test_files_are_read_in_pieces(self):
        self.addCleanup(setattr, Response, "send_file_buffer_size", Response.send_file_buffer_size)
        Response.send_file_buffer_size = 4
        for kind in (SyncFile, AsyncFile, io.BytesIO):
            for data in (b"", b"123", b"1234", b"12345", b"123456789"):
                with self.subTest(kind=kind.__name__, data=data):
                    self.assertEqual(b"".join(chunks_of(Response(kind(data)))), data)

    def test_piece_size(self):
        self.assertEqual(Response.send_file_buffer_size, 1024)
        file = SyncFile(b"x" * 2500)
        self.assertEqual([len(chunk) for chunk in chunks_of(Response(file)) if chunk], [1024, 1024, 452])
        self.assertEqual(set(file.sizes), {1024})

    def test_aclose_closes_the_body(self):
        async def iterate(response):
            iterator = response.body_iter()
            async for _ in iterator:
                break
            await iterator.aclose()

        for body in (SyncFile(b"x" * 3000), AsyncFile(b"x" * 3000), Chunks(["a", "b"])):
            with self.subTest(body=type(body).__name__):
                run(iterate(Response(body)))
                self.assertTrue(body.closed)

    def test_aclose_closes_a_generator(self):
        closed = []

        def generator():
            try:
                yield "a"
                yield "b"
            finally:
                closed.append(True)

        async def iterate(response):
            iterator = response.body_iter()
            async for _ in iterator:
                break
            await iterator.aclose()

        run(iterate(Response(generator())))
        self.assertEqual(closed, [True])

    def test_exception_reaches_the_consumer(self):
        def generator():
            yield "a"
            raise KeyError("broken")

        for body in (generator(), Chunks(["a", KeyError("broken")])):
            with self.assertRaises(KeyError):
                chunks_of(Response(body))


class TestRedirect(unittest.TestCase):
    def test_redirect(self):
        for function in (redirect, Response.redirect):
            response = function("/foo")
            self.assertEqual((response.status_code, response.body), (302, b""))
            self.assertEqual(response.headers, {"Location": "/foo"})

    def test_status(self):
        self.assertEqual(Response.redirect("/foo", 301).status_code, 301)
        self.assertEqual(Response.redirect("/foo", status_code=303).status_code, 303)

    def test_line_ends_are_refused(self):
        for location in ("/foo\r\nX: y", "/foo\n", "/foo\r", "\n/foo"):
            with self.subTest(location=location), self.assertRaises(ValueError):
                Response.redirect(location)


class TestAlreadyHandled(unittest.TestCase):
    def test_is_one_shared_response(self):
        self.assertIsInstance(Response.already_handled, Response)
        self.assertIs(Response.already_handled, Response.already_handled)
        self.assertTrue(Response() != Response.already_handled)
