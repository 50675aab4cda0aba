"""get a board back whose main.py does not let anybody in

Goes up a ladder, from two Ctrl-C to the boot loader, and says each step; the first that reaches the REPL is the last.  Then
main.py can be put aside, as /main.py.rescued, so that the next start does not run it.  Nothing is removed from the board.

  mdot rescue
  mdot rescue --port /dev/ttyACM0 --yes
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from . import device, known_boards, on_board
from .console import Failure, say
from .device import Device, Lost

_INTERRUPT, _RAW, _FRIENDLY, _RESET = b"\x03", b"\x01", b"\x02", b"\x04"
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
# Seconds that a board has to answer after the first two Ctrl-C, that it is flooded with more, and flooded while it starts.
_ANSWER, _FLOOD, _BOOT = 2.0, 5.0, 8.0
# Seconds between two Ctrl-C of a flood, and how many of them there are for each question whether that was enough.
_PAUSE, _ASK_EVERY = 0.05, 10
# Typed without an answer: a board that takes it is gone at once, and a program that reads it takes no harm.
_BOOT_LOADER = b"\r\x03\x03\x02\rimport machine\rmachine.bootloader()\r"

_BY_HAND = (
    "by hand: hold the button BOOTSEL of a Pico while you plug it in, or on an ESP32 hold BOOT and press EN or RESET;"
    " then `flash`, which keeps the files, or `flash --erase`, which does not"
)


class Step(NamedTuple):
    """A rung of the ladder."""

    text: str
    climb: Callable[[Device], bool]
    """Tells whether the REPL answers now."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    device.add_port(parser)
    parser.add_argument("--yes", action="store_true", help="put main.py aside without asking")


def do(arguments: argparse.Namespace) -> None:
    port, wanted = known_boards.target(arguments.port, {}, Path.cwd())
    with contextlib.closing(Device(port)) as board:
        _climb(board)
        # Without a reset, which would run boot.py: that may be what is wrong.
        board.enter(reset=False)
        known_boards.check(board, wanted)
        if _is_wanted(arguments.yes):
            _put_aside(board)
        else:
            say(f"{port}: nothing was changed; the board waits at its prompt, and --yes puts main.py aside")
        board.type(_FRIENDLY)


def _climb(board: Device) -> None:
    for step in LADDER:
        say(f"{board.port}: {step.text} …")
        if _reached(board, step):
            say(f"{board.port}: the board answers")
            return
    raise Failure(f"{board.port}: no way in over this port: {_BY_HAND}")


def _reached(board: Device, step: Step) -> bool:
    try:
        return step.climb(board)
    except Lost:
        say(f"{board.port}: the port is gone, or takes nothing any more: opening it again")
        _open_again(board)
        return False


def _open_again(board: Device) -> None:
    try:
        board.reconnect()
    except Failure:
        raise Failure(f"{board.port}: it did not come back: it is in its boot loader, or unplugged: {_BY_HAND}") from None


def _twice(board: Device) -> bool:
    board.type(b"\r" + _INTERRUPT + _INTERRUPT)
    return _answers(board, _ANSWER)


def _answers(board: Device, seconds: float) -> bool:
    """Ask for the raw REPL; tell whether it came."""
    board.type(b"\r" + _RAW)
    heard, deadline = b"", time.monotonic() + seconds
    while _BANNER not in heard and time.monotonic() < deadline:
        heard = heard[-len(_BANNER) :] + board.output(_PAUSE)
    return _BANNER in heard


def _flooded(board: Device, seconds: float = _FLOOD) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for _ in range(_ASK_EVERY):
            board.type(_INTERRUPT)
            board.output(_PAUSE)
        if _answers(board, _PAUSE * _ASK_EVERY):
            return True
    return _answers(board, _ANSWER)


def _soft_reset(board: Device) -> bool:
    # It may be in the raw REPL, and busy there, as after a tool that was ended in the middle.
    board.type(b"\r" + _INTERRUPT + _RAW + _RESET)
    return _flooded(board)


def _hard_reset(board: Device) -> bool:
    try:
        if not board.pulse():
            say(f"{board.port}: this port has no such lines")
            return False
        return _flooded(board, _BOOT)
    except Lost:  # its USB goes with the reset
        _open_again(board)
        return _flooded(board, _BOOT)


def _boot_loader(board: Device) -> bool:
    board.type(_BOOT_LOADER)
    board.output(_ANSWER)
    # One that has gone there breaks the connection.
    board.type(b"\r")
    return _answers(board, _ANSWER)


LADDER: Sequence[Step] = (
    Step("Ctrl-C, twice", _twice),
    Step(f"Ctrl-C for {_FLOOD:.0f} seconds", _flooded),
    Step("a soft reset", _soft_reset),
    Step("a reset by the lines DTR and RTS, with Ctrl-C while it starts", _hard_reset),
    Step("machine.bootloader(), typed blindly", _boot_loader),
)


def _is_wanted(yes: bool) -> bool:
    if yes or not sys.stdin.isatty():
        return yes
    say("Put main.py aside as /main.py.rescued, so that no start runs it? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _put_aside(board: Device) -> None:
    name = board.run(on_board.program("set_aside", ".rescued")).strip()
    if name:
        print(f"{board.port}: /main.py is {name} now; deploy the corrected application, or reset the board")
    else:
        print(f"{board.port}: there is no /main.py: boot.py, or the firmware itself, keeps the board busy")
