# Many requests and many clients: memory stays flat, no descriptor is left, and a crowd hinders nobody.

import gc
import unittest

from client import request
from served import Served, ServedCase, open_files
from support import MICROPYTHON, run

CROWD = 20 if MICROPYTHON else 100  # clients of each kind; each takes two descriptors of this process


class LoadCase(ServedCase):
    def setUp(self):
        super().setUp()
        app = self.app

        @app.post("/items/<int:n>")
        async def item(request, n):
            return {
                "n": n,
                "json": request.json,
                "agent": request.headers["User-Agent"],
                "args": request.args["a"],
            }

        @app.get("/generator")
        async def generator(request):
            return ("x" * n for n in range(1, 10))

        @app.get("/raise")
        async def broken(request):
            return int("broken by a test")


class TestMemory(LoadCase):
    @unittest.skipUnless(MICROPYTHON, "CPython does not tell its heap")
    def test_requests_leave_the_heap_flat(self):
        requests = [
            request("GET", "/"),
            request("POST", "/items/7?a=b", "Content-Type: application/json", "User-Agent: x", body=b'{"a": [1]}'),
            request("GET", "/generator"),
            request("GET", "/none"),
            request("HEAD", "/"),
        ]

        async def rounds(client, count):
            for _ in range(count):
                for data in requests:
                    await client.send(data)
                    await client.reply("HEAD" if data[:4] == b"HEAD" else "GET")
            gc.collect()
            return gc.mem_alloc()

        async def test():
            async with Served(self.app) as server:
                client = await server.connect()
                before = await rounds(client, 20)
                self.assertLessEqual(await rounds(client, 150) - before, 512)

        self.app.max_requests = 10000
        run(test())

    @unittest.skipUnless(MICROPYTHON, "CPython does not tell its heap")
    def test_connections_leave_the_heap_flat(self):
        async def rounds(server, count):
            for _ in range(count):
                await server.get("/")
                await server.exchange(b"GET / HTTP/1.0\r\n\r\n")
                client = await server.connect()
                await client.send(b"GET / HT")
                await client.close()
                server.clients.clear()
            gc.collect()
            return gc.mem_alloc()

        async def test():
            async with Served(self.app) as server:
                before = await rounds(server, 20)
                self.assertLessEqual(await rounds(server, 100) - before, 1024)

        run(test())

    def test_requests_leave_no_descriptor(self):
        async def test():
            async with Served(self.app) as server:
                await server.get("/")
                before = open_files()
                for _ in range(30):
                    for path in ("/", "/generator", "/none", "/raise"):
                        await server.get(path)
                    await server.exchange(request("GET", "/", "Connection: close"))
                self.assertLessEqual(open_files(), before + 2)  # the last connections may still be closing

        before = open_files()
        run(test())
        self.assertEqual(open_files(), before)


class TestCrowd(LoadCase):
    def test_idle_and_slow_clients_do_not_hinder_others(self):
        self.app.max_connections = 3 * CROWD

        async def test():
            async with Served(self.app) as server:
                for _ in range(CROWD):
                    await server.connect()
                    slow = await server.connect()
                    await slow.send(b"GET / HTTP/1.1\r\nHost: ")
                for _ in range(10):
                    self.assertEqual((await server.get("/")).text, "index")
                for client in server.clients[1 : 2 * CROWD : 2]:
                    await client.send(b"a\r\n\r\n")
                    self.assertEqual((await client.reply()).text, "index")

        run(test())

    def test_clients_that_talk_at_the_same_time_get_their_own_replies(self):
        self.app.max_connections = 2 * CROWD

        @self.app.get("/echo/<name>")
        async def echo(request, name):
            return name

        async def test():
            async with Served(self.app) as server:
                clients = []
                for _ in range(CROWD):
                    clients.append(await server.connect())
                for turn in range(3):
                    for n in range(CROWD):
                        await clients[n].send(request("GET", "/echo/{}-{}".format(n, turn)))
                    for n in range(CROWD):
                        self.assertEqual((await clients[n].reply()).text, "{}-{}".format(n, turn))

        run(test())
