# app.static over real sockets: heads, parts, revalidation and long files on one connection; no file left open.

from client import request
from microdot import Response
from served import ServedCase
from tree import plant, touch

LONG = b"".join([b"%07d\n" % i for i in range(12500)])  # 100,000 bytes, no two pieces alike


class TestServed(ServedCase):
    def setUp(self):
        super().setUp()
        files = {
            "page.html": b"<h1>page</h1>",
            "page.html.gz": b"zipped",
            "long.txt": LONG,
            "empty.txt": b"",
            "sub/x.txt": b"x",
        }
        plant(self, {"site/" + name: data for name, data in files.items()})
        self.app.static("/static", "site")

    def test_file(self):
        async def test(server):
            reply = await server.get("/static/page.html")
            self.assertEqual((reply.version, reply.status, reply.body), ("HTTP/1.1", 200, b"<h1>page</h1>"))
            self.assertEqual(reply.headers["content-type"], "text/html; charset=UTF-8")
            self.assertEqual(reply.headers["content-length"], "13")
            self.assertNotIn("transfer-encoding", reply.headers)

        self.serve(test, count_files=True)

    def test_one_connection_for_all(self):
        async def test(server):
            client = await server.connect()
            first = await client.get("/static/page.html", "Accept-Encoding: gzip")
            self.assertEqual((first.body, first.headers["content-encoding"]), (b"zipped", "gzip"))
            for path, fields, status, body in (
                ("/static/page.html", ("Accept-Encoding: gzip", "If-None-Match: " + first.headers["etag"]), 304, b""),
                ("/static/long.txt", (), 200, LONG),
                ("/static/long.txt", ("Range: bytes=4095-8192",), 206, LONG[4095:8193]),
                ("/static/long.txt", ("Range: bytes=-9000",), 206, LONG[-9000:]),
                ("/static/long.txt", ("Range: bytes=100000-",), 416, b"Range not satisfiable"),
                ("/static/long.txt", ("If-Match: nothing",), 412, b"Precondition failed"),
                ("/static/empty.txt", (), 200, b""),
                ("/static/sub", (), 302, b""),
                ("/static/sub/x.txt", (), 200, b"x"),
                ("/static/missing", (), 404, b"Not found"),
                ("/static/../page.html", (), 404, b"Not found"),
                ("/static/%zz", (), 400, b"malformed escape in path"),
                ("/static/page.html", (), 200, b"<h1>page</h1>"),
            ):
                with self.subTest(path=path, fields=fields):
                    reply = await client.get(path, *fields)
                    self.assertEqual((reply.status, reply.body), (status, body))

        self.serve(test, count_files=True)

    def test_head(self):
        async def test(server):
            client = await server.connect()
            for path, length in (("page.html", "13"), ("long.txt", "100000"), ("empty.txt", "0")):
                await client.send(request("HEAD", "/static/" + path))
                reply = await client.reply("HEAD")
                self.assertEqual((reply.status, reply.headers["content-length"]), (200, length))
                self.assertEqual((await client.get("/static/" + path)).headers, reply.headers)

        self.serve(test, count_files=True)

    def test_parts_around_the_sender_s_buffer(self):
        buffer = 4 * Response.send_file_buffer_size

        async def test(server):
            client = await server.connect()
            for start in (0, 1):
                for length in (1, buffer - 1, buffer, buffer + 1, 2 * buffer, 2 * buffer + 1):
                    reply = await client.get("/static/long.txt", "Range: bytes={}-{}".format(start, start + length - 1))
                    self.assertEqual(reply.body, LONG[start : start + length])
                    self.assertEqual(reply.headers["content-length"], str(length))

        self.serve(test)

    def test_file_that_grows_is_sent_as_it_was(self):
        def growing(request, response):
            # What another task appends after the head was made.
            with open("site/empty.txt", "ab") as file:
                file.write(b"more")
            return response

        self.app.after_request(growing)

        async def test(server):
            client = await server.connect()
            for expected in (b"", b"more", b"moremore"):
                self.assertEqual((await client.get("/static/empty.txt")).body, expected)

        self.serve(test)

    def test_client_that_leaves_in_the_middle(self):
        async def test(server):
            for _ in range(5):
                client = await server.connect()
                await client.send(request("GET", "/static/long.txt"))
                await client.reset()
            self.assertEqual((await server.get("/static/page.html")).status, 200)

        self.serve(test, count_files=True)

    def test_without_a_clock(self):
        touch("site/page.html", (2000, 1, 1, 0, 0, 0))

        async def test(server):
            client = await server.connect()
            first = await client.get("/static/page.html")
            self.assertNotIn("last-modified", first.headers)
            again = await client.get("/static/page.html", "If-None-Match: " + first.headers["etag"])
            self.assertEqual((again.status, again.headers["etag"]), (304, first.headers["etag"]))

        self.serve(test)
