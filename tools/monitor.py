"""show what a board prints, and type to it

Keys go to the board, Ctrl-C and Ctrl-D too; Ctrl-] ends it.  It survives resets: the port is opened again when it is back.
With the application's folder, the frames of tracebacks name its files here.  Without a terminal it only listens.

  mdot monitor
  mdot monitor examples/hello --port /dev/ttyACM0
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import device, known_boards, terminal
from .console import Failure, say
from .device import Device
from .tracebacks import Mapper

_QUIT = b"\x1d"
# Seconds between two looks at the keys, and after which the board counts as having said its piece.
_KEYS = 0.02
# Seconds between two tries to open a port that has gone.
_AGAIN = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", type=Path, nargs="?", metavar="APP", help="the application's folder, for its tracebacks")
    device.add_port(parser)


def do(arguments: argparse.Namespace) -> None:
    if arguments.app and not (arguments.app / "main.py").is_file():
        raise Failure(f"{arguments.app}: no main.py there: give the folder of an application, as in examples/hello")
    port = known_boards.target(arguments.port, {}, Path.cwd()).port
    # Opened before anything is said of it.
    with contextlib.closing(Line(port)) as line:
        say(f"{port}: {'Ctrl-] ends it' if sys.stdin.isatty() else 'listening until Ctrl-C'}")
        show(line, Mapper(arguments.app))


class Line:
    """A board's port, which is opened again whenever it comes back."""

    def __init__(self, port: str) -> None:
        """Open the port; raise Failure."""
        self.port = port
        self._serial = next((found.serial for found in device.ports() if found.path == port), "")
        self._device: Device | None = Device(port)

    def heard(self, seconds: float) -> bytes:
        """Give what the board says within that time."""
        if self._device is None:
            self._return()
            return b""
        try:
            return self._device.output(seconds)
        except Failure:
            self._lose()
            return b""

    def type(self, data: bytes) -> None:
        """Send what was typed; what is typed to a board that is not there is lost."""
        try:
            if self._device:
                self._device.type(data)
        except Failure:
            self._lose()

    def close(self) -> None:
        if self._device:
            self._device.close()

    def _lose(self) -> None:
        self.close()
        self._device = None
        say(f"{self.port}: gone: waiting for it to come back")

    def _return(self) -> None:
        # On USB the same board may come back under another name.
        again = next((found.path for found in device.ports() if self._serial and found.serial == self._serial), self.port)
        try:
            self._device, self.port = Device(again), again
        except Failure:
            time.sleep(_AGAIN)
        else:
            say(f"{self.port}: back")


def show(line: Line, mapper: Mapper, until: Callable[[], bool] = lambda: False) -> bool:
    """Pass on what is said and typed, until the user ends it or, and only then return True, until something else does."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with _quietly_ended(), terminal.keys() as keys:
        while not until():
            typed, quits, _ = keys().partition(_QUIT)
            if typed:
                line.type(typed)
            if quits:
                return False
            said = line.heard(_KEYS)
            write(mapper.passed(decoder.decode(said)) if said else mapper.rest())
        return True
    return False


def write(text: str) -> None:
    """Show what a board said: as it is on a terminal, with plain line ends for programs."""
    if text:
        sys.stdout.write(text if sys.stdout.isatty() else text.replace("\r", ""))
        sys.stdout.flush()


@contextlib.contextmanager
def _quietly_ended() -> Iterator[None]:
    """Take Ctrl-C, or the end of who reads along, for what it is."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        # Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
