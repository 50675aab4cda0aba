# app.static: what is sent of a file: types, validators, parts, the compressed sibling.

import os
import unittest

import microdot.static
from microdot import Microdot, Response
from microdot.http import http_date
from microdot.static import Part, validators
from microdot.test_client import TestClient
from support import make_request, run
from tree import later, plant, touch

MADE = (2026, 1, 2, 3, 4, 5)
MADE_TEXT = "Fri, 02 Jan 2026 03:04:05 GMT"
TEXT = b"0123456789" * 10

# (name, type)
TYPES = [
    ("t.html", "text/html; charset=UTF-8"),
    ("t.HTML", "text/html; charset=UTF-8"),
    ("t.htm", "text/html; charset=UTF-8"),
    ("t.css", "text/css; charset=UTF-8"),
    ("t.js", "application/javascript; charset=UTF-8"),
    ("t.mjs", "application/javascript; charset=UTF-8"),
    ("t.txt", "text/plain; charset=UTF-8"),
    ("t.csv", "text/csv; charset=UTF-8"),
    ("t.md", "text/markdown; charset=UTF-8"),
    ("t.json", "application/json"),
    ("t.js.map", "application/json"),
    ("t.webmanifest", "application/manifest+json"),
    ("t.xml", "application/xml"),
    ("t.svg", "image/svg+xml"),
    ("t.png", "image/png"),
    ("t.gif", "image/gif"),
    ("t.jpg", "image/jpeg"),
    ("t.JPeG", "image/jpeg"),
    ("t.ico", "image/x-icon"),
    ("t.webp", "image/webp"),
    ("t.avif", "image/avif"),
    ("t.woff", "font/woff"),
    ("t.woff2", "font/woff2"),
    ("t.ttf", "font/ttf"),
    ("t.wasm", "application/wasm"),
    ("t.pdf", "application/pdf"),
    ("t.zip", "application/zip"),
    ("t.mp3", "audio/mpeg"),
    ("t.wav", "audio/wav"),
    ("t.mp4", "video/mp4"),
    ("t.webm", "video/webm"),
    ("t.unknown", "application/octet-stream"),
    ("t.js.gz", "application/octet-stream"),
    ("t", "application/octet-stream"),
    ("css", "application/octet-stream"),
    ("t.", "application/octet-stream"),
    ("t.html=text", "application/octet-stream"),
    ("t.ht", "application/octet-stream"),
    ("t.d/css", "application/octet-stream"),
]


class SiteCase(unittest.TestCase):
    """A folder `site` served at the top, with `a.txt` of a hundred bytes in it, made at MADE."""

    def setUp(self):
        plant(self, {"site/a.txt": TEXT})
        touch("site/a.txt", MADE)
        self.app = Microdot()
        self.app.static("/", "site")

    def ask(self, path="/a.txt", method="GET", **fields):
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return run(TestClient(self.app).request(method, path, headers))

    def plant(self, name, data=TEXT, moment=MADE):
        plant(self, {"site/" + name: data})
        touch("site/" + name, moment)


