# The portal: its name server's replies, its page, and what its form does.  The radio is a fake (fake_radio.py); the access
# point and the sockets of the portal as a whole are in tests/host/test_portal.py.

import asyncio
import os
import unittest

import onboard
from deploys import read, write
from fake_radio import CYW43, ESP32, Clock, Radio
from folder import remove
from microdot.test_client import TestClient
from onboard import dns, journal, network, portal, portal_page, settings
from support import run

ADDRESS = b"\xc0\xa8\x04\x01"
SECRET = "pa55 & w0rd"


def name(*labels):
    return b"".join([bytes([len(label)]) + label for label in labels]) + b"\0"


def query(question, flags=b"\1\0", counts=b"\0\1\0\0\0\0\0\0", rest=b""):
    return b"\xab\xcd" + flags + counts + question + rest


A, AAAA, HTTPS, ANY = (b"\0" + bytes([kind]) + b"\0\1" for kind in (1, 28, 65, 255))
PHONE = name(b"connectivitycheck", b"gstatic", b"com")
LONGEST = name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61)
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
RECORD = b"\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4" + ADDRESS

ANSWERED = [
    ("an address", query(PHONE + A), True),
    ("anything", query(PHONE + ANY), True),
    ("without recursion", query(PHONE + A, flags=b"\0\0"), True),
    ("with DNSSEC's flags", query(PHONE + A, flags=b"\1\x30"), True),
    ("with EDNS", query(PHONE + A, counts=b"\0\1\0\0\0\0\0\1", rest=OPT), True),
    ("the root", query(b"\0" + A), True),
    ("the longest name", query(LONGEST + A), True),
    ("many labels", query(name(*[b"x"] * 127) + A), True),
    ("bytes that no host name has", query(name(b"\0\xff<script>", b".") + A), True),
    ("IPv6", query(PHONE + AAAA), False),
    ("HTTPS", query(PHONE + HTTPS), False),
    ("an address of class CHAOS", query(PHONE + b"\0\1\0\3"), False),
    ("a packet of the longest kind", query(PHONE + A, rest=b"x" * (512 - 12 - len(PHONE) - 4)), True),
]

IGNORED = [
    ("nothing", b""),
    ("a part of a header", query(b"")[:11]),
    ("a header", query(b"")),
    ("no question", query(b"", counts=bytes(8))),
    ("no question, but one there", query(PHONE + A, counts=bytes(8))),
    ("two questions", query(PHONE + A + PHONE + A, counts=b"\0\2\0\0\0\0\0\0")),
    ("65535 questions", query(PHONE + A, counts=b"\xff\xff\0\0\0\0\0\0")),
    ("an answer", query(PHONE + A, counts=b"\0\1\0\1\0\0\0\0")),
    ("a reply", query(PHONE + A, flags=b"\x81\x80")),
    ("our own reply", dns.answer(query(PHONE + A), ADDRESS)),
    ("an inverse query", query(PHONE + A, flags=b"\x09\0")),
    ("an update", query(PHONE + A, flags=b"\x28\0")),
    ("an error", query(PHONE + A, flags=b"\1\3")),
    ("a truncated message", query(PHONE + A, flags=b"\3\0")),
    ("a pointer to itself", query(b"\xc0\x0c" + A)),
    ("a pointer behind a label", query(b"\3www\xc0\x0c" + A)),
    ("a label of a reserved kind", query(b"\x40a\0" + A)),
    ("a label that leaves the packet", query(b"\x3fwww")),
    ("a name without end", query(b"\3www")),
    ("a name that is too long", query(name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 62) + A)),
    ("too many labels", query(name(*[b"x"] * 128) + A)),
    ("no type", query(PHONE)),
    ("half a class", query(PHONE + A[:3])),
    ("a packet that is too long", query(PHONE + A, rest=b"x" * (513 - 12 - len(PHONE) - 4))),
]


class TestNames(unittest.TestCase):
    def test_every_name_is_ours(self):
        for what, packet, found in ANSWERED:
            reply = dns.answer(packet, ADDRESS)
            end = self.end_of_question(packet)
            self.assertEqual(reply[:2], packet[:2], what)
            self.assertEqual(reply[2:4], bytes([0x84 | packet[2], 0x80]), what)
            self.assertEqual(reply[4:12], b"\0\1\0" + bytes([found]) + bytes(4), what)
            self.assertEqual(reply[12:], packet[12:end] + (RECORD if found else b""), what)

    def end_of_question(self, packet):
        at = 12
        while packet[at]:
            at += packet[at] + 1
        return at + 5

    def test_what_is_no_query_is_ignored(self):
        for what, packet in IGNORED:
            self.assertIsNone(dns.answer(packet, ADDRESS), what)

    def test_every_truncation_is_ignored(self):
        packet = query(PHONE + A)
        for end in range(len(packet)):
            self.assertIsNone(dns.answer(packet[:end], ADDRESS), end)

    def test_noise_breaks_nothing(self):
        """No reply is longer than the question and one record."""
        for _ in range(2000):
            packet = os.urandom(40)
            for noise in (packet, query(packet), query(b"\1" + packet[:1] + packet)):
                reply = dns.answer(noise, ADDRESS)
                self.assertTrue(reply is None or len(reply) <= len(noise) + len(RECORD))


