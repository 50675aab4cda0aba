# Sessions: what is in the cookie, when it is set, and what is not believed.

import time
import unittest

import jwt
from microdot import Microdot, Response
from microdot.session import Session, SessionDict, with_session
from microdot.test_client import TestClient
from microdot.websocket import with_websocket
from support import MICROPYTHON, Complaints, run

KEY = "k" * 32
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0


def token(payload, key=KEY):
    return jwt.encode(payload, key, algorithm="HS256")


def content(value):
    return jwt.decode(value, KEY, algorithms=["HS256"])


class SessionCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.session = Session(self.app, KEY)

        @self.app.get("/")
        @with_session
        async def index(request, session):
            return dict(session.items()) if session else {}

        @self.app.get("/set/<name>/<value>")
        @with_session
        async def keep(request, session, name, value):
            session[name] = value
            session.save()
            return "saved"

        @self.app.get("/change")
        @with_session
        def change(request, session):
            session["a"] = "changed"
            return "not saved"

        @self.app.get("/delete")
        @with_session
        async def delete(request, session):
            session.delete()
            return "deleted"

        self.client = TestClient(self.app)

    def get(self, path="/", **cookies):
        self.client.cookies.update(cookies)
        return run(self.client.get(path))

    def cookies(self, res):
        return res.headers.get("Set-Cookie", [])


class TestSession(SessionCase):
    def test_life_of_a_session(self):
        self.assertEqual(self.get("/").json, {})
        self.get("/set/a/b")
        self.assertEqual(self.get("/").json, {"a": "b"})
        self.get("/set/c/d")
        self.assertEqual(self.get("/").json, {"a": "b", "c": "d"})
        self.assertEqual(self.get("/change").text, "not saved")
        self.assertEqual(self.get("/").json, {"a": "b", "c": "d"})
        self.get("/delete")
        self.assertEqual((self.get("/").json, self.client.cookies), ({}, {}))

    def test_cookie(self):
        name, _, rest = self.cookies(self.get("/set/a/b"))[0].partition("=")
        value, _, options = rest.partition("; ")
        self.assertEqual((name, content(value), options), ("session", {"a": "b"}, "Path=/; HttpOnly"))
        line = self.cookies(self.get("/delete"))[0]
        self.assertEqual(line, "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly")

    def test_cookies_of_others_are_taken(self):
        # What the published framework puts into its cookie, by PyJWT.
        self.assertEqual(self.get("/", session=token({"x": [1, "y"]})).json, {"x": [1, "y"]})

    def test_no_cookie_is_set_by_reading(self):
        self.assertEqual(self.cookies(self.get("/", session=token({"x": 1}))), [])

    def test_what_is_not_believed(self):
        now = int(time.time()) + EPOCH
        deep = "WwWw" * 2000
        with Complaints() as printed:
            for value in (
                "",
                "x",
                "a.b.c",
                "é.é.é",
                token({"a": 1}, "x" * 32),
                token({"a": 1})[:-1],
                token({"a": 1, "exp": now - 1}),
                token({"a": 1, "nbf": now + 60}),
                deep + "." + deep + "." + deep,
                "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
            ):
                with self.subTest(value=value):
                    res = self.get("/", session=value)
                    self.assertEqual((res.status_code, res.json), (200, {}))
        self.assertEqual(printed, [])

    def test_same_object_on_every_call(self):
        @self.app.get("/same")
        @with_session
        async def same(request, session):
            return str(self.session.get(request) is session and session.request is request and isinstance(session, SessionDict))

        self.assertEqual(self.get("/same").text, "True")

    def test_last_save_counts(self):
        @self.app.get("/twice")
        @with_session
        async def twice(request, session):
            session["a"] = 1
            session.save()
            session["b"] = 2
            session.save()
            session["c"] = 3  # the token is made when it is saved
            return ""

        @self.app.get("/gone")
        @with_session
        async def gone(request, session):
            session.save()
            session.delete()
            return ""

        self.assertEqual(len(self.cookies(self.get("/twice"))), 1)
        self.assertEqual(self.get("/").json, {"a": 1, "b": 2})
        self.assertEqual(len(self.cookies(self.get("/gone"))), 1)
        self.assertEqual(self.get("/").json, {})

    def test_vary(self):
        self.assertEqual(self.get("/").headers["Vary"], "Cookie")

        @self.app.get("/other")
        async def other(request):
            return Response("", headers={"Vary": "X"})

        @self.app.get("/both")
        @with_session
        async def both(request, session):
            return Response("", headers={"Vary": "X"})

        self.assertEqual(self.get("/other").headers["Vary"], "X")
        self.assertEqual(self.get("/both").headers["Vary"], "X, Cookie")

    def test_cookie_that_could_not_be_sent_back_is_refused(self):
        for size, status in ((1300, 200), (1600, 500)):  # base64 makes 2048 of 1536
            with Complaints() as printed:
                self.assertEqual(self.get("/set/a/" + "x" * size).status_code, status)
            self.assertEqual([type(e) for e in printed], [] if status == 200 else [ValueError])

    def test_cookies_on_a_websocket_do_not_gather(self):
        @self.app.get("/ws")
        @with_websocket
        async def ws(request, ws):
            self.session.get(request).save()

        def client():
            yield "hello"

        for _ in range(3):
            run(self.client.websocket("/ws", client))
        self.assertEqual(Response.already_handled.headers, {})

    def test_errors_carry_no_cookie(self):
        @self.app.get("/fail")
        @with_session
        async def fail(request, session):
            session.save()
            self.app.abort(418)

        self.assertEqual(self.cookies(self.get("/fail")), [])

    def test_encode_and_decode(self):
        self.assertEqual(self.session.decode(self.session.encode({"a": 1})), {"a": 1})
        self.assertEqual(self.session.decode(self.session.encode({"a": 1}, "x" * 32)), {})
        self.assertEqual(self.session.decode(self.session.encode({"a": 1}, "x" * 32), "x" * 32), {"a": 1})
        self.assertEqual(content(self.session.encode({"a": 1})), {"a": 1})


