# The server over real sockets: versions, persistent connections and the shapes of replies.

import asyncio
import unittest

from client import request
from microdot import Response
from served import RepliesCase
from support import MICROPYTHON


class ServerCase(RepliesCase):
    def setUp(self):
        super().setUp()

        @self.app.get("/def")
        def function(request):
            return "def"

        @self.app.post("/echo")
        async def echo(request):
            return request.body


class TestVersion10(ServerCase):
    def test_answered_and_closed(self):
        async def test(server):
            data = await server.exchange(b"GET / HTTP/1.0\r\n\r\n")
            lines = data.split(b"\r\n")
            self.assertEqual((lines[0], lines[-1]), (b"HTTP/1.0 200 OK", b"index"))
            self.assertIn(b"Content-Length: 5", lines)

        self.serve(test)

    def test_closed_even_if_asked_to_keep(self):
        async def test(server):
            data = await server.exchange(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            self.assertTrue(data.endswith(b"\r\n\r\nindex"))

        self.serve(test)

    def test_body_without_length_ends_with_the_connection(self):
        async def test(server):
            data = await server.exchange(b"GET /generator HTTP/1.0\r\n\r\n")
            head, _, body = data.partition(b"\r\n\r\n")
            self.assertEqual(body, b"foobarbaz")
            self.assertTrue(head.startswith(b"HTTP/1.0 200 OK\r\n"))
            self.assertNotIn(b"transfer-encoding", head.lower())

        self.serve(test)

    def test_version_of_the_request(self):
        @self.app.get("/version")
        async def version(request):
            return request.http_version

        async def test(server):
            self.assertTrue((await server.exchange(b"GET /version HTTP/1.0\r\n\r\n")).endswith(b"1.0"))
            self.assertEqual((await server.get("/version")).text, "1.1")

        self.serve(test)


class TestPersistence(ServerCase):
    def test_two_requests_on_one_connection(self):
        async def test(server):
            client = await server.connect()
            for _ in range(2):
                reply = await client.get("/")
                self.assertEqual((reply.version, reply.status, reply.text), ("HTTP/1.1", 200, "index"))
                self.assertNotIn("close", reply.headers.get("connection", ""))

        self.serve(test)

    def test_many_requests_of_each_kind_on_one_connection(self):
        table = [
            ("/", 200, b"index"),
            ("/def", 200, b"def"),
            ("/json/7", 200, b'{"n": 7}'),
            ("/none", 404, b"Not found"),
            ("/nothing", 204, b""),
            ("/unchanged", 304, b""),
            ("/generator", 200, b"foobarbaz"),
            ("/iterator", 200, "foobaré".encode()),
        ]

        async def test(server):
            client = await server.connect()
            for path, status, body in table * 3:
                reply = await client.get(path)
                self.assertEqual((path, reply.status, reply.body), (path, status, body))

        self.serve(test)

    def test_pipelined_requests_are_answered_in_order(self):
        @self.app.get("/slow/<int:n>")
        async def slow(request, n):
            await asyncio.sleep(0.02)
            return str(n)

        async def test(server):
            client = await server.connect()
            requests = [
                request("GET", "/slow/1"),
                request("POST", "/echo", body=b"two"),
                request("GET", "/json/3"),
            ]
            requests += [request("GET", "/generator"), request("GET", "/slow/5"), request("GET", "/")]
            await client.send(b"".join(requests))
            bodies = await client.bodies(len(requests))
            self.assertEqual(bodies, [b"1", b"two", b'{"n": 3}', b"foobarbaz", b"5", b"index"])

        self.serve(test)

    def test_pipeline_longer_than_any_buffer(self):
        async def test(server):
            client = await server.connect()
            requests = [request("POST", "/echo", body=str(n).encode() * 97) for n in range(60)]
            sending = asyncio.create_task(client.send(b"".join(requests)))
            for n in range(60):
                self.assertEqual((await client.reply()).body, str(n).encode() * 97)
            await sending

        self.serve(test)

    def test_request_that_arrives_byte_by_byte(self):
        async def test(server):
            client = await server.connect()
            for _ in range(2):
                await client.send_bytewise(request("POST", "/echo", "X-A: 1", body=b"body"))
                self.assertEqual((await client.reply()).body, b"body")

        self.serve(test)

    def test_pipeline_cut_anywhere(self):
        data = request("POST", "/echo", body=b"one") + request("GET", "/json/2")

        async def test(server):
            client = await server.connect()
            for at in range(1, len(data)):
                await client.send(data[:at])
                await asyncio.sleep(0)
                await client.send(data[at:])
                bodies = await client.bodies(2)
                self.assertEqual((at, bodies), (at, [b"one", b'{"n": 2}']))

        self.serve(test)

    def test_client_asks_to_close(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/", "Connection: close"))
            reply = await client.reply()
            self.assertEqual((reply.text, reply.headers["connection"]), ("index", "close"))
            self.assertEqual(await client.rest(), b"")

        self.serve(test)

    def test_nothing_is_answered_after_close(self):
        async def test(server):
            data = await server.exchange(request("GET", "/", "Connection: close") + request("GET", "/def"))
            self.assertEqual(data.count(b"HTTP/1.1"), 1)

        self.serve(test)

    def test_application_asks_to_close(self):
        @self.app.get("/bye")
        async def bye(request):
            return "bye", 200, {"Connection": "close"}

        async def test(server):
            client = await server.connect()
            reply = await client.get("/bye")
            self.assertEqual((reply.text, reply.headers["connection"]), ("bye", "close"))
            self.assertEqual(await client.rest(), b"")

        self.serve(test)

    def test_already_handled_writes_nothing_more(self):
        @self.app.get("/raw")
        async def raw(request):
            await request.sock[1].awrite(b"raw bytes")
            return Response.already_handled

        async def test(server):
            self.assertEqual(await server.exchange(request("GET", "/raw")), b"raw bytes")

        self.serve(test)


class TestRequests(ServerCase):
    def test_client_address(self):
        @self.app.get("/address")
        async def address(request):
            return [request.client_addr[0], request.client_addr[1]]

        async def test(server):
            text = (await server.get("/address")).text
            self.assertTrue(text.startswith('["127.0.0.1", '), text)

        self.serve(test)

    def test_headers_cookies_and_arguments(self):
        @self.app.get("/all")
        async def everything(request):
            return [request.headers["x-a"], request.cookies["c"], request.args["d"], request.url]

        async def test(server):
            reply = await server.get("/all?d=%C3%A9", "X-A:  a b ", "Cookie: c=1")
            self.assertEqual(reply.text.replace("\\u00e9", "é"), '["a b", "1", "é", "/all?d=%C3%A9"]')

        self.serve(test)

    def test_absolute_form(self):
        async def test(server):
            self.assertEqual((await server.get("http://example.com/json/5")).text, '{"n": 5}')

        self.serve(test)

    def test_long_path(self):
        @self.app.get("/long/<name>")
        async def long(request, name):
            return str(len(name))

        async def test(server):
            self.assertEqual((await server.get("/long/" + "a" * 2000)).text, "2000")

        self.serve(test)

    @unittest.skipIf(MICROPYTHON, "functions run in the event loop: nothing of asyncio runs beside them")
    def test_function_may_block_while_others_are_answered(self):
        import threading

        released = threading.Event()

        @self.app.get("/block")
        def block(request):
            return "released" if released.wait(10) else "stuck"

        async def test(server):
            blocked = await server.connect()
            await blocked.send(request("GET", "/block"))
            self.assertEqual((await server.get("/")).text, "index")
            released.set()
            self.assertEqual((await blocked.reply()).text, "released")

        self.serve(test)
