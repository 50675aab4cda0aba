"""A MicroPython tree to build from, the cache's or the user's own: checked before use, never written to."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .console import Failure

_OLDEST = (1, 24)
_WANTED = "MICROPYTHON wants the path of a MicroPython checkout"
_LANDMARKS = ("py/mpconfig.h", "mpy-cross/Makefile", "extmod/asyncio/manifest.py")


class Checkout(NamedTuple):
    """A tree that has what a port needs."""

    path: Path
    version: str


def _version(path: Path) -> tuple[int, ...]:
    text = (path / "py/mpconfig.h").read_text(encoding="utf-8", errors="replace")
    numbers = [re.search(rf"#define MICROPY_VERSION_{part} +\(?(\d+)", text) for part in ("MAJOR", "MINOR", "MICRO")]
    return tuple(int(number[1]) if number else 0 for number in numbers)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def opened(path: Path, port: str, submodules: Sequence[str]) -> Checkout:
    """Check that the tree can build the port; raise Failure saying what it lacks."""
    if not path.is_dir():
        raise Failure(f"{path}: no such folder: {_WANTED}")
    for landmark in (*_LANDMARKS, f"ports/{port}"):
        if not (path / landmark).exists():
            raise Failure(f"{path}: not a MicroPython checkout, it has no {landmark}: {_WANTED}")
    version = _version(path)
    if version < _OLDEST:
        raise Failure(f"{path}: MicroPython {_dotted(version)} is too old: {_dotted(_OLDEST)} or later is needed")
    missing = [name for name in submodules if not (path / name).is_dir() or not any((path / name).iterdir())]
    if missing:
        command = f"git -C {path} submodule update --init {' '.join(missing)}"
        raise Failure(f"{path}: {', '.join(missing)}: nothing is there: get it with `{command}`")
    return Checkout(path, _dotted(version))


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            # The user's own builds in the tree, and what Python and ESP-IDF leave there, are not sources.
            if not entry.name.startswith(("build", "__pycache__", "managed_components")):
                yield from _files(Path(entry.path))
        else:
            yield entry


def fingerprint(checkout: Checkout, folders: Sequence[str]) -> str:
    """Tell one state of the tree from another by names, sizes and times, which takes milliseconds."""
    hashed = hashlib.sha256(str(checkout.path).encode("utf-8", "surrogateescape"))
    for folder in folders:
        if (checkout.path / folder).is_dir():
            for entry in _files(checkout.path / folder):
                status = entry.stat(follow_symlinks=False)
                line = f"{entry.path} {status.st_size} {status.st_mtime_ns}\n"
                hashed.update(line.encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()