class TestHeaders(SiteCase):
    def test_all_of_a_plain_file(self):
        res = self.ask()
        self.assertEqual((res.status_code, res.body), (200, TEXT))
        self.assertEqual(
            res.headers,
            {
                "Accept-Ranges": "bytes",
                "Cache-Control": "no-cache",
                "Content-Length": "100",
                "Content-Type": "text/plain; charset=UTF-8",
                "ETag": '"64-695735a5"',
                "Last-Modified": MADE_TEXT,
            },
        )

    def test_head_is_the_same_without_a_body(self):
        res = self.ask(method="HEAD")
        self.assertEqual((res.status_code, res.body), (200, None))
        self.assertEqual(res.headers, self.ask().headers)

    def test_head_leaves_no_file_open(self):
        response = run(self.app.dispatch_request(make_request("HEAD", "/a.txt")))
        with self.assertRaises((OSError, ValueError)):
            response.body.read(1)

    def test_types(self):
        for name, expected in TYPES:
            with self.subTest(name=name):
                plant(self, {"site/" + name: b"1"})
                self.assertEqual(self.ask("/" + name).headers["Content-Type"], expected)

    def test_types_of_the_application_have_precedence(self):
        kept = dict(Response.types_map)
        self.addCleanup(Response.types_map.update, kept)
        self.addCleanup(Response.types_map.clear)
        Response.types_map.update({"ico": "image/png", "html": "text/html; charset=latin-1", "own": "text/x-own"})
        for name, expected in (
            ("a.ico", "image/png"),
            ("a.html", "text/html; charset=latin-1"),
            ("a.own", "text/x-own; charset=UTF-8"),
        ):
            with self.subTest(name=name):
                self.plant(name)
                self.assertEqual(self.ask("/" + name).headers["Content-Type"], expected)

    def test_send_file_knows_the_same_types(self):
        for name, expected in (("t.ico", "image/x-icon"), ("t.woff2", "font/woff2"), ("t.html", "text/html"), ("t.ICO", None)):
            with self.subTest(name=name):
                headers = Response.send_file(name, stream=object()).headers
                self.assertEqual(headers, {"Content-Type": expected or "application/octet-stream"})

    def test_age(self):
        for max_age in (0, 3600):
            self.app = Microdot()
            self.app.static("/", "site", max_age=max_age)
            with self.subTest(max_age=max_age):
                self.assertEqual(self.ask().headers["Cache-Control"], "max-age={}".format(max_age))

    def test_default_age(self):
        self.addCleanup(setattr, Response, "default_send_file_max_age", None)
        Response.default_send_file_max_age = 60
        self.assertEqual(self.ask().headers["Cache-Control"], "max-age=60")
        self.app = Microdot()
        self.app.static("/", "site", max_age=5)
        self.assertEqual(self.ask().headers["Cache-Control"], "max-age=5")

    def test_empty_file(self):
        self.plant("empty.txt", b"")
        for fields in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=-5"}):
            with self.subTest(fields=fields):
                res = self.ask("/empty.txt", **fields)
                self.assertEqual((res.status_code, res.body, res.headers["Content-Length"]), (200, b"", "0"))


class TestConditions(SiteCase):
    def test_what_the_client_has_is_not_sent(self):
        first = self.ask().headers
        for fields in (
            {"If_None_Match": first["ETag"]},
            {"If_None_Match": "W/" + first["ETag"]},
            {"If_None_Match": '"x", ' + first["ETag"]},
            {"If_None_Match": "*"},
            {"If_Modified_Since": first["Last-Modified"]},
            {"If_None_Match": first["ETag"], "Range": "bytes=0-1"},
        ):
            for method in ("GET", "HEAD"):
                with self.subTest(fields=fields, method=method):
                    res = self.ask(method=method, **fields)
                    self.assertEqual((res.status_code, res.body or b""), (304, b""))
                    for name in ("ETag", "Last-Modified", "Cache-Control"):
                        self.assertEqual(res.headers[name], first[name])
                    for name in ("Content-Length", "Accept-Ranges", "Content-Encoding"):
                        self.assertNotIn(name, res.headers)

    def test_what_has_changed_is_sent(self):
        first = self.ask().headers
        with open("site/a.txt", "ab") as file:
            file.write(b"!")
        touch("site/a.txt", MADE)
        self.assertEqual(self.ask(If_None_Match=first["ETag"]).status_code, 200, "of another size")
        with open("site/a.txt", "wb") as file:
            file.write(b"9876543210" * 10)
        touch("site/a.txt", (2026, 1, 2, 3, 4, 6))
        self.assertEqual(self.ask(If_None_Match=first["ETag"]).status_code, 200, "of another time")
        self.assertEqual(self.ask(If_Modified_Since=first["Last-Modified"]).status_code, 200)

    def test_failed_precondition(self):
        first = self.ask().headers
        for fields in ({"If_Match": '"x"'}, {"If_Unmodified_Since": "Thu, 01 Jan 2026 00:00:00 GMT"}):
            with self.subTest(fields=fields):
                self.assertEqual(self.ask(**fields).status_code, 412)
        self.assertEqual(self.ask(If_Match=first["ETag"]).body, TEXT)

    def test_time_yet_to_come_is_not_told(self):
        touch("site/a.txt", later(3600))
        headers = self.ask().headers
        self.assertNotIn("Last-Modified", headers)
        self.assertEqual(self.ask(If_None_Match=headers["ETag"]).status_code, 304)


