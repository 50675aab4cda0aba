# Server-sent events: what is written, what is refused, back pressure, endings, and the server and the client around them.

import asyncio
import unittest

from client import request
from microdot import Microdot, Request, sender
from microdot.server import pending
from microdot.sse import SSE, broadcast, sse_response, with_sse
from microdot.test_client import TestClient
from served import Served, ServedCase
from support import Complaints, collect, run, until


async def events_of(*calls):
    """Return the bytes of events that are sent with these arguments."""
    sse = SSE()
    sse.max_queue = 100
    for args, options in calls:
        await sse.send(*args, **options)
    return sse.queue


def call(*args, **options):
    return args, options


FORMAT = [
    (call("text"), b"data: text\n\n"),
    (call(""), b"data: \n\n"),
    (call("é"), b"data: \xc3\xa9\n\n"),
    (call(b"\xff"), b"data: \xff\n\n"),
    (call({"a": 1}), b'data: {"a": 1}\n\n'),
    (call([1, "b"]), b'data: [1, "b"]\n\n'),
    (call(42), b"data: 42\n\n"),
    (call(None), b"data: None\n\n"),
    (call("a\nb"), b"data: a\ndata: b\n\n"),
    (call("a\rb"), b"data: a\ndata: b\n\n"),
    (call("a\r\nb"), b"data: a\ndata: b\n\n"),
    (call("\na\n\n"), b"data: \ndata: a\ndata: \ndata: \n\n"),
    (call(b"a\nid: 7\n\ndata: b"), b"data: a\ndata: id: 7\ndata: \ndata: data: b\n\n"),
    (call("x", event="e"), b"event: e\ndata: x\n\n"),
    (call("x", event_id="i"), b"id: i\ndata: x\n\n"),
    (call("x", event_id=0), b"id: 0\ndata: x\n\n"),
    (call("x", event_id=""), b"id: \ndata: x\n\n"),
    (call("x", retry=2.5), b"retry: 2500\ndata: x\n\n"),
    (call("x", "e", "i", 1), b"retry: 1000\nevent: e\nid: i\ndata: x\n\n"),
    (call("x", event="é"), b"event: \xc3\xa9\ndata: x\n\n"),
    (call("c", comment=True), b": c\n\n"),
    (call("c\nd", event="e", retry=1, comment=True), b": c\n: d\n\n"),
]


class TestFormat(unittest.TestCase):
    def test_each(self):
        for arguments, expected in FORMAT:
            with self.subTest(arguments=arguments):
                self.assertEqual(run(events_of(arguments)), [expected])

    def test_line_breaks_that_would_make_up_fields_are_refused(self):
        for text in ("a\nb", "a\rb", "a\r\n", "\n", "a\0"):
            for options in ({"event": text}, {"event_id": text}):
                with self.assertRaises(ValueError):
                    run(events_of(call("x", **options)))


