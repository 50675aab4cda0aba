# app.static: which file a client's path stands for, and which paths stand for none.

import os
import unittest

from microdot import Microdot
from microdot.http import ClientError, HTTPException
from microdot.static import _add_slash, safe_name
from microdot.test_client import TestClient
from support import MICROPYTHON, make_request, run
from tree import plant

SECRET = b"secret"
FILES = {
    "secret.txt": SECRET,
    "site/index.html": b"front page",
    "site/a.txt": b"a",
    "site/a b.txt": b"space",
    "site/a+b.txt": b"plus",
    "site/100%.txt": b"percent",
    "site/é.txt": b"accent",
    "site/...x": b"three dots",
    "site/x..y": b"inner dots",
    "site/no_extension": b"none",
    "site/.hidden": SECRET,
    "site/.git/config": SECRET,
    "site/docs/index.html": b"docs",
    "site/docs/page.html": b"page",
    "site/docs/.secret": SECRET,
    "site/empty/file.txt": b"no index beside",
    "site-other/a.txt": SECRET,
}

# (path below the prefix, body)
FOUND = [
    ("/", b"front page"),
    ("/index.html", b"front page"),
    ("/a.txt", b"a"),
    ("/a.txt?x=1", b"a"),
    ("/a.txt?x=/../secret.txt", b"a"),
    ("/%61%2etxt", b"a"),
    ("/a%20b.txt", b"space"),
    ("/a+b.txt", b"plus"),
    ("/a%2Bb.txt", b"plus"),
    ("/%61+b.txt", b"plus"),
    ("/100%25.txt", b"percent"),
    ("/%C3%A9.txt", b"accent"),
    ("/x..y", b"inner dots"),
    ("/no_extension", b"none"),
    ("/docs/", b"docs"),
    ("/docs/index.html", b"docs"),
    ("/docs/page.html", b"page"),
    ("/empty/file.txt", b"no index beside"),
]

# (path below the prefix, status)
REFUSED = [
    ("/missing", 404),
    ("/missing/", 404),
    ("/a.txt/", 404),
    ("/a.txt/x", 404),
    ("/empty/", 404),
    ("/..", 404),
    ("/../", 404),
    ("/../secret.txt", 404),
    ("/../site-other/a.txt", 404),
    ("/docs/../../secret.txt", 404),
    ("/docs/../a.txt", 404),
    ("/docs/..", 404),
    ("/docs/./page.html", 404),
    ("/./a.txt", 404),
    ("/.", 404),
    ("//a.txt", 404),
    ("///", 404),
    ("/docs//page.html", 404),
    ("//etc/passwd", 404),
    ("/%2fetc%2fpasswd", 404),
    ("/%2Fetc/passwd", 404),
    ("/..%2fsecret.txt", 404),
    ("/..%2Fsecret.txt", 404),
    ("/%2e%2e/secret.txt", 404),
    ("/%2E%2e%2Fsecret.txt", 404),
    ("/.%2e/secret.txt", 404),
    ("/%2e./secret.txt", 404),
    ("/docs%2fpage.html", 404),
    ("/a.txt%2f", 404),
    ("/%252e%252e/secret.txt", 404),
    ("/%252e%252e%252fsecret.txt", 404),
    ("/..\\secret.txt", 404),
    ("/..%5csecret.txt", 404),
    ("/..%5Csecret.txt", 404),
    ("/docs\\page.html", 404),
    ("/%5c%5chost%5cshare", 404),
    ("/C:/secret.txt", 404),
    ("/c:secret.txt", 404),
    ("/c%3a/secret.txt", 404),
    ("/a.txt:stream", 404),
    ("/a.txt::$DATA", 404),
    ("/a.txt%00", 404),
    ("/a.txt%00.html", 404),
    ("/%00", 404),
    ("/docs/%00/../../secret.txt", 404),
    ("/....//secret.txt", 404),
    ("/.../secret.txt", 404),
    ("/...x", 404),
    ("/..;/secret.txt", 404),
    ("/..%20/secret.txt", 404),
    ("/%20../secret.txt", 404),
    ("/..%0d%0a/secret.txt", 404),
    ("/%ef%bc%8e%ef%bc%8e/secret.txt", 404),  # full-width dots
    ("/~/secret.txt", 404),
    ("/.hidden", 404),
    ("/%2ehidden", 404),
    ("/.git/config", 404),
    ("/docs/.secret", 404),
    ("/" + "a" * 1000, 404),
    ("/" + "a/" * 800, 404),
    ("/" + "../" * 500 + "secret.txt", 404),
    ("/%", 400),
    ("/a%2", 400),
    ("/a.txt%", 400),
    ("/%%", 400),
    ("/%%41.txt", 400),
    ("/%zz", 400),
    ("/%2", 400),
    ("/%+1", 400),
    ("/% 1", 400),
    ("/%u002e%u002e/secret.txt", 400),
    ("/%c0%ae%c0%ae/secret.txt", 400),
    ("/..%c0%afsecret.txt", 400),
    ("/%e0%80%ae/secret.txt", 400),
    ("/%ff", 400),
    ("/%ed%a0%80", 400),
]

