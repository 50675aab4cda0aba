"""make an application's files for a board

Writes build/APP/BOARD/: `files` holds what is to lie on the board, and manifest.json says what it is.  Modules are compiled
to the board's bytecode, templates to modules; static files get compressed siblings.  The application's own settings for
this are in its deploy.toml (docs/tools.md describes them).  A build that fails leaves the one before as it was.

  mdot build examples/hello --board RPI_PICO
  mdot build . --board RPI_PICO --json
  mdot build . --board my_esp32 --mpy 6.3 --arch xtensawin
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from . import boards, bytecode, deploy_toml, files, heap, paths, report
from .assembly import Assembly, Piece, assembled
from .bytecode import Mpy
from .console import Failure, Misuse, say

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


class File(NamedTuple):
    """One file as it is to lie on the board."""

    path: str
    size: int
    sha256: str
    source: str


class Build(NamedTuple):
    """An application made for a board: what manifest.json says, and where."""

    folder: Path
    app: str
    board: str
    build: str
    mpy: Mpy
    """What its files need: without machine code `arch` is None, and every board of the version will do."""
    files: tuple[File, ...]

    @property
    def tree(self) -> Path:
        """The folder that holds the board's root."""
        return self.folder / "files"

    def local(self, file: File) -> Path:
        """Tell where a file is on this machine."""
        return self.tree / file.path.lstrip("/")

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def is_private(self) -> bool:
        """Tell whether it holds what is for its owner alone, as a key is."""
        return any(_is_private(self.local(file)) for file in self.files)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", type=Path, metavar="APP", help="the application's folder, with its main.py")
    add_target(parser)
    parser.add_argument("--bundle", action="store_true", help="write a bundle for updates over the air, too")
    parser.add_argument("--json", action="store_true", help="report as JSON")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Let a verb be told what board to build for, and how."""
    parser.add_argument("--board", default="RPI_PICO", help="the board (default: RPI_PICO)")
    parser.add_argument(
        "--mpy", metavar="VERSION", help="the bytecode that the board speaks, as in 6.3 (default: our firmware's)"
    )
    parser.add_argument("--arch", help="the board's processor, as mpy-cross names it; machine code alone needs it")
    parser.add_argument("--source", action="store_true", help="ship modules as source, which every board runs")


def target(arguments: argparse.Namespace) -> Mpy | None:
    """Tell what the options of `add_target` say of the board's bytecode; None for what our firmware speaks."""
    if arguments.mpy is None and arguments.arch is None:
        return None
    known = next((board for board in boards.ALL if board.name == arguments.board), None)
    return bytecode.given(arguments.mpy, arguments.arch, bytecode.of_board(known) if known else None)


def do(arguments: argparse.Namespace) -> None:
    plan = planned(arguments.app, arguments.board, target(arguments), arguments.source)
    measured = heap.measured(plan.made)
    budget = plan.made.settings.heap
    if budget is not None:
        heap.check(measured, budget)
    build = _kept(plan)
    if arguments.bundle:
        from . import bundles

        say(f"{bundles.written(build)}: the bundle")
    print(report.as_json(build, plan.made, measured) if arguments.json else report.as_text(build, plan.made, measured))


def built(app: Path, board: str, mpy: Mpy | None = None, as_source: bool = False) -> Build:
    """Make an application's files for a board, unless they are there; raise Failure for what is wrong in it.

    `mpy` is what the board loads (see `bytecode.of_implementation`), by default what our firmware for it does.
    """
    return _kept(planned(app, board, mpy, as_source))


class Plan(NamedTuple):
    """A build before it is written."""

    app: str
    board: str
    made: Assembly


