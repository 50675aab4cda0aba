# Clients that leave, at any moment, or say nothing: it costs nothing, and nobody is told.

import asyncio
import unittest

from client import request
from microdot import Request
from served import ServedCase
from support import MICROPYTHON, Complaints, Endless, until


class TestDepartures(ServedCase):
    def setUp(self):
        super().setUp()

        @self.app.post("/echo")
        async def echo(request):
            return request.body

        @self.app.get("/endless")
        async def endless(request):
            self.body = Endless()
            return self.body

    def serve(self, test, count_files=True):
        """As ever, and nothing may be printed: a client that leaves is nobody's fault."""
        with Complaints() as printed:
            super().serve(test, count_files)
        self.assertEqual(printed, [])

    def test_client_that_connects_and_says_nothing_is_closed_silently(self):
        async def test(server):
            silent = await server.connect()
            self.assertEqual((await server.get("/")).text, "index")
            self.app.shutdown()
            self.assertEqual(await silent.rest(), b"")

        self.serve(test)

    def test_client_that_connects_and_leaves(self):
        async def test(server):
            for _ in range(10):
                client = await server.connect()
                await client.close()
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_client_that_leaves_at_any_byte_of_a_request(self):
        data = request("POST", "/echo", "X: y", body=b"hello")

        async def test(server):
            for leave in ("close", "reset"):
                for at in range(1, len(data) + 1):
                    client = await server.connect()
                    await client.send(data[:at])
                    await getattr(client, leave)()
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_client_that_leaves_at_any_byte_of_a_chunked_request(self):
        head = request("POST", "/echo", "Transfer-Encoding: chunked")
        body = b"5\r\nhello\r\n3;x\r\nyou\r\n0\r\nX: y\r\n\r\n"

        async def test(server):
            for at in range(len(body)):
                client = await server.connect()
                await client.send(head + body[:at])
                await client.close()
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_client_that_leaves_in_the_middle_of_a_reply(self):
        async def test(server):
            for leave in ("close", "reset"):
                client = await server.connect()
                await client.send(request("GET", "/endless"))
                await client._more()
                await getattr(client, leave)()
                for _ in range(2000):
                    if self.body.closed:
                        break
                    await asyncio.sleep(0.002)
                self.assertTrue(self.body.closed)
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_client_that_leaves_at_any_byte_of_a_reply(self):
        self.app.get("/chunks")(lambda request: (text for text in ("first", "second", "third")))

        async def test(server):
            whole = await server.exchange(request("GET", "/chunks", "Connection: close"))
            length = len(whole) - len("Connection: close\r\n")
            for leave in ("close", "reset"):
                for at in range(1, length + 1, 3):
                    client = await server.connect()
                    await client.send(request("GET", "/chunks"))
                    await client._exactly(at)
                    await getattr(client, leave)()
            self.assertEqual((await server.get("/")).text, "index")

        self.app.max_connections = 200
        self.serve(test)

    def test_client_that_leaves_while_its_handler_works(self):
        finished = []

        @self.app.get("/slow")
        async def slow(request):
            await asyncio.sleep(0.03)
            finished.append(True)
            return "x" * 5000

        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/slow"))
            await asyncio.sleep(0.01)
            await client.reset()
            await asyncio.sleep(0.05)
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)
        self.assertEqual(finished, [True])

    @unittest.skipIf(MICROPYTHON, "asyncio closes only its side of a socket, not half of it")
    def test_client_that_half_closes_gets_its_reply(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/"))
            client._writer.write_eof()
            self.assertEqual((await client.reply()).text, "index")
            self.assertEqual(await client.rest(), b"")

        self.serve(test)

    def test_clients_that_say_nothing_do_not_hinder_others(self):
        async def test(server):
            for _ in range(4):
                await server.connect()
                slow = await server.connect()
                await slow.send(b"GET / HT")
                self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)


class TestWhatOutlivesARequest(ServedCase):
    # A task that a handler leaves behind holds on to its own request, never to the next client.
    def setUp(self):
        super().setUp()
        self.seen = []
        self.uploading = False
        self.addCleanup(setattr, Request, "max_body_length", Request.max_body_length)
        Request.max_body_length = 0

        @self.app.post("/behind")
        async def behind(request):
            self.address = request._connection.client_addr()
            self.task = asyncio.create_task(self.look(request))
            return "left"

        @self.app.post("/upload")
        async def upload(request):
            self.uploading = True
            await self.task
            return await request.stream.read()

    async def look(self, request):
        await until(lambda: self.uploading)
        self.seen.append(request.client_addr)
        try:
            self.seen.append(await request.stream.read(100))
        except OSError:
            self.seen.append(None)

    def test_neither_body_nor_address_are_those_of_the_next_client(self):
        async def test(server):
            first = await server.connect()
            await first.send(request("POST", "/behind", body=b"x" * 500)[:-100])
            await first.reply()
            await first.close()
            await until(lambda: not self.app._server.connections)
            reply = await server.ask(request("POST", "/upload", body=b"secret"))
            self.assertEqual(reply.text, "secret")
            self.assertEqual(self.seen, [self.address, None])

        self.serve(test)