class TestRanges(SiteCase):
    def test_part(self):
        for value, start, stop in (("0-9", 0, 10), ("95-", 95, 100), ("-3", 97, 100), ("10-1000", 10, 100), ("0-", 0, 100)):
            with self.subTest(value=value):
                res = self.ask(Range="bytes=" + value)
                self.assertEqual((res.status_code, res.body), (206, TEXT[start:stop]))
                self.assertEqual(res.headers["Content-Range"], "bytes {}-{}/100".format(start, stop - 1))
                self.assertEqual(res.headers["Content-Length"], str(stop - start))
                self.assertEqual(res.headers["ETag"], self.ask().headers["ETag"])

    def test_no_such_part(self):
        for value in ("100-", "200-300", "-0"):
            with self.subTest(value=value):
                res = self.ask(Range="bytes=" + value)
                self.assertEqual((res.status_code, res.headers["Content-Range"]), (416, "bytes */100"))

    def test_whole_file_instead(self):
        for value in ("bytes=0-1,5-6", "bytes=5-1", "bytes=x", "lines=0-1", "bytes=" + "9" * 1000 + "-"):
            with self.subTest(value=value):
                res = self.ask(Range=value)
                self.assertEqual((res.status_code, res.body), (200, TEXT))
                self.assertNotIn("Content-Range", res.headers)

    def test_head_has_no_parts(self):
        res = self.ask(method="HEAD", Range="bytes=0-1")
        self.assertEqual((res.status_code, res.headers["Content-Length"]), (200, "100"))

    def test_part_of_what_the_client_began_with(self):
        first = self.ask().headers
        for value, status in (
            (first["ETag"], 206),
            (first["Last-Modified"], 206),
            ('"x"', 200),
            ("W/" + first["ETag"], 200),
            ("Thu, 01 Jan 2026 00:00:00 GMT", 200),
            ("Sat, 03 Jan 2026 00:00:00 GMT", 200),
            ("", 200),
        ):
            with self.subTest(value=value):
                res = self.ask(Range="bytes=0-1", If_Range=value)
                self.assertEqual((res.status_code, len(res.body)), (status, 2 if status == 206 else 100))

    def test_every_part_of_a_file(self):
        self.plant("small.bin", b"abcde")
        for start in range(5):
            for stop in range(start + 1, 6):
                res = self.ask("/small.bin", Range="bytes={}-{}".format(start, stop - 1))
                self.assertEqual((res.status_code, res.body), (206, b"abcde"[start:stop]))


