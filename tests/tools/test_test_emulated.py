"""An application's own tests on the emulated Pico: machine code for its processor, its heap and its flash."""

from __future__ import annotations

import sys
from pathlib import Path

from app_folders import HELLO, ROOT, application, run_verb

sys.path.append(str(ROOT / "tests/board"))
import pico

TESTS = """
import asyncio
import gc
import os
import sys
import unittest

import fast
from main import app
from microdot.test_client import TestClient


class TestBoard(unittest.TestCase):
    def test_machine_code(self):
        self.assertEqual(fast.double(21), 42)
        self.assertEqual(sys.platform, "rp2")

    def test_page(self):
        self.assertEqual(asyncio.run(TestClient(app).get("/")).text, "hello")

    def test_files(self):
        with open("words.txt") as file:
            self.assertEqual(file.read(), "some words")
        self.assertIn("words.txt", os.listdir())

    def test_memory(self):
        self.assertEqual(len(bytearray(gc.mem_free() // 3)) > 20000, True)

    def test_wrong(self):
        fast.wrong()
"""
FAST = """import micropython


@micropython.viper
def double(n: int) -> int:
    return n + n


def wrong():
    raise ValueError("wrong")
"""


def test_on_the_emulated_board(tmp_path: Path) -> None:
    app = application(
        tmp_path / "app", {"main.py": HELLO, "fast.py": FAST, "words.txt": "some words", "tests/test_board.py": TESTS}
    )
    with pico.started(pico.firmware("RPI_PICO") / "firmware.bin") as board:
        done = run_verb("test", app, "--on", "board", "--port", f"socket://127.0.0.1:{board.usb}")
        said = done.stdout.splitlines()
        assert said[:2] == [
            "board    test_board               4 passed, 1 failed",
            "  FAILED test_board.TestBoard.test_wrong",
        ], done
        places = [
            'File "tests/test_board.py", line 30, in test_wrong',
            'File "fast.py", line 10, in wrong',
            "ValueError: wrong",
        ]
        assert [line.strip() for line in said[3:]] == places
        assert done.stderr.splitlines()[-1] == "mdot: test: 1 of 5 tests failed: what they said is above"
        assert board.mpremote("resume", "exec", "import os; print(os.listdir('/'))").strip() == "[]"
