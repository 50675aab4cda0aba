# Dispatch: how a request finds its handler, and what becomes of the handler's result.

import asyncio
import unittest

from microdot import Microdot, Request, Response
from microdot.test_client import TestClient
from support import Chunks, LineReader, Sink, make_request, run


class DispatchCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.client = TestClient(self.app)

    def request(self, method, path, **kwargs):
        return run(self.client.request(method, path, **kwargs))

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)


class TestRoutes(DispatchCase):
    def test_decorators_register_their_method_and_return_the_function(self):
        for name in ("get", "post", "put", "patch", "delete", "query"):
            with self.subTest(name=name):

                def handler(request):
                    return request.method

                self.assertIs(getattr(self.app, name)("/" + name)(handler), handler)
                response = self.request(name.upper(), "/" + name)
                self.assertEqual((response.status_code, response.text), (200, name.upper()))

    def test_route_is_get_by_default(self):
        @self.app.route("/")
        def index(request):
            return "foo"

        self.assertEqual(self.get("/").text, "foo")
        self.assertEqual(self.request("POST", "/").status_code, 405)

    def test_route_with_methods_in_any_case(self):
        @self.app.route("/", methods=["post", "Put"])
        def index(request):
            return request.method

        self.assertEqual(self.request("POST", "/").text, "POST")
        self.assertEqual(self.request("PUT", "/").text, "PUT")
        self.assertEqual(self.get("/").status_code, 405)

    def test_method_of_the_request_matches_in_any_case(self):
        self.app.route("/")(lambda request: request.method)
        self.assertEqual(self.request("get", "/").text, "get")

    def test_functions_and_coroutine_functions(self):
        @self.app.get("/def")
        def function(request):
            return "def"

        @self.app.get("/async")
        async def coroutine(request):
            return "async"

        self.assertEqual(self.get("/def").text, "def")
        self.assertEqual(self.get("/async").text, "async")

    def test_arguments_arrive_by_keyword(self):
        @self.app.get("/<int:id>/<name>/<path:rest>")
        async def handler(request, rest, name, id):
            return [id, name, rest, request.url_args == {"id": id, "name": name, "rest": rest}]

        self.assertEqual(self.get("/5/susan/a/b").json, [5, "susan", "a/b", True])

    def test_first_registered_of_several_matches_wins(self):
        routes = ["/<path:p>", "/a/<x>", "/a/b", "/<x>/b"]
        for first in range(len(routes)):
            app = Microdot()
            for route in routes[first:] + routes[:first]:
                app.get(route)(lambda request, route=route, **kwargs: route)
            with self.subTest(first=routes[first]):
                self.assertEqual(run(TestClient(app).get("/a/b")).text, routes[first])

    def test_route_of_another_method_is_passed_over(self):
        self.app.post("/a")(lambda request: "post")
        self.app.get("/<x>")(lambda request, x: "get")
        self.assertEqual(self.get("/a").text, "get")
        self.assertEqual(self.request("POST", "/a").text, "post")

    def test_query_string_takes_no_part(self):
        self.app.get("/a")(lambda request: request.args["b"])
        self.assertEqual(self.get("/a?b=/c").text, "/c")

    def test_routes_can_be_added_between_requests(self):
        self.assertEqual(self.get("/a").status_code, 404)
        self.app.get("/a")(lambda request: "a")
        self.assertEqual(self.get("/a").text, "a")

    def test_request_knows_its_route(self):
        @self.app.get("/")
        def handler(request):
            return "same" if request.route is handler else "other"

        self.assertEqual(self.get("/").text, "same")

    def test_url_map_holds_five_parts(self):
        def handler(request):
            pass

        self.app.route("/a/<b>", methods=["get", "post"])(handler)
        methods, pattern, function, prefix, subapp = self.app.url_map[0]
        self.assertEqual((sorted(methods), pattern.url_pattern, prefix, subapp), (["GET", "POST"], "/a/<b>", "", None))
        self.assertIs(function, handler)

    def test_find_route(self):
        @self.app.get("/a/<b>")
        def handler(request, b):
            pass

        self.assertIs(self.app.find_route(make_request("GET", "/a/x"))[0], handler)
        self.assertEqual(self.app.find_route(make_request("GET", "/a/x"))[1:], ("", None))
        self.assertEqual(self.app.find_route(make_request("GET", "/none"))[0], 404)
        self.assertEqual(self.app.find_route(make_request("PUT", "/a/x"))[0], 405)
        self.assertIsInstance(self.app.find_route(make_request("OPTIONS", "/a/x"))[0], dict)

    def test_long_paths_are_answered(self):
        self.app.get("/u/<name>")(lambda request, name: str(len(name)))
        self.app.get("/p/<path:name>")(lambda request, name: str(len(name)))
        self.app.get("/i/<int:n>")(lambda request, n: "number")
        for length in (1500, 2000, 20000):
            with self.subTest(length=length):
                text = "a" * length
                self.assertEqual(run(self.dispatch("/u/" + text)).body, str(length).encode())
                self.assertEqual(run(self.dispatch("/p/" + text)).body, str(length).encode())
                self.assertEqual(run(self.dispatch("/i/" + text)).status_code, 404)

    def dispatch(self, path):
        return self.app.dispatch_request(Request(self.app, ("a", 1), "GET", path, "1.1", {}))


