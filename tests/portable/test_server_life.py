# The life of a server: starting, stopping from everywhere, starting again, requests that wait for each other.

import asyncio
import time
import unittest

from client import Truncated, request
from microdot import Microdot
from served import HOST, Served, ServedCase
from support import MICROPYTHON, run


class LifeCase(ServedCase):
    def setUp(self):
        super().setUp()
        app = self.app

        @app.get("/stop")
        async def stop(request):
            request.app.shutdown()
            return "stopped " + "x" * 5000

        @app.get("/stop/def")
        def stop_in_a_function(request):
            request.app.shutdown()
            return "stopped"


class TestShutdown(LifeCase):
    def stops(self, path, body):
        async def test():
            async with Served(self.app) as server:
                reply = await server.get(path)
                self.assertEqual((reply.status, reply.text), (200, body))
                await server.task

        run(test())

    def test_from_a_coroutine_handler_its_own_reply_arrives(self):
        self.stops("/stop", "stopped " + "x" * 5000)

    def test_from_a_function_handler_its_own_reply_arrives(self):
        self.stops("/stop/def", "stopped")

    def test_connections_are_closed_and_new_ones_refused(self):
        async def test():
            async with Served(self.app) as server:
                idle = await server.connect()
                self.assertEqual((await idle.get("/")).text, "index")
                self.app.shutdown()
                self.assertEqual(await idle.rest(), b"")
                await server.task
                with self.assertRaises((OSError, Truncated)):
                    await server.get("/")

        run(test())

    def test_current_replies_are_finished(self):
        @self.app.get("/slow")
        async def slow(request):
            await asyncio.sleep(0.05)
            return "finished"

        @self.app.get("/streamed")
        async def streamed(request):
            class Slow:
                left = 5

                def __aiter__(self):
                    return self

                async def __anext__(self):
                    if not self.left:
                        raise StopAsyncIteration
                    self.left -= 1
                    await asyncio.sleep(0.02)
                    return "x" * 100

            return Slow()

        async def test():
            async with Served(self.app) as server:
                slow, streamed = await server.connect(), await server.connect()
                await slow.send(request("GET", "/slow"))
                await streamed.send(request("GET", "/streamed"))
                await asyncio.sleep(0.01)
                self.app.shutdown()
                self.assertEqual((await slow.reply()).text, "finished")
                self.assertEqual((await streamed.reply()).text, "x" * 500)
                self.assertEqual(await slow.rest(), b"")

        run(test())

    def test_waiting_replies_are_given_up_after_a_while(self):
        self.app.shutdown_timeout = 0.1

        @self.app.get("/never")
        async def never(request):
            await asyncio.sleep(1000)

        async def test():
            async with Served(self.app) as server:
                client = await server.connect()
                await client.send(request("GET", "/never"))
                await asyncio.sleep(0.01)
                self.app.shutdown()
                await server.task

        run(test())

    def test_before_start_does_nothing(self):
        self.app.shutdown()

        async def test():
            async with Served(self.app) as server:
                self.assertEqual((await server.get("/")).text, "index")

        run(test())

    def test_twice(self):
        async def test():
            async with Served(self.app) as server:
                self.app.shutdown()
                self.app.shutdown()
                await server.task
                self.app.shutdown()

        run(test())
        self.app.shutdown()

    @unittest.skipIf(MICROPYTHON, "one thread only")
    def test_from_another_thread(self):
        import threading

        async def test():
            async with Served(self.app) as server:
                self.assertEqual((await server.get("/")).text, "index")
                thread = threading.Thread(target=self.app.shutdown)
                thread.start()
                await asyncio.wait_for(server.task, 5)
                thread.join()

        run(test())

    def test_cancelled_server_ends(self):
        async def test():
            async with Served(self.app) as server:
                client = await server.connect()
                self.assertEqual((await client.get("/")).text, "index")
                server.task.cancel()
                try:
                    await server.task
                except asyncio.CancelledError:
                    pass
                server.task = None

        run(test())