class TestResponse(unittest.TestCase):
    def events(self, f, *args, **kwargs):
        async def exchange():
            body, status, headers = sse_response("request", f, *args, **kwargs)
            self.assertEqual(status, 200)
            self.assertEqual(headers, {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
            return b"".join(await collect(body))

        return run(exchange())

    def test_arguments_reach_the_function(self):
        async def f(request, sse, a, b=None):
            await sse.send([request, a, b])

        self.assertEqual(self.events(f, 1, b=2), b'data: ["request", 1, 2]\n\n')

    def test_without_events(self):
        async def f(request, sse):
            pass

        self.assertEqual(self.events(f), b"")

    def test_many_events_arrive_in_order(self):
        async def f(request, sse):
            for n in range(100):
                await sse.send(n)

        self.assertEqual(self.events(f), b"".join([b"data: %d\n\n" % n for n in range(100)]))

    def test_exception_comes_behind_the_events(self):
        async def f(request, sse):
            await sse.send("a")
            raise ZeroDivisionError

        async def exchange():
            body, _, _ = sse_response(None, f)
            chunks = []
            with self.assertRaises(ZeroDivisionError):
                async for chunk in body:
                    chunks.append(chunk)
            self.assertEqual(chunks, [b"data: a\n\n"])
            with self.assertRaises(StopAsyncIteration):
                await body.__anext__()

        run(exchange())

    def test_aclose_cancels_the_function(self):
        log = []

        async def f(request, sse):
            try:
                await sse.send("a")
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                log.append("cancelled")
                await sse.send("nobody listens")
                raise

        async def exchange():
            body, _, _ = sse_response(None, f)
            await body.__anext__()
            await body.aclose()
            await body.aclose()
            await until(lambda: log)

        run(exchange())

    def test_send_waits_for_room(self):
        log = []

        async def f(request, sse):
            for n in range(20):
                await sse.send(n)
                log.append(n)

        async def exchange():
            body, _, _ = sse_response(None, f)
            await asyncio.sleep(0.02)
            self.assertEqual(len(log), SSE.max_queue - 1)
            await body.__anext__()
            await asyncio.sleep(0.02)
            self.assertEqual(len(log), 2 * SSE.max_queue - 1)
            await body.aclose()

        run(exchange())

    def test_waiting_send_ends_with_the_stream(self):
        log = []

        async def f(request, sse):
            async def other():
                for n in range(20):
                    await sse.send(n)
                log.append("ended")

            asyncio.create_task(other())  # noqa: RUF006
            await asyncio.sleep(1000)

        async def exchange():
            body, _, _ = sse_response(None, f)
            await asyncio.sleep(0.02)
            await body.aclose()
            await until(lambda: log)

        run(exchange())

    def test_sending_after_the_end_keeps_nothing(self):
        async def exchange():
            sse = SSE()
            sse.end()
            for n in range(20):
                await sse.send(n)
            self.assertEqual(sse.queue, [])
            with self.assertRaises(ValueError):
                await sse.send("x", event="a\nb")

        run(exchange())


class TestTestClient(unittest.TestCase):
    def test_a_failing_hook_ends_the_handler(self):
        app = Microdot()
        log = []

        @app.get("/")
        @with_sse
        async def events(request, sse):
            try:
                await asyncio.sleep(1000)
            finally:
                log.append("ended")

        @app.after_request
        async def fail(request, response):
            await asyncio.sleep(0)  # the handler starts
            raise ValueError

        async def exchange():
            with Complaints():
                self.assertEqual((await TestClient(app).get("/")).status_code, 500)
            await until(lambda: log)

        run(exchange())

    def test_events(self):
        app = Microdot()

        @app.get("/events/<int:n>")
        @with_sse
        async def events(request, sse, n):
            await sse.send("first", comment=True)
            await sse.send({"n": n}, event="e", event_id="i", retry=1)
            await sse.send("two\nlines")

        response = run(TestClient(app).get("/events/3"))
        self.assertEqual(response.headers["Content-Type"], "text/event-stream")
        self.assertEqual(
            response.events,
            [
                {"data": b'{"n": 3}', "data_json": {"n": 3}, "event": "e", "event_id": "i", "retry": 1},
                {"data": b"two\nlines", "data_json": None, "event": None, "event_id": None, "retry": None},
            ],
        )

    def test_last_event_id(self):
        app = Microdot()

        @app.get("/")
        @with_sse
        async def events(request, sse):
            await sse.send(str(sse.last_event_id))

        client = TestClient(app)
        self.assertEqual(run(client.get("/")).events[0]["data"], b"None")
        self.assertEqual(run(client.get("/", headers={"Last-Event-ID": "7"})).events[0]["data"], b"7")


class SseCase(ServedCase):
    def setUp(self):
        super().setUp()
        self.log = []

        @self.app.get("/silent")
        @with_sse
        async def silent(request, sse):
            self.log.append("begun")
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                self.log.append("cancelled")
                raise

        @self.app.get("/few")
        @with_sse
        async def few(request, sse):
            for n in range(3):
                await sse.send(n)
                await asyncio.sleep(0.01)

    async def event(self, client):
        size = int((await client._until(b"\r\n"))[:-2], 16)
        return (await client._exactly(size + 2))[:-2]


class TestServer(SseCase):
    def test_head_comes_before_the_first_event(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/silent"))
            head = await client._until(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n") and b"text/event-stream" in head, head)

        self.serve(test)

    def test_connection_is_kept(self):
        async def test(server):
            client = await server.connect()
            for _ in range(3):
                reply = await client.get("/few")
                self.assertEqual(reply.body, b"data: 0\n\ndata: 1\n\ndata: 2\n\n")
                self.assertEqual(reply.headers["content-type"], "text/event-stream")
                self.assertEqual(reply.headers["cache-control"], "no-cache")
                self.assertEqual((await client.get("/")).text, "index")

        self.serve(test, count_files=True)

    def test_requests_that_come_meanwhile_are_answered_behind(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/few") + request("GET", "/"))
            await asyncio.sleep(0.01)
            await client.send_bytewise(request("GET", "/few") + request("GET", "/"))
            bodies = await client.bodies(4)
            self.assertEqual(bodies[1::2], [b"index"] * 2)
            self.assertEqual(bodies[::2], [b"data: 0\n\ndata: 1\n\ndata: 2\n\n"] * 2)

        self.serve(test)

    def test_client_that_floods_a_stream_ends_it(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/silent"))
            await until(lambda: self.log)
            await client.send_if_wanted([b"x" * 1000] * 10)
            await until(lambda: "cancelled" in self.log)

        self.serve(test, count_files=True)

    def test_to_http_1_0(self):
        async def test(server):
            received = await server.exchange(request("GET", "/few", version="1.0"))
            self.assertEqual(received.split(b"\r\n\r\n")[1], b"data: 0\n\ndata: 1\n\ndata: 2\n\n")

        self.serve(test)

    def test_head_cancels_the_handler(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("HEAD", "/silent"))
            reply = await client.reply("HEAD")
            self.assertEqual(reply.headers["content-type"], "text/event-stream")
            self.assertEqual((await client.get("/")).text, "index")
            self.assertTrue(self.log in ([], ["begun", "cancelled"]), self.log)

        self.serve(test)

    def test_request_with_a_body(self):
        @self.app.post("/body")
        @with_sse
        async def body(request, sse):
            await sse.send(len(await request.stream.read()))

        async def test(server):
            client = await server.connect()
            for n in (0, 5, 5000, 16 * 1024):
                await client.send(request("POST", "/body", body=b"x" * n))
                self.assertEqual((await client.reply()).body, b"data: %d\n\n" % n)

        self.serve(test)

    def test_failing_handler_cuts_the_connection(self):
        @self.app.get("/fails")
        @with_sse
        async def fails(request, sse):
            await sse.send("a")
            raise ZeroDivisionError

        async def test(server):
            with Complaints() as complaints:
                received = await server.exchange(request("GET", "/fails"))
                self.assertTrue(received.endswith(b"data: a\n\n\r\n"), received)
            self.assertEqual([type(e) for e in complaints], [ZeroDivisionError])

        self.serve(test, count_files=True)


class TestDepartures(SseCase):
    def leaves(self, leave):
        async def test(server):
            with Complaints() as complaints:
                client = await server.connect()
                await client.send(request("GET", "/silent"))
                await until(lambda: self.log)
                await asyncio.sleep(0.02)
                self.assertEqual(self.log, ["begun"])
                await leave(client)
                await until(lambda: len(self.log) == 2)
            self.assertEqual((self.log, complaints), (["begun", "cancelled"], []))

        self.serve(test, count_files=True)

    def test_silent_handler_is_cancelled_at_once(self):
        self.leaves(lambda client: client.close())

    def test_streams_without_memory_end_their_handlers(self):
        def fail(*args):
            raise MemoryError("none left in this test")

        @self.app.get("/held")
        @with_sse
        async def held(request, sse):
            connection = request._connection
            connection.fill = fail
            self.log.append("begun")
            try:
                while True:
                    await sse.send("x")
                    await asyncio.sleep(0.02)
            finally:
                del connection.fill
                self.log.append("ended")

        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/held"))
            await until(lambda: "ended" in self.log)  # nobody could have looked after the client
            self.addCleanup(setattr, sender, "head_of", sender.head_of)
            sender.head_of = fail
            await client.send(request("GET", "/held"))
            await until(lambda: not self.app._server.connections)
            await asyncio.sleep(0.1)
            self.assertEqual(self.log.count("begun"), self.log.count("ended"))

        with Complaints():
            self.serve(test)

    def test_handler_whose_events_a_hook_replaces_is_cancelled(self):
        @self.app.after_request
        async def replace(request, response):
            await until(lambda: self.log)
            return "replaced"

        async def test(server):
            self.assertEqual((await server.get("/silent")).text, "replaced")
            await until(lambda: self.log == ["begun", "cancelled"])

        self.serve(test)

    def test_by_reset(self):
        self.leaves(lambda client: client.reset())

    def test_client_that_does_not_read_is_ended_after_the_write_timeout(self):
        @self.app.get("/endless")
        @with_sse
        async def endless(request, sse):
            try:
                while True:
                    await sse.send("x" * 5000)
            finally:
                self.log.append("ended")

        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/endless"))
            await until(lambda: self.log)

        self.serve(test, count_files=True)

    def test_silent_streams_have_no_deadline(self):
        self.app.head_timeout = self.app.body_timeout = self.app.idle_timeout = 0.2

        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/silent"))
            await asyncio.sleep(0.7)
            self.assertEqual(self.log, ["begun"])

        self.serve(test)

    def test_shutdown_ends_streams_in_order(self):
        async def test():
            async with Served(self.app) as server:
                client = await server.connect()
                await client.send(request("GET", "/silent"))
                await until(lambda: self.log)
                await asyncio.sleep(0.02)
                self.app.shutdown()
                self.assertEqual((await client.reply()).body, b"")
                await server.task
                self.assertEqual(self.log, ["begun", "cancelled"])

        run(test())


class TestBodiesReadWhileAReplyIsSent(ServedCase):
    # The two have a deadline each, and neither's end is the other's.
    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, Request, "max_body_length", Request.max_body_length)
        Request.max_body_length = 0
        self.app.body_timeout = 0.2
        self.log = []

    def test_upload_that_stalls_ends_its_events(self):
        @self.app.post("/progress")
        @with_sse
        async def progress(request, sse):
            data = await request.stream.read(10)
            while data:
                await sse.send(len(data))
                data = await request.stream.read(10)

        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/progress", body=b"x" * 100)[:-50])
            await until(lambda: self.app._server.connections)
            await until(lambda: not self.app._server.connections)

        self.serve(test)

    def test_handler_is_not_ended_by_a_write_that_is_over(self):
        @self.app.post("/slow")
        @with_sse
        async def slow(request, sse):
            self.sent = 0
            writer = request._connection.writer
            while not pending(writer):
                await sse.send("x" * 10000)
                await asyncio.sleep(0)
                self.sent += 10000
            self.log.append("read")
            await request.stream.read(10)
            await asyncio.sleep(1.5)
            self.log.append("end")

        async def test(server):
            self.app.write_timeout = 1
            client = await server.connect()
            await client.send(request("POST", "/slow", body=b"x" * 10)[:-10])
            await until(lambda: self.log)
            got = 0
            while got < self.sent:
                got += len(await client._reader.read(100000))
            await asyncio.sleep(0.02)
            await client.send(b"x" * 10)
            await until(lambda: self.log[-1] == "end" or not self.app._server.connections)
            self.assertEqual(self.log, ["read", "end"])

        self.serve(test)


class TestHeartbeat(SseCase):
    def test_comments_are_sent_in_silence_only(self):
        @self.app.get("/beats")
        @with_sse(heartbeat=0.5)
        async def beats(request, sse):
            for n in range(12):
                await sse.send(n)
                await asyncio.sleep(0.05)
            await asyncio.sleep(1000)

        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/beats"))
            await client._until(b"\r\n\r\n")
            for n in range(12):
                self.assertEqual(await self.event(client), b"data: %d\n\n" % n)
            for _ in range(2):
                self.assertEqual(await self.event(client), b":\n\n")

        self.serve(test, count_files=True)


class TestBroadcast(SseCase):
    def test_slow_ones_are_dropped(self):
        clients = []

        @self.app.get("/feed")
        @with_sse(max_queue=4)
        async def feed(request, sse):
            clients.append(sse)
            try:
                await asyncio.sleep(1000)
            finally:
                clients.remove(sse)

        async def test(server):
            quick, slow = await server.connect(), await server.connect()
            for client in (quick, slow):
                await client.send(request("GET", "/feed"))
                await until(lambda: clients)
            await until(lambda: len(clients) == 2)
            self.assertEqual(await broadcast(clients, "hello", event="e"), [])
            await quick._until(b"\r\n\r\n")
            self.assertEqual(await self.event(quick), b"event: e\ndata: hello\n\n")
            dropped = []
            sent = 0
            while not dropped:
                dropped = await broadcast(clients, "x" * 5000)
                sent += 1
                self.assertTrue((await self.event(quick)).startswith(b"data: xxx"))
                self.assertTrue(sent < 5000)
            await until(lambda: len(clients) == 1)
            await broadcast(clients, "still here")
            self.assertEqual(await self.event(quick), b"data: still here\n\n")

        self.app.head_timeout = 0.4
        self.serve(test, count_files=True)
