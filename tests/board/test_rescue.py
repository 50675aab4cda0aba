"""Getting an emulated board back from programs that let nobody in; and the ladder's rungs where a board has none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
import serial

from tools import device

_SWALLOWS = """
import time
for n in range(3):
    try:
        while True:
            time.sleep_ms(20)
    except KeyboardInterrupt:
        print('not yet')
while True:
    time.sleep_ms(20)
"""
_SWALLOWS_MANY = _SWALLOWS.replace("range(3)", "range(40)")
_HOT = "while True:\n    pass\n"
_DEAF = "import micropython\nmicropython.kbd_intr(-1)\nwhile True:\n    pass\n"
_ASLEEP = "import micropython, time\nmicropython.kbd_intr(-1)\nprint('asleep')\nwhile True:\n    time.sleep(1)\n"
# It reads lines, and does what they say; nothing interrupts it.
_OWN_PROMPT = """
import micropython
import sys
micropython.kbd_intr(-1)
while True:
    try:
        exec(sys.stdin.readline().strip('\\x01\\x02\\x03\\x04\\n '))
    except Exception as exc:
        print(exc)
"""

_NAMES = "import os; print(sorted(os.listdir('/')))"


@pytest.fixture
def board(image: Path) -> Iterator[pico.Board]:
    """Start a board with nothing but the image in its flash."""
    with pico.started(image) as started:
        yield started


def _running(board: pico.Board, program: str) -> None:
    """Put a main.py on the board and start it."""
    board.mpremote("exec", f"open('main.py', 'w').write({program!r})")
    board.mpremote("reset")
    board.wait(lambda state: state.resets > 0 and state.seconds > 3)


def _rescue(board: pico.Board, *arguments: str, port: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools", "rescue", "--port", port or f"socket://127.0.0.1:{board.usb}", *arguments]
    return subprocess.run(command, cwd=pico.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200)


@pytest.mark.parametrize(
    ("program", "rungs"), [(_HOT, 1), (_SWALLOWS, 2), (_SWALLOWS_MANY, 2)], ids=["hot loop", "swallows three", "swallows many"]
)
def test_a_program_is_interrupted_and_put_aside(board: pico.Board, program: str, rungs: int) -> None:
    _running(board, program)
    done = _rescue(board, "--yes")
    port = f"socket://127.0.0.1:{board.usb}"
    assert done.stdout == f"{port}: /main.py is /main.py.rescued now; deploy the corrected application, or reset the board\n"
    assert done.returncode == 0
    *steps, last = done.stderr.splitlines()
    assert steps[:rungs] == [f"{port}: {text} …" for text in ("Ctrl-C, twice", "Ctrl-C for 5 seconds")[:rungs]]
    assert last == f"{port}: the board answers"
    assert board.mpremote("exec", _NAMES).strip() == "['main.py.rescued']"


def test_without_yes_nothing_is_changed(board: pico.Board) -> None:
    _running(board, _HOT)
    done = _rescue(board)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1].endswith("the board waits at its prompt, and --yes puts main.py aside")
    assert board.mpremote("exec", _NAMES).strip() == "['main.py']"


def test_what_was_put_aside_before_stays(board: pico.Board) -> None:
    board.mpremote("exec", "open('main.py.rescued', 'w').write('mine')\nopen('main.py', 'w').write('1')")
    assert "/main.py is /main.py.rescued2 now" in _rescue(board, "--yes").stdout
    assert "there is no /main.py" in _rescue(board, "--yes").stdout
    assert board.mpremote("exec", "print(open('main.py.rescued').read())").strip() == "mine"


@pytest.mark.parametrize("program", [_DEAF, _ASLEEP], ids=["hot loop", "asleep"])
def test_where_nothing_helps_the_steps_by_hand_are_told(board: pico.Board, program: str) -> None:
    _running(board, program)
    done = _rescue(board, "--yes")
    *steps, last = done.stderr.splitlines()
    assert [line.partition(": ")[2].rpartition(" …")[0] for line in steps if line.endswith(" …")] == [
        "Ctrl-C, twice",
        "Ctrl-C for 5 seconds",
        "a soft reset",
        "a reset by the lines DTR and RTS, with Ctrl-C while it starts",
        "machine.bootloader(), typed blindly",
    ]
    assert "this port has no such lines" in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert last.startswith("mdot: rescue: socket://")
    assert "no way in over this port: by hand: hold the button BOOTSEL" in last


def test_a_prompt_that_does_not_know_the_raw_repl_leads_to_the_boot_loader(board: pico.Board) -> None:
    _running(board, _OWN_PROMPT)
    done = _rescue(board, "--yes")
    assert board.state().power == "boot loader"
    assert done.returncode == 1
    assert "it did not come back: it is in its boot loader, or unplugged: by hand" in done.stderr.splitlines()[-1]


class Lines(serial.Serial):  # type: ignore[misc]
    """A port that is not open, and whose lines are noted: no board with such lines is at hand."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[tuple[bool, bool]] = []

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in ("dtr", "rts") and hasattr(self, "states"):
            self.states.append((self.dtr, self.rts))

    def close(self) -> None:
        pass


def test_the_lines_reset_a_board_without_choosing_its_boot_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    class Transport:
        serial = Lines()

    monkeypatch.setattr(device, "_opened", lambda port: Transport())
    assert device.Device("a port").pulse()
    # Of DTR and RTS: never DTR alone.
    assert Transport.serial.states == [(False, True), (False, True), (True, True), (True, True)]


def test_a_port_without_lines_says_so() -> None:
    ours, theirs = os.openpty()
    try:
        board = device.Device(os.ttyname(theirs))
        assert not board.pulse()
        board.close()
    finally:
        os.close(ours)
        os.close(theirs)