class TestGzip(SiteCase):
    ZIPPED = b"zipped, for all that anybody looks"

    def setUp(self):
        super().setUp()
        self.plant("a.txt.gz", self.ZIPPED)

    def test_for_those_who_take_it(self):
        res = self.ask(Accept_Encoding="gzip, deflate")
        self.assertEqual((res.status_code, res.body), (200, self.ZIPPED))
        self.assertEqual(res.headers["Content-Encoding"], "gzip")
        self.assertEqual(res.headers["Content-Type"], "text/plain; charset=UTF-8")
        self.assertEqual(res.headers["Content-Length"], str(len(self.ZIPPED)))
        self.assertEqual(res.headers["Vary"], "Accept-Encoding")

    def test_not_for_others(self):
        for fields in ({}, {"Accept_Encoding": "gzip;q=0"}, {"Accept_Encoding": "br"}):
            with self.subTest(fields=fields):
                res = self.ask(**fields)
                self.assertEqual((res.status_code, res.body), (200, TEXT))
                self.assertNotIn("Content-Encoding", res.headers)
                self.assertEqual(res.headers["Vary"], "Accept-Encoding")

    def test_two_forms_have_two_tags(self):
        self.plant("b.txt", b"same size")
        self.plant("b.txt.gz", b"same also")
        plain = self.ask("/b.txt").headers["ETag"]
        zipped = self.ask("/b.txt", Accept_Encoding="gzip").headers["ETag"]
        self.assertNotEqual(plain, zipped)
        self.assertEqual(self.ask("/b.txt", Accept_Encoding="gzip", If_None_Match=zipped).status_code, 304)
        self.assertEqual(self.ask("/b.txt", Accept_Encoding="gzip", If_None_Match=plain).status_code, 200)
        self.assertEqual(self.ask("/b.txt", If_None_Match=zipped).status_code, 200)

    def test_not_modified_says_what_it_varies_by(self):
        tag = self.ask(Accept_Encoding="gzip").headers["ETag"]
        res = self.ask(Accept_Encoding="gzip", If_None_Match=tag)
        self.assertEqual((res.status_code, res.headers["Vary"]), (304, "Accept-Encoding"))

    def test_part_is_one_of_the_compressed_file(self):
        res = self.ask(Accept_Encoding="gzip", Range="bytes=0-5")
        self.assertEqual((res.status_code, res.body, res.headers["Content-Encoding"]), (206, self.ZIPPED[:6], "gzip"))

    def test_file_that_is_there_compressed_only(self):
        self.plant("only.js.gz")
        for fields, status in (
            ({}, 200),
            ({"Accept_Encoding": "gzip"}, 200),
            ({"Accept_Encoding": "identity;q=1, gzip;q=0.1"}, 200),
            ({"Accept_Encoding": "gzip;q=0"}, 404),
            ({"Accept_Encoding": "identity"}, 404),
        ):
            with self.subTest(fields=fields):
                res = self.ask("/only.js", **fields)
                self.assertEqual(res.status_code, status)
                if status == 200:
                    self.assertEqual(res.headers["Content-Encoding"], "gzip")
                    self.assertEqual(res.headers["Content-Type"], "application/javascript; charset=UTF-8")

    def test_index(self):
        self.plant("index.html.gz")
        self.assertEqual(self.ask("/", Accept_Encoding="gzip").headers["Content-Encoding"], "gzip")

    def test_compressed_file_by_its_own_name_is_a_file_like_any(self):
        res = self.ask("/a.txt.gz", Accept_Encoding="gzip")
        self.assertEqual((res.status_code, res.body), (200, self.ZIPPED))
        self.assertNotIn("Content-Encoding", res.headers)
        self.assertNotIn("Vary", res.headers)

    def test_directory_is_no_compressed_sibling(self):
        plant(self, {"site/b.txt": b"b", "site/b.txt.gz/c": b""})
        res = self.ask("/b.txt", Accept_Encoding="gzip")
        self.assertEqual((res.status_code, res.body), (200, b"b"))

    def test_switched_off(self):
        self.app = Microdot()
        self.app.static("/", "site", gzip=False)
        res = self.ask(Accept_Encoding="gzip")
        self.assertEqual(res.body, TEXT)
        self.assertNotIn("Vary", res.headers)


