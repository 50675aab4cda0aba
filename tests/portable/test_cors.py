# Cross-origin requests: which headers which origin gets, and preflights that never reach a handler.

import unittest

from microdot import Microdot, Response
from microdot.cors import CORS
from microdot.test_client import TestClient
from support import run

ALLOW = "Access-Control-Allow-"
ORIGIN = "https://a.com"


class CorsCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.called = []
        self.client = TestClient(self.app)

        @self.app.route("/", ["GET", "POST"])
        async def index(request):
            self.called.append(request.method)
            return "index"

        @self.app.get("/vary")
        async def varied(request):
            return Response("", headers={"Vary": "X-Foo, X-Bar"})

        @self.app.get("/abort")
        async def abort(request):
            self.app.abort(406)

    def ask(self, method="GET", path="/", origin=ORIGIN, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if origin:
            headers["Origin"] = origin
        res = run(self.client.request(method, path, headers))
        return {name: value for name, value in res.headers.items() if name[:7] == "Access-" or name == "Vary"}

    def preflight(self, method="POST", headers=None, origin=ORIGIN):
        names = {"Access_Control_Request_Headers": headers} if headers else {}
        return self.ask("OPTIONS", "/", origin, Access_Control_Request_Method=method, **names)


class TestOrigins(CorsCase):
    def test_none_allowed(self):
        CORS(self.app)
        self.assertEqual(self.ask(), {})
        self.assertEqual(self.ask(origin=None), {})

    def test_all_allowed(self):
        CORS(self.app, allowed_origins="*")
        self.assertEqual(self.ask(), {ALLOW + "Origin": ORIGIN, "Vary": "Origin"})
        self.assertEqual(self.ask(origin="null"), {ALLOW + "Origin": "null", "Vary": "Origin"})
        self.assertEqual(self.ask(origin=None), {ALLOW + "Origin": "*"})

    def test_some_allowed(self):
        CORS(self.app, allowed_origins=[ORIGIN, "http://b.com:8080"])
        for origin in (ORIGIN, "http://b.com:8080"):
            self.assertEqual(self.ask(origin=origin), {ALLOW + "Origin": origin, "Vary": "Origin"})
        for origin in (
            None,
            "http://a.com",
            "https://a.com.evil",
            "https://x.a.com",
            "null",
            "http://b.com",
            "*",
            "https://a.co",
        ):
            with self.subTest(origin=origin):
                self.assertEqual(self.ask(origin=origin), {})

    def test_credentials(self):
        cors = CORS(self.app, [ORIGIN], allow_credentials=True)
        self.assertEqual(self.ask()[ALLOW + "Credentials"], "true")
        self.assertEqual(self.ask(origin="https://b.com"), {})
        cors.allow_credentials = False
        self.assertEqual(self.ask(), {ALLOW + "Origin": ORIGIN, "Vary": "Origin"})

    def test_exposed_headers(self):
        CORS(self.app, [ORIGIN], expose_headers=["X-A", "X-B"])
        self.assertEqual(self.ask()["Access-Control-Expose-Headers"], "X-A, X-B")

    def test_vary_is_merged_in_order(self):
        CORS(self.app, [ORIGIN])
        self.assertEqual(self.ask(path="/vary")["Vary"], "X-Foo, X-Bar, Origin")

    def test_errors_have_the_headers_too(self):
        CORS(self.app, [ORIGIN])
        for path in ("/abort", "/none"):
            self.assertEqual(self.ask(path=path), {ALLOW + "Origin": ORIGIN, "Vary": "Origin"})
        self.assertEqual(run(self.app.dispatch_request(None)).status_code, 400)


class TestPreflight(CorsCase):
    def test_unrestricted(self):
        CORS(self.app, [ORIGIN], max_age=0)
        found = self.preflight("DELETE", "X-A, x-b")
        self.assertEqual(found.pop("Vary"), "Origin")
        self.assertEqual(
            found,
            {
                ALLOW + "Origin": ORIGIN,
                ALLOW + "Methods": "DELETE",
                ALLOW + "Headers": "X-A, x-b",
                "Access-Control-Max-Age": "0",
            },
        )
        self.assertEqual(self.called, [])

    def test_methods(self):
        CORS(self.app, [ORIGIN], allowed_methods=["POST", "PUT"])
        self.assertEqual(self.preflight("PUT")[ALLOW + "Methods"], "PUT")
        self.assertEqual(self.preflight("DELETE"), {ALLOW + "Origin": ORIGIN, "Vary": "Origin"})

    def test_headers(self):
        CORS(self.app, [ORIGIN], allowed_headers=["X-A", "x-B"])
        for asked, allowed in (("X-A", "X-A"), ("x-a,X-C, X-b", "x-a, X-b"), ("X-C", None), (None, None)):
            with self.subTest(asked=asked):
                self.assertEqual(self.preflight("POST", asked).get(ALLOW + "Headers"), allowed)

    def test_reply_names_the_methods_of_the_route(self):
        CORS(self.app, [ORIGIN])
        res = run(self.client.request("OPTIONS", "/", {"Origin": ORIGIN}))
        self.assertEqual((res.status_code, res.body), (200, b""))
        self.assertEqual(sorted(res.headers["Allow"].split(", ")), ["GET", "HEAD", "OPTIONS", "POST"])

    def test_routes_for_options_are_not_reached(self):
        @self.app.route("/options", ["OPTIONS"])
        async def options(request):
            self.called.append("options")

        CORS(self.app, [ORIGIN])
        self.assertEqual(self.ask("OPTIONS", "/options")[ALLOW + "Origin"], ORIGIN)
        self.assertEqual(self.called, [])


class TestInitialize(CorsCase):
    def test_later(self):
        cors = CORS(allowed_origins=[ORIGIN], allowed_headers=["X-A"])
        self.assertEqual(cors.allowed_headers, ["x-a"])
        self.assertEqual(self.ask(), {})
        cors.initialize(self.app)
        self.assertEqual(self.ask()[ALLOW + "Origin"], ORIGIN)

    def test_by_hand(self):
        for cors in (CORS(self.app, [ORIGIN], handle_cors=False), CORS(allowed_origins=[ORIGIN])):
            cors.initialize(self.app, handle_cors=False)
            self.assertEqual(self.ask(), {})
            self.assertEqual(self.preflight(), {})

        @self.app.get("/own")
        async def own(request):
            return Response("", headers=cors.get_cors_headers(request))

        self.assertEqual(self.ask(path="/own"), {ALLOW + "Origin": ORIGIN, "Vary": "Origin"})

    def test_former_options_handler_is_asked(self):
        self.app.options_handler = lambda request: {"X": "y"}
        cors = CORS(self.app, [ORIGIN])
        res = run(self.client.request("OPTIONS", "/", {"Origin": ORIGIN}))
        self.assertEqual((res.headers["X"], res.headers[ALLOW + "Origin"]), ("y", ORIGIN))
        self.assertEqual(cors.default_options_handler(None), {"X": "y"})

    def test_no_former_options_handler(self):
        self.app.options_handler = None
        CORS(self.app, [ORIGIN])
        self.assertEqual(self.preflight()[ALLOW + "Methods"], "POST")
