# /config.json is read whatever its state, and replaced in one step.

import json
import os
import unittest

import onboard
from deploys import Power, read, write
from folder import remove
from onboard import journal, settings

SECRET = 's3cret}{[\\"ü'
GOOD = {"hostname": "pico", "networks": [{"ssid": "a", "password": SECRET}], "portal": {"minutes": 10}, "mine": [1, None]}


class TestSettings(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        onboard.root = journal.root = "board"
        self.said = []
        settings.print = self.said.append

    def tearDown(self):
        del settings.print
        onboard.root = journal.root = ""
        remove("board")

    def ignored(self, text, reason):
        write("/config.json", text)
        self.said.clear()
        self.assertEqual(settings.read(), {}, text[:80])
        self.assertEqual(self.said, ["onboard: config.json: " + reason + ": ignored"], text[:80])

    def test_what_is_written_is_read(self):
        settings.write(GOOD)
        self.assertEqual(settings.read(), GOOD)
        self.assertEqual(self.said, [])
        self.assertEqual(os.listdir("board"), ["config.json"])

    def test_every_truncation_is_noticed(self):
        text = json.dumps(GOOD).encode()
        for end in range(len(text)):
            self.ignored(text[:end], "not a JSON object")

    def test_garbage_is_ignored_in_one_line_without_a_word_of_it(self):
        secret = SECRET.encode()
        for text in [b"\0", b"\xff\xfe" * 100, b"[]", b"null", b'"%s"' % secret, b"}{", b"{]", b"{" * 4000]:
            self.ignored(text, "not a JSON object")
        for text in [
            b'{"hostname": %s}' % secret,
            b"{'hostname': 1}",
            b'{"a": 1}x{',
            b'{"a": "\xff"}',
            b"[" * 500 + b"]" * 500,
        ]:
            self.ignored(text, "not a JSON object")

    def test_a_huge_file_is_not_read(self):
        most = b'{"a": 1' + b" " * (settings.MAX_BYTES - 8) + b"}"
        write("/config.json", most)
        self.assertEqual(settings.read(), {"a": 1})
        self.ignored(most + b" ", "over 4096 bytes")
        self.ignored(most * 100, "over 4096 bytes")

    def test_only_the_parts_that_are_wrong_go(self):
        wrong_networks = [("networks", wrong) for wrong in ({}, "home", [{"ssid": "a"}, "b"])]
        for part, wrong in [("hostname", 5), ("country", ["DE"]), ("ppp", True), ("portal", [])] + wrong_networks:
            self.said.clear()
            settings.write({"mine": 1, part: wrong})
            self.assertEqual(settings.read(), {"mine": 1})
            self.assertEqual(self.said, ["onboard: config.json: " + part + ": not of the right form: ignored"])

    def test_a_missing_file_is_a_line(self):
        self.assertEqual(settings.read(), {})
        self.assertEqual(len(self.said), 1)

    def test_a_cut_leaves_the_old_or_the_new(self):
        seen = set()
        for cut in range(3):
            settings.write({"hostname": "old"})
            with Power(settings, cut):
                settings.write(GOOD)
            seen.add(settings.read()["hostname"])
            settings.write({"hostname": "new"})
            self.assertEqual(settings.read(), {"hostname": "new"})
        self.assertEqual(seen, {"old"})
        self.assertEqual(self.said, [])

    def test_what_is_too_long_is_not_written(self):
        settings.write(GOOD)
        self.assertRaises(ValueError, settings.write, {"a": "x" * settings.MAX_BYTES})
        self.assertEqual(settings.read(), GOOD)
        self.assertEqual(json.loads(read("/config.json").decode()), GOOD)


if __name__ == "__main__":
    unittest.main()
