# The examples of uploads, sessions, logins and cross-origin requests do what they say.

import os
import sys
import unittest
from binascii import b2a_base64

from forms import TYPE, form, part
from microdot import Request
from microdot.test_client import TestClient
from support import run

EXAMPLES = (__file__.rpartition("/")[0] or ".") + "/../../examples/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class ExampleCase(unittest.TestCase):
    def setUp(self):
        for name in ("max_content_length", "max_body_length"):
            self.addCleanup(setattr, Request, name, getattr(Request, name))
        self.addCleanup(self.remove_files)

    def remove_files(self):
        for name in os.listdir("."):
            os.remove(name)

    def load(self, name):
        """Import an example; return a client of its application."""
        sys.modules.pop("main", None)
        sys.path.insert(0, EXAMPLES + name)
        try:
            self.main = __import__("main")
        finally:
            sys.path.remove(EXAMPLES + name)
        sys.modules.pop("main", None)
        return TestClient(self.main.app)


class TestExamples(ExampleCase):
    def test_uploads(self):
        client = self.load("uploads")
        self.assertIn('enctype="multipart/form-data"', run(client.get("/")).text)
        body = form(part("note", "a note"), part("file", b"x" * 100000, "../../name"))
        res = run(client.post("/", {"Content-Type": TYPE}, body))
        self.assertEqual(res.text, "note: a note\nfile: ../../name, 100000 bytes\n")
        self.assertEqual(os.listdir("."), ["upload.bin"])

    def test_sessions(self):
        client = self.load("sessions")
        for n in (1, 2, 3):
            self.assertIn("<h1>Visit number %d</h1>" % n, run(client.get("/")).text)
        with open("secret.key") as file:
            self.assertEqual(len(file.read()), 64)
        self.assertEqual(run(client.post("/forget")).status_code, 303)
        self.assertIn("<h1>Visit number 1</h1>", run(client.get("/")).text)
        cookies = client.cookies
        client = self.load("sessions")  # a restart
        client.cookies = cookies
        self.assertIn("<h1>Visit number 2</h1>", run(client.get("/")).text)

    def test_login(self):
        client = self.load("login")
        self.assertEqual(run(client.get("/")).headers["Location"], "/login?next=/")
        self.assertIn("<form", run(client.get("/login")).text)
        for body in ("name=ann&password=wrong", "name=bob&password=secret", "", "name=ann"):
            self.assertEqual(run(client.post("/login", FORM, body)).status_code, 403)
        wrong_site = {"Sec-Fetch-Site": "cross-site", "Content-Type": FORM["Content-Type"]}
        self.assertEqual(run(client.post("/login", wrong_site, "name=ann&password=secret")).text, "Forbidden")
        res = run(client.post("/login?next=/settings", FORM, "name=ann&password=secret&remember=yes"))
        self.assertEqual(res.headers["Location"], "/settings")
        self.assertEqual(run(client.get("/settings")).status_code, 200)
        self.assertIn("Hello, ann", run(client.get("/")).text)
        del client.cookies["session"]
        self.assertEqual(run(client.get("/settings")).headers["Location"], "/login?next=/settings")
        self.assertIn("Hello, ann", run(client.get("/")).text)
        self.assertEqual(run(client.post("/logout")).status_code, 303)
        self.assertEqual(run(client.get("/")).status_code, 302)

    def test_auth(self):
        client = self.load("auth")
        for path, value, status in (
            ("/", "Basic " + b2a_base64(b"ann:secret").decode().strip(), 200),
            ("/", "Basic " + b2a_base64(b"ann:wrong").decode().strip(), 401),
            ("/", "Basic " + b2a_base64(b"bob:").decode().strip(), 401),
            ("/api", "Bearer 1234", 200),
            ("/api", "Bearer 1235", 401),
            ("/api", "", 401),
        ):
            with self.subTest(value=value):
                self.assertEqual(run(client.get(path, {"Authorization": value})).status_code, status)
        self.assertEqual(run(client.get("/public")).json, {"user": None})
        self.assertEqual(run(client.get("/public", {"Authorization": "Bearer 1234"})).json, {"user": "thermostat"})

    def test_cors(self):
        client = self.load("cors")
        ours = {"Origin": "http://localhost:8000", "Access-Control-Request-Method": "PUT"}
        res = run(client.request("OPTIONS", "/lamp", ours))
        self.assertEqual(res.headers["Access-Control-Allow-Origin"], "http://localhost:8000")
        self.assertEqual(res.headers["Access-Control-Allow-Methods"], "PUT")
        self.assertEqual(res.headers["Access-Control-Max-Age"], "600")
        self.assertEqual(run(client.put("/lamp", ours, {"on": True})).json, {"on": True})
        for wrong in ([], {}, {"on": "yes"}):
            self.assertEqual(run(client.put("/lamp", ours, wrong)).status_code, 400)
        res = run(client.get("/lamp", {"Origin": "http://elsewhere"}))
        self.assertNotIn("Access-Control-Allow-Origin", res.headers)

    def test_csrf(self):
        client = self.load("csrf")
        self.assertIn("The lamp is off", run(client.get("/")).text)
        self.assertEqual(run(client.post("/switch", {"Sec-Fetch-Site": "cross-site"})).status_code, 403)
        self.assertEqual(run(client.post("/switch", {"Sec-Fetch-Site": "same-origin"})).status_code, 303)
        self.assertIn("The lamp is on", run(client.get("/")).text)
        self.assertEqual(run(client.post("/report", {"Sec-Fetch-Site": "cross-site"})).text, "thank you")
