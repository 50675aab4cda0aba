# What goes wrong over real sockets: clients that send nonsense or leave, handlers and bodies that raise.

import asyncio
import unittest

from client import Truncated, request
from heads import REFUSED
from microdot import Microdot, Request, Response
from microdot.server import Connection
from served import ServedCase
from support import MICROPYTHON, Chunks, Complaints, until


class FaultsCase(ServedCase):
    def setUp(self):
        super().setUp()
        app = self.app

        @app.post("/echo")
        async def echo(request):
            return request.body

        @app.get("/raise")
        async def broken(request):
            raise ValueError("broken by a test")

        @app.get("/generator")
        async def generator(request):
            return self.broken_generator()

        @app.get("/iterator")
        async def iterator(request):
            self.body = Chunks(["first", KeyError("body broken by a test")])
            return self.body

    def broken_generator(self):
        yield "first"
        yield "second"
        raise ValueError("body broken by a test")


class TestMalformedRequests(FaultsCase):
    def setUp(self):
        super().setUp()
        # The server looks after a refused client for a moment longer, which counts as a connection.
        self.app.max_connections = len(REFUSED) + 1

    def test_refused_with_a_status_and_closed(self):
        async def test(server):
            for name, data, status in REFUSED:
                reply = await server.ask(data)
                self.assertEqual((name, reply.status, reply.version), (name, status, "HTTP/1.1"))
                self.assertEqual(reply.headers["connection"], "close")

        self.serve(test, count_files=True)

    def test_nothing_is_answered_behind_a_malformed_request(self):
        async def test(server):
            received = await server.exchange(b"nonsense\r\n\r\n" + request("GET", "/"))
            self.assertEqual((received.count(b"HTTP/1.1"), received.count(b"index")), (1, 0))

        self.serve(test)

    def test_requests_ahead_are_answered(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/") + b"nonsense\r\n\r\n")
            self.assertEqual((await client.reply()).text, "index")
            self.assertEqual((await client.reply()).status, 400)
            self.assertEqual(await client.rest(), b"")

        self.serve(test)

    def test_body_and_connection_header_of_a_refusal(self):
        async def test(server):
            client = await server.connect()
            await client.send(b"GET /\r\n\r\n")
            reply = await client.reply()
            self.assertEqual((reply.text, reply.headers["connection"]), ("Bad request", "close"))

        self.serve(test)

    def test_application_handles_bad_requests(self):
        self.app.errorhandler(400)(lambda request: ("custom", 418) if request is None else "request")

        async def test(server):
            received = await server.exchange(b"GET /\r\n\r\n")
            self.assertEqual((received[:13], received[-6:]), (b"HTTP/1.1 418 ", b"custom"))

        self.serve(test)

    def test_lines_over_the_limits(self):
        limit = Request.max_readline
        long_path = request("GET", "/" + "a" * limit)
        long_field = request("GET", "/", "X: " + "a" * limit)
        many_fields = request("GET", "/", *["X: y"] * Request.max_fields)
        endless_line = [b"GET /"] + [b"a" * 1000] * 200
        endless_head = [b"GET / HTTP/1.1\r\n"] + [b"X: y\r\n" * 200] * 200
        table = [([long_path], 414), ([long_field], 431), ([many_fields], 431)]
        table += [(endless_line, 414), (endless_head, 431)]

        async def test(server):
            for pieces, status in table:
                self.assertEqual((await server.ask(*pieces)).status, status)
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test, count_files=True)

    def test_bad_escapes_are_answered_400_and_the_connection_goes_on(self):
        self.app.get("/args")(lambda request: request.args["a"])

        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/args?a=%zz")).status, 400)
            self.assertEqual((await client.get("/args?a=%41")).text, "A")

        self.serve(test)


class TestHandlers(FaultsCase):
    def test_exception_is_answered_500_and_the_connection_goes_on(self):
        async def test(server):
            client = await server.connect()
            for _ in range(2):
                reply = await client.get("/raise")
                self.assertEqual((reply.status, reply.text), (500, "Internal server error"))
                self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_exception_does_not_spoil_a_body_behind_it(self):
        self.app.post("/raise")(lambda request: int("broken by a test"))

        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/raise", body=b"GET / HTTP/1.1\r\n\r\n") + request("GET", "/"))
            self.assertEqual((await client.reply()).status, 500)
            self.assertEqual((await client.reply()).text, "index")

        self.serve(test)

    def test_handler_without_memory_is_answered_503_and_the_connection_goes_on(self):
        @self.app.get("/memory")
        async def memory(request):
            raise MemoryError("none left in this test")

        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/memory")).status, 503)
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_faults_of_handlers_are_printed_once(self):
        async def test(server):
            await server.get("/raise")

        with Complaints() as printed:
            self.serve(test)
        self.assertEqual([type(exc) for exc in printed], [ValueError])

    def test_headers_that_would_split_the_reply_never_leave(self):
        evil = "a\r\nX-Evil: 1\r\n\r\nevil"
        results = [
            ("x", 200, {"X-A": evil}),
            ("x", 200, {"X-A: 1\r\nX-Evil": "1"}),
            ("x", 200, {"X-A": ["fine", evil]}),
            ("x", 200, {"Location": "/\nX-Evil: 1"}),
            ("x", 200, {"X-A": "nul\0"}),
            Response("x", 200, {}, "OK\r\nX-Evil: 1"),
        ]

        for result in results:
            app = self.app = Microdot()
            app.get("/evil")(lambda request, result=result: result)
            app.get("/alive")(lambda request: "alive")

            async def one(server):
                client = await server.connect()
                reply = await client.get("/evil")
                self.assertEqual(reply.status, 500)
                self.assertNotIn("x-evil", reply.headers)
                self.assertEqual((await client.get("/alive")).text, "alive")

            self.serve(one)


