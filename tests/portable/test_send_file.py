# Response.send_file: content types, caching, compression headers, streams and missing files.

import io
import os
import unittest

from microdot import Response, send_file
from support import collect, run

TYPES = [
    ("a.css", "text/css"),
    ("a.gif", "image/gif"),
    ("a.html", "text/html"),
    ("a.jpg", "image/jpeg"),
    ("a.js", "application/javascript"),
    ("a.json", "application/json"),
    ("a.png", "image/png"),
    ("a.txt", "text/plain"),
    ("a.svg", "image/svg+xml"),
    ("a.unknown", "application/octet-stream"),
    ("a", "application/octet-stream"),
    ("a.b.html", "text/html"),
    ("a.html.gz", "application/octet-stream"),
]


def sent(filename="a.txt", **kwargs):
    kwargs.setdefault("stream", io.BytesIO(b"data"))
    return Response.send_file(filename, **kwargs)


class TestHeaders(unittest.TestCase):
    def test_type_from_the_name(self):
        for name, expected in TYPES:
            with self.subTest(name=name):
                self.assertEqual(sent(name).headers, {"Content-Type": expected})

    def test_type_given(self):
        self.assertEqual(sent("a.html", content_type="text/x").headers, {"Content-Type": "text/x"})

    def test_applications_add_types(self):
        Response.types_map["test"] = "application/x-test"
        self.addCleanup(Response.types_map.pop, "test")
        self.assertEqual(sent("a.test").headers["Content-Type"], "application/x-test")

    def test_max_age(self):
        self.assertEqual(sent(max_age=3600).headers["Cache-Control"], "max-age=3600")
        self.assertEqual(sent(max_age=0).headers["Cache-Control"], "max-age=0")
        self.assertNotIn("Cache-Control", sent().headers)

    def test_default_max_age(self):
        self.assertIsNone(Response.default_send_file_max_age)
        self.addCleanup(setattr, Response, "default_send_file_max_age", None)
        Response.default_send_file_max_age = 60
        self.assertEqual(sent().headers["Cache-Control"], "max-age=60")
        self.assertEqual(sent(max_age=0).headers["Cache-Control"], "max-age=0")
        Response.default_send_file_max_age = 0
        self.assertEqual(sent().headers["Cache-Control"], "max-age=0")

    def test_compressed(self):
        table = [
            ("a.txt", True, "text/plain", "gzip"),
            ("a.txt.gz", True, "text/plain", "gzip"),
            ("a.txt.gz", "gzip", "text/plain", "gzip"),
            ("a.txt", "br", "text/plain", "br"),
        ]
        for name, compressed, content_type, encoding in table:
            with self.subTest(name=name, compressed=compressed):
                headers = sent(name, compressed=compressed).headers
                self.assertEqual(headers, {"Content-Type": content_type, "Content-Encoding": encoding})

    def test_status(self):
        self.assertEqual(sent().status_code, 200)
        self.assertEqual(sent(status_code=404).status_code, 404)


class TestFiles(unittest.TestCase):
    def setUp(self):
        for name in ("a.txt", "a.txt.gz"):
            with open(name, "wb") as file:
                file.write(name.encode() * 300)
            self.addCleanup(os.remove, name)

    def body(self, response):
        async def read():
            iterator = response.body_iter()
            chunks = await collect(iterator)
            await iterator.aclose()
            return b"".join(chunks)

        return run(read())

    def test_file(self):
        response = send_file("a.txt")
        self.assertEqual(response.headers, {"Content-Type": "text/plain"})
        self.assertEqual(self.body(response), b"a.txt" * 300)

    def test_file_extension_is_opened_but_not_considered(self):
        response = Response.send_file("a.txt", compressed=True, file_extension=".gz")
        self.assertEqual(response.headers, {"Content-Type": "text/plain", "Content-Encoding": "gzip"})
        self.assertEqual(self.body(response), b"a.txt.gz" * 300)

    def test_stream_is_preferred_to_the_file(self):
        response = Response.send_file("a.txt", stream=io.BytesIO(b"other"))
        self.assertEqual(self.body(response), b"other")

    def test_missing_file_raises_at_once(self):
        with self.assertRaises(OSError):
            Response.send_file("missing.txt")