class TestStart(LifeCase):
    def test_server_is_kept_while_serving(self):
        self.assertIsNone(self.app.server)

        async def test():
            async with Served(self.app):
                self.assertIsNotNone(self.app.server)

        run(test())

    def test_arguments_are_kept(self):
        self.assertEqual((self.app.debug, self.app.ssl), (False, False))

        async def test():
            async with Served(self.app, debug=True):
                self.assertTrue(self.app.debug)

        run(test())

    def test_same_application_serves_again(self):
        async def test():
            for _ in range(3):
                async with Served(self.app) as server:
                    self.assertEqual((await server.get("/")).text, "index")

        run(test())
        run(test())

    def test_same_port_can_be_bound_again_at_once(self):
        async def test():
            async with Served(self.app) as server:
                port = server.port
                client = await server.connect()
                self.assertEqual((await client.get("/")).text, "index")
            for _ in range(2):
                task = asyncio.create_task(self.app.start_server(HOST, port))
                reply = await self.get_soon(port)
                self.assertIn(b"index", reply)
                self.app.shutdown()
                await task

        run(test())

    async def get_soon(self, port):
        for _ in range(500):
            try:
                reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(request("GET", "/", "Connection: close"))
                await writer.drain()
                return await reader.read(1000)
            except OSError:
                await asyncio.sleep(0.01)

    def test_port_in_use_is_an_os_error(self):
        async def test():
            async with Served(self.app) as server:
                with self.assertRaises(OSError):
                    await asyncio.wait_for(Microdot().start_server(HOST, server.port), 5)

        run(test())

    @unittest.skipUnless(MICROPYTHON, "CPython's server can be started without serving")
    def test_start_without_serving_is_refused(self):
        with self.assertRaises(ValueError):
            run(self.app.start_server(HOST, 20000, start_serving=False))

    @unittest.skipIf(MICROPYTHON, "MicroPython's server can't be started without serving")
    def test_start_without_serving_returns_the_server(self):
        async def test():
            server = await self.app.start_server(HOST, 0, start_serving=False)
            port = server.sockets[0].getsockname()[1]
            task = asyncio.create_task(server.serve_forever())
            self.assertIn(b"index", await self.get_soon(port))
            self.assertIs(self.app.server, server)
            self.app.shutdown()
            try:
                await asyncio.wait_for(task, 5)
            except asyncio.CancelledError:
                pass  # how asyncio's own server ends
            self.assertFalse(server.is_serving())

        run(test())

    @unittest.skipIf(MICROPYTHON, "the client needs a thread of its own")
    def test_run_serves_until_shutdown(self):
        import threading

        replies = []

        def client():
            replies.append(asyncio.run(self.get_soon(port)))
            self.app.shutdown()

        async def find_port():
            async with Served(self.app) as server:
                return server.port

        port = run(find_port())
        thread = threading.Thread(target=client)
        thread.start()
        self.app.run(HOST, port)
        thread.join()
        self.assertIn(b"index", replies[0])

    def test_debug_prints_requests(self):
        import builtins

        printed = []
        self.addCleanup(setattr, builtins, "print", print)
        builtins.print = lambda *args, **kwargs: printed.append(" ".join([str(arg) for arg in args]))

        async def test():
            async with Served(self.app, debug=True) as server:
                await server.get("/")
                await server.get("/none?x=1")
                return server.port

        port = run(test())
        self.assertEqual(printed[0], "Starting async server on {}:{}...".format(HOST, port))
        self.assertEqual(printed[1:], ["GET / 200", "GET /none 404"])


class TestConcurrency(LifeCase):
    def test_four_requests_that_wait_for_each_other(self):
        arrived = []

        @self.app.get("/async/<int:n>")
        async def coroutine(request, n):
            arrived.append(n)
            while len(arrived) < 4:
                await asyncio.sleep(0.005)
            return "met"

        @self.app.get("/def/<int:n>")
        def function(request, n):
            arrived.append(n)
            give_up = time.time() + 10
            while len(arrived) < 4 and time.time() < give_up:
                time.sleep(0.005)
            return "met" if len(arrived) == 4 else "alone"

        kinds = ["async"] * 4 if MICROPYTHON else ["async", "def"] * 2

        async def test():
            async with Served(self.app) as server:
                clients = []
                for n in range(4):
                    clients.append(await server.connect())
                    await clients[n].send(request("GET", "/{}/{}".format(kinds[n], n)))
                for client in clients:
                    self.assertEqual((await client.reply()).text, "met")

        run(test())
        self.assertEqual(sorted(arrived), [0, 1, 2, 3])