class TestFilesWithoutTime(SiteCase):
    """Written on a board whose clock was not set, or put there by an image builder."""

    UNSET = [(1970, 1, 1, 0, 0, 0), (2000, 1, 1, 0, 0, 7), (2021, 1, 1, 0, 0, 9), (2024, 12, 31, 23, 59, 59)]

    def setUp(self):
        super().setUp()
        microdot.static._sums.clear()

    def rewrite(self, data, moment):
        # As another version of the application has it, after a restart.
        with open("site/a.txt", "wb") as file:
            file.write(data)
        touch("site/a.txt", moment)
        microdot.static._sums.clear()

    def test_tag_is_made_of_what_is_in_the_file(self):
        for moment in self.UNSET:
            with self.subTest(moment=moment):
                self.rewrite(b"one", moment)
                headers = self.ask().headers
                self.assertNotIn("Last-Modified", headers)
                self.assertEqual(self.ask(If_None_Match=headers["ETag"]).status_code, 304)
                for other in (b"two", b"onE", b"on", b"", b"one!"):
                    self.rewrite(other, moment)
                    self.assertEqual(self.ask(If_None_Match=headers["ETag"]).body, other)
                self.rewrite(b"one", moment)
                self.assertEqual(self.ask(If_None_Match=headers["ETag"]).status_code, 304)

    def test_a_change_beyond_the_first_buffer_counts(self):
        data = b"x" * 5000
        tags = set()
        for changed in (data, data[:-1] + b"y", data[:2500] + b"y" + data[2501:]):
            self.rewrite(changed, self.UNSET[0])
            tags.add(self.ask().headers["ETag"])
        self.assertEqual(len(tags), 3)

    def test_file_is_read_once_for_its_tag(self):
        calls = []
        read = microdot.static._checksum
        self.addCleanup(setattr, microdot.static, "_checksum", read)
        microdot.static._checksum = lambda path: calls.append(path) or read(path)
        touch("site/a.txt", self.UNSET[0])
        for _ in range(3):
            self.ask()
        self.assertEqual(len(calls), 1)
        touch("site/a.txt", self.UNSET[1])
        self.ask()
        self.assertEqual(len(calls), 2, "a file that was written is read again")

    def test_what_is_remembered_is_bounded(self):
        for i in range(70):
            name = "site/{}.txt".format(i)
            plant(self, {name: b"x"})
            touch(name, self.UNSET[0])
            self.ask("/{}.txt".format(i))
            self.assertLessEqual(len(microdot.static._sums), 32)

    def test_large_file_is_not_read_for_a_tag(self):
        limit = 256 * 1024
        for size, has_tag in ((limit, True), (limit + 1, False)):
            self.rewrite(b"x" * size, self.UNSET[0])
            res = self.ask(method="HEAD")
            self.assertEqual((res.headers["Content-Length"], "ETag" in res.headers), (str(size), has_tag))
        self.assertEqual(self.ask(If_None_Match='"x"', Range="bytes=0-4").body, b"xxxxx")

    def test_validators_of_a_time(self):
        tag, modified = validators("site/a.txt", 100, os.stat("site/a.txt")[8])
        self.assertEqual((tag, http_date(*modified)), ('"64-695735a5"', MADE_TEXT))


class TestFailures(SiteCase):
    def test_file_that_goes_between_look_and_opening(self):
        def gone(path, mode):
            raise OSError(2)

        self.assertEqual(self.ask_with_open(gone).status_code, 404)

    def test_file_that_must_not_be_read(self):
        def denied(path, mode):
            raise OSError(13)

        for method in ("GET", "HEAD"):
            self.assertEqual(self.ask_with_open(denied, method).status_code, 404)

    def test_a_fault_of_the_machine_is_not_hidden(self):
        def failed(path, mode):
            raise OSError(24)

        self.assertEqual(self.ask_with_open(failed).status_code, 500)

    def ask_with_open(self, function, method="GET"):
        microdot.static.open = function
        try:
            return self.ask(method=method)
        finally:
            del microdot.static.open


class TestPart(SiteCase):
    def part(self, start, length):
        file = open("site/a.txt", "rb")  # noqa: SIM115 - the part closes it
        part = Part(file, start, length)
        self.addCleanup(part.close)
        return part

    def test_read(self):
        part = self.part(5, 12)
        self.assertEqual([part.read(5), part.read(5), part.read(5), part.read(5)], [b"56789", b"01234", b"56", b""])
        self.assertEqual(self.part(5, 12).read(), b"567890123456")
        self.assertEqual(self.part(98, 12).read(), b"89", "no more than there is")

    def test_readinto(self):
        part = self.part(5, 12)
        buf = bytearray(8)
        self.assertEqual((part.readinto(buf), bytes(buf)), (8, b"56789012"))
        self.assertEqual((part.readinto(buf), bytes(buf)), (4, b"34569012"))
        self.assertEqual((part.readinto(buf), bytes(buf)), (0, b"34569012"))

    def test_nothing(self):
        part = self.part(0, 0)
        self.assertEqual((part.read(), part.read(5), part.readinto(bytearray(4))), (b"", b"", 0))