HOSTILE = "\"'><script>alert(1)</script>&amp;"


class TestPage(unittest.TestCase):
    def test_what_others_chose_is_escaped(self):
        page = portal_page.form([HOSTILE], HOSTILE, "t", 15, HOSTILE) + portal_page.done(HOSTILE)
        self.assertNotIn("<script", page)
        self.assertNotIn("\"'>", page)
        self.assertEqual(page.count("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"), 4)

    def test_its_size_is_bounded(self):
        found = [((chr(97 + i) + '"' * 31).encode(), b"", 1, -i, 3, 0) for i in range(26)]
        page = portal_page.form(portal_page.listed(found), "", "t" * 26, 15, '"' * 100)
        self.assertTrue(len(page) < 9000)

    def test_networks_are_listed_once_and_the_strongest_first(self):
        found = [(b"weak", b"", 1, -80), (b"strong", b"", 6, -30), (b"weak", b"", 1, -20), (b"", b"", 1, -10)]
        found += [(b"\xff\xfe", b"", 1, -5), (b"\0\0\0", b"", 1, -4)]
        self.assertEqual(portal_page.listed(found), ["weak", "strong"])
        many = [(b"%d" % i, b"", 1, -i) for i in range(100)]
        self.assertEqual(len(portal_page.listed(many)), portal_page.MAX_LISTED)

    def test_the_one_tried_before_is_chosen(self):
        page = portal_page.form(["a", "b"], "b", "t", 15, "")
        self.assertIn('<option value="b" selected>', page)
        self.assertEqual(page.count("selected"), 1)
        self.assertNotIn("alert", page)


# What the systems fetch to find out whether they are online, and others that are none of ours.
PROBES = [
    ("connectivitycheck.gstatic.com", "/generate_204"),
    ("www.google.com", "/gen_204"),
    ("clients3.google.com", "/generate_204"),
    ("play.googleapis.com", "/generate_204"),
    ("captive.apple.com", "/hotspot-detect.html"),
    ("www.apple.com", "/library/test/success.html"),
    ("www.msftconnecttest.com", "/connecttest.txt"),
    ("www.msftconnecttest.com", "/redirect"),
    ("www.msftncsi.com", "/ncsi.txt"),
    ("detectportal.firefox.com", "/canonical.html"),
    ("detectportal.firefox.com", "/success.txt?ipv4"),
    ("nmcheck.gnome.org", "/check_network_status.txt"),
    ("connectivity-check.ubuntu.com", "/"),
    ("spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html"),
    ("192.168.4.1", "/generate_204"),
    ("example.com", "/"),
    ("example.com", "/join"),
    ("192.168.4.1:8080", "/"),
    ("192.168.4.1.example.com", "/"),
]


