# Logins: who gets in, where clients are sent, and what the "remember me" cookie may do.

import time
import unittest

import jwt
from microdot import Microdot
from microdot.login import Login
from microdot.session import Session, with_session
from microdot.test_client import TestClient
from support import Complaints, run

KEY = "k" * 32
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0
DAY = 24 * 3600


class User:
    def __init__(self, id, name):
        self.id = id
        self.name = name


USERS = {"u1": User("u1", "ann"), 0: User(0, "zero")}


def content(value):
    return jwt.decode(value, KEY, algorithms=["HS256"])


def token(payload):
    return jwt.encode(payload, KEY, algorithm="HS256")


class LoginCase(unittest.TestCase):
    def setUp(self):
        self.app = app = Microdot()
        self.session = Session(app, KEY)
        self.login = login = Login()
        self.remember = False
        self.user = "u1"

        @login.user_loader
        async def load(user_id):
            return USERS.get(user_id)

        self.loader = load

        @app.post("/login")
        async def enter(request):
            return await login.login_user(request, USERS[self.user], self.remember, **self.options)

        @app.post("/logout")
        async def leave(request):
            await login.logout_user(request)
            return str(request.g.current_user)

        @app.get("/")
        @login
        async def index(request):
            return request.g.current_user.name

        @app.get("/sync/<n>")
        @login
        def sync(request, n):
            return request.g.current_user.name + n

        @app.get("/fresh")
        @login.fresh
        async def fresh(request):
            return "fresh " + request.g.current_user.name

        @app.get("/who")
        async def who(request):
            user = await login.get_current_user(request)
            return user.name if user else "nobody"

        self.options = {}
        self.client = TestClient(app)

    def get(self, path="/"):
        return run(self.client.get(path))

    def post(self, path):
        return run(self.client.post(path))

    def location(self, res):
        return res.status_code, res.headers.get("Location")


class TestLogin(LoginCase):
    def test_from_in_to_out(self):
        self.assertEqual(self.location(self.get("/")), (302, "/login?next=/"))
        self.assertEqual(self.get("/who").text, "nobody")
        self.assertEqual(self.location(self.post("/login")), (302, "/"))
        self.assertEqual(self.get("/").text, "ann")
        self.assertEqual(self.get("/sync/2").text, "ann2")
        self.assertEqual(self.get("/fresh").text, "fresh ann")
        self.assertEqual(self.get("/who").text, "ann")
        self.assertEqual(self.post("/logout").text, "None")
        self.assertEqual(self.location(self.get("/")), (302, "/login?next=/"))

    def test_session(self):
        self.post("/login")
        self.assertEqual(content(self.client.cookies["session"]), {"_user_id": "u1", "_fresh": True})
        self.post("/logout")
        self.assertEqual(content(self.client.cookies["session"]), {})
        self.assertEqual(list(self.client.cookies), ["session"])

    def test_user_ids_that_are_false(self):
        self.user = 0
        self.post("/login")
        self.assertEqual(self.get("/").text, "zero")

    def test_user_who_is_no_more(self):
        self.client.cookies["session"] = token({"_user_id": "gone", "_fresh": True})
        self.assertEqual(self.location(self.get("/")), (302, "/login?next=/"))

    def test_sync_loader(self):
        @self.login.user_loader
        def load(user_id):
            return User(user_id, "sync")

        self.post("/login")
        self.assertEqual(self.get("/").text, "sync")

    def test_decorators_return_the_function(self):
        self.assertEqual(run(self.loader("u1")).name, "ann")
        self.assertIs(self.login.user_loader_callback, self.loader)

    def test_no_loader(self):
        self.post("/login")
        self.login.user_loader_callback = None
        with Complaints() as printed:
            self.assertEqual(self.get("/").status_code, 500)
        self.assertEqual(type(printed[0]), ValueError)

    def test_other_session_data_stays(self):
        @self.app.get("/keep")
        @with_session
        async def keep(request, session):
            session["a"] = 1
            session.save()
            return ""

        self.get("/keep")
        self.post("/login")
        self.post("/logout")
        self.assertEqual(content(self.client.cookies["session"]), {"a": 1})