class TestOptions(SessionCase):
    def test_cookie_options(self):
        options = {"path": "/x", "http_only": False, "secure": True, "same_site": "Lax", "domain": "a.b"}
        given = options.copy()
        self.session.initialize(self.app, cookie_options=options)
        self.assertTrue(self.cookies(self.get("/set/a/b"))[0].endswith("; Path=/x; Domain=a.b; Secure; SameSite=Lax"))
        line = self.cookies(self.get("/delete"))[0]
        self.assertTrue(line.startswith("session=; Path=/x; Domain=a.b; Expires="), line)
        self.assertEqual(options, given)

    def test_initialize_later(self):
        session = Session()
        self.assertEqual(session.cookie_options, {"path": "/", "http_only": True})
        session.initialize(self.app, "y" * 32, {"path": "/y"})
        self.assertEqual(session.cookie_options, {"path": "/y", "http_only": True})
        self.assertIs(self.app._session, session)
        session.initialize(self.app)
        self.assertEqual((session.secret_key, session.cookie_options["path"]), ("y" * 32, "/y"))

    def test_no_key(self):
        Session(self.app)
        with Complaints() as printed:
            self.assertEqual(self.get("/").status_code, 500)
        self.assertEqual(type(printed[0]), ValueError)
        with self.assertRaises(ValueError):
            self.app._session.update(None, {})

    def test_no_session(self):
        app = Microdot()

        @app.get("/")
        @with_session
        async def index(request, session):
            return ""

        with Complaints() as printed:
            self.assertEqual(run(TestClient(app).get("/")).status_code, 500)
        self.assertEqual(type(printed[0]), ValueError)

    def test_max_age(self):
        Session(self.app, KEY, {"expires": "never"}, max_age=3600)
        line = self.cookies(self.get("/set/a/b"))[0]
        self.assertTrue(line.endswith("; Path=/; Max-Age=3600; HttpOnly"), line)
        exp = content(self.client.cookies["session"])["exp"] - int(time.time()) - EPOCH
        self.assertTrue(3590 <= exp <= 3600)
        self.assertEqual(self.get("/").json, {"a": "b"})

    def test_max_age_rolls(self):
        Session(self.app, KEY, max_age=3600)
        soon = int(time.time()) + EPOCH + 10
        res = self.get("/", session=token({"a": "b", "exp": soon}))
        self.assertEqual(res.json, {"a": "b"})
        self.assertTrue(content(self.client.cookies["session"])["exp"] > soon + 3000)
        self.get("/delete")
        self.assertEqual(self.client.cookies, {})
        self.assertEqual(self.cookies(self.get("/")), [])  # nothing to keep

    def test_exp_of_the_application_stays(self):
        soon = int(time.time()) + EPOCH + 10
        self.assertEqual(self.get("/", session=token({"exp": soon})).json, {"exp": soon})


class TestMounted(unittest.TestCase):
    def mounted(self, outer_key, inner_key, local):
        app = Microdot()
        sub = Microdot()
        if outer_key:
            Session(app, outer_key)
        if inner_key:
            Session(sub, inner_key)

        @sub.get("/set")
        @with_session
        async def keep(request, session):
            session["a"] = 1
            session.save()
            return ""

        app.mount(sub, "/sub", local)
        client = TestClient(app)
        res = run(client.get("/sub/set"))
        return res.status_code, client.cookies["session"]

    def test_session_of_the_application_serves_its_sub_applications(self):
        for local in (False, True):
            for inner in (None, "i" * 32):
                status, value = self.mounted(KEY, inner, local)
                self.assertEqual((status, content(value)), (200, {"a": 1}))

    def test_sub_application_may_have_its_own(self):
        for local in (False, True):
            status, value = self.mounted(None, KEY, local)
            self.assertEqual((status, content(value)), (200, {"a": 1}))


class TestWithSession(SessionCase):
    @unittest.skipIf(MICROPYTHON, "functions have no attributes on this interpreter")
    def test_decorated_function_keeps_its_name(self):
        async def named(request, session):
            """Text."""

        self.assertEqual((with_session(named).__name__, with_session(named).__doc__), ("named", "Text."))