class TestResults(DispatchCase):
    def test_results(self):
        table = [
            ("text", "foo", 200, b"foo", "text/plain; charset=UTF-8"),
            ("bytes", b"foo", 200, b"foo", "text/plain; charset=UTF-8"),
            ("empty text", "", 200, b"", "text/plain; charset=UTF-8"),
            ("dict", {"a": 1}, 200, b'{"a": 1}', "application/json; charset=UTF-8"),
            ("list", [1], 200, b"[1]", "application/json; charset=UTF-8"),
            ("empty dict", {}, 200, b"{}", "application/json; charset=UTF-8"),
            ("none", None, 204, b"", "text/plain; charset=UTF-8"),
            ("number", 202, 202, b"", "text/plain; charset=UTF-8"),
            ("body and status", ("foo", 201), 201, b"foo", "text/plain; charset=UTF-8"),
            ("json and status", ({"a": 1}, 201), 201, b'{"a": 1}', "application/json; charset=UTF-8"),
            ("body and headers", ("foo", {"Content-Type": "a/b"}), 200, b"foo", "a/b"),
            ("all three", ("foo", 202, {"Content-Type": "a/b"}), 202, b"foo", "a/b"),
            ("status and headers", (203, {"Content-Type": "a/b"}), 203, b"", "a/b"),
            ("none and status", (None, 304), 304, b"", "text/plain; charset=UTF-8"),
            ("response", Response("foo", 206, {"Content-Type": "a/b"}), 206, b"foo", "a/b"),
        ]
        for name, result, status, body, content_type in table:
            app = Microdot()
            app.get("/")(lambda request, result=result: result)
            with self.subTest(name=name):
                response = run(TestClient(app).get("/"))
                self.assertEqual((response.status_code, response.body), (status, body))
                self.assertEqual(response.headers["Content-Type"], content_type)

    def test_headers_of_a_tuple(self):
        self.app.get("/")(lambda request: ("foo", 201, {"X-One": "1", "Set-Cookie": ["a=1", "b=2"]}))
        headers = self.get("/").headers
        self.assertEqual((headers["X-One"], headers["Set-Cookie"]), ("1", ["a=1", "b=2"]))

    def test_tuple_of_one_is_the_handlers_fault(self):
        self.app.get("/")(lambda request: ("foo",))
        response = self.get("/")
        self.assertEqual((response.status_code, response.text), (500, "Internal server error"))

    def test_generators(self):
        @self.app.get("/def")
        def function(request):
            yield "foo"
            yield b"bar"

        @self.app.get("/returned")
        async def returned(request):
            def generate():
                yield "foo"
                yield "bar"

            return generate(), 202, {"Content-Type": "a/b"}

        @self.app.get("/empty")
        async def empty(request):
            return (text for text in "")

        self.assertEqual(self.get("/def").body, b"foobar")
        response = self.get("/returned")
        self.assertEqual((response.status_code, response.body), (202, b"foobar"))
        self.assertEqual(self.get("/empty").body, b"")