def planned(app: Path, board: str, mpy: Mpy | None = None, as_source: bool = False) -> Plan:
    """Make an application's files without writing any."""
    if not app.is_dir():
        reason = "is no folder" if app.exists() else "no such folder"
        raise Failure(f"{app}: {reason}: give the folder of an application, as in examples/hello")
    settings = deploy_toml.read(app)
    name = _name(app, settings)
    if not _NAME.fullmatch(board):
        raise Misuse("--board: no name of a board: use letters, digits, dots, dashes and underscores")
    made = assembled(app, settings, mpy or _of(board), as_source)
    size = sum(len(piece.data) for piece in made.pieces.values())
    if settings.flash is not None and size > settings.flash:
        raise Failure(
            f"{name}: {size} bytes of flash, {size - settings.flash} over its budget: make it smaller, or the budget larger"
        )
    return Plan(name, board, made)


def _of(board: str) -> Mpy:
    known = {each.name: each for each in boards.ALL}
    if board not in known:
        raise Misuse(
            f"--board {board}: no board of ours: say what it speaks, as in --mpy 6.3, or give one of {', '.join(known)}"
        )
    return bytecode.of_board(known[board])


def _name(app: Path, settings: deploy_toml.Settings) -> str:
    name = settings.name or app.resolve().name
    if not _NAME.fullmatch(name):
        reason = "no name for an application: use letters, digits, dots, dashes and underscores"
        raise Failure(f"{name!a}: {reason}, as name in {deploy_toml.NAME}")
    if any(name == board.name for board in boards.ALL) or name == "emulator":
        raise Failure(f"{name}: a name that the build of firmware takes: choose another, as name in {deploy_toml.NAME}")
    return name


def _kept(plan: Plan) -> Build:
    """Write a build in one step, unless the same is there already."""
    folder = paths.BUILD / plan.app / plan.board
    build = _described(folder, plan)
    manifest = _manifest(build)
    with files.locked(folder.parent):
        if not _is_there(folder, manifest, plan.made):
            _replace(folder, manifest, plan.made)
    return build


def _described(folder: Path, plan: Plan) -> Build:
    pieces, mpy = plan.made.pieces, plan.made.mpy
    needs = [bytecode.needs(piece.data, path) for path, piece in pieces.items() if path.endswith(".mpy")]
    if not any(need.arch for need in needs):
        mpy = mpy._replace(arch=None)
    listed = tuple(
        File(path, len(piece.data), hashlib.sha256(piece.data).hexdigest(), piece.source)
        for path, piece in sorted(pieces.items())
    )
    content = json.dumps({"mpy": mpy, "files": [file._asdict() for file in listed]}, separators=(",", ":"))
    return Build(folder, plan.app, plan.board, hashlib.sha256(content.encode()).hexdigest(), mpy, listed)


def _manifest(build: Build) -> str:
    content = {"app": build.app, "board": build.board, "build": build.build, "mpy": build.mpy}
    return json.dumps({**content, "files": [file._asdict() for file in build.files]}, indent=2) + "\n"


def _is_private(path: Path) -> bool:
    return not path.stat().st_mode & 0o077


def _is_there(folder: Path, manifest: str, made: Assembly) -> bool:
    try:
        if (folder / "manifest.json").read_text(encoding="utf-8") != manifest:
            return False
        found = [path for path in (folder / "files").rglob("*") if not path.is_dir()]
        return len(found) == len(made.pieces) and all(
            _is_made(folder / "files" / path[1:], piece, made.app) for path, piece in made.pieces.items()
        )
    except OSError:
        return False


def _is_made(file: Path, piece: Piece, app: Path) -> bool:
    return file.read_bytes() == piece.data and (_is_private(file) or not _is_private(app / piece.source))


def _replace(folder: Path, manifest: str, made: Assembly) -> None:
    old = folder.with_name(f".{folder.name}-old")
    with files.staged(folder) as new:
        for path, piece in made.pieces.items():
            file = new / "files" / path[1:]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(piece.data)
            if _is_private(made.app / piece.source):
                file.chmod(0o600)
        (new / "manifest.json").write_text(manifest, encoding="utf-8")
        # A folder takes no other's place: the old one steps aside for the moment between two renames.
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
    shutil.rmtree(old, ignore_errors=True)
