# Basic and token authentication: who gets in, and what the others are told.

import unittest
from binascii import b2a_base64

from microdot import Microdot
from microdot.auth import BaseAuth, BasicAuth, TokenAuth
from microdot.test_client import TestClient
from support import Complaints, run


def basic(text):
    data = text.encode() if isinstance(text, str) else text
    return "Basic " + b2a_base64(data).decode().strip()


class AuthCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.client = TestClient(self.app)

    def routes(self, auth):
        @self.app.get("/")
        @auth
        async def index(request):
            return "hello " + request.g.current_user

        @self.app.get("/sync/<n>")
        @auth
        def sync(request, n):
            return request.g.current_user + n

        @self.app.get("/optional")
        @auth.optional
        async def optional(request):
            return "hello %s" % request.g.current_user

    def get(self, path, value=None, header="Authorization"):
        with Complaints() as printed:
            res = run(self.client.get(path, {header: value} if value is not None else None))
        self.assertEqual(printed, [])
        return res


class TestBasicAuth(AuthCase):
    def setUp(self):
        super().setUp()
        self.auth = BasicAuth()
        self.seen = []

        @self.auth.authenticate
        async def check(request, username, password):
            self.seen.append((username, password))
            return username if password == "secret" or "ü" in password else None

        self.check = check
        self.routes(self.auth)

    def test_right_password(self):
        for text, name in (("ann:secret", "ann"), ("ä€:secret", "ä€"), ("b:a:ü", "b"), (":secret", "")):
            self.assertEqual(self.get("/optional", basic(text)).text, "hello " + (name or ""))
        self.assertEqual(self.get("/", basic("ann:secret")).text, "hello ann")
        self.assertEqual(self.get("/sync/2", basic("ann:secret")).text, "ann2")
        self.assertIn(("b", "a:ü"), self.seen)

    def test_challenge(self):
        res = self.get("/")
        self.assertEqual((res.status_code, res.body), (401, b""))
        self.assertEqual(res.headers["WWW-Authenticate"], 'Basic realm="Please login", charset="UTF-8"')

    def test_wrong_and_malformed(self):
        good = basic("ann:secret")
        for value in (
            basic("ann:wrong"),
            basic("ann"),
            basic(b"\xff:secret"),
            basic(b"\xed\xa0\x80:secret"),
            "",
            "Basic",
            "Basic ",
            "Basic !",
            "Basic \xff",
            "Basic YQ",
            good[6:],
            "Bearer " + good[6:],
            "Digest " + good[6:],
            "Basic" + good[6:],
        ):
            with self.subTest(value=value):
                self.assertEqual(self.get("/", value).status_code, 401)
                self.assertEqual(self.get("/optional", value).text, "hello None")

    def test_scheme_in_any_case(self):
        self.assertEqual(self.get("/", "bASIC" + basic("ann:secret")[5:]).status_code, 200)

    def test_options(self):
        auth = BasicAuth("There", "utf-8", "x-basic", 403)
        auth.authenticate(self.check)
        self.app.get("/options")(auth(lambda request: "in"))
        res = self.get("/options")
        self.assertEqual((res.status_code, res.headers["WWW-Authenticate"]), (403, 'x-basic realm="There", charset="utf-8"'))
        self.assertEqual(self.get("/options", basic("ann:secret")).text, "in")

    def test_sync_callback(self):
        @self.auth.authenticate
        def check(request, username, password):
            return username + password

        self.assertEqual(self.get("/", basic("a:b")).text, "hello ab")

    def test_own_error_response(self):
        @self.auth.errorhandler
        def refuse(request):
            return "who are you?", 403

        res = self.get("/")
        self.assertEqual((res.status_code, res.text), (403, "who are you?"))


class TestTokenAuth(AuthCase):
    def setUp(self):
        super().setUp()
        self.auth = self.make(TokenAuth())
        self.routes(self.auth)

    def make(self, auth):
        @auth.authenticate
        async def check(request, token):
            return {"t1": "ann", "a b": "bob"}.get(token)

        return auth

    def test_right_token(self):
        for value in ("Bearer t1", "bearer t1", "BEARER  t1 "):
            self.assertEqual(self.get("/", value).text, "hello ann")
        self.assertEqual(self.get("/sync/1", "Bearer t1").text, "ann1")
        self.assertEqual(self.get("/optional", "Bearer t1").text, "hello ann")

    def test_refused(self):
        for value in (None, "", "t1", "Bearer", "Bearer ", "Bearer t2", "Bearert1", "Basic t1", "Bearer t1 x"):
            with self.subTest(value=value):
                res = self.get("/", value)
                self.assertEqual((res.status_code, res.text), (401, "401 error"))
                self.assertEqual(res.headers["WWW-Authenticate"], 'Bearer realm="Please login"')
                self.assertEqual(self.get("/optional", value).text, "hello None")

    def test_other_scheme_and_status(self):
        self.app.get("/other")(self.make(TokenAuth(scheme="Token", error_status=403))(lambda request: "in"))
        self.assertEqual(self.get("/other", "token t1").text, "in")
        res = self.get("/other", "Bearer t1")
        self.assertEqual((res.status_code, "WWW-Authenticate" in res.headers), (403, False))

    def test_challenge_says_the_scheme_as_given(self):
        self.app.get("/other")(self.make(TokenAuth(scheme="Token"))(lambda request: "in"))
        self.assertEqual(self.get("/other").headers["WWW-Authenticate"], 'Token realm="Please login"')

    def test_other_header(self):
        self.app.get("/other")(self.make(TokenAuth("X-Token"))(lambda request: "in"))
        for value, status in (("t1", 200), ("a b", 200), ("Bearer t1", 401), ("", 401), (None, 401)):
            self.assertEqual(self.get("/other", value, "X-Token").status_code, status)
        res = self.get("/other", "Bearer t1")
        self.assertEqual((res.status_code, "WWW-Authenticate" in res.headers), (401, False))

    def test_errorhandler_of_the_application(self):
        @self.app.errorhandler(401)
        async def refused(request):
            return {"error": "who"}, 401

        self.assertEqual(self.get("/").json, {"error": "who"})

    def test_own_error_response(self):
        @self.auth.errorhandler
        async def refuse(request):
            return {"error": "who"}, 403

        self.assertEqual(self.get("/").json, {"error": "who"})
        self.assertIs(self.auth.error_callback, refuse)


class TestOwnKind(AuthCase):
    def test_base_class(self):
        class Address(BaseAuth):
            def _credentials(self, request):
                return request.client_addr

        auth = Address()

        @auth.authenticate
        def check(request, host, port):
            return "%s:%d" % (host, port)

        self.routes(auth)
        self.assertEqual(self.get("/").text, "hello 127.0.0.1:1234")
        self.assertEqual((BaseAuth.auth_callback, BaseAuth.error_callback), (None, None))