# Strung together in every way, four at a time.
PIECES = ["..", ".", "/", "%2e", "%2f", "\\", "%5c", "%00", "a", "+", ":"]


class TestSafeName(unittest.TestCase):
    def test_names(self):
        for path, expected in (
            ("a.txt", "a.txt"),
            ("a/b/c", "a/b/c"),
            ("a%20b", "a b"),
            ("a+b", "a+b"),
            ("%2B%25", "+%"),
            ("%c3%a9", "é"),
        ):
            with self.subTest(path=path):
                self.assertEqual(safe_name(path), expected)

    def test_hidden_names_on_demand(self):
        for path in (".x", "a/.well-known/y", "...", "..x"):
            with self.subTest(path=path):
                self.assertEqual(safe_name(path, True), path)
                with self.assertRaises(HTTPException):
                    safe_name(path)
        for path in (".", "..", "a/..", "../a", "a/./b", "", "a/", "/a", "a//b", "%2e%2e"):
            with self.subTest(path=path), self.assertRaises(HTTPException):
                safe_name(path, True)

    def test_no_combination_leads_up(self):
        accepted = 0
        for path in combinations(PIECES, 4):
            for hidden in (False, True):
                try:
                    name = safe_name(path, hidden)
                except HTTPException:
                    continue
                accepted += 1
                depth = 0
                for segment in name.split("/"):
                    depth += {"..": -1, ".": 0, "": -9}.get(segment, 1)
                    self.assertGreater(depth, 0, path)
                for c in "\\\0:":
                    self.assertNotIn(c, name)
                self.assertEqual(name.count("/"), path.count("/"))
        self.assertGreater(accepted, 100)

    def test_malformed_escapes(self):
        for path in ("%", "a%", "%1", "%g0", "%%20", "%ff", "%c0%af"):
            with self.subTest(path=path), self.assertRaises(ClientError):
                safe_name(path)


def combinations(pieces, length):
    if not length:
        yield ""
        return
    for piece in pieces:
        for rest in combinations(pieces, length - 1):
            yield piece + rest


class SiteCase(unittest.TestCase):
    def setUp(self):
        plant(self, FILES)
        self.app = Microdot()

    def ask(self, path, method="GET"):
        return run(TestClient(self.app).request(method, path))


