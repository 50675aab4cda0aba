# The test client: what it sends, what it makes of a response, and its jar of cookies.

import unittest

from microdot import Microdot, Response
from microdot.test_client import TestClient, TestResponse
from support import Chunks, run

try:
    import microdot.websocket
except ImportError:
    websocket = None
else:
    websocket = microdot.websocket


class ClientCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.client = TestClient(self.app)


class TestRequests(ClientCase):
    def echo(self, path="/"):
        @self.app.route(path, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
        async def handler(request):
            self.seen = request
            return request.body

    def test_each_method(self):
        self.echo()
        for name in ("get", "delete"):
            run(getattr(self.client, name)("/", headers={"X-A": name}))
            self.assertEqual((self.seen.method, self.seen.headers["X-A"]), (name.upper(), name))
        for name in ("post", "put", "patch", "query"):
            response = run(getattr(self.client, name)("/", headers={"X-A": name}, body="data"))
            self.assertEqual((self.seen.method, self.seen.headers["X-A"]), (name.upper(), name))
            self.assertEqual(response.text, "data")

    def test_request_with_any_method(self):
        self.echo()
        run(self.client.request("PATCH", "/?a=1", headers={"X-A": "1"}, body=b"x", sock=("r", "w")))
        self.assertEqual((self.seen.method, self.seen.url, self.seen.body), ("PATCH", "/?a=1", b"x"))
        self.assertEqual(self.seen.sock, ("r", "w"))

    def test_defaults(self):
        self.echo()
        run(self.client.get("/"))
        self.assertEqual(self.seen.client_addr, ("127.0.0.1", 1234))
        self.assertEqual((self.seen.http_version, self.seen.scheme), ("1.0", "http"))
        self.assertEqual(self.seen.headers["Host"], "example.com:1234")
        self.assertIs(self.seen.app, self.app)
        self.assertNotIn("Content-Length", self.seen.headers)

    def test_scheme_and_host(self):
        self.echo()
        client = TestClient(self.app, scheme="https", host="other.org")
        self.assertEqual((client.scheme, client.host, client.cookies), ("https", "other.org", {}))
        run(client.get("/"))
        self.assertEqual((self.seen.scheme, self.seen.headers["Host"]), ("https", "other.org"))

    def test_bodies(self):
        self.echo()
        table = [
            ({"a": 1}, b'{"a": 1}', "application/json"),
            ([1, 2], b"[1, 2]", "application/json"),
            ("é", b"\xc3\xa9", None),
            (b"\0\xff", b"\0\xff", None),
        ]
        for body, sent, content_type in table:
            with self.subTest(body=body):
                run(self.client.post("/", body=body))
                self.assertEqual((self.seen.body, self.seen.content_length), (sent, len(sent)))
                self.assertEqual((self.seen.content_type or "").split(";")[0], content_type or "")

    def test_given_type_and_length_win(self):
        self.echo()
        run(self.client.post("/", headers={"Content-Type": "a/b", "Content-Length": "3"}, body={"a": 1}))
        self.assertEqual((self.seen.content_type, self.seen.content_length), ("a/b", 3))

    def test_given_headers_are_not_changed(self):
        self.echo()
        headers = {"X-A": "1"}
        run(self.client.post("/", headers=headers, body={"a": 1}))
        self.assertEqual(headers, {"X-A": "1"})

    def test_is_no_test_case(self):
        self.assertFalse(TestClient.__test__)
        self.assertIs(self.client.app, self.app)


class TestResponses(ClientCase):
    def answer(self, *result, method="GET"):
        self.app.route("/", methods=[method])(lambda request: result if len(result) > 1 else result[0])
        return run(self.client.request(method, "/"))

    def test_initial_values(self):
        response = TestResponse()
        for name in ("status_code", "reason", "body", "text", "json", "events"):
            self.assertIsNone(getattr(response, name))
        self.assertEqual(response.headers, {})

    def test_text(self):
        response = self.answer("é")
        self.assertEqual((response.status_code, response.reason), (200, None))
        self.assertEqual((response.body, response.text, response.json), (b"\xc3\xa9", "é", None))
        self.assertEqual(response.headers["Content-Length"], "2")
        self.assertEqual(response.headers["content-type"], "text/plain; charset=UTF-8")
        self.assertIsNone(response.events)

    def test_reason_is_the_responses_own(self):
        self.assertEqual(self.answer(Response("x", 404, {}, "GONE")).reason, "GONE")

    def test_bytes_that_are_no_text(self):
        response = self.answer(b"\xff\xfe")
        self.assertEqual((response.body, response.text), (b"\xff\xfe", None))

    def test_json(self):
        for content_type in ("application/json", "application/json; charset=UTF-8"):
            response = self.answer('{"a": [1]}', {"Content-Type": content_type})
            self.assertEqual((response.json, response.text), ({"a": [1]}, '{"a": [1]}'))

    def test_iterated_bodies_are_joined(self):
        self.assertEqual(self.answer(Chunks(["a", b"b"])).body, b"ab")
        self.app.get("/generator")(lambda request: (text for text in ("c", "d")))
        self.assertEqual(run(self.client.get("/generator")).text, "cd")

    def test_exception_in_the_body_reaches_the_caller(self):
        self.app.get("/")(lambda request: Response(Chunks(["a", KeyError("broken by a test")])))
        with self.assertRaises(KeyError):
            run(self.client.get("/"))

    def test_head(self):
        self.app.get("/json")(lambda request: {"a": 1})
        response = run(self.client.request("HEAD", "/json"))
        self.assertEqual(response.status_code, 200)
        self.assertEqual((response.body, response.text, response.json), (None, None, None))
        self.assertEqual(response.headers["Content-Length"], "8")

    def test_already_handled_gives_an_empty_response(self):
        response = self.answer(Response.already_handled)
        self.assertEqual((response.status_code, response.body, response.headers), (None, None, {}))

    def test_events(self):
        text = ': a comment\n\ndata: one\n\nevent: kind\nid: 7\nretry: 2000\ndata: {"a": 1}\n\nevent: no data\n\ndata: two\n\n'
        events = self.answer(text, {"Content-Type": "text/event-stream"}).events
        self.assertEqual([event["data"] for event in events], [b"one", b'{"a": 1}', b"two"])
        self.assertEqual([event["data_json"] for event in events], [None, {"a": 1}, None])
        self.assertEqual((events[1]["event"], events[1]["event_id"]), ("kind", "7"))
        self.assertEqual(events[1]["retry"], 2)
        self.assertEqual((events[0]["event"], events[0]["event_id"], events[0]["retry"]), (None, None, None))


class TestCookieJar(ClientCase):
    def setUp(self):
        super().setUp()

        @self.app.get("/set/<name>/<value>")
        def set_cookie(request, name, value):
            response = Response("set")
            response.set_cookie(name, value, path=request.args.get("path"), max_age=request.args.get("age", type=int))
            return response

        @self.app.get("/delete/<name>")
        def delete_cookie(request, name):
            response = Response("deleted")
            response.delete_cookie(name, path=request.args.get("path"))
            return response

        @self.app.get("/<path:path>")
        def show(request, path):
            return {"header": request.headers.get("Cookie"), "cookies": request.cookies}

    def get(self, path, headers=None):
        return run(self.client.get(path, headers=headers))

    def cookies(self, path="/show"):
        return self.get(path).json["cookies"]

    def test_no_cookies_no_header(self):
        self.assertIsNone(self.get("/show").json["header"])

    def test_given_cookies_are_sent(self):
        self.client = TestClient(self.app, cookies={"a": "1", "b": ("2", "/only")})
        self.assertEqual(self.cookies(), {"a": "1"})
        self.assertEqual(self.cookies("/only/here"), {"a": "1", "b": "2"})

    def test_cookies_of_responses_are_kept_and_sent(self):
        self.get("/set/a/1")
        self.get("/set/b/2")
        self.assertEqual(self.cookies(), {"a": "1", "b": "2"})
        self.get("/set/a/3")
        self.assertEqual(self.cookies(), {"a": "3", "b": "2"})

    def test_several_cookies_of_one_response(self):
        @self.app.post("/two")
        def two(request):
            response = Response("x")
            response.set_cookie("a", "1")
            response.set_cookie("b", "2")
            return response

        run(self.client.post("/two"))
        self.assertEqual(self.cookies(), {"a": "1", "b": "2"})

    def test_given_header_comes_first(self):
        self.get("/set/a/1")
        header = self.get("/show", headers={"Cookie": "own=0"}).json["header"]
        self.assertEqual(header, "own=0; a=1")

    def test_path_is_honoured(self):
        self.get("/set/a/1?path=/foo")
        self.assertEqual(self.cookies("/bar"), {})
        self.assertEqual(self.cookies("/foo/bar"), {"a": "1"})
        self.assertEqual(self.cookies("/foo"), {"a": "1"})

    def test_deleted(self):
        self.get("/set/a/1")
        self.get("/delete/a")
        self.assertEqual(self.cookies(), {})

    def test_max_age_of_zero_deletes(self):
        self.get("/set/a/1")
        self.get("/set/a/2?age=0")
        self.assertEqual(self.cookies(), {})

    def test_max_age_above_zero_stores(self):
        self.get("/set/a/2?age=10")
        self.assertEqual(self.cookies(), {"a": "2"})

    def test_deleting_under_another_path_leaves_the_cookie(self):
        self.get("/set/a/1?path=/foo")
        self.get("/delete/a")
        self.assertEqual(self.cookies("/foo/x"), {"a": "1"})
        self.get("/delete/a?path=/foo")
        self.assertEqual(self.cookies("/foo/x"), {})

    def test_deleting_what_is_not_there(self):
        self.get("/delete/a")
        self.assertEqual(self.cookies(), {})

    def test_clients_share_no_cookies(self):
        self.get("/set/a/1")
        self.assertEqual(run(TestClient(self.app).get("/show")).json["cookies"], {})


@unittest.skipIf(websocket is None, "microdot.websocket is not there yet")
class TestWebSocket(ClientCase):
    def setUp(self):
        super().setUp()
        self.log = []

        @self.app.get("/echo")
        @websocket.with_websocket
        async def echo(request, ws):
            self.log.append(request.headers["Upgrade"].lower())
            try:
                while True:
                    await ws.send(await ws.receive())
            except OSError as exc:
                self.log.append(exc.args[0])
                raise

    def test_messages_travel_both_ways(self):
        got = []

        def client():
            got.append((yield "text"))
            got.append((yield b"bytes"))

        response = run(self.client.websocket("/echo", client))
        self.assertEqual(got, ["text", b"bytes"])
        self.assertEqual(self.log, ["websocket", 32])
        self.assertIsNone(response.status_code)
