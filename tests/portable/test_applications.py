# An application of realistic size, the settings page of a device: every feature together, as its users go through it. The
# dashboard of test_applications_sensors.py has a process of its own, for applications set limits on the framework's classes.

import unittest

import applications_settings as settings
import applications_settings_files as files
from client import request
from forms import TYPE, form, part
from microdot.test_client import TestClient
from served import Served
from support import Complaints, run

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
IMAGE = bytes(range(256)) * 16
UPLOAD = form(part("version", "2.1"), part("image", IMAGE, "new.bin", "application/octet-stream"))
ANN = "user=ann&password=letmein"


class SettingsCase(unittest.TestCase):
    def setUp(self):
        files.create()
        self.addCleanup(files.delete)
        settings.device.update({"name": "lamp", "interval": 60, "features": [], "reboots": 0})
        settings.networks.clear()
        settings.networks.update({"attic": "secret", "<b>": "x"})
        settings.log.clear()
        self.client = TestClient(settings.app)

    def get(self, path, headers=None):
        return run(self.client.get(path, headers=headers))

    def post(self, path, body="", headers=FORM):
        return run(self.client.post(path, headers=headers, body=body))

    def log_in(self, more=""):
        return self.post("/account/login", ANN + more)

    def check(self, response, status, location=None):
        self.assertEqual((response.status_code, response.headers.get("Location")), (status, location))
        self.assertEqual(response.headers["X-Device"], "lamp-1")


class TestAccounts(SettingsCase):
    def test_way_in_and_out(self):
        self.check(self.get("/"), 302, "/account/login?next=/")
        self.assertIn("<title>Log in</title>", self.get("/account/login?next=/").text)
        refused = self.post("/account/login", "user=ann&password=wrong")
        self.check(refused, 401)
        self.assertIn("<b>Wrong name or password</b>", refused.text)
        self.check(self.log_in(), 302, "/")
        self.assertIn("<p>ann: lamp every 60 s</p>", self.get("/").text)
        self.check(self.post("/account/logout"), 302, "/")
        self.check(self.get("/"), 302, "/account/login?next=/")

    def test_back_to_the_page_that_was_asked_for(self):
        self.check(self.get("/firmware?x=1"), 302, "/account/login?next=/firmware%3Fx%3D1")
        self.check(self.post("/account/login?next=/firmware%3Fx%3D1", ANN), 302, "/firmware?x=1")

    def test_remembered_user_is_not_fresh(self):
        self.log_in("&remember=on")
        del self.client.cookies["session"]
        self.assertIn("ann", self.get("/").text)
        self.check(self.post("/firmware", UPLOAD, {"Content-Type": TYPE}), 302, "/account/login?next=/firmware")
        self.log_in()
        self.check(self.post("/firmware", UPLOAD, {"Content-Type": TYPE}), 201)
        self.post("/account/logout")
        self.assertEqual(list(self.client.cookies), ["session"])
        self.check(self.get("/"), 302, "/account/login?next=/")

    def test_hooks_of_the_mounted_module_are_the_applications(self):
        self.get("/account/login")
        self.get("/static/style.css")
        self.get("/nowhere")  # which no before_request handler sees
        self.assertEqual(settings.log, [("GET", "/account/login"), ("GET", "/static/style.css")])

    def test_forged_requests(self):
        self.log_in()
        forged = {"Content-Type": FORM["Content-Type"], "Sec-Fetch-Site": "cross-site"}
        for path in ("/device", "/wifi/", "/account/logout", "/theme/dark"):
            with self.subTest(path=path):
                response = self.post(path, "name=x", forged)
                self.check(response, 403)
                self.assertIn("<h1>403</h1><p>Not from here</p>", response.text)
        self.assertEqual(settings.device["name"], "lamp")
        own = {"Content-Type": FORM["Content-Type"], "Sec-Fetch-Site": "same-origin"}
        self.check(self.post("/device", "name=x", own), 302, "/")
        exempt = self.post("/reboot", "", {"Sec-Fetch-Site": "cross-site"})
        self.check(exempt, 202)
        self.assertEqual((exempt.text, exempt.headers["Refresh"]), ("rebooting", "5; url=/"))
        self.assertEqual(settings.device["reboots"], 1)


