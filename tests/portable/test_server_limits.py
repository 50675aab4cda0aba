# The server's patience: deadlines, how many connections it holds, how many requests one may send.

import asyncio

from client import request
from microdot import Request
from microdot import server as microdot_server
from served import ServedCase
from support import Endless, until

SHORT = 0.1  # seconds


class LimitsCase(ServedCase):
    def setUp(self):
        super().setUp()
        app = self.app

        @app.post("/echo")
        async def echo(request):
            return request.body

        @app.get("/slow")
        async def slow(request):
            await asyncio.sleep(4 * SHORT)
            return "slow"

        @app.get("/endless")
        async def endless(request):
            self.body = Endless()
            return self.body

    def serve(self, test, **limits):
        for name in limits:
            setattr(self.app, name, limits[name])
        super().serve(test, count_files=True)


class TestDeadlines(LimitsCase):
    def test_head_that_does_not_end_is_answered_408(self):
        async def test(server):
            received = await server.exchange(b"GET / HTTP/1.1\r\nHost:")
            self.assertEqual(received[:13], b"HTTP/1.1 408 ")

        self.serve(test, head_timeout=SHORT)

    def test_head_that_trickles_does_not_get_more_time(self):
        async def test(server):
            client = await server.connect()
            data = request("GET", "/", "X: " + "y" * 2000)
            for i in range(len(data)):
                try:
                    await client.send(data[i : i + 1])
                except OSError:
                    break
                await asyncio.sleep(0.02)
            self.assertLess(i, len(data) - 1)

        self.serve(test, head_timeout=SHORT)

    def test_connection_without_request_is_closed_silently(self):
        async def test(server):
            self.assertEqual(await server.exchange(b""), b"")

        self.serve(test, head_timeout=SHORT)

    def test_idle_connection_is_closed_silently(self):
        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/")).text, "index")
            self.assertEqual(await client.rest(), b"")

        self.serve(test, idle_timeout=SHORT)

    def test_second_request_has_its_own_time_once_it_has_begun(self):
        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/")).text, "index")
            await client.send(b"GET / HTTP/1.1\r\n")
            for _ in range(10):
                await asyncio.sleep(4 * SHORT / 10)
            await client.send(b"Host: a\r\n\r\n")
            self.assertEqual((await client.reply()).text, "index")

        self.serve(test, idle_timeout=SHORT)

    def test_second_request_has_its_own_time_where_both_deadlines_are_equal(self):
        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/")).text, "index")
            ours = self.app._server
            connection = ours.connections[0]
            deadline = connection.deadline
            end = ours.now + 2
            await until(lambda: ours.now > end)
            await client.send(b"GET / HTTP/1.1\r\n")
            await until(lambda: connection.end)
            self.assertGreater(connection.deadline, deadline)
            await client.send(b"Host: a\r\n\r\n")
            self.assertEqual((await client.reply()).text, "index")

        self.serve(test, head_timeout=10, idle_timeout=10)

    def test_body_that_does_not_come_is_answered_408(self):
        async def test(server):
            received = await server.exchange(request("POST", "/echo", "Content-Length: 10") + b"hello")
            self.assertEqual(received[:13], b"HTTP/1.1 408 ")

        self.serve(test, body_timeout=SHORT)

    def test_handler_may_take_longer_than_every_deadline(self):
        async def test(server):
            self.assertEqual((await server.get("/slow")).text, "slow")

        self.serve(test, head_timeout=SHORT, body_timeout=SHORT, idle_timeout=SHORT)

    def test_handler_that_gives_up_waiting_for_a_body_has_no_deadline_left(self):
        self.addCleanup(setattr, Request, "max_body_length", Request.max_body_length)
        Request.max_body_length = 0

        @self.app.post("/impatient")
        async def impatient(request):
            try:
                await asyncio.wait_for(request.stream.read(1), SHORT / 4)
            except asyncio.TimeoutError:
                await asyncio.sleep(6 * SHORT)
                return "no body"

        async def test(server):
            reply = await server.ask(request("POST", "/impatient", body=b"body")[:-4])
            self.assertEqual((reply.status, reply.text), (200, "no body"))

        self.serve(test, body_timeout=SHORT)

    def test_client_that_does_not_read_is_given_up(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/endless"))
            for _ in range(500):
                await asyncio.sleep(0.01)
                if hasattr(self, "body") and self.body.closed:
                    return
            self.fail("still waiting for the client")

        self.serve(test, write_timeout=SHORT)


class TestConnections(LimitsCase):
    def test_oldest_idle_connection_makes_room(self):
        async def test(server):
            first, second = await server.connect(), await server.connect()
            self.assertEqual((await first.get("/")).text, "index")
            self.assertEqual((await second.get("/")).text, "index")
            third = await server.connect()
            self.assertEqual((await third.get("/")).text, "index")
            self.assertEqual(await first.rest(), b"")
            self.assertEqual((await second.get("/")).text, "index")

        self.serve(test, max_connections=2)

    def test_busy_server_answers_503(self):
        async def test(server):
            busy = await server.connect()
            await busy.send(request("GET", "/slow"))
            await asyncio.sleep(0.02)
            received = await server.exchange(request("GET", "/"))
            self.assertEqual(received[:13], b"HTTP/1.1 503 ")
            self.assertEqual((await busy.reply()).text, "slow")
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test, max_connections=1)

    def test_client_that_is_turned_away_without_memory_is_closed(self):
        def fail(writer):
            raise MemoryError("none left in this test")

        async def test(server):
            slow = await server.connect()
            await slow.send(request("GET", "/slow"))
            await until(lambda: [c.phase for c in self.app._server.connections] == [microdot_server.HANDLING])
            self.addCleanup(setattr, microdot_server, "unread", microdot_server.unread)
            microdot_server.unread = fail
            self.assertEqual((await server.exchange(b""))[:13], b"HTTP/1.1 503 ")
            self.assertEqual((await slow.reply()).text, "slow")

        self.serve(test, max_connections=1)

    def test_what_a_client_sent_last_may_be_out_of_reach(self):
        for error in (OSError(104), MemoryError()):

            def read(n, error=error):
                raise error

            stream = type("Stream", (), {})()
            stream.s = type("Socket", (), {})()
            stream.s.read = read
            self.assertEqual(microdot_server.unread(stream), 0)

    def test_many_connections_after_each_other(self):
        async def test(server):
            for _ in range(50):
                self.assertEqual((await server.get("/")).text, "index")

        self.serve(test, max_connections=2)

    def test_requests_of_one_connection(self):
        async def test(server):
            client = await server.connect()
            for n in range(3):
                reply = await client.get("/")
                self.assertEqual((n, reply.headers.get("connection")), (n, "close" if n == 2 else None))
            self.assertEqual(await client.rest(), b"")

        self.serve(test, max_requests=3)
