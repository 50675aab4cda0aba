"""What a board is and what lies on it, as the program `on_board/state.py` tells."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import on_board
from .bytecode import Mpy, of_implementation
from .console import Failure
from .device import Device

OWNED = "/.mdot/owned"


class About(NamedTuple):
    """What a board says of itself."""

    id: str
    """`machine.unique_id()` in hexadecimal, or nothing."""
    platform: str
    release: tuple[Any, ...]
    machine: str
    build: str
    mpy: int
    heap: int
    """Bytes free right after a start."""
    block: int
    """The filesystem's block in bytes; `blocks` of them in all, `free` of them free."""
    blocks: int
    free: int
    deflate: bool
    guard: bool
    """The firmware has our boot guard."""
    pending: bool
    """A deploy that was interrupted is still to be carried on."""
    damage: str
    """What was wrong with the journal of an interrupted deploy, if it had to be put aside."""

    @property
    def loads(self) -> Mpy:
        """The bytecode that it loads."""
        return of_implementation(self.mpy)

    @property
    def version(self) -> str:
        return ".".join(str(part) for part in self.release[:3]) + (
            f"-{self.release[3]}" if self.release[3:] and self.release[3] else ""
        )

    @property
    def target(self) -> str:
        """The board's name among those that firmware is built for, as far as it knows it."""
        return "unix" if self.platform in ("linux", "darwin") else self.build or self.platform


class Owned(NamedTuple):
    """A file that lies there by deploy."""

    size: int
    sha256: str
    actual: str | None
    """Its present content's SHA-256; None when it is gone."""


@dataclass
class State:
    """A board and all that lies on it."""

    about: About
    app: str = ""
    build: str = ""
    owned: dict[str, Owned] = field(default_factory=dict)
    record: bytes = b""
    """The content of /.mdot/owned."""
    files: dict[str, int] = field(default_factory=dict)
    """The sizes of all the others."""
    folders: set[str] = field(default_factory=set)
    waiting: dict[str, int] = field(default_factory=dict)
    """What lies in /.mdot/new, by its name, with its size."""
    kept: dict[str, int] = field(default_factory=dict)
    """What lies in /.mdot/old."""
    marks: set[str] = field(default_factory=set)
    """Of `undo`, `trial` and `boots` those that are there."""


def read(board: Device, wanted: str = "", recover: bool = True) -> State:
    """Ask a board for its state, carrying an interrupted deploy on first; raise Failure if it is not the board `wanted`."""
    state = parsed(board.port, board.run(on_board.program("state", wanted, recover, "")))
    if wanted and state.about.id != wanted:
        said = f"this board is {state.about.id}" if state.about.id else "this board does not tell who it is"
        raise Failure(f"{board.port}: {said}, and {wanted} is wanted: choose the other port, or change what pins the board")
    if state.about.pending and recover:
        # Its firmware has no code for that.
        return parsed(board.port, board.run(on_board.program("state", wanted, recover, on_board.journal(False))))
    return state


def parsed(port: str, text: str) -> State:
    """Read what the program told."""
    try:
        lines: list[tuple[Any, ...]] = [ast.literal_eval(line) for line in text.splitlines()]
        state = State(About(**lines[0][1]))
        for kind, *rest in lines[1:]:
            _take(state, kind, rest)
        _check_record(state.record)
    except _DamagedRecord:
        way = f"remove it with `mpremote connect {port} rm :{OWNED}`, and deploy with --adopt"
        raise Failure(f"{port}: {OWNED}, the record of what was deployed, is damaged: {way}") from None
    except (IndexError, KeyError, SyntaxError, TypeError, ValueError):
        raise Failure(f"{port}: the board's state makes no sense: reset it and try again") from None
    return state


class _DamagedRecord(Exception):
    pass


def _take(state: State, kind: str, rest: list[Any]) -> None:
    if kind == "owned":
        state.record += rest[0]
        try:
            _take_owned(state, rest[0].decode(), rest[1])
        except ValueError:
            raise _DamagedRecord from None
    elif kind == "file":
        state.files[rest[0]] = rest[1]
    elif kind == "folder":
        state.folders.add(rest[0])
    elif kind == "mark":
        state.marks.add(rest[0])
    else:
        {"new": state.waiting, "old": state.kept}[kind][rest[0]] = rest[1]


def _take_owned(state: State, line: str, actual: str | None) -> None:
    if line.startswith("#"):
        _, state.app, state.build = line.split()
    else:
        sha256, size, path = line.rstrip("\n").split(" ", 2)
        state.owned[path] = Owned(int(size), sha256, actual)


def _check_record(record: bytes) -> None:
    if record and not (record.startswith(b"# ") and record.endswith(b"\n")):
        raise _DamagedRecord


def name_of(path: str, sha256: str) -> str:
    """Give the name under which a file waits in /.mdot/new and is kept in /.mdot/old."""
    return hashlib.sha256(path.encode() + b"\0" + sha256.encode()).hexdigest()[:24]


def recorded(app: str, build: str, files: Iterable[tuple[str, int, str]]) -> bytes:
    """Give the content of /.mdot/owned for files of path, size and SHA-256."""
    lines = (f"{sha256} {size} {path}\n" for path, size, sha256 in sorted(files))
    return f"# {app} {build}\n{''.join(lines)}".encode()