class TestPortal(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        onboard.root = journal.root = "board"
        self.said = []
        for module in (network, portal, settings):
            module.print = self.said.append
        self.open(CYW43)

    def open(self, stats):
        network._radio = self.radio = Radio(stats)
        self.radio.clock = network.time = Clock(step=500)  # a look at the clock takes half a second: no test has to wait
        self.radio.around = {"home": SECRET, "cafe": None, HOSTILE[:32]: None}
        self.known = [("old", "old password")]
        self.radio.station.on = True
        self.link = network.Link(self.radio.station, network._tries, self.known)
        self.portal = portal.Portal(self.link, self.known, self.radio.access, "192.168.4.1")
        self.portal.look()
        self.app = self.portal.application()
        self.poll, network.POLL = network.POLL, 1
        write("/config.json", b'{"networks": [{"ssid": "old", "password": "old password"}], "mine": 5, "portal": {}}')

    def tearDown(self):
        import time

        network.time = time
        network.POLL = self.poll
        for module in (network, portal, settings):
            del module.print
        onboard.root = journal.root = ""
        remove("board")
        self.assertNotIn(SECRET, "\n".join(self.said))

    def client(self, host="192.168.4.1"):
        return TestClient(self.app, host=host)

    def get(self, path="/", host="192.168.4.1"):
        return run(self.client(host).get(path))

    def join(self, ssid="home", password=SECRET, token=None, **fields):
        fields.update({"ssid": ssid, "password": password, "token": self.portal.token if token is None else token})
        return run(self.posted(fields))

    async def posted(self, fields):
        pairs = [name + "=" + "".join(["%%%02x" % byte for byte in value.encode()]) for name, value in fields.items()]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.client().post("/join", headers, "&".join(pairs))

    def stored(self):
        return settings.read()["networks"]

    def test_who_looks_for_the_internet_finds_the_portal(self):
        for host, path in PROBES:
            for method in ("GET", "HEAD"):
                res = run(self.client(host).request(method, path))
                self.assertEqual(res.status_code, 302, (host, path))
                self.assertEqual(res.headers["Location"], "http://192.168.4.1/", (host, path))
                self.assertEqual(res.headers["Cache-Control"], "no-store")
                self.assertFalse(res.text, (host, path))

    def test_other_methods_find_it_too(self):
        for method, path in (("POST", "/"), ("PUT", "/x"), ("GET", "/join"), ("DELETE", "/join")):
            res = run(self.client().request(method, path))
            self.assertEqual((res.status_code, res.headers["Location"]), (302, "http://192.168.4.1/"), (method, path))

    def test_its_page_asks(self):
        res = self.get()
        self.assertEqual(res.status_code, 200)
        self.assertEqual(res.headers["Content-Type"], "text/html; charset=UTF-8")
        self.assertIn("default-src 'none'", res.headers["Content-Security-Policy"])
        self.assertEqual(res.headers["Cache-Control"], "no-store")
        self.assertIn('<option value="home">', res.text)
        self.assertIn(self.portal.token, res.text)
        self.assertNotIn("old password", res.text)

    def test_it_looks_again_when_asked(self):
        self.radio.around = {"new": None}
        self.assertNotIn('"new"', self.get().text)
        self.assertIn('"new"', self.get("/?again").text)
        self.radio.deaf = True
        self.assertIn('"new"', self.get("/?again").text)

    def test_a_network_that_takes_us_is_stored(self):
        for stats in (CYW43, ESP32):
            self.open(stats)
            res = self.join()
            self.assertEqual((res.status_code, res.headers["Location"]), (303, "http://192.168.4.1/"))
            self.assertIn("Connected to home as 192.168.1.7.", self.get().text)
            self.assertNotIn("<form", self.get().text)
            self.assertEqual([known["ssid"] for known in self.stored()], ["home", "old"])
            self.assertEqual(self.stored()[0]["password"], SECRET)
            self.assertEqual(settings.read()["mine"], 5)
            self.assertEqual(self.known, [("home", SECRET), ("old", "old password")])
            self.assertTrue(self.link.up)

    def test_a_wrong_password_is_said_and_not_stored(self):
        for stats in (CYW43, ESP32):
            self.open(stats)
            self.join(password="wr0ng & secret")
            page = self.get().text
            self.assertIn('<p role="alert">No connection to home: wrong password.</p>', page)
            self.assertIn('<option value="home" selected>', page)
            self.assertNotIn("wr0ng", page)
            self.assertEqual([known["ssid"] for known in self.stored()], ["old"])
            self.assertFalse(self.link.up)
            self.join()
            self.assertIn("Connected to home", self.get().text)

    def test_one_that_is_not_there_is_said_and_not_stored(self):
        self.join("nobody")
        self.assertIn("No connection to nobody: not in reach.", self.get().text)
        self.radio.silent = ("home",)
        self.join("home")
        self.assertIn("No connection to home: no connection within 15 s.", self.get().text)
        self.assertEqual([known["ssid"] for known in self.stored()], ["old"])

    def test_a_hidden_one_may_be_typed(self):
        self.join("", other="cafe", password="")
        self.assertEqual(self.stored()[0], {"ssid": "cafe"})

    def test_a_hostile_name_is_harmless_everywhere(self):
        self.join(HOSTILE[:32], password="wrong password")
        page = self.get().text
        self.assertNotIn("<script", page)
        self.join(HOSTILE[:32], password="")
        self.assertNotIn("<script", self.get().text)
        self.assertEqual(self.stored()[0], {"ssid": HOSTILE[:32]})

    def test_without_its_token_a_form_does_nothing(self):
        for token in ("", "x" * 26, self.portal.token[:-1], self.portal.token + "x", "é"):
            self.assertEqual(self.join(token=token).status_code, 303)
            self.assertIn("That form was an old one.", self.get().text)
        run(self.client().post("/join"))
        run(self.client().post("/join", None, {"ssid": "home", "token": self.portal.token}))
        self.assertEqual(self.radio.joins, [])

    def test_a_page_of_another_site_can_read_no_token(self):
        res = self.get("/", "evil.example")
        self.assertEqual((res.status_code, res.text), (302, ""))
        run(TestClient(self.app, host="evil.example").post("/join", None, "token=" + self.portal.token))
        self.assertEqual(self.radio.joins, [])

    def test_what_cannot_be_is_said_without_a_try(self):
        for ssid, password, line in (
            ("", "", "A network&#39;s name has 1 to 32 bytes."),
            ("x" * 33, "", "A network&#39;s name has 1 to 32 bytes."),
            ("é" * 17, "", "A network&#39;s name has 1 to 32 bytes."),
            ("home", "short", "A password has 8 to 63 characters."),
            ("home", "x" * 64, "A password has 8 to 63 characters."),
            ("home", "schlüssel", "A password has 8 to 63 characters."),
            ("home", "12345678\n", "A password has 8 to 63 characters."),
        ):
            self.join(ssid, password)
            self.assertIn(line, self.get().text)
        self.assertEqual(self.radio.joins, [])

    def test_a_key_in_hexadecimal_is_a_password(self):
        self.radio.around["home"] = "0123456789abcdefABCDEF0123456789" * 2
        self.join(password=self.radio.around["home"])
        self.assertIn("Connected to home", self.get().text)

    def test_a_malformed_form_is_the_clients_mistake(self):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in (b"ssid=%zz", b"ssid=\xff"):
            self.assertEqual(run(self.client().post("/join", headers, body)).status_code, 400)
        self.assertEqual(self.radio.joins, [])

    def test_one_network_at_a_time(self):
        async def both():
            self.radio.silent = ("cafe",)
            fields = {"ssid": "cafe", "token": self.portal.token}
            first = asyncio.create_task(self.posted(fields))
            while not self.portal.busy:
                await asyncio.sleep(0)
            await self.posted({"ssid": "home", "password": SECRET, "token": self.portal.token})
            self.assertIn("Another network is being tried.", (await self.client().get("/")).text)
            await first

        run(both())
        self.assertEqual([ssid for _, ssid in self.radio.joins], ["cafe"])

    def test_settings_that_cannot_be_written_are_said(self):
        def refuse(found):
            raise OSError(28)

        write_settings, settings.write = settings.write, refuse
        try:
            self.join()
        finally:
            settings.write = write_settings
        self.assertIn("Connected to home as 192.168.1.7. It could not be stored", self.get().text)
        self.assertEqual(read("/config.json")[:10], b'{"networks')
        self.assertTrue(self.link.up)

    def test_a_network_is_stored_once(self):
        self.join()
        self.portal.welcome = ""
        self.radio.around["home"] = "another password"
        self.join(password="another password")
        self.assertEqual([known["ssid"] for known in self.stored()], ["home", "old"])
        self.assertEqual(self.stored()[0]["password"], "another password")


class TestAccessPoint(unittest.TestCase):
    def setUp(self):
        self.said = []
        portal.print = self.said.append

    def tearDown(self):
        del portal.print

    def switched_on(self, wanted, hostname=None, stats=CYW43):
        self.radio = Radio(stats)
        return portal._switch_on(self.radio, self.radio.access, wanted, hostname), self.radio.access.log

    def test_a_password_of_the_settings_is_kept_for_itself(self):
        joining, log = self.switched_on({"ssid": "setup", "password": "very secret"})
        self.assertEqual(joining, "setup")
        self.assertEqual(log, [{"ssid": "setup", "key": "very secret"}, "on"])

    def test_without_one_there_is_a_new_one_each_time(self):
        passwords = set()
        for _ in range(20):
            joining, log = self.switched_on({}, "pico")
            key = log[0]["key"]
            self.assertEqual(joining, "pico with the password " + key)
            self.assertEqual(len(key), 12)
            passwords.add(key)
        self.assertEqual(len(passwords), 20)

    def test_one_that_the_radio_would_not_take_is_replaced(self):
        for password in ("", "short", "x" * 64, "schlüssel", 12345678):
            self.said.clear()
            _, log = self.switched_on({"password": password})
            self.assertEqual(len(log[0]["key"]), 12)
            self.assertEqual(self.said, ["network: portal: password: not 8 to 63 characters: another one instead"])

    def test_it_is_never_open(self):
        """ESP32's is, unless it is told; and it has to be on before that."""
        _, log = self.switched_on({"password": "very secret"}, stats=ESP32)
        options = {"ssid": "mdot-abcd", "key": "very secret", "security": 3}
        self.assertEqual(log, ["on", options])

    def test_its_name_tells_boards_apart(self):
        for wanted, hostname, ssid in (
            ({}, None, "mdot-abcd"),
            ({}, "pico", "pico"),
            ({"ssid": ""}, None, "mdot-abcd"),
            ({"ssid": 5}, None, "mdot-abcd"),
            ({"ssid": "x" * 33}, "x" * 33, "mdot-abcd"),
            ({"ssid": "x" * 32}, "pico", "x" * 32),
        ):
            self.assertEqual(self.switched_on(wanted, hostname)[1][0]["ssid"], ssid)


if __name__ == "__main__":
    unittest.main()
