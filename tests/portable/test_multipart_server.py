# Uploads over real sockets: files far larger than the memory for them, clients that leave at any byte, bodies that end early.

import asyncio
import gc
import os
import unittest

from client import request
from forms import TYPE, form, part
from microdot import Request
from microdot.multipart import FileUpload, FormDataIter, with_form_data
from served import ServedCase
from support import MICROPYTHON, Complaints

LARGE = 10 * 1024 * 1024
PIECE = bytes(range(256)) * 8  # small, for what the client has not sent yet is on the same heap


class Counter:
    """An open file that counts, and looks at the heap as it is written to."""

    def __init__(self):
        self.total = 0
        self.most = 0

    def write(self, data):
        self.total += len(data)
        if MICROPYTHON and self.total % (1 << 20) < len(data):
            gc.collect()
            self.most = max(self.most, gc.mem_alloc())
        return len(data)


class UploadCase(ServedCase):
    def setUp(self):
        super().setUp()
        for name in ("max_content_length", "max_body_length"):
            self.addCleanup(setattr, Request, name, getattr(Request, name))
        Request.max_content_length = 2 * LARGE
        Request.max_body_length = 0
        self.counter = Counter()

        @self.app.post("/save")
        async def save(request):
            async for _, value in FormDataIter(request):
                if isinstance(value, FileUpload):
                    await value.save("saved")
            return str(os.stat("saved")[6])

        @self.app.post("/count")
        async def count(request):
            async for _, value in FormDataIter(request):
                if isinstance(value, FileUpload):
                    await value.save(self.counter)
            return str(self.counter.total)

        @self.app.post("/gather")
        @with_form_data
        async def gather(request):
            return "{} {}".format(request.form, [await request.files["f"].read()])

        self.addCleanup(self.remove_files)

    def remove_files(self):
        for name in os.listdir("."):
            os.remove(name)


def head(path, length):
    return request("POST", path, "Content-Type: " + TYPE, "Content-Length: %d" % length)


async def send_large(client, path):
    """Upload a file of LARGE bytes without holding it."""
    frame = form(part("f", b"@", "f"), part("a", "b"))
    before, after = frame[: frame.find(b"@")], frame[frame.find(b"@") + 1 :]
    await client.send(head(path, len(before) + LARGE + len(after)) + before)
    for _ in range(LARGE // len(PIECE)):
        await client.send(PIECE)
    await client.send(after)
    return await client.reply()


class TestLarge(UploadCase):
    def test_large_file_to_a_file(self):
        async def test(server):
            client = await server.connect()
            self.assertEqual((await send_large(client, "/save")).text, str(LARGE))
            self.assertTrue(await client.is_open())

        self.serve(test)
        with open("saved", "rb") as file:
            for _ in range(LARGE // len(PIECE)):
                self.assertTrue(file.read(len(PIECE)) == PIECE)

    @unittest.skipUnless(MICROPYTHON, "CPython does not tell its heap")
    def test_large_file_in_constant_memory(self):
        async def test(server):
            client = await server.connect()
            await client.send(head("/count", len(form(part("f", "x", "f")))) + form(part("f", "x", "f")))
            self.assertEqual((await client.reply()).text, "1")
            gc.collect()
            before = gc.mem_alloc()
            self.assertEqual((await send_large(client, "/count")).text, str(LARGE + 1))
            # The scanner's buffer, the one that is written, the handler's frames.
            self.assertLessEqual(self.counter.most - before, 8 * 1024)
            gc.collect()
            self.assertLessEqual(gc.mem_alloc() - before, 512)

        self.serve(test)

    def test_body_over_the_limit_is_refused(self):
        async def test(server):
            client = await server.connect()
            await client.send(head("/count", 2 * LARGE + 1))
            self.assertEqual((await client.reply()).status, 413)

        self.serve(test)


class TestDepartures(UploadCase):
    def serve(self, test):
        """As ever, and nothing may be printed or left behind: a client that leaves is nobody's fault."""
        with Complaints() as printed:
            super().serve(test, True)
        self.assertEqual(printed, [])
        self.assertEqual(os.listdir("."), [])

    def test_client_that_leaves_at_any_byte(self):
        body = form(part("a", "b"), part("f", b"data", "f"))
        start = head("/gather", len(body))

        async def test(server):
            for leave in ("close", "reset"):
                for at in range(0, len(body), 1 if leave == "close" else 7):
                    client = await server.connect()
                    await client.send(start + body[:at])
                    await getattr(client, leave)()
                    server.clients.clear()  # scattered over a small heap they would leave no room for a large object
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_client_that_leaves_in_a_file_that_is_saved(self):
        body = form(part("f", b"x" * 30000, "f"))

        async def test(server):
            for path in ("/save", "/gather"):
                for at in (500, 1500, 15000, len(body) - 60):
                    client = await server.connect()
                    await client.send(head(path, len(body)) + body[:at])
                    for _ in range(5):
                        await asyncio.sleep(0)
                    await client.close()
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)

    def test_body_that_ends_at_any_byte(self):
        body = form(part("a", "b"), part("f", b"data", "f"))

        async def test(server):
            client = await server.connect()
            for at in range(1, len(body) - 2):
                await client.send(head("/gather", at) + body[:at])
                self.assertEqual((await client.reply()).status, 400)
            await client.send(head("/gather", len(body)) + body)
            self.assertEqual((await client.reply()).status, 200)

        self.serve(test)

    def test_body_that_arrives_byte_by_byte(self):
        body = form(part("a", "b"), part("f", b"\r\n--data\r\n", "f"))

        async def test(server):
            client = await server.connect()
            await client.send(head("/gather", len(body)))
            await client.send_bytewise(body)
            self.assertEqual((await client.reply()).text, "{'a': 'b'} [b'\\r\\n--data\\r\\n']")

        self.serve(test)

    def test_chunked_body(self):
        body = form(part("a", "b"), part("f", b"data" * 500, "f"))

        async def test(server):
            client = await server.connect()
            await client.send(request("POST", "/save", "Content-Type: " + TYPE, "Transfer-Encoding: chunked"))
            for at in range(0, len(body), 100):
                piece = body[at : at + 100]
                await client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            await client.send(b"0\r\n\r\n")
            self.assertEqual((await client.reply()).text, "2000")
            os.remove("saved")

        self.serve(test)
