# examples/settings: who gets in, what may be set and seen, and an update that comes through the page.

import os
import sys
import unittest

import bundles
import onboard
from folder import remove
from microdot.test_client import TestClient
from onboard import journal, settings
from support import run

EXAMPLE = (__file__.rpartition("/")[0] or ".") + "/../../examples/settings"
sys.path.insert(0, EXAMPLE)
import account  # noqa: E402
import device  # noqa: E402
import main  # noqa: E402

sys.path.remove(EXAMPLE)
remove(".device")

PASSWORD = "correct horse"
HOME = {"ssid": "home", "password": "secret99"}

# (what the page sends, a part of the complaint)
REFUSED = [
    (None, "JSON"),
    ([], "JSON"),
    ({"hostname": 1}, "Texts"),
    ({"hostname": "a" * 33}, "32 letters"),
    ({"hostname": "a.b"}, "32 letters"),
    ({"hostname": "<b>"}, "32 letters"),
    ({"country": "de"}, "two capital"),
    ({"country": "DEU"}, "two capital"),
    ({"networks": {}}, "networks"),
    ({"networks": [HOME] * 9}, "networks"),
    ({"networks": ["home"]}, "1 to 32"),
    ({"networks": [{}]}, "1 to 32"),
    ({"networks": [{"ssid": "ä" * 17}]}, "1 to 32"),
    ({"networks": [{"ssid": "a", "password": "short"}]}, "8 to 63"),
    ({"networks": [{"ssid": "a", "password": 12345678}]}, "8 to 63"),
]