class TestMethods(DispatchCase):
    def setUp(self):
        super().setUp()
        self.app.get("/")(lambda request: "index")
        self.app.delete("/")(lambda request: "deleted")
        self.app.route("/<x>", methods=["GET", "POST"])(lambda request, x: x)
        self.app.post("/a")(lambda request: "a")
        self.app.route("/head", methods=["HEAD"])(lambda request: "head")

    def test_not_found(self):
        response = self.get("/no/such")
        self.assertEqual((response.status_code, response.text), (404, "Not found"))

    def test_method_not_allowed(self):
        response = self.request("PUT", "/")
        self.assertEqual((response.status_code, response.text), (405, "Not found"))

    def test_method_not_allowed_names_the_allowed(self):
        allowed = self.request("PUT", "/").headers["Allow"].split(", ")
        self.assertEqual(sorted(allowed), ["DELETE", "GET", "HEAD", "OPTIONS"])

    def test_head_is_answered_as_get_without_body(self):
        response = self.request("HEAD", "/")
        self.assertEqual((response.status_code, response.body, response.text), (200, None, None))
        self.assertEqual(response.headers["Content-Length"], "5")

    def test_head_of_missing_and_of_other_methods(self):
        self.assertEqual(self.request("HEAD", "/no/such").status_code, 404)
        self.assertEqual(self.request("HEAD", "/").body, None)

    def test_route_for_head_alone_is_not_reached(self):
        app = Microdot()
        app.route("/", methods=["HEAD"])(lambda request: "head")
        self.assertEqual(run(TestClient(app).request("HEAD", "/")).status_code, 405)

    def test_options(self):
        table = [
            ("/", ["GET", "DELETE", "HEAD", "OPTIONS"]),
            ("/x", ["GET", "POST", "HEAD", "OPTIONS"]),
            ("/a", ["GET", "POST", "HEAD", "OPTIONS"]),
            ("/no/such", ["OPTIONS"]),
        ]
        for path, allowed in table:
            with self.subTest(path=path):
                response = self.request("OPTIONS", path)
                self.assertEqual((response.status_code, response.body), (200, b""))
                self.assertEqual(response.headers["Allow"].split(", "), allowed)

    def test_options_handler_can_be_replaced(self):
        self.app.options_handler = lambda request: {"X-Path": request.path}
        self.assertEqual(self.request("OPTIONS", "/foo").headers["X-Path"], "/foo")

    def test_options_routes_are_reached_without_options_handler(self):
        self.app.route("/opt", methods=["OPTIONS"])(lambda request: "mine")
        self.assertEqual(self.request("OPTIONS", "/opt").text, "")
        self.app.options_handler = None
        self.assertEqual(self.request("OPTIONS", "/opt").text, "mine")
        self.assertEqual(self.request("OPTIONS", "/").status_code, 405)


class TestLimits(DispatchCase):
    def test_no_request_is_answered_400(self):
        response = run(self.app.dispatch_request(None))
        self.assertEqual((response.status_code, response.body), (400, b"Bad request"))

    def test_body_beyond_the_limit_is_answered_413_before_routing(self):
        self.app.post("/")(lambda request: "reached")
        self.addCleanup(setattr, Request, "max_content_length", Request.max_content_length)
        Request.max_content_length = 5
        self.assertEqual(self.request("POST", "/", body="12345").text, "reached")
        for path in ("/", "/none"):
            response = self.request("POST", path, body="123456")
            self.assertEqual((response.status_code, response.text), (413, "Payload too large"))