class TestBrokenBodies(FaultsCase):
    def test_client_sees_a_truncated_body(self):
        async def test(server):
            for path in ("/generator", "/iterator"):
                client = await server.connect()
                with self.assertRaises(Truncated):
                    await client.get(path)
            self.assertTrue(self.body.closed)
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test, count_files=True)

    def test_fault_ahead_of_the_first_piece_is_answered_500_and_the_connection_goes_on(self):
        def generator():
            raise ValueError("body broken by a test")
            yield "never"

        bodies = {
            "/early/generator": lambda: generator(),
            "/early/iterator": lambda: Chunks([KeyError("body broken by a test")]),
            "/early/reset": lambda: Chunks([OSError(104)]),  # of a connection of the handler's own
            "/early/longer": lambda: Chunks(["longer than declared"]),
        }
        for path in bodies:

            @self.app.get(path)
            async def early(request, path=path):
                return bodies[path](), 200, {"X-Own": "a", "Content-Length": "3"} if "longer" in path else {"X-Own": "a"}

        async def test(server):
            for path in bodies:
                client = await server.connect()
                with Complaints() as complaints:
                    reply = await client.get(path)
                self.assertEqual((path, reply.status, reply.text), (path, 500, "Internal server error"))
                self.assertNotIn("x-own", reply.headers)
                self.assertEqual(len(complaints), 1)
                self.assertEqual((await client.get("/")).text, "index")

        self.serve(test, count_files=True)

    def test_what_came_before_the_fault_arrives(self):
        async def test(server):
            received = await server.exchange(request("GET", "/generator"))
            self.assertTrue(b"first" in received and b"second" in received)
            self.assertFalse(received.endswith(b"0\r\n\r\n"))

        self.serve(test)

    def test_version_10_body_is_not_taken_for_complete(self):
        # Without chunks and length a client can tell only by a declared length or a reset.
        @self.app.get("/declared")
        async def declared(request):
            return self.broken_generator(), 200, {"Content-Length": "100"}

        async def test(server):
            try:
                received = await server.exchange(b"GET /declared HTTP/1.0\r\n\r\n")
            except OSError:
                return
            self.assertTrue(received.endswith(b"second"), received)

        self.serve(test)

    def test_body_that_differs_from_its_declared_length_does_not_spoil_the_next(self):
        for length in ("3", "100"):

            @self.app.get("/wrong/" + length)
            async def wrong(request, length=length):
                return (text for text in ("HTTP/1.1 ", "200 OK")), 200, {"Content-Length": length}

            async def test(server, length=length):
                client = await server.connect()
                try:
                    await client.get("/wrong/" + length)
                    reply = await client.get("/")
                    self.assertEqual(reply.text, "index")
                except (Truncated, OSError):
                    pass  # the connection was ended, which is right as well

            self.serve(test)


@unittest.skipIf(not MICROPYTHON, "the heap of CPython can't be locked")
class TestWithoutHeap(ServedCase):
    # What a connection needs to begin and to end is in memory from the start.
    def setUp(self):
        super().setUp()
        self.run_whole, self.expire_whole = Connection.run, Connection.expire
        self.addCleanup(setattr, Connection, "run", self.run_whole)
        self.addCleanup(setattr, Connection, "expire", self.expire_whole)

    def test_connections_that_can_not_begin_take_no_place(self):
        from micropython import heap_lock, heap_unlock

        async def run(connection, reader, writer):
            coroutine = self.run_whole(connection, reader, writer)
            heap_lock()
            try:
                coroutine.send(None)
            except StopIteration:
                pass
            finally:
                heap_unlock()

        async def test(server):
            Connection.run = run
            client = await server.connect()
            await until(lambda: self.app._server.watcher)
            await asyncio.sleep(0.02)
            Connection.run = self.run_whole
            self.assertEqual(self.app._server.connections, [])
            await client.close()
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_deadlines_end_connections_and_not_the_server(self):
        from micropython import heap_lock, heap_unlock

        whole = self.expire_whole

        def expire(connection):
            heap_lock()
            try:
                whole(connection)
            finally:
                heap_unlock()

        async def test(server):
            Connection.expire = expire
            client = await server.connect()
            await client.send(b"GET / HTTP/1.1\r\nHost:")
            self.assertEqual((await client.rest())[:13], b"HTTP/1.1 408 ")
            Connection.expire = whole
            self.assertEqual((await server.get("/")).text, "index")

        self.app.head_timeout = 0.1
        self.serve(test, count_files=True)
