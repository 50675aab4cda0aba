# examples/remote: two pages see each other's changes, and nobody else changes anything.

import asyncio
import json
import sys
import unittest

import ws_client
from client import Truncated
from microdot.test_client import TestClient
from served import Served
from support import run

EXAMPLE = (__file__.rpartition("/")[0] or ".") + "/../../examples/remote"
sys.path.insert(0, EXAMPLE)
import main  # noqa: E402
import outputs  # noqa: E402
import settings  # noqa: E402

sys.path.remove(EXAMPLE)

START = [("lamp", 1, None, 0), ("relay", 1, None, 0), ("dimmer", 100, "%", 0), ("servo", 180, "°", 90)]

# (what a page sends, a part of the complaint)
REFUSED = [
    ("", "must be a JSON object"),
    ("lamp", "must be a JSON object"),
    ("[1]", "must be a JSON object"),
    ('{"value": 1}', "no such output"),
    ('{"name": "door", "value": 1}', "no such output"),
    ('{"name": ["lamp"], "value": 1}', "no such output"),
    ('{"name": "lamp"}', "from 0 to 1"),
    ('{"name": "lamp", "value": true}', "from 0 to 1"),
    ('{"name": "lamp", "value": 2}', "from 0 to 1"),
    ('{"name": "dimmer", "value": -1}', "from 0 to 100"),
    ('{"name": "dimmer", "value": 101}', "from 0 to 100"),
    ('{"name": "dimmer", "value": 50.0}', "from 0 to 100"),
    ('{"name": "servo", "value": "90"}', "from 0 to 180"),
    ('{"name": "servo", "value": 181}', "from 0 to 180"),
]


LONELY = '{"token": "\\ud800"}'  # half a surrogate pair


class RemoteCase(unittest.TestCase):
    def setUp(self):
        for name, _, _, value in START:
            outputs.OUTPUTS[name].set(value)
        for module, name in ((settings, "TOKEN"), (main, "GUESS_SECONDS"), (main, "TOKEN_SECONDS")):
            self.addCleanup(setattr, module, name, getattr(module, name))
        main.GUESS_SECONDS = 0.01

    def serve(self, test):
        async def served():
            async with Served(main.app) as server:
                await test(server)
            self.assertEqual(main.clients, set())

        run(served())

    async def enter(self, server, token=""):
        """Connect as a page does; return the connection and the outputs it was told."""
        ws = await ws_client.connect(server, "/control")
        await self.say(ws, {"token": token})
        return ws, json.loads(await ws.message())

    async def say(self, ws, message):
        await ws.send(ws_client.text(message if isinstance(message, str) else json.dumps(message)))


class TestRemote(RemoteCase):
    def test_a_page_is_told_the_outputs(self):
        async def test(server):
            _, told = await self.enter(server)
            self.assertTrue(told["simulated"])
            self.assertEqual([(o["name"], o["high"], o["unit"], o["value"]) for o in told["outputs"]], START)

        self.serve(test)

    def test_what_one_changes_all_see_and_who_comes_later_too(self):
        async def test(server):
            first, _ = await self.enter(server)
            second, _ = await self.enter(server)
            for sender, change in ((first, {"name": "servo", "value": 10}), (second, {"name": "lamp", "value": 1})):
                await self.say(sender, change)
                self.assertEqual(json.loads(await first.message()), change)
                self.assertEqual(json.loads(await second.message()), change)
            _, told = await self.enter(server)
            self.assertEqual([o["value"] for o in told["outputs"]], [1, 0, 0, 10])

        self.serve(test)

    def test_what_can_not_be_is_told_to_the_sender_alone_and_changes_nothing(self):
        async def test(server):
            ws, _ = await self.enter(server)
            other, _ = await self.enter(server)
            for message, complaint in REFUSED:
                await self.say(ws, message)
                self.assertIn(complaint, json.loads(await ws.message())["error"])
            await self.say(other, {})
            self.assertEqual(await other.message(), "{}")
            self.assertEqual([outputs.OUTPUTS[name].value for name in outputs.ORDER], [0, 0, 0, 90])

        self.serve(test)

    def test_files(self):
        for path, kind in (("/", "text/html"), ("/app.mjs", "application/javascript"), ("/style.css", "text/css")):
            res = run(TestClient(main.app).get(path))
            self.assertEqual((res.status_code, res.headers["Content-Type"].split(";")[0]), (200, kind))
        for path in ("/settings.py", "/main.py"):
            self.assertEqual(run(TestClient(main.app).get(path)).status_code, 404)


class TestAdmission(RemoteCase):
    def test_a_page_with_the_token(self):
        settings.TOKEN = "sesame"

        async def test(server):
            _, told = await self.enter(server, "sesame")
            self.assertEqual(len(told["outputs"]), 4)

        self.serve(test)

    def test_a_page_without_it(self):
        settings.TOKEN = "sesame"

        async def test(server):
            for message in ("", "sesame", {}, {"token": ""}, {"token": "sesam"}, {"token": None}, {"token": [1]}, LONELY):
                ws = await ws_client.connect(server, "/control")
                await self.say(ws, message)
                await self.say(ws, {"name": "lamp", "value": 1})
                self.assertEqual(await ws.close_code(), main.WRONG_TOKEN)
            self.assertEqual(outputs.OUTPUTS["lamp"].value, 0)

        self.serve(test)

    def test_a_page_that_says_nothing_is_not_waited_for_without_end(self):
        main.TOKEN_SECONDS = 0.01

        async def test(server):
            ws = await ws_client.connect(server, "/control")
            self.assertEqual(await ws.close_code(), main.WRONG_TOKEN)

        self.serve(test)

    def test_a_page_that_leaves_before_it_says_anything(self):
        async def test(server):
            ws = await ws_client.connect(server, "/control")
            await ws.client.close()
            await asyncio.sleep(0.02)
            await self.enter(server)

        self.serve(test)

    def test_pages_of_other_sites_are_refused(self):
        async def test(server):
            for origin in ("http://elsewhere", "http://127.0.0.1:81", "null", "http://127.0.0.1.evil", "https://"):
                with self.assertRaises(Truncated):
                    await ws_client.connect(server, "/control", "Origin: " + origin)
            await ws_client.connect(server, "/control", "Origin: http://127.0.0.1")

        self.serve(test)
