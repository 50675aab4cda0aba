# What comes before and after the program.  The network is a fake: a real one would need a radio or a modem.

import io
import os
import unittest

import onboard
from deploys import read, write
from folder import remove
from onboard import guard, journal
from support import MICROPYTHON, run

if not MICROPYTHON:
    raise unittest.SkipTest("it runs on boards only, in a world of MicroPython's modules")

from onboard import start


class FakeNetwork:
    def __init__(self, error=None):
        self.settings = []
        self._error = error

    def start(self, settings):
        self.settings.append(settings)
        if self._error:
            raise self._error


class TestStart(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        onboard.root = journal.root = "board"
        self.said = io.StringIO()
        self.network = onboard.network = FakeNetwork()
        for module in (start, guard):
            module.print = self.say

    def tearDown(self):
        for module in (start, guard):
            del module.print
        start.guard = None
        del onboard.network
        onboard.root = journal.root = ""
        remove("board")

    def say(self, text, end="\n"):
        self.said.write(text + end)

    def begin(self):
        async def begin():
            return start.begin()

        return run(begin())

    def test_without_a_deploy_nothing_is_counted(self):
        for _ in range(5):
            self.assertTrue(self.begin())
            start.end()
        self.assertEqual((os.listdir("board"), self.network.settings, self.said.getvalue()), ([], [], ""))

    def test_the_network_gets_the_settings(self):
        write("/config.json", b'{"hostname": "pico"}')
        self.assertTrue(self.begin())
        self.assertEqual(self.network.settings, [{"hostname": "pico"}])

    def test_a_network_that_fails_does_not_stop_the_application(self):
        write("/config.json", b"{}")
        for error in (OSError(5), ValueError("x"), ImportError(), MemoryError()):
            onboard.network = FakeNetwork(error)
            self.assertTrue(self.begin())
        self.assertEqual(len(self.said.getvalue().split("\n")), 5)
        self.assertIn("onboard: network not started: ValueError: x\n", self.said.getvalue())

    def test_a_board_that_starts_no_program_has_its_network(self):
        write("/config.json", b"{}")
        write("/.mdot/boots", b"3")
        self.assertFalse(self.begin())
        self.assertEqual(self.network.settings, [{}])

    def test_who_interrupts_the_network_is_let_in(self):
        write("/config.json", b"{}")
        write("/.mdot/boots", b"1")
        onboard.network = FakeNetwork(KeyboardInterrupt())
        with self.assertRaises(KeyboardInterrupt) as caught:
            self.begin()
        start.end(caught.exception)
        self.assertEqual(read("/.mdot/boots"), b"1")

    def test_an_interrupt_where_no_program_was_started_changes_nothing(self):
        write("/.mdot/boots", b"3")
        self.assertFalse(self.begin())
        start.end(KeyboardInterrupt())
        start.end()
        self.assertEqual(read("/.mdot/boots"), b"3")

    def test_frames_that_are_not_ours_are_printed(self):
        try:
            exec("1 / 0")
        except ZeroDivisionError as exc:
            start.end(exc)
        self.assertIn("test_frames_that_are_not_ours_are_printed\n", self.said.getvalue())
        self.assertIn('File "<string>", line 1, in <module>\nZeroDivisionError', self.said.getvalue())


if __name__ == "__main__":
    unittest.main()
