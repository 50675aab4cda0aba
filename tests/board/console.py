"""The board's serial console as a person sees it: the friendly REPL, and what programs print."""

from __future__ import annotations

import re
import socket
from types import TracebackType

import pico

_PROMPT = ">>> "
_PATIENCE = 90  # seconds


class Console:
    """A terminal on the board's USB serial port, inside `with`."""

    def __init__(self, board: pico.Board) -> None:
        self._socket = socket.create_connection(("127.0.0.1", board.usb), timeout=_PATIENCE)
        self._seen = ""

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def type(self, keys: str) -> None:
        """Send what is typed."""
        self._socket.sendall(keys.encode())

    def until(self, ending: str) -> str:
        """Give what the board says up to and with a text."""
        while ending not in self._seen:
            data = self._socket.recv(4096)
            assert data, f"the line ended after {self._seen!r}"
            self._seen += data.decode(errors="replace").replace("\r\n", "\n")
        end = self._seen.index(ending) + len(ending)
        said, self._seen = self._seen[:end], self._seen[end:]
        return said

    def interrupt(self) -> str:
        """Stop what runs; give what the board says up to the prompt."""
        self.type("\x03")
        return self.until(_PROMPT)

    def enter(self, line: str) -> str:
        """Type a line at the prompt; give what the board answers."""
        self.type(line + "\r")
        self.until("\n")
        return self.until(_PROMPT).removesuffix(_PROMPT)

    def attach(self) -> None:
        """Wait for the prompt, and forget what the board said before."""
        self.type("\rprint('he' + 're')\r")
        self.until("here\n" + _PROMPT)

    def restart(self, ending: str = _PROMPT) -> str:
        """Restart the program from the prompt, by a soft reset; give what the board says up to a text."""
        self.attach()
        self.type("\x04")
        self.until("MPY: soft reboot\n")
        said = self.until(ending)
        return re.sub(r"MicroPython v.*\nType .*\n>>> $", "", said)
