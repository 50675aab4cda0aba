# Request bodies over real sockets: lengths, chunks, 100-continue, bodies that are too long or left unread.

import asyncio

from client import request
from microdot import Request
from served import ServedCase

CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def chunks(*pieces):
    """Return a chunked body of these pieces."""
    return b"".join([b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]) + b"0\r\n\r\n"


class BodiesCase(ServedCase):
    def setUp(self):
        super().setUp()
        self.called = []
        for name in ("max_content_length", "max_body_length"):
            self.addCleanup(setattr, Request, name, getattr(Request, name))

        @self.app.post("/echo")
        async def echo(request):
            self.called.append("echo")
            return request.body

        @self.app.post("/stream/<how>")
        async def stream(request, how):
            self.assertEqual(request.body, b"")
            return await self.read(request.stream, how)

        @self.app.post("/ignore")
        async def ignore(request):
            self.called.append("ignore")
            return "ignored"

        @self.app.get("/smuggled")
        async def smuggled(request):
            self.called.append("smuggled")
            return "smuggled"

        @self.app.get("/alive")
        async def alive(request):
            return "alive"

    async def read(self, stream, how):
        if how == "all":
            return await stream.read()
        pieces = []
        while True:
            piece = await (stream.readline() if how == "lines" else stream.read(7))
            if not piece:
                return b"|".join(pieces) if how == "lines" else b"".join(pieces)
            pieces.append(piece)


class TestLengths(BodiesCase):
    def test_bodies_of_many_sizes(self):
        async def test(server):
            client = await server.connect()
            for size in (0, 1, 900, 1000, 1023, 1024, 1025, 2048, 5000, 16384):
                await client.send(request("POST", "/echo", body=b"x" * size))
                self.assertEqual((size, len((await client.reply()).body)), (size, size))

        self.serve(test)

    def test_body_that_arrives_in_pieces(self):
        async def test(server):
            client = await server.connect()
            data = request("POST", "/echo", body=b"0123456789" * 50)
            for at in range(0, len(data), 41):
                await client.send(data[at : at + 41])
                await asyncio.sleep(0)
            self.assertEqual((await client.reply()).body, b"0123456789" * 50)

        self.serve(test)

    def test_stream_ends_with_the_body(self):
        # The client waits for the answer with the connection open: reading on would never end.
        Request.max_body_length = 100
        body = b"some line\nanother line\n" * 20 + b"last"

        async def test(server):
            client = await server.connect()
            for how in ("all", "pieces", "lines"):
                await client.send(request("POST", "/stream/" + how, body=body))
                received = (await client.reply()).body
                self.assertEqual(received.replace(b"|", b""), body)
            self.assertEqual(received.count(b"|"), 40)
            self.assertTrue(await client.is_open())

        self.serve(test)

    def test_readexactly(self):
        Request.max_body_length = 0

        @self.app.post("/exactly")
        async def exactly(request):
            stream = request.stream
            first = await stream.readexactly(1)
            return first + b"|" + await stream.readexactly(10) + b"|" + await stream.readexactly(1000)

        async def test(server):
            client = await server.connect()
            await client.send_bytewise(request("POST", "/exactly", body=b"x" * 1011))
            self.assertEqual((await client.reply()).body, b"x|" + b"x" * 10 + b"|" + b"x" * 1000)

        self.serve(test)


