"""What the user types, key by key, for a verb that passes it on to a board."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

try:
    import termios
except ImportError:  # this system has its consoles otherwise: there one can listen only
    termios = None  # type: ignore[assignment]

_MOST = 256  # bytes that are passed on at once

Keys = Callable[[], bytes]


@contextmanager
def keys() -> Iterator[Keys]:
    """Lend a function that gives what was typed since it was last called; without a terminal that is nothing.

    Meanwhile the terminal shows no key by itself, and Ctrl-C is a key like any other.
    """
    if termios is None or not sys.stdin.isatty():
        yield lambda: b""
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.ICRNL | termios.IXON)
    settings[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(terminal, termios.TCSADRAIN, settings)
    try:
        yield lambda: os.read(terminal, _MOST) if select.select([terminal], [], [], 0)[0] else b""
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
