"""Tracebacks from a board, led back to the files of this machine.

File "sensors.py", line 12, in read    ->    examples/weather/sensors.py:12, in read
"""

from __future__ import annotations

import re
from pathlib import Path

from . import paths

_START = '  File "'
_FRAME = re.compile(r'  File "(?P<name>[^"]+)", line (?P<line>\d+)(?P<rest>(?:, in [^\r]*)?\r?\n)')
# The line of the board's own main.py that imports the application's, which is compiled.
_LAUNCHER = re.compile(r'  File "main\.py", line 2, in <module>\r?\n')
_MAIN = re.compile(r'  File "main\.py", line \d+, in <module>\r?\n')


class Mapper:
    """Passes a board's output on, with the frames of tracebacks changed; without a folder, all as it is.

    Modules are compiled under their path in the application's folder, so a frame is the application's if such a file is there.
    """

    def __init__(self, app: Path | None) -> None:
        self._app = app
        self._held = ""
        self._launcher = ""
        self._in_a_line = False

    def passed(self, text: str) -> str:
        """Take what came; give what can be shown.  Held back is what may become a frame, and nothing else."""
        if self._app is None:
            return text
        self._held += text
        shown = ""
        while self._held:
            line, newline, rest = self._held.partition("\n")
            may_be_frame = not self._in_a_line and (line.startswith(_START) or _START.startswith(line))
            if may_be_frame and not newline:
                break
            shown += self._line(line + newline) if may_be_frame else self._before() + line + newline
            self._in_a_line, self._held = not newline, rest
        return shown

    def rest(self) -> str:
        """Give what was held back: nothing more will come for a while."""
        shown = self._before() + self._held
        self._in_a_line, self._held = (self._in_a_line or bool(self._held)), ""
        return shown

    def _line(self, line: str) -> str:
        if _LAUNCHER.fullmatch(line) and not self._launcher:
            self._launcher = line
            return ""
        if self._launcher and _MAIN.fullmatch(line):
            self._launcher = ""
        return self._before() + self._mapped(line)

    def _before(self) -> str:
        before, self._launcher = self._launcher, ""
        return self._mapped(before)

    def _mapped(self, line: str) -> str:
        frame = _FRAME.fullmatch(line)
        source = self._source(frame["name"]) if frame else None
        if not frame or not source:
            return line
        # The lines of a template's module are not its own.
        place = f"{source}:{frame['line']}" if source.endswith(".py") else f"{source} (line {frame['line']} of its module)"
        return f"  {place}{frame['rest']}"

    def _source(self, name: str) -> str | None:
        parts = name.lstrip("/").split("/")
        if self._app is None or ".." in parts or not self._app.joinpath(*parts).is_file():
            return None
        return paths.shown(self._app.joinpath(*parts))
