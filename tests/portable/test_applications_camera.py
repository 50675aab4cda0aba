# An application of realistic size, the server of a camera: every feature together, as its viewers use it.

import binascii
import json
import unittest

import applications_camera as camera
import applications_settings_files as files
from client import request
from forms import TYPE, form, part
from microdot.test_client import TestClient
from served import Served
from support import run
from ws_client import connect, text

ADMIN = "Basic " + binascii.b2a_base64(b"admin:pass:word").decode().strip()
FIRST, SECOND = b"\xff\xd8first", b"\xff\xd8" + bytes(range(256)) * 40
UPLOAD = form(part("title", "fox & hen"), part("p", FIRST, "../1.jpg"), part("title", "barn"), part("p", SECOND, "b.jpg"))
FORM = {"Content-Type": TYPE, "Authorization": ADMIN}
TEMPLATES = {
    "gallery.html": """{% args e, titles %}
{% for n in sorted(titles) %}<img src=/pictures/{{ n }} alt="{{ e(titles[n]) }}">{% endfor %}
""",
    "count.txt": "{% args n %}{{ n }} picture{% if n != 1 %}s{% endif %}",
}


class CameraCase(unittest.TestCase):
    def setUp(self):
        files.create()
        self.addCleanup(files.delete)
        for name, template in TEMPLATES.items():
            with open("templates/" + name, "w") as file:
                file.write(template)
        camera.titles.clear()
        camera.films.clear()
        self.client = TestClient(camera.app)

    def ask(self, method, path, body=None, headers=None):
        return run(self.client.request(method, path, headers=headers, body=body))

    def upload(self):
        return self.ask("POST", "/pictures", UPLOAD, FORM)


class TestCamera(CameraCase):
    def test_password(self):
        for headers in ({"Content-Type": TYPE}, {"Content-Type": TYPE, "Authorization": ADMIN[:-4]}):
            refused = self.ask("POST", "/pictures", UPLOAD, headers)
            self.assertEqual((refused.status_code, refused.body), (401, b""))
            self.assertEqual(refused.headers["WWW-Authenticate"], 'Basic realm="camera", charset="UTF-8"')
        self.assertEqual(camera.titles, {})

    def test_pictures(self):
        answer = self.upload()
        self.assertEqual((answer.status_code, answer.headers["Location"]), (302, "/"))
        self.assertEqual(camera.titles, {1: "fox & hen", 2: "barn"})
        for number, data in ((1, FIRST), (2, SECOND)):
            picture = self.ask("GET", "/pictures/%d" % number)
            self.assertEqual((picture.body, picture.headers["Content-Type"]), (data, "image/jpeg"))
            self.assertEqual(picture.headers["Cache-Control"], "max-age=60")
        self.assertEqual(self.ask("GET", "/pictures/3").status_code, 404)

    def test_search(self):
        self.upload()
        self.assertEqual(self.ask("QUERY", "/pictures", {"title": "n"}).json, [1, 2])
        self.assertEqual(self.ask("QUERY", "/pictures", {"title": "barn"}).json, [2])

    def test_templates(self):
        self.assertEqual(self.ask("GET", "/count").text, "0 pictures")
        self.upload()
        page = self.ask("GET", "/")
        self.assertEqual(page.text, '<img src=/pictures/1 alt="fox &amp; hen"><img src=/pictures/2 alt="barn">')
        self.assertEqual(page.headers["Content-Type"], "text/html")

    def test_removal(self):
        self.upload()
        for site, status in (("cross-site", 403), ("same-origin", 200)):
            answer = self.ask("DELETE", "/pictures/1", headers={"Authorization": ADMIN, "Sec-Fetch-Site": site})
            self.assertEqual(answer.status_code, status)
        self.assertEqual(answer.json, {"removed": "fox & hen", "by": "admin"})
        self.assertEqual(self.ask("GET", "/pictures/1").status_code, 404)

    def test_news(self):
        self.upload()
        events = self.ask("GET", "/news?first=2").events
        self.assertEqual([(event["event_id"], event["data"]) for event in events], [("2", b"barn")])
        self.assertEqual(len(self.ask("GET", "/news").events), 2)

    def test_view(self):
        self.upload()
        received = []

        def client():
            received.append((yield "2"))

        run(self.client.websocket("/view", client))
        self.assertEqual(received, [SECOND])


class TestCameraServed(CameraCase):
    def test_until_it_is_shut_down(self):
        async def served():
            async with Served(camera.app) as server:
                await self.upload_and_look(await server.connect())
                await self.watch(server)
                await self.view(server)
                reply = await server.get("/shutdown", "Authorization: " + ADMIN)
                self.assertEqual(reply.text, "The camera is shutting down")
                await server.task

        run(served())

    async def upload_and_look(self, client):
        await client.send(request("POST", "/pictures", "Content-Type: " + TYPE, "Authorization: " + ADMIN, body=UPLOAD))
        self.assertEqual((await client.reply()).status, 302)
        self.assertEqual((await client.get("/count")).text, "2 pictures")
        self.assertEqual((await client.get("/pictures/2")).body, SECOND)
        await client.send(request("QUERY", "/pictures", "Content-Type: application/json", body=b'{"title": "fox"}'))
        self.assertEqual(json.loads((await client.reply()).text), [1])
        self.assertIn("data: barn\n\n", (await client.get("/news")).text)

    async def watch(self, server):
        """Look at the film for a while, and leave: it must be told."""
        client = await server.connect()
        await client.send(request("GET", "/film", version="1.0"))
        for picture in (FIRST, SECOND, FIRST):
            await client._until(picture + b"\r\n--frame\r\n")
        await client.close()
        while camera.films[0].open:
            self.assertEqual((await server.get("/count")).text, "2 pictures")

    async def view(self, server):
        ws = await connect(server, "/view")
        await ws.send(text("1"))
        self.assertEqual(await ws.message(), FIRST)
        self.assertEqual(await ws.close_code(), 1000)


if __name__ == "__main__":
    unittest.main()
