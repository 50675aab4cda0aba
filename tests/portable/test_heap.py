# What is kept when all is done: nothing. A thousand requests of each sort, also those that go wrong, leave memory and
# descriptors as they were: on MicroPython the heap in bytes, on CPython the number of objects.

import asyncio
import gc
import os

from client import Truncated, request
from microdot import Response, abort
from served import ServedCase, open_files
from support import MICROPYTHON, Chunks, Complaints

ROUNDS = 1000
# What a collector that guesses may leave standing: next to nothing for each of the rounds.
SPARE = 2 * ROUNDS if MICROPYTHON else ROUNDS // 20
FILE = "heap.bin"
CHUNKED = "Transfer-Encoding: chunked"


def kept():
    """Return what is in use."""
    gc.collect()
    return gc.mem_alloc() if MICROPYTHON else len(gc.get_objects())


class TestHeap(ServedCase):
    def setUp(self):
        super().setUp()
        self.app.max_requests = 100
        self.app.max_connections = 20
        self.add_routes(self.app)
        with open(FILE, "wb") as file:
            file.write(b"x" * 3000)
        self.addCleanup(os.remove, FILE)

    def add_routes(self, app):
        @app.post("/echo")
        async def echo(request):
            return request.body

        @app.post("/stream")
        async def stream(request):
            return await request.stream.read(10)

        @app.get("/all/<name>")
        async def everything(request, name):
            request.g.name = name
            request.after_request(lambda request, response: response)
            return {"name": name, "args": request.args["a"], "cookies": request.cookies["b"], "agent": request.headers["X-A"]}

        @app.get("/file")
        async def file(request):
            return Response.send_file(FILE)

        @app.get("/generator")
        async def generator(request):
            return ("x" * n for n in range(1, 5))

        @app.get("/iterator")
        async def iterator(request):
            return Chunks(["a", b"b"])

        @app.get("/cookies")
        async def cookies(request):
            response = Response("x", 200, {"X-A": ["1", "2"]})
            response.set_cookie("a", "1")
            return response

        @app.get("/abort")
        async def aborted(request):
            abort(403)

        @app.get("/raise")
        async def broken(request):
            raise ValueError("broken by a test")

        @app.get("/memory")
        async def memory(request):
            return bytearray(1 << 60)

        @app.get("/truncated")
        async def truncated(request):
            return Chunks(["a", ValueError("broken by a test")])

    def stays(self, one):
        """Run `one(server, number)` a thousand times; nothing may be kept of it."""

        async def rounds(server, count):
            for number in range(count):
                await one(server, number)
                complaints.clear()

        async def test(server):
            files = open_files()
            await rounds(server, 50)
            heaps = [await self.kept_at(server, files)]
            for _ in range(2):
                await rounds(server, ROUNDS)
                heaps.append(await self.kept_at(server, files))
            # What is kept once, by a slot of a table that is not yet used again, does not grow a second time.
            self.assertLess(min(heaps[1] - heaps[0], heaps[2] - heaps[1]), SPARE)

        with Complaints() as complaints:
            self.serve(test, count_files=True)

    async def kept_at(self, server, files):
        """Return what is in use when every connection is closed, which takes a moment for those that were refused."""
        for client in server.clients:
            await client.close()
        server.clients.clear()
        for _ in range(200):
            if open_files() == files:
                return kept()
            await asyncio.sleep(0.02)
        self.assertEqual(open_files(), files)

    def answered(self, table):
        """The same for requests as (bytes, status), all of them on connections that are kept as long as may be."""

        async def one(server, number):
            if not server.clients:
                await server.connect()
            elif number % 20 == 0:
                await server.clients.pop().close()
                await server.connect()
            data, status = table[number % len(table)]
            await server.clients[0].send(data)
            self.assertEqual((await server.clients[0].reply()).status, status)

        self.stays(one)

    def test_after_requests(self):
        fields = ("Cookie: b=1", "X-A: 1")
        self.answered(
            [
                (request("GET", "/"), 200),
                (request("POST", "/echo", body=b"x" * 100), 200),
                (request("POST", "/echo", CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n", 200),
                (request("POST", "/stream", body=b"x" * 100), 200),
                (request("GET", "/all/x?a=1", *fields), 200),
                (request("GET", "/all/y?a=2", *fields), 200),
                (request("OPTIONS", "/"), 200),
            ]
        )

    def test_after_replies(self):
        paths = ("/file", "/generator", "/iterator", "/cookies")

        async def one(server, number):
            self.assertEqual((await server.get(paths[number % len(paths)], "Connection: close")).status, 200)
            server.clients.clear()

        self.stays(one)

    def test_after_errors(self):
        paths = (("/abort", 403), ("/none", 404), ("/echo", 405), ("/raise", 500), ("/memory", 503), ("/all/x?a=%zz", 400))
        self.answered([(request("GET", path), status) for path, status in paths])

    def test_after_refusals(self):
        table = [
            (b"nonsense\r\n\r\n", 400),
            (request("GET", "/" + "a" * 3000), 414),
            (request("GET", "/", *["X: " + "a" * 1000] * 10), 431),
            (request("POST", "/echo", CHUNKED) + b"x\r\n", 400),
        ]

        async def one(server, number):
            data, status = table[number % len(table)]
            self.assertEqual((await server.ask(data)).status, status)
            server.clients.clear()

        self.stays(one)

    def test_after_bodies_that_fail(self):
        async def one(server, number):
            with self.assertRaises(Truncated):
                await server.get("/truncated")
            for client in server.clients:
                await client.close()
            server.clients.clear()

        self.stays(one)

    def test_after_clients_that_leave(self):
        table = [
            b"",
            b"GET / HT",
            request("POST", "/echo", "Content-Length: 10") + b"hello",
            request("POST", "/echo", CHUNKED) + b"5\r\nhel",
            request("GET", "/file"),
            request("GET", "/iterator"),
        ]

        async def one(server, number):
            client = await server.connect()
            await client.send(table[number % len(table)])
            await (client.close() if number % 4 else client.reset())
            server.clients.clear()
            if number % 10 == 0:
                await server.get("/")

        self.stays(one)