class TestRedirects(LoginCase):
    def test_to_the_login_page(self):
        self.assertEqual(self.location(self.get("/?foo=bar")), (302, "/login?next=/%3Ffoo%3Dbar"))
        self.assertEqual(self.get("/?a=b&c").text, "")
        self.login.login_url = "/in?x=y"
        self.assertEqual(self.location(self.get("/")), (302, "/in?x=y&next=/"))

    def test_back_from_it(self):
        for path in ("/", "/x", "/x?y=z", "/x//y", "/x\\y", "/%2Fevil.com", "/ä", "/.//evil.com"):
            with self.subTest(path=path):
                from microdot.microdot import urlencode

                self.assertEqual(
                    self.location(self.post("/login?next=" + urlencode(path).replace("%2F", "%252F"))), (302, path)
                )

    def test_never_to_another_server(self):
        for path in (
            "//evil.com",
            "/%5Cevil.com",
            "%5C%5Cevil.com",
            "https://evil.com",
            "evil.com",
            "/%09/evil.com",
            "/%0A/evil.com",
            "/%0D%0AX:%20y",
            "/%00/evil.com",
            "%09//evil.com",
            "",
            "javascript:x",
        ):
            with self.subTest(path=path):
                self.assertEqual(self.location(self.post("/login?next=" + path)), (302, "/"))

    def test_default_target(self):
        self.options = {"redirect_url": "/home"}
        self.assertEqual(self.location(self.post("/login")), (302, "/home"))
        self.assertEqual(self.location(self.post("/login?next=//x")), (302, "/home"))
        self.assertEqual(self.location(self.post("/login?next=/x")), (302, "/x"))


class TestRemember(LoginCase):
    def remembered(self, remember, **options):
        self.remember = remember
        res = self.post("/login")
        lines = [line for line in res.headers["Set-Cookie"] if line.startswith("_remember=")]
        return lines[0] if lines else None

    def test_cookie(self):
        for remember, days in ((True, 30), (7, 7), (0.5, 0.5)):
            value, _, options = self.remembered(remember).partition("; ")
            payload = content(value.partition("=")[2])
            exp = payload.pop("exp") - int(time.time()) - EPOCH
            self.assertEqual(payload, {"user_id": "u1", "days": days})
            self.assertTrue(days * DAY - 10 <= exp <= days * DAY)
            self.assertEqual(options, "Path=/; Max-Age=%d; HttpOnly" % (days * DAY))
        self.assertIs(self.remembered(False), None)

    def test_options_are_those_of_the_session(self):
        self.session.initialize(self.app, cookie_options={"secure": True, "same_site": "Strict", "max_age": 5, "expires": "x"})
        line = self.remembered(2)
        self.assertTrue(line.endswith("; Path=/; Max-Age=172800; Secure; HttpOnly; SameSite=Strict"), line)

    def test_new_session_from_it(self):
        self.remembered(True)
        del self.client.cookies["session"]
        before = self.client.cookies["_remember"]
        self.client.cookies["_remember"] = token({"user_id": "u1", "days": 30, "exp": int(time.time()) + EPOCH + 60})
        self.assertEqual(self.get("/").text, "ann")
        self.assertEqual(content(self.client.cookies["session"]), {"_user_id": "u1", "_fresh": False})
        self.assertTrue(content(self.client.cookies["_remember"])["exp"] >= content(before)["exp"])
        self.assertEqual(self.location(self.get("/fresh")), (302, "/login?next=/fresh"))
        self.post("/login")
        self.assertEqual(self.get("/fresh").text, "fresh ann")

    def test_logout_deletes_it(self):
        self.remembered(True)
        res = self.post("/logout")
        lines = [line for line in res.headers["Set-Cookie"] if line.startswith("_remember=")]
        self.assertEqual(lines, ["_remember=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly"])
        self.assertEqual(self.location(self.get("/")), (302, "/login?next=/"))

    def test_in_and_out_at_once(self):
        @self.app.post("/both")
        async def both(request):
            await self.login.login_user(request, USERS["u1"], True)
            await self.login.logout_user(request)
            return ""

        self.post("/both")
        self.assertEqual(list(self.client.cookies), ["session"])
        self.assertEqual(self.get("/who").text, "nobody")

    def test_what_is_not_believed(self):
        now = int(time.time()) + EPOCH
        other_key = jwt.encode({"user_id": "u1", "days": 1, "exp": now + 60}, "x" * 32, algorithm="HS256")
        for value in (
            "",
            "x",
            other_key,
            token({"user_id": "u1", "days": 1, "exp": now - 1}),
            token({"user_id": "gone", "days": 1, "exp": now + 60}),
            token({"user_id": "u1", "exp": now + 60}),
            token({"user_id": "u1", "days": 1}),  # signed with the same key, but a session of an application's
            token({"_user_id": "u1", "_fresh": True}),
        ):
            with self.subTest(value=value):
                self.client.cookies = {"_remember": value}
                res = self.get("/")
                self.assertEqual(self.location(res), (302, "/login?next=/"))
                self.assertTrue("Set-Cookie" not in res.headers)
