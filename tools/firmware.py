"""build the firmware of a board, when what it is made of has changed

The files of the image and their record, manifest.json, are put into build/BOARD/ in one step each, the record last:
what it describes comes of a build that ended well.

  mdot firmware --board RPI_PICO
  mdot firmware --board RPI_PICO_W --micropython ~/micropython
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from . import boards, checkout, esp32_port, files, gnumake, mpy_cross, paths, rp2_port, source, unix_port
from .console import Failure, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", default="unix", help="the board (default: unix)")
    add_micropython(parser)


def add_micropython(parser: argparse.ArgumentParser) -> None:
    """Let the verb take the user's checkout as an option, or from the environment, where make puts it."""
    parser.add_argument(
        "--micropython",
        metavar="PATH",
        default=os.environ.get("MICROPYTHON"),
        help="a MicroPython checkout to build from (default: $MICROPYTHON, else Debian's source)",
    )


def do(arguments: argparse.Namespace) -> None:
    image = built(boards.named(arguments.board), arguments.micropython)
    print(f"{paths.shown(image)} is ready, {image.stat().st_size} bytes")


def built(board: boards.Board, micropython: str | None) -> Path:
    """Give the path of the board's image, building it first when it is missing or out of date."""
    if paths.INSTALLED:
        return _downloaded(board)
    paths.fit_for_make(paths.ROOT)
    tree = opened(board, micropython)
    folder = paths.BUILD / board.name
    with files.locked(folder):
        inputs = _inputs(board, tree)
        if not _up_to_date(folder, inputs):
            _build(board, tree, folder)
            _record(board, tree, folder, inputs)
    return folder / _port(board).OUTPUTS[0]


def _downloaded(board: boards.Board) -> Path:
    image = paths.BUILD / board.name / _port(board).OUTPUTS[0]
    if not image.is_file():
        reason = "no firmware is there, and it is built in a checkout of mdot alone"
        raise Failure(f"{paths.shown(image)}: {reason}: put the downloaded one there")
    return image


class _Port(Protocol):
    """What a module offers that knows how to build a port."""

    @property
    def OUTPUTS(self) -> Sequence[str]: ...
    def check(self, board: boards.Board, tree: checkout.Checkout) -> None: ...
    def arguments(self, board: boards.Board, tree: checkout.Checkout, folder: Path) -> list[str]: ...
    def make(self, tree: checkout.Checkout, told: Sequence[str], folder: Path, cross: Path) -> str: ...
    def outputs(self, board: boards.Board, folder: Path, cross: Path) -> dict[str, Path]: ...
    def details(self, board: boards.Board, folder: Path) -> dict[str, Any]: ...


_PORTS: dict[str, _Port] = {"unix": unix_port, "rp2": rp2_port, "esp32": esp32_port}


def _port(board: boards.Board) -> _Port:
    return _PORTS[board.port]


def opened(board: boards.Board, micropython: str | None) -> checkout.Checkout:
    """Give the MicroPython tree that the board's image is built from, fetching it when it is not there."""
    own = paths.fit_for_make(Path(micropython).expanduser().resolve()) if micropython else None
    return checkout.opened(own or source.packaged(board), board.port, board.submodules)


def _inputs(board: boards.Board, tree: checkout.Checkout) -> dict[str, Any]:
    """Describe all that the image is made of, so that two equal descriptions mean the same image."""
    read = [paths.ROOT / "manifest.py"]
    for folder in ("lib", "board/modules"):
        read += sorted((paths.ROOT / folder).rglob("*.py"))
    for name in board.sources:
        path = paths.ROOT / name
        read += sorted(path.iterdir()) if path.is_dir() else [path]
    return {
        "board": board.name,
        "micropython": tree.version,
        "tree": checkout.fingerprint(tree, board.folders),
        "arguments": _port(board).arguments(board, tree, paths.BUILD / board.name),
        "files": {str(path.relative_to(paths.ROOT)): files.digest(path) for path in read},
    }


def _up_to_date(folder: Path, inputs: dict[str, Any]) -> bool:
    try:
        record = json.loads((folder / "manifest.json").read_text())
        there = {name: files.described(folder / name) for name in record["outputs"]}
        return bool(record["inputs"] == inputs and record["outputs"] == there)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _build(board: boards.Board, tree: checkout.Checkout, folder: Path) -> None:
    port = _port(board)
    port.check(board, tree)
    cross = mpy_cross.built(tree)
    say(f"building {paths.shown(folder)}/{port.OUTPUTS[0]} with MicroPython {tree.version} …")
    # micropython-lib is in no package, and what we freeze needs nothing of it: the build only wants to see a README.
    (folder / "no-library").mkdir(exist_ok=True)
    (folder / "no-library/README.md").touch()
    _make(board, tree, folder, cross)
    for name, made in port.outputs(board, folder, cross).items():
        files.replace(folder / name, made)


def _make(board: boards.Board, tree: checkout.Checkout, folder: Path, cross: Path) -> None:
    arguments = _port(board).arguments(board, tree, folder)
    key, wanted = folder / "objects.key", json.dumps([str(tree.path), tree.version, arguments])
    if not key.exists() or key.read_text() != wanted:
        shutil.rmtree(folder / "objects", ignore_errors=True)
    _forget_frozen(folder / "objects")
    # The key is away while make works: objects of a killed one, or of one that filled the disk, do not count.
    key.unlink(missing_ok=True)
    complaint = _port(board).make(tree, arguments, folder, cross)
    if gnumake.NO_SPACE not in complaint:
        files.write(key, wanted)
    if complaint:
        raise Failure(complaint)


def _forget_frozen(objects: Path) -> None:
    # MicroPython compares times: it would miss a module that was removed, or replaced by an older file.
    (objects / "frozen_content.c").unlink(missing_ok=True)
    shutil.rmtree(objects / "frozen_mpy", ignore_errors=True)


def _record(board: boards.Board, tree: checkout.Checkout, folder: Path, inputs: dict[str, Any]) -> None:
    port = _port(board)
    record = {
        "inputs": inputs,
        "sources": source.recorded(tree.path),
        "outputs": {name: files.described(folder / name) for name in port.OUTPUTS},
        **port.details(board, folder),
    }
    files.write(folder / "manifest.json", json.dumps(record, indent=2) + "\n")
