"""How the unix port is built: by its makefile, into one program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import gnumake, paths
from .boards import Board
from .checkout import Checkout
from .console import Failure

OUTPUTS = ("micropython", "mpy-cross")


def check(board: Board, tree: Checkout) -> None:
    """Raise Failure when what compiles it is not installed."""
    gnumake.check_compiler()
    if "MICROPY_FORCE_32BIT=1" in board.arguments and not gnumake.compiles("gcc", "-m32"):
        raise Failure("the C compiler makes no 32-bit programs: install what it needs with `apt-get install gcc-multilib`")


def arguments(board: Board, tree: Checkout, folder: Path) -> list[str]:
    """List what make is told."""
    ours = (
        f"BUILD={folder}/objects",
        f"FROZEN_MANIFEST={paths.ROOT}/{board.manifest}",
        f"MPY_LIB_DIR={folder}/no-library",
        # It would be another one in each folder, since debug information names the folder until it is stripped.
        "LDFLAGS_EXTRA=-Wl,--build-id=none",
    )
    return [*board.arguments, *ours]


def make(tree: Checkout, told: Sequence[str], folder: Path, cross: Path) -> str:
    """Build the objects; return why it failed, or nothing."""
    return gnumake.make(tree.path, "ports/unix", told, folder / "build.log", MICROPY_MPYCROSS=str(cross))


def outputs(board: Board, folder: Path, cross: Path) -> dict[str, Path]:
    """Say where the files to keep are; the compiler of bytecode goes with the program that loads it."""
    return {"micropython": folder / "objects/micropython", "mpy-cross": cross}


def details(board: Board, folder: Path) -> dict[str, Any]:
    """Say what else is worth recording: nothing."""
    return {}