class Case(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        onboard.root = journal.root = "board"
        main.GUESS_SECONDS = 0.01
        main.ota.busy = False
        main.session.secret_key = account.session_key()
        self.left = []
        main.ota.leave = self.left.append
        self.client = TestClient(main.app)

    def tearDown(self):
        onboard.root = journal.root = ""
        remove("board")

    def ask(self, method, path, body=None, client=None, **headers):
        return run((client or self.client).request(method, path, headers, body))

    def enter(self, password=PASSWORD, client=None):
        return self.ask("POST", "/login", {"password": password}, client).status_code


class TestAccount(Case):
    def test_nobody_gets_in_without_the_password(self):
        for method, path, body in (
            ("GET", "/status", None),
            ("PUT", "/settings", {}),
            ("PUT", "/password", {}),
            ("POST", "/update", bundles.bundle({"/main.py": b"x"})),
            ("POST", "/restart", None),
            ("POST", "/logout", None),
        ):
            self.assertEqual(self.ask(method, path, body).status_code, 401, path)
        self.assertEqual((self.left, os.listdir("board")), ([], []))

    def test_the_first_visitor_chooses_it(self):
        self.assertEqual(self.ask("GET", "/status").json, {"error": "log in first", "chosen": False})
        self.assertEqual(self.enter(), 200)
        self.assertEqual(self.ask("GET", "/status").status_code, 200)
        stranger = TestClient(main.app)
        self.assertTrue(self.ask("GET", "/status", client=stranger).json["chosen"])
        self.assertEqual(self.enter("something else", stranger), 403)
        self.assertEqual(self.ask("GET", "/status", client=stranger).status_code, 401)
        self.assertEqual(self.enter(client=stranger), 200)

    def test_whose_settings_can_not_be_read_takes_no_first_visitor(self):
        self.enter()
        for damage in (b"", b'{"account": {"salt"', b"[]", b"\xff" * 10, b" " * 5000):
            with open("board/config.json", "wb") as file:
                file.write(damage)
            main.session.secret_key = account.session_key()  # as a start does
            told = self.ask("GET", "/status")
            self.assertEqual((told.status_code, self.enter()), (500, 500), damage)
            self.assertIn("over USB", told.json["error"])
            with open("board/config.json", "rb") as file:
                self.assertEqual(file.read(), damage)

    def test_what_is_no_password(self):
        for body in ({}, [], {"password": 12345678}, {"password": "short"}, {"password": "x" * 65}, {"password": None}):
            self.assertEqual(self.ask("POST", "/login", body).status_code, 400, body)
        self.assertFalse(account.is_chosen())
        half = '{"password": "\\ud800"}'  # of a surrogate pair: three bytes to MicroPython, no text to CPython
        headers = {"Content-Type": "application/json"}
        self.assertEqual(run(self.client.post("/login", headers, half)).status_code, 400)

    def test_it_is_kept_as_a_hash_only(self):
        self.enter()
        with open("board/config.json") as file:
            self.assertNotIn(PASSWORD, file.read())

    def test_a_session_outlives_a_restart(self):
        self.enter()
        main.session.secret_key = account.session_key()  # as a start does
        self.assertEqual(self.ask("GET", "/status").status_code, 200)

    def test_a_new_password_ends_other_sessions(self):
        other = TestClient(main.app)
        self.enter()
        self.enter(client=other)
        change = {"password": "wrong one", "new": "battery staple"}
        self.assertEqual(self.ask("PUT", "/password", change).status_code, 403)
        self.assertEqual(self.ask("PUT", "/password", dict(change, password=PASSWORD)).status_code, 200)
        self.assertEqual(self.ask("GET", "/status").status_code, 200)
        self.assertEqual(self.ask("GET", "/status", client=other).status_code, 401)
        self.assertEqual((self.enter(client=other), self.enter("battery staple", other)), (403, 200))

    def test_with_a_certificate_the_cookie_never_travels_without_tls(self):
        folder, device.FOLDER = device.FOLDER, "board/"
        tls = sys.modules.get("microdot.tls")
        sys.modules["microdot.tls"] = self  # a certificate would take seconds to make
        self.server_context = lambda *files: files
        try:
            self.assertIsNone(main.certificate())
            self.assertNotIn("Secure", self.cookie())
            with open("board/cert.der", "w"):
                pass
            self.assertEqual(main.certificate(), ("board/cert.der", "board/key.der"))
            self.assertIn("Secure", self.cookie())
        finally:
            device.FOLDER = folder
            main.session.cookie_options.pop("secure", None)
            del sys.modules["microdot.tls"]
            if tls:
                sys.modules["microdot.tls"] = tls

    def cookie(self):
        return str(self.ask("POST", "/login", {"password": PASSWORD}).headers["Set-Cookie"])

    def test_after_logging_out_the_cookie_is_gone(self):
        self.enter()
        self.assertEqual(self.ask("POST", "/logout").status_code, 200)
        self.assertEqual(self.ask("GET", "/status").status_code, 401)

    def test_pages_of_other_sites_change_nothing(self):
        self.enter()
        for method, path in (("PUT", "/settings"), ("POST", "/update"), ("POST", "/restart"), ("POST", "/login")):
            self.assertEqual(self.ask(method, path, {}, Origin="http://elsewhere").status_code, 403, path)


class TestSettings(Case):
    def test_they_are_kept_and_passwords_never_shown(self):
        self.enter()
        wanted = {"hostname": "pico-2", "country": "DE", "networks": [HOME, {"ssid": "open"}]}
        shown = {"hostname": "pico-2", "country": "DE"}
        shown["networks"] = [{"ssid": "home", "secret": True}, {"ssid": "open", "secret": False}]
        self.assertEqual(self.ask("PUT", "/settings", wanted).json, shown)
        res = self.ask("GET", "/status")
        self.assertEqual(res.json["settings"], shown)
        for secret in (HOME["password"], settings.read()["account"]["key"], settings.read()["account"]["hash"]):
            self.assertNotIn(secret, res.text)
        self.assertEqual(settings.read()["networks"], wanted["networks"])

    def test_a_network_keeps_its_password_and_the_rest_of_the_settings_stays(self):
        settings.write({"networks": [HOME, {"ssid": "work", "password": "worksecret"}], "ppp": {"uart": 1}, "hostname": "old"})
        self.enter()
        self.ask("PUT", "/settings", {"networks": [{"ssid": "work"}, {"ssid": "home", "password": "changed99"}]})
        found = settings.read()
        self.assertEqual(
            found["networks"], [{"ssid": "work", "password": "worksecret"}, {"ssid": "home", "password": "changed99"}]
        )
        self.assertEqual((found["ppp"], "hostname" in found, account.is_chosen()), ({"uart": 1}, False, True))

    def test_what_can_not_be_is_refused_and_changes_nothing(self):
        settings.write({"networks": [HOME]})
        self.enter()
        before = settings.read()
        for wanted, complaint in REFUSED:
            res = self.ask("PUT", "/settings", wanted)
            self.assertEqual(res.status_code, 400, wanted)
            self.assertIn(complaint, res.json["error"])
            self.assertEqual(settings.read(), before)


class TestUpdate(Case):
    def test_a_bundle_is_installed_on_trial(self):
        self.enter()
        res = self.ask("POST", "/update", bundles.bundle({"/main.py": b"new"}))
        self.assertEqual(res.json, {"build": bundles.BUILD})
        with open("board/main.py") as file:
            self.assertEqual(file.read(), "new")
        state = self.ask("GET", "/status").json
        self.assertEqual((state["build"], state["trial"], len(self.left)), (bundles.BUILD, True, 1))
        self.assertTrue(account.is_chosen())

    def test_what_is_no_bundle_is_told(self):
        self.enter()
        for data, status in ((b"GIF89a" * 10, 400), (bundles.bundle({"/config.json": b"{}"}), 400)):
            res = self.ask("POST", "/update", data)
            self.assertEqual(res.status_code, status)
            self.assertTrue(res.json["error"])
        self.assertEqual(self.left, [])

    def test_a_program_updates_it_with_the_key(self):
        with open("board/ota.key", "wb") as file:
            file.write(bundles.binascii.hexlify(bundles.KEY))
        self.assertEqual(run(bundles.update(self.client, bundles.bundle({"/main.py": b"new"}))).status_code, 200)

    def test_the_page_and_its_files(self):
        for path in ("/", "/static/app.mjs", "/static/style.css", "/static/icon.svg"):
            self.assertEqual(self.ask("GET", path).status_code, 200, path)
        for path in ("/main.py", "/static/main.py", "/static/../account.py"):
            self.assertEqual(self.ask("GET", path).status_code, 404, path)
        self.assertEqual(device.BOARD, False)


if __name__ == "__main__":
    unittest.main()