class TestPaths(SiteCase):
    PREFIXES = [("/static", "/static"), ("/static/", "/static"), ("static", "/static"), ("/", ""), ("", ""), ("/a/b", "/a/b")]

    def test_found(self):
        for given, prefix in self.PREFIXES:
            self.app = Microdot()
            self.app.static(given, "site")
            for path, body in FOUND:
                with self.subTest(prefix=given, path=path):
                    res = self.ask(prefix + path)
                    self.assertEqual((res.status_code, res.body), (200, body))

    def test_refused(self):
        for given, prefix in self.PREFIXES:
            self.app = Microdot()
            self.app.static(given, "site")
            for path, status in REFUSED:
                with self.subTest(prefix=given, path=path):
                    res = self.ask(prefix + path)
                    self.assertEqual(res.status_code, status)
                    self.assertNotIn(SECRET, res.body)

    def test_hidden_files_on_demand(self):
        self.app.static("/", "site", hidden=True)
        for path in ("/.hidden", "/.git/config", "/docs/.secret"):
            with self.subTest(path=path):
                self.assertEqual(self.ask(path).body, SECRET)
        for path in ("/../secret.txt", "/.git/../../secret.txt", "/%2e%2e/secret.txt", "/./a.txt"):
            with self.subTest(path=path):
                self.assertEqual(self.ask(path).status_code, 404)

    def test_directory_given_in_any_way(self):
        for directory in ("site", "site/", "./site", os.getcwd() + "/site", "site/docs/../../site"):
            with self.subTest(directory=directory):
                self.app = Microdot()
                self.app.static("/", directory)
                self.assertEqual(self.ask("/a.txt").body, b"a")
                self.assertEqual(self.ask("/../secret.txt").status_code, 404)

    def test_directory_that_cannot_be_served(self):
        for directory in ("missing", "secret.txt", "", "/", ".", "./", "..", "//", "../.."):
            with self.subTest(directory=directory), self.assertRaises(ValueError):
                self.app.static("/", directory)

    def test_file_made_later_is_found(self):
        self.app.static("/", "site")
        self.assertEqual(self.ask("/late.txt").status_code, 404)
        with open("site/late.txt", "w") as file:
            file.write("late")
        self.addCleanup(os.remove, "site/late.txt")
        self.assertEqual(self.ask("/late.txt").body, b"late")

    def test_only_files_are_sent(self):
        if MICROPYTHON:
            os.system("mkfifo site/fifo")
        else:
            os.mkfifo("site/fifo")
        self.addCleanup(os.remove, "site/fifo")
        self.app.static("/", "site")
        self.assertEqual(self.ask("/fifo").status_code, 404)

    @unittest.skipIf(MICROPYTHON, "boards have no symbolic links, and the unix port follows them")
    def test_symbolic_links_do_not_lead_out(self):
        os.symlink(os.path.abspath("secret.txt"), "site/leak.txt")
        os.symlink("../secret.txt", "site/leak.css.gz")
        os.symlink("..", "site/up")
        os.symlink("a.txt", "site/inner.txt")
        os.symlink("loop", "site/loop")
        for name in ("leak.txt", "leak.css.gz", "up", "inner.txt", "loop"):
            self.addCleanup(os.remove, "site/" + name)
        self.app.static("/", "site")
        for path in ("/leak.txt", "/leak.css", "/up/secret.txt", "/up/", "/up", "/loop"):
            with self.subTest(path=path):
                self.assertEqual(self.ask(path).status_code, 404)
        self.assertEqual(self.ask("/inner.txt").body, b"a")

    @unittest.skipIf(MICROPYTHON, "boards have no symbolic links")
    def test_directory_behind_a_link(self):
        os.symlink("site", "link")
        self.addCleanup(os.remove, "link")
        self.app.static("/", "link")
        self.assertEqual(self.ask("/a.txt").body, b"a")
        self.assertEqual(self.ask("/../secret.txt").status_code, 404)

    @unittest.skipIf(MICROPYTHON, "boards have neither pathlib nor a use for it")
    def test_directory_as_a_path(self):
        from pathlib import Path

        self.app.static("/", Path("site"))
        self.assertEqual(self.ask("/a.txt").body, b"a")


