# An application served on a free port of this machine while a test talks to it.

import asyncio
import os
import unittest

from client import Client, request
from microdot import Microdot
from support import Chunks, run

HOST = "127.0.0.1"
# Below the ports that the system gives to clients, so that no outgoing connection takes ours.
FIRST_PORT, PORTS = 20000, 12000


class Served:
    """Serves an application inside `async with`; on leaving, the server must have ended in order."""

    def __init__(self, app, **options):
        self.app = app
        self.options = options
        self.clients = []
        # The server looks at its clock often enough for its shortest deadline: a short one lets it stop soon.
        self.app.write_timeout = 0.2

    async def __aenter__(self):
        for _ in range(50):
            self.port = FIRST_PORT + int.from_bytes(os.urandom(2), "big") % PORTS
            if await self._start():
                return self
        raise OSError("no free port")

    async def _start(self):
        self.app.server = None
        self.task = asyncio.create_task(self.app.start_server(HOST, self.port, **self.options))
        while self.app.server is None and not self.task.done():
            await asyncio.sleep(0)
        if self.app.server is not None:
            return True
        try:
            await self.task
        except OSError:  # the port is taken
            return False

    async def __aexit__(self, kind, exc, trace):
        for client in self.clients:
            await client.close()
        self.app.shutdown()
        if self.task is not None:
            await self.task

    async def connect(self):
        client = Client(*await asyncio.open_connection(HOST, self.port))
        self.clients.append(client)
        return client

    async def exchange(self, data):
        """Send bytes on a connection of their own; return all that comes back until the server closes."""
        client = await self.connect()
        await client.send(data)
        received = await client.rest()
        await client.close()
        return received

    async def ask(self, *pieces):
        """Send bytes on a connection of their own; return the reply, which may come before the last one."""
        client = await self.connect()
        sending = asyncio.create_task(client.send_if_wanted(pieces))
        reply = await client.reply()
        await client.close()
        await sending
        return reply

    async def get(self, path="/", *fields):
        """Return the reply to a GET on a connection of its own."""
        return await self.ask(request("GET", path, *fields))


class ServedCase(unittest.TestCase):
    """A test case with an application to serve, `self.app`, whose `/` answers `index`."""

    def setUp(self):
        self.app = Microdot()

        @self.app.get("/")
        async def index(request):
            return "index"

    def serve(self, test, count_files=False):
        """Run `test(server)` while the application is served; on demand, no descriptor may be left by it."""

        async def served():
            async with Served(self.app) as server:
                await test(server)

        before = open_files()
        run(served())
        if count_files:
            self.assertEqual(open_files(), before)


class RepliesCase(ServedCase):
    """The same with a path for each kind of reply."""

    def setUp(self):
        super().setUp()
        app = self.app

        @app.get("/json/<int:n>")
        async def json(request, n):
            return {"n": n}

        @app.get("/nothing")
        async def nothing(request):
            return None

        @app.get("/unchanged")
        async def unchanged(request):
            return "", 304, {"ETag": '"1"'}

        @app.get("/generator")
        async def generator(request):
            return (text for text in ("foo", "bar", "baz"))

        @app.get("/iterator")
        async def iterator(request):
            return Chunks(["foo", b"bar", "", "é"])


def open_files():
    """Return how many descriptors this process has, None where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None
