"""Carrying a plan out on a board: the upload, and the commit once everything has arrived whole."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import on_board, upload
from .board_state import State
from .console import Failure
from .device import Device, ProgramFailed
from .plan import Plan, Upload

# Given the bytes that the board has taken, and of how many.
Progress = Callable[[int, int], None]

# How often what arrived damaged is sent again: a line that damages it each time will not do better later.
_ATTEMPTS = 3
# Seconds that a board may be silent while it does what a journal says: some 20 ms a file are usual.
_COMMITTING = 300.0
# How ports spell that, with their errno's name, text or number alone.
_FULL = re.compile(r"ENOSPC|OSError: (\[Errno )?28\b")


def carried_out(board: Device, todo: Plan, state: State, tree: Path, progress: Progress) -> float:
    """Do what a plan says, with the files below `tree`; give the seconds that the upload took."""
    began = time.monotonic()
    parts, start = todo.uploads, state.waiting
    stale: Sequence[str] = todo.stale
    for _ in range(_ATTEMPTS):
        files = [(part.name, _content(part, tree)[start.get(part.name, 0) :]) for part in parts]
        _send(board, files, stale, state, progress)
        took = time.monotonic() - began
        damaged = committed(board, todo.journal_name, state.about.guard)
        if not damaged:
            return took
        # What an interrupted upload left may have been of no use; what is damaged is gone from the board now.
        parts, start, stale = [part for part in todo.parts if part.name in damaged], {}, ()
    raise Failure(f"{board.port}: {_ATTEMPTS} times files did not arrive as sent: check cable and power, and try again")


def committed(board: Device, journal: str, frozen: bool) -> list[str]:
    """Let a board check what was uploaded and commit to a journal; list what is damaged, in which case nothing happened."""
    said = board.run(on_board.program("commit", journal, on_board.journal(frozen)), _COMMITTING)
    return [str(name) for name in ast.literal_eval(said.splitlines()[-1])]


def _content(part: Upload, tree: Path) -> bytes:
    return (tree / part.path.lstrip("/")).read_bytes() if part.content is None else part.content


def _send(board: Device, files: Sequence[tuple[str, bytes]], stale: Sequence[str], state: State, progress: Progress) -> None:
    if not files and not stale:
        return
    total = sum(len(content) for _, content in files)
    try:
        upload.sent(board, files, stale, state.about, lambda done: progress(min(done, total), total))
    except ProgramFailed as failure:
        if not _FULL.search(failure.exception):
            raise
        board.run(on_board.program("clear", [name for name, _ in files]))
        raise Failure(f"{board.port}: the board's flash is full: the old application is as it was: make room there") from None