class TestDirectories(SiteCase):
    def test_slash_is_added(self):
        self.app.static("/static", "site")
        for path, location in (
            ("/static", "/static/"),
            ("/static?a=b&c", "/static/?a=b&c"),
            ("/static/docs", "/static/docs/"),
            ("/static/docs?x=//y", "/static/docs/?x=//y"),
            ("/static/%64ocs", "/static/%64ocs/"),
            ("/static/empty", "/static/empty/"),
        ):
            with self.subTest(path=path):
                res = self.ask(path)
                self.assertEqual((res.status_code, res.headers["Location"]), (302, location))

    def test_slash_is_never_added_to_another_host(self):
        plant(self, {"site/example.com/x": b""})
        self.app.static("/", "site")
        self.assertEqual(self.ask("/example.com").headers["Location"], "/example.com/")
        for path in ("//example.com", "/\\example.com", "/%2fexample.com", "/%5cexample.com", "///example.com", "//docs"):
            with self.subTest(path=path):
                res = self.ask(path)
                self.assertEqual(res.status_code, 404)
                self.assertNotIn("Location", res.headers)

        self.assertEqual(_add_slash(make_request("GET", "//example.com")).headers["Location"], "/example.com/")

    def test_another_index(self):
        self.app.static("/", "site", index="a.txt")
        self.assertEqual(self.ask("/").body, b"a")
        self.assertEqual(self.ask("/docs/").status_code, 404)

    def test_no_index(self):
        self.app.static("/static", "site", index=None)
        for path in ("/static", "/static/", "/static/docs", "/static/docs/"):
            with self.subTest(path=path):
                self.assertEqual(self.ask(path).status_code, 404)
        self.assertEqual(self.ask("/static/docs/index.html").body, b"docs")


class TestDecodedPaths(SiteCase):
    """Requests of other servers, which decode the path."""

    def ask(self, path, url="/"):
        request = make_request("GET", url)
        request.path = path
        request.path_decoded = True
        response = run(self.app.dispatch_request(request))
        body = response.body.read() if hasattr(response.body, "read") else response.body
        if hasattr(response.body, "close"):
            response.body.close()
        return response, body

    def test_nothing_is_decoded_again(self):
        self.app.static("/static", "site")
        for path, body in (("/a b.txt", b"space"), ("/a+b.txt", b"plus"), ("/100%.txt", b"percent"), ("/é.txt", b"accent")):
            with self.subTest(path=path):
                self.assertEqual(self.ask("/static" + path)[1], body)
        for path in ("/%61.txt", "/%2e%2e/secret.txt", "/../secret.txt", "//etc/passwd", "/a.txt\0", "/..\\secret.txt"):
            with self.subTest(path=path):
                self.assertEqual(self.ask("/static" + path)[0].status_code, 404)

    def test_slash_is_added_to_the_encoded_path(self):
        plant(self, {"site/my docs/x": b""})
        self.app.static("/", "site")
        response, _ = self.ask("/my docs", "/my%20docs?a=%20b")
        self.assertEqual(response.headers["Location"], "/my%20docs/?a=%20b")


class TestApplication(SiteCase):
    def test_other_methods_are_refused(self):
        self.app.static("/static", "site")
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method=method):
                res = self.ask("/static/a.txt", method)
                self.assertEqual((res.status_code, res.headers["Allow"]), (405, "GET, HEAD, OPTIONS"))

    def test_error_handlers_answer_for_what_is_missing(self):
        self.app.static("/static", "site")
        self.app.errorhandler(404)(lambda request: ("nothing at " + request.path, 404))
        self.assertEqual(self.ask("/static/missing").text, "nothing at /static/missing")
        self.assertEqual(self.ask("/static/..").text, "nothing at /static/..")

    def test_hooks_come_first(self):
        self.app.static("/static", "site")
        self.app.before_request(lambda request: ("keep out", 401))
        self.assertEqual(self.ask("/static/a.txt").status_code, 401)

    def test_mounted(self):
        inner = Microdot()
        inner.static("/static", "site")
        self.app.mount(inner, "/inner")
        self.assertEqual(self.ask("/inner/static/a.txt").body, b"a")
        self.assertEqual(self.ask("/inner/static/docs").headers["Location"], "/inner/static/docs/")
        self.assertEqual(self.ask("/static/a.txt").status_code, 404)

    def test_routes_before_a_prefix_of_everything(self):
        self.app.get("/api")(lambda request: "api")
        self.app.static("/", "site")
        self.assertEqual(self.ask("/api").text, "api")
        self.assertEqual(self.ask("/").body, b"front page")

    def test_two_directories(self):
        self.app.static("/one", "site/docs")
        self.app.static("/two", "site")
        self.assertEqual(self.ask("/one/page.html").body, b"page")
        self.assertEqual(self.ask("/one/a.txt").status_code, 404)
        self.assertEqual(self.ask("/two/a.txt").body, b"a")