class TestPieces(DispatchCase):
    def test_attributes_of_a_new_application(self):
        app = self.app
        lists = [app.url_map, app.before_request_handlers, app.after_request_handlers]
        lists.append(app.after_error_request_handlers)
        self.assertEqual((lists, app.error_handlers), ([[]] * 4, {}))
        self.assertEqual((app.ssl, app.debug, app.server), (False, False, None))
        self.assertTrue(app.options_handler)

    def test_applications_share_nothing(self):
        other = Microdot()
        other.get("/")(lambda request: "x")
        other.before_request(lambda request: None)
        other.errorhandler(404)(lambda request: "x")
        self.assertEqual((self.app.url_map, self.app.before_request_handlers), ([], []))
        self.assertEqual(self.app.error_handlers, {})

    def test_get_request_handlers(self):
        sub = Microdot()
        sub.before_request(len)
        self.app.before_request(repr)
        request = make_request()
        request.subapp = sub
        handlers = self.app.get_request_handlers
        self.assertEqual(list(handlers(request, "before_request_handlers")), [len, repr])
        self.assertEqual(list(handlers(request, "before_request_handlers", local_first=False)), [repr, len])
        self.assertEqual(list(handlers(None, "before_request_handlers")), [repr])

    def test_error_response(self):
        response = run(self.app.error_response(make_request(), 418, "teapot"))
        self.assertEqual((response.status_code, response.body), (418, b"teapot"))
        self.app.errorhandler(418)(lambda request: ("custom", 419))
        response = run(self.app.error_response(make_request(), 418, "teapot"))
        self.assertEqual((response.status_code, response.body), (419, b"custom"))

    def test_one_application_on_several_event_loops(self):
        self.app.get("/")(lambda request: "x")
        for _ in range(2):
            loop = asyncio.new_event_loop()
            self.assertEqual(loop.run_until_complete(self.client.get("/")).text, "x")
            loop.close()
            self.assertEqual(self.get("/").text, "x")

    def test_handle_request(self):
        self.app.get("/")(lambda request: request.client_addr[0])
        for data, start, body in (
            (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n", b"\r\n\r\n192.168.4.2"),
            (b"nonsense\r\n\r\n", b"HTTP/1.0 400 N/A\r\n", b"\r\n\r\nBad request"),
        ):
            writer = PeerSink()
            run(self.app.handle_request(LineReader(data), writer))
            self.assertTrue(writer.data.startswith(start) and writer.data.endswith(body), writer.data)
            self.assertTrue(writer.closed)

    def test_handle_request_of_a_client_that_leaves_in_its_body(self):
        self.app.post("/")(lambda request: self.fail("half a body"))
        writer = PeerSink()
        run(self.app.handle_request(LineReader(b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nabc"), writer))
        self.assertEqual((writer.data, writer.closed), (b"", True))

    def test_handle_request_closes_the_connection_of_a_broken_body(self):
        self.app.get("/")(lambda request: Response(Chunks([KeyError("broken by a test")])))
        writer = PeerSink()
        with self.assertRaises(KeyError):
            run(self.app.handle_request(LineReader(b"GET / HTTP/1.0\r\n\r\n"), writer))
        self.assertTrue(writer.closed)


class PeerSink(Sink):
    def get_extra_info(self, name):
        return ("192.168.4.2", 5555) if name == "peername" else None


class TestVary(DispatchCase):
    def vary(self, existing, added):
        app = Microdot()

        @app.get("/")
        def handler(request):
            request.g._vary = added
            return "x", 200, {"Vary": existing} if existing else {}

        return run(TestClient(app).get("/")).headers["Vary"]

    def test_names_are_added(self):
        self.assertEqual(self.vary("", {"Origin"}), "Origin")
        self.assertEqual(sorted(self.vary("", {"Origin", "Cookie"}).split(", ")), ["Cookie", "Origin"])

    def test_existing_names_come_first(self):
        self.assertEqual(self.vary("X-Foo, X-Bar", {"Origin"}), "X-Foo, X-Bar, Origin")

    def test_names_in_several_lines(self):
        self.assertEqual(self.vary(["X-Foo", "X-Bar, Origin"], {"Origin"}), "X-Foo, X-Bar, Origin")

    def test_no_name_is_repeated(self):
        self.assertEqual(self.vary("Origin, X-Foo", {"Origin"}), "Origin, X-Foo")

    def test_nothing_to_add(self):
        self.app.get("/plain")(lambda request: "x")
        self.assertNotIn("Vary", self.get("/plain").headers)
