# Forged requests: what is refused by where it says it comes from, and which routes are looked at.

import unittest

from microdot import Microdot
from microdot.cors import CORS
from microdot.csrf import CSRF
from microdot.test_client import TestClient
from support import run

# (Sec-Fetch-Site, Origin, trusted with: nothing, subdomains, a list, a list and subdomains); the list is LISTED
LISTED = ["https://a.com", "http://b.com:8080"]
TABLE = [
    (None, None, 1, 1, 1, 1),
    ("same-origin", None, 1, 1, 1, 1),
    ("same-origin", "https://evil.com", 1, 1, 1, 1),
    ("none", None, 1, 1, 1, 1),
    ("same-site", None, 0, 1, 0, 1),
    ("same-site", "https://a.com", 0, 1, 1, 1),
    ("cross-site", None, 0, 0, 0, 0),
    ("cross-site", "https://a.com", 0, 0, 1, 1),
    ("cross-site", "https://evil.com", 0, 0, 0, 0),
    ("", None, 0, 0, 0, 0),
    (None, "", 0, 0, 0, 0),
    ("Same-Origin", None, 0, 0, 0, 0),
    ("anything", None, 0, 0, 0, 0),
    (None, "https://a.com", 0, 0, 1, 1),
    (None, "http://a.com", 0, 0, 0, 0),
    (None, "https://a.com:8080", 0, 0, 0, 0),
    (None, "http://b.com:8080", 0, 0, 1, 1),
    (None, "http://b.com", 0, 0, 0, 0),
    (None, "https://x.a.com", 0, 0, 0, 1),
    (None, "https://x.y.a.com", 0, 0, 0, 1),
    (None, "http://x.b.com:8080", 0, 0, 0, 1),
    (None, "http://x.b.com", 0, 0, 0, 0),
    (None, "http://x.a.com", 0, 0, 0, 0),
    (None, "https://xa.com", 0, 0, 0, 0),
    (None, "https://a.com.evil.com", 0, 0, 0, 0),
    (None, "null", 0, 0, 0, 0),
    # plain HTTP: browsers leave Sec-Fetch-Site away, and the test client's Host is the site's own
    (None, "http://example.com:1234", 1, 1, 1, 1),
    (None, "http://example.com", 0, 0, 0, 0),
    (None, "http://example.com:1234.evil.com", 0, 0, 0, 0),
    ("cross-site", "http://example.com:1234", 0, 0, 0, 0),
    ("cross-site", "https://x.a.com", 0, 0, 0, 1),
]


class CsrfCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.client = TestClient(self.app)

    def routes(self, csrf):
        @self.app.route("/", ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
        async def index(request):
            return "index"

        @self.app.route("/exempt", ["GET", "POST"])
        @csrf.exempt
        async def exempt(request):
            return "exempt"

        @self.app.route("/protected", ["GET", "POST"])
        @csrf.protect
        async def protected(request):
            return "protected"

    def ask(self, method="POST", path="/", site="cross-site", origin=None):
        headers = {}
        if site is not None:
            headers["Sec-Fetch-Site"] = site
        if origin is not None:
            headers["Origin"] = origin
        return run(self.client.request(method, path, headers))

    def status(self, *args, **kwargs):
        return self.ask(*args, **kwargs).status_code


class TestTrust(CsrfCase):
    def check(self, column, *args, **kwargs):
        self.routes(CSRF(self.app, *args, **kwargs))
        for row in TABLE:
            with self.subTest(row=row):
                self.assertEqual(self.status("POST", "/", row[0], row[1]), 200 if row[column] else 403)

    def test_nothing_else(self):
        self.check(2)

    def test_subdomains(self):
        self.check(3, allow_subdomains=True)

    def test_list(self):
        self.check(4, CORS(allowed_origins=LISTED))

    def test_list_and_subdomains(self):
        self.check(5, CORS(allowed_origins=LISTED), allow_subdomains=True)

    def test_all_origins_are_no_list(self):
        self.check(2, CORS(allowed_origins="*"))

    def test_empty_list(self):
        self.check(2, CORS())

    def test_reply(self):
        self.routes(CSRF(self.app))
        self.assertEqual(self.ask().text, "Forbidden")
        self.assertEqual(self.ask(site="same-origin").headers["Vary"], "Sec-Fetch-Site")
        self.assertTrue("Vary" not in self.ask(site=None).headers)


class TestRoutes(CsrfCase):
    def test_all_routes(self):
        self.routes(CSRF(self.app))
        for method in ("POST", "PUT", "PATCH", "DELETE", "QUERY"):
            self.assertEqual(self.status(method), 403)
        for method in ("GET", "HEAD", "OPTIONS"):
            self.assertEqual(self.status(method), 200)
        for method, path, status in (
            ("POST", "/exempt", 200),
            ("GET", "/protected", 403),
            ("POST", "/protected", 403),
            ("OPTIONS", "/protected", 200),
            ("HEAD", "/protected", 403),
            ("POST", "/none", 404),
        ):
            self.assertEqual(self.status(method, path), status)

    def test_protected_routes_alone(self):
        self.routes(CSRF(self.app, protect_all=False))
        for method, path, status in (
            ("POST", "/", 200),
            ("POST", "/exempt", 200),
            ("POST", "/protected", 403),
            ("GET", "/protected", 403),
        ):
            self.assertEqual(self.status(method, path), status)

    def test_safe_methods_are_a_list_to_change(self):
        self.assertEqual(CSRF.SAFE_METHODS, ["GET", "HEAD", "OPTIONS"])
        csrf = CSRF(self.app)
        self.routes(csrf)
        csrf.SAFE_METHODS = ["GET", "QUERY"]
        self.assertEqual((self.status("QUERY"), self.status("HEAD")), (200, 403))

    def test_decorators_return_the_function(self):
        csrf = CSRF()

        def f(request):
            pass

        self.assertIs(csrf.exempt(f), f)
        self.assertIs(csrf.protect(f), f)
        self.assertEqual((csrf.exempt_routes, csrf.protected_routes), ([f], [f]))

    def test_initialize_later(self):
        cors = CORS(allowed_origins=LISTED)
        for csrf, given in ((CSRF(cors=cors), None), (CSRF(), cors), (CSRF(cors=CORS()), cors)):
            self.setUp()
            self.routes(csrf)
            self.assertEqual(self.status(), 200)
            csrf.initialize(self.app, given)
            self.assertIs(csrf.cors, cors)
            self.assertEqual((self.status(), self.status(origin="https://a.com")), (403, 200))

    def test_sub_application(self):
        for local, status in ((True, 200), (False, 403)):
            self.setUp()
            sub = Microdot()
            self.routes(CSRF(sub))
            sub.post("/x")(lambda request: "x")
            self.app.mount(sub, "/sub", local)
            self.assertEqual((self.status(path="/sub/x"), self.status()), (403, status))