class TestDevice(SettingsCase):
    def test_form_and_what_the_session_keeps(self):
        self.log_in()
        fields = "name=caf%C3%A9+%3Clamp%3E&interval=5&feature=mqtt&feature=ota+updates"
        self.check(self.post("/device", fields), 302, "/")
        page = self.get("/")
        self.assertEqual(page.headers["Content-Type"], "text/html; charset=UTF-8")
        self.assertIn("<b>Saved &lt;café &lt;lamp>></b>", page.text)
        self.assertIn("<p>ann: café &lt;lamp> every 5 s</p>", page.text)
        self.assertIn("<li>mqtt</li><li>ota updates</li>", page.text)
        self.assertNotIn("<b>", self.get("/").text)

    def test_error_by_class(self):
        self.log_in()
        with Complaints() as printed:
            response = self.post("/device", "name=x&interval=often")
        self.check(response, 422)
        self.assertIn("<h1>422</h1><p>Not a number</p>", response.text)
        self.assertEqual([type(exc) for exc in printed], [ValueError])

    def test_theme(self):
        response = self.post("/theme/dark", "", {"Referer": "/wifi/"})
        self.check(response, 302, "/wifi/")
        self.assertEqual(response.headers["Set-Cookie"], ["theme=dark; Path=/; Max-Age=31536000"])
        self.assertIn("<body class=dark>", self.get("/account/login").text)
        self.assertIn("<body class=dark>", self.get("/nowhere").text)
        self.check(self.post("/theme/blue"), 404)
        self.check(run(self.client.delete("/theme")), 204)
        self.assertEqual(self.client.cookies, {})

    def test_upload_and_download(self):
        self.log_in()
        response = self.post("/firmware", UPLOAD, {"Content-Type": TYPE})
        self.check(response, 201)
        self.assertEqual(response.json, {"version": "2.1", "type": "application/octet-stream"})
        download = self.get("/firmware")
        self.assertEqual((download.body, download.headers["Content-Type"]), (IMAGE, "application/x-firmware"))

    def test_uploads_that_are_refused(self):
        self.log_in()
        for body in (form(part("image", b"x", "picture.png")), form(part("version", "1"))):
            response = self.post("/firmware", body, {"Content-Type": TYPE})
            self.assertEqual((response.status_code, response.text), (400, "not a firmware image"))
        large = self.post("/firmware", b"x" * (64 * 1024 + 1), {"Content-Type": TYPE})
        self.check(large, 413)
        self.assertIn("<h1>413</h1><p>Too large</p>", large.text)

    def test_static_files(self):
        style = self.get("/static/style.css")
        self.assertEqual((style.text, style.headers["Content-Type"]), ("body.dark { background: black }\n", "text/css"))
        self.assertEqual(style.headers["Cache-Control"], "max-age=86400")
        self.assertEqual(self.get("/static/icons/led.svg").headers["Content-Type"], "image/svg+xml")
        self.assertEqual(self.get("/static/../secret").status_code, 404)
        script = self.get("/app.js")
        self.assertEqual(script.text, files.FILES["static/app.js.gz"])
        self.assertEqual(
            (script.headers["Content-Encoding"], script.headers["Content-Type"]), ("gzip", "application/javascript")
        )

    def test_methods(self):
        self.check(run(self.client.request("OPTIONS", "/wifi/attic")), 200)
        self.assertEqual(run(self.client.request("OPTIONS", "/wifi/attic")).headers["Allow"], "DELETE, OPTIONS")
        self.check(self.post("/static/style.css"), 405)
        head = run(self.client.request("HEAD", "/account/login"))
        self.check(head, 200)
        self.assertEqual((head.body, head.headers["Content-Length"]), (None, str(len(self.get("/account/login").body))))


class TestNetworks(SettingsCase):
    def test_before_request_of_its_own(self):
        self.check(self.get("/wifi/"), 302, "/account/login?next=/wifi/")
        self.assertEqual(settings.networks["attic"], "secret")

    def test_pages(self):
        self.log_in()
        page = self.get("/wifi/")
        self.check(page, 200)
        self.assertIn("<li>&lt;b></li>\n<li>attic</li>\n<p>2 known</p>", page.text)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.check(self.post("/wifi/", "ssid=guest&password=p%26q"), 303, "/wifi/")
        self.assertEqual(settings.networks["guest"], "p&q")
        self.check(run(self.client.delete("/wifi/guest")), 204)
        self.assertNotIn("guest", settings.networks)

    def test_error_handlers_of_its_own(self):
        self.log_in()
        missing = run(self.client.delete("/wifi/guest"))
        self.check(missing, 404)
        self.assertEqual(missing.json, {"error": "no such network"})
        with Complaints():
            incomplete = self.post("/wifi/", "ssid=guest")
        self.check(incomplete, 422)
        self.assertEqual(incomplete.json, {"error": "missing password", "app": True})
        elsewhere = self.get("/nowhere")
        self.assertIn("<h1>404</h1><p>No such page: /nowhere</p>", elsewhere.text)
        self.assertNotIn("Cache-Control", elsewhere.headers)


class TestSettingsServed(SettingsCase):
    def test_a_visit(self):
        async def visit():
            async with Served(settings.app) as server:
                await self.visit(await server.connect())

        run(visit())

    async def visit(self, client):
        self.assertEqual((await client.get("/")).headers["location"], "/account/login?next=/")
        session = await self.enter(client)
        page = await client.get("/", session + "; theme=dark")
        self.assertIn("<body class=dark>", page.text)
        await client.send(request("POST", "/firmware", session, "Content-Type: " + TYPE, body=UPLOAD))
        self.assertEqual((await client.reply()).status, 201)
        self.assertEqual((await client.get("/firmware", session)).body, IMAGE)
        self.assertIn("<p>2 known</p>", (await client.get("/wifi/", session)).text)
        self.assertEqual((await client.get("/static/style.css")).body, files.FILES["static/style.css"].encode())
        self.assertEqual((await client.get("/nowhere", session)).status, 404)

    async def enter(self, client):
        fields = "Content-Type: " + FORM["Content-Type"]
        await client.send(request("POST", "/account/login", fields, body=ANN.encode()))
        reply = await client.reply()
        self.assertEqual((reply.status, reply.headers["location"]), (302, "/"))
        self.assertIn("; Path=/; Max-Age=3600; HttpOnly", reply.headers["set-cookie"])
        return "Cookie: " + reply.headers["set-cookie"].partition(";")[0]


if __name__ == "__main__":
    unittest.main()
