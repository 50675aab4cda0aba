# Replies over real sockets: heads, lengths, chunks, files, and replies that have no body.

import io
import os

from client import request
from microdot import Response
from served import RepliesCase
from support import Complaints


class TestReplies(RepliesCase):
    def test_head_of_a_reply(self):
        async def test(server):
            reply = await server.get("/")
            self.assertEqual((reply.version, reply.status, reply.reason), ("HTTP/1.1", 200, "OK"))
            self.assertEqual(reply.headers["content-length"], "5")
            self.assertEqual(reply.headers["content-type"], "text/plain; charset=UTF-8")
            self.assertNotIn("transfer-encoding", reply.headers)

        self.serve(test)

    def test_date(self):
        async def test(server):
            day, date, month, year, clock, zone = (await server.get("/")).headers["date"].split(" ")
            self.assertIn(day, ("Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"))
            self.assertIn(month, "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
            self.assertEqual((len(date), zone), (2, "GMT"))
            self.assertGreaterEqual(int(year), 2025)
            self.assertEqual([len(part) for part in clock.split(":")], [2, 2, 2])

        self.serve(test)

    def test_date_of_the_application_is_the_only_one(self):
        self.app.get("/dated")(lambda request: ("x", 200, {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}))

        async def test(server):
            received = await server.exchange(request("GET", "/dated", "Connection: close"))
            self.assertEqual(received.lower().count(b"\r\ndate: "), 1)

        self.serve(test)

    def test_head_request(self):
        async def test(server):
            client = await server.connect()
            for path, length in (("/", "5"), ("/json/7", "8"), ("/none", "9")):
                await client.send(request("HEAD", path))
                reply = await client.reply("HEAD")
                self.assertEqual(reply.headers["content-length"], length)
                self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_file_that_can_not_seek(self):
        class Pipe:
            def __init__(self):
                self.file = io.BytesIO(b"pipe")
                self.read = self.file.read
                self.readinto = self.file.readinto

            def seek(self, offset, whence=0):
                raise OSError(29)  # ESPIPE

        @self.app.get("/pipe")
        async def pipe(request):
            return Pipe()

        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/pipe")).chunks, [b"pipe"])
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_status_that_no_reply_has(self):
        @self.app.get("/status/<int:status>")
        async def status(request, status):
            return status

        async def test(server):
            client = await server.connect()
            with Complaints():
                for status in (-1, 0, 1, 100, 199, 1000):
                    reply = await client.get("/status/%d" % status)
                    self.assertEqual((reply.status, reply.body), (500, b""))
            for status in (200, 599, 999):
                self.assertEqual((await client.get("/status/%d" % status)).status, status)

        self.serve(test)

    def test_head_request_for_a_body_without_length(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("HEAD", "/generator"))
            self.assertEqual((await client.reply("HEAD")).status, 200)
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_generator_whose_body_is_not_wanted_is_closed(self):
        log = []

        @self.app.get("/held")
        def held(request):
            log.append("begun")
            try:
                yield "first"
                yield "second"
            finally:
                log.append("closed")

        self.app.get("/failing")(held)

        @self.app.after_request
        def after(request, response):
            if request.path == "/failing":
                raise ValueError("broken by a test")

        async def test(server):
            for method, path, status in (("HEAD", "/held", 200), ("GET", "/failing", 500)):
                with Complaints():
                    client = await server.connect()
                    await client.send(request(method, path))
                    self.assertEqual((await client.reply(method)).status, status)
                self.assertEqual(log.count("begun"), log.count("closed"))  # on CPython it need not begin

        self.serve(test)

    def test_no_content_has_no_length(self):
        async def test(server):
            client = await server.connect()
            reply = await client.get("/nothing")
            self.assertEqual(reply.status, 204)
            self.assertNotIn("content-length", reply.headers)
            self.assertNotIn("transfer-encoding", reply.headers)
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_not_modified_has_no_body(self):
        async def test(server):
            client = await server.connect()
            reply = await client.get("/unchanged")
            self.assertEqual((reply.status, reply.headers["etag"]), (304, '"1"'))
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_bodies_without_length_are_chunked(self):
        async def test(server):
            client = await server.connect()
            reply = await client.get("/generator")
            self.assertEqual(reply.chunks, [b"foo", b"bar", b"baz"])
            self.assertNotIn("content-length", reply.headers)
            # An empty chunk would end the body.
            self.assertEqual((await client.get("/iterator")).chunks, [b"foo", b"bar", "é".encode()])

        self.serve(test)

    def test_empty_generator(self):
        @self.app.get("/empty")
        async def empty(request):
            return (text for text in "")

        async def test(server):
            client = await server.connect()
            self.assertEqual((await client.get("/empty")).body, b"")
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_declared_length_is_kept_for_a_generator(self):
        @self.app.get("/declared")
        async def declared(request):
            return (text for text in ("foo", "bar")), 200, {"Content-Length": "6"}

        async def test(server):
            client = await server.connect()
            reply = await client.get("/declared")
            self.assertEqual((reply.body, reply.headers["content-length"]), (b"foobar", "6"))
            self.assertNotIn("transfer-encoding", reply.headers)
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_files_have_a_length(self):
        sizes = (0, 1, 1023, 1024, 1025, 4096, 10000)
        for size in sizes:
            with open("{}.bin".format(size), "wb") as file:
                file.write(b"x" * size)
            self.addCleanup(os.remove, "{}.bin".format(size))

        @self.app.get("/file/<int:size>")
        async def send(request, size):
            return Response.send_file("{}.bin".format(size))

        async def test(server):
            client = await server.connect()
            for size in sizes:
                reply = await client.get("/file/{}".format(size))
                self.assertEqual((reply.headers.get("content-length"), reply.body), (str(size), b"x" * size))
                self.assertNotIn("transfer-encoding", reply.headers)

        self.serve(test)

    def test_head_request_for_a_file(self):
        with open("file.bin", "wb") as file:
            file.write(b"x" * 2000)
        self.addCleanup(os.remove, "file.bin")
        self.app.get("/file")(lambda request: Response.send_file("file.bin"))

        async def test(server):
            client = await server.connect()
            await client.send(request("HEAD", "/file"))
            self.assertEqual((await client.reply("HEAD")).headers["content-length"], "2000")
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_file_like_without_length(self):
        class Source:
            def __init__(self):
                self.pieces = [b"x" * 1024, b"y" * 10]

            def read(self, n):
                return self.pieces.pop(0) if self.pieces else b""

        self.app.get("/source")(lambda request: Response(Source()))

        async def test(server):
            self.assertEqual((await server.get("/source")).body, b"x" * 1024 + b"y" * 10)

        self.serve(test)

    def test_bodies_of_every_size_around_the_buffers(self):
        @self.app.get("/size/<int:n>")
        async def size(request, n):
            return b"x" * n

        @self.app.get("/stream/<int:n>")
        async def stream(request, n):
            return io.BytesIO(b"x" * n)

        async def test(server):
            client = await server.connect()
            for power in (0, 9, 10, 11, 12, 13, 15, 16):
                for n in ((1 << power) - 1, 1 << power, (1 << power) + 1):
                    for kind in ("size", "stream"):
                        reply = await client.get("/{}/{}".format(kind, n))
                        self.assertEqual((n, len(reply.body)), (n, n))

        self.serve(test)

    def test_cookies_are_lines_of_their_own(self):
        @self.app.get("/cookies")
        async def cookies(request):
            response = Response("x")
            response.set_cookie("a", "1")
            response.set_cookie("b", "2")
            return response

        async def test(server):
            data = await server.exchange(request("GET", "/cookies", "Connection: close"))
            self.assertIn(b"\r\nSet-Cookie: a=1\r\n", data)
            self.assertIn(b"\r\nSet-Cookie: b=2\r\n", data)

        self.serve(test)

    def test_options_and_method_not_allowed(self):
        async def test(server):
            client = await server.connect()
            for method, status in (("OPTIONS", 200), ("DELETE", 405)):
                await client.send(request(method, "/"))
                reply = await client.reply()
                self.assertEqual((reply.status, reply.headers["allow"]), (status, "GET, HEAD, OPTIONS"))
            await client.send(request("OPTIONS", "*"))
            self.assertEqual((await client.reply()).status, 200)

        self.serve(test)
