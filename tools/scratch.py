"""Files that lie on a board for a while, in a folder of their own beside what is deployed there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from . import on_board, upload
from .board_state import State
from .console import Failure
from .device import Device, Lost, ProgramFailed

_FULL = re.compile(r"OSError: .*(ENOSPC|\b28\b)")


@contextmanager
def lying(
    board: Device, place: str, files: Mapping[str, bytes], state: State, shortage: str = "{} bytes more are needed"
) -> Iterator[None]:
    """Bring files, by their paths in it, to a folder at the board's top; afterwards it is gone, and the board restarted.

    What was left there when one such block was cut off is removed first.  Raises Failure when the flash has no room:
    `shortage` says for what, and its {} how many bytes.
    """
    try:
        board.run(on_board.program("remove", place))
        _bring(board, place, files, state, shortage)
        yield
    except Lost:
        raise
    except BaseException:
        with suppress(Failure):
            _clear(board, place)
        raise
    _clear(board, place)


def _clear(board: Device, place: str) -> None:
    board.enter()
    board.run(on_board.program("remove", place))
    board.restart()


def _bring(board: Device, place: str, files: Mapping[str, bytes], state: State, shortage: str) -> None:
    names = {path: hashlib.sha256(f"{place} {path}".encode()).hexdigest()[:24] for path in files}
    stale = [f"/.mdot/new/{name}" for name in names.values() if name in state.waiting]
    try:
        upload.sent(board, [(names[path], data) for path, data in files.items()], stale, state.about, lambda done: None)
        board.run(on_board.program("place", place, [(names[path], path) for path in sorted(files)]))
    except ProgramFailed as failure:
        if not _FULL.match(failure.exception):
            raise
        needed = shortage.format(sum(map(len, files.values())))
        raise Failure(f"{board.port}: the board's flash is full: {needed}: make room there") from None