class TestChunked(BodiesCase):
    def test_bodies(self):
        table = [
            ("one chunk", chunks(b"hello"), b"hello"),
            ("three chunks", chunks(b"one", b"two", b"three" * 300), b"onetwo" + b"three" * 300),
            ("no chunk", chunks(), b""),
            ("capital digits", b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
            ("zeros ahead", b"0005\r\nhello\r\n00\r\n\r\n", b"hello"),
            ("extension", b"5;a=b;c\r\nhello\r\n0;x\r\n\r\n", b"hello"),
            ("trailer", b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n", b"hello"),
            ("line ends in data", chunks(b"\r\n0\r\n\r\n"), b"\r\n0\r\n\r\n"),
        ]

        async def test(server):
            client = await server.connect()
            for name, data, body in table:
                for bytewise in (False, True):
                    send = client.send_bytewise if bytewise else client.send
                    await send(request("POST", "/echo", CHUNKED) + data)
                    self.assertEqual((name, (await client.reply()).body), (name, body))

        self.serve(test)

    def test_followed_by_another_request(self):
        async def test(server):
            client = await server.connect()
            first = request("POST", "/echo", CHUNKED) + chunks(b"one", b"two")
            await client.send(first + request("POST", "/echo", body=b"three"))
            self.assertEqual(await client.bodies(2), [b"onetwo", b"three"])

        self.serve(test)

    def test_stream(self):
        Request.max_body_length = 10
        pieces = [b"some line\n", b"another", b" line\nlast" * 3]

        async def test(server):
            client = await server.connect()
            for how in ("all", "pieces", "lines"):
                await client.send(request("POST", "/stream/" + how, CHUNKED) + chunks(*pieces))
                self.assertEqual((await client.reply()).body.replace(b"|", b""), b"".join(pieces))
            self.assertTrue(await client.is_open())

        self.serve(test)

    def test_malformed_chunks_are_answered_400(self):
        self.app.max_connections = 100  # refused clients count for a moment longer
        table = [
            b"\r\nhello\r\n0\r\n\r\n",
            b"x\r\nhello\r\n0\r\n\r\n",
            b"-5\r\nhello\r\n0\r\n\r\n",
            b"+5\r\nhello\r\n0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"5_0\r\nhello\r\n0\r\n\r\n",
            b" 5\r\nhello\r\n0\r\n\r\n",
            b"5\nhello\r\n0\r\n\r\n",
            b"5\r\nhelloworld\r\n0\r\n\r\n",
            b"5\r\nhello0\r\n\r\n",
            b"5;\0\r\nhello\r\n0\r\n\r\n",
            b"5" + b";" * 10000 + b"\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhello\r\n0\r\nX: \0\r\n\r\n",
            b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
        ]

        async def test(server):
            for data in table:
                reply = await server.ask(request("POST", "/echo", CHUNKED), data, SMUGGLED)
                self.assertEqual((data[:20], reply.status), (data[:20], 400))
            self.assertEqual(self.called, [])

        self.serve(test)

    def test_sizes_beyond_the_limit_are_answered_413_or_400(self):
        async def test(server):
            for size in (b"5000", b"ffffffff", b"fffffffffffffffff", b"0" * 300 + b"5"):
                reply = await server.ask(request("POST", "/echo", CHUNKED), size + b"\r\nhello")
                self.assertIn(reply.status, (413, 400))

        self.serve(test)

    def test_body_beyond_the_limit_is_answered_413(self):
        Request.max_content_length = Request.max_body_length = 100

        async def test(server):
            data = chunks(*[b"x" * 10] * 11)
            self.assertEqual((await server.ask(request("POST", "/echo", CHUNKED), data)).status, 413)
            client = await server.connect()
            await client.send(request("POST", "/echo", CHUNKED) + chunks(*[b"x" * 10] * 10))
            self.assertEqual((await client.reply()).body, b"x" * 100)

        self.serve(test)


class TestContinue(BodiesCase):
    def test_client_is_told_to_go_on(self):
        async def test(server):
            client = await server.connect()
            for _ in range(2):
                data = request("POST", "/echo", "Expect: 100-continue", body=b"hello")
                await client.send(data[:-5])
                reply = await client.reply()
                self.assertEqual((reply.version, reply.status, reply.headers), ("HTTP/1.1", 100, {}))
                await client.send(b"hello")
                self.assertEqual((await client.reply()).body, b"hello")

        self.serve(test)

    def test_chunked_body(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/echo", CHUNKED, "Expect: 100-continue"))
            self.assertEqual((await client.reply()).status, 100)
            await client.send(chunks(b"hello"))
            self.assertEqual((await client.reply()).body, b"hello")

        self.serve(test)

    def test_body_that_is_too_long_is_refused_at_once(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/echo", "Expect: 100-continue", "Content-Length: 100000"))
            self.assertEqual((await client.reply()).status, 413)
            self.assertEqual(await client.rest(), b"")

        self.serve(test)

    def test_streaming_handler_that_does_not_read_sends_no_continue(self):
        Request.max_body_length = 0

        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/ignore", "Expect: 100-continue", "Content-Length: 5"))
            self.assertEqual((await client.reply()).text, "ignored")

        self.serve(test)

    def test_unknown_expectation_is_answered_417(self):
        async def test(server):
            self.assertEqual((await server.ask(request("POST", "/echo", "Expect: a-miracle"))).status, 417)

        self.serve(test)


class TestTooLong(BodiesCase):
    def test_refusal_reaches_a_client_that_sends_everything_first(self):
        async def test(server):
            for size in (16385, 60000, 300000, 3000000):
                head = request("POST", "/echo", "Content-Length: {}".format(size))
                reply = await server.ask(head, *[b"x" * 5000] * (size // 5000 + 1))
                self.assertEqual((size, reply.status, reply.text), (size, 413, "Payload too large"))

        self.serve(test)
        self.assertEqual(self.called, [])

    def test_client_that_leaves_after_the_refusal(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/echo", "Content-Length: 99999999"))
            self.assertEqual((await client.reply()).status, 413)
            await client.close()
            self.assertEqual((await server.get("/alive")).text, "alive")

        self.serve(test)


class TestUnread(BodiesCase):
    def test_body_that_nobody_reads_is_never_taken_for_a_request(self):
        Request.max_body_length = 10
        bodies = [SMUGGLED * 2, SMUGGLED * 100, b"x" * 16000 + SMUGGLED]

        async def test(server):
            for body in bodies:
                client = await server.connect()
                await client.send(request("POST", "/ignore", body=body))
                self.assertEqual((await client.reply()).text, "ignored")
                await client.is_open()
                await client.close()
            self.assertNotIn("smuggled", self.called)

        self.serve(test)

    def test_chunks_that_nobody_reads_are_never_taken_for_a_request(self):
        Request.max_body_length = 10

        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/ignore", CHUNKED) + chunks(SMUGGLED, SMUGGLED))
            self.assertEqual((await client.reply()).text, "ignored")
            await client.is_open()
            self.assertNotIn("smuggled", self.called)

        self.serve(test)

    def test_half_read_body(self):
        Request.max_body_length = 10

        @self.app.post("/half")
        async def half(request):
            return await request.stream.readexactly(20)

        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/half", body=b"x" * 20 + SMUGGLED))
            self.assertEqual((await client.reply()).body, b"x" * 20)
            await client.is_open()
            self.assertNotIn("smuggled", self.called)

        self.serve(test)

    def test_body_on_a_path_without_route(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/none", body=SMUGGLED))
            self.assertEqual((await client.reply()).status, 404)
            self.assertTrue(await client.is_open())
            self.assertNotIn("smuggled", self.called)

        self.serve(test)
