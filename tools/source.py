"""MicroPython's source tree in the cache: fetched once a machine, whole or not there.

A tree is Debian's source package of MicroPython, which comes without submodules, completed by the packages of
those that a port needs.  Beside the tree lies `source.json`, the record of what was fetched.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from . import apt, paths
from .boards import Board
from .console import Failure, say
from .files import digest, digest_of_tree, locked, staged

# Source package: its place in MicroPython's tree.
_PLACES = {"micropython": ".", "mbedtls": "lib/mbedtls", "lwip": "lib/lwip"}

# Package that is installed to have sources: where in it they are, and their place in MicroPython's tree.
_INSTALLED = {
    "pico-sdk-source": ("usr/src/pico-sdk", "lib/pico-sdk"),
    "tinyusb-source": ("usr/src/tinyusb", "lib/tinyusb"),
}

# Named, so that a Python without one of these modules says which.
_MODES: dict[str, Literal["r:gz", "r:bz2", "r:xz"]] = {".gz": "r:gz", ".bz2": "r:bz2", ".xz": "r:xz"}


def _unpack(archive: Path, folder: Path, scratch: Path) -> None:
    """Unpack what is below the archive's single top folder as `folder`."""
    try:
        with tarfile.open(archive, _MODES.get(archive.suffix, "r:*")) as tar:
            # Older Pythons have no filters; the archive is Debian's, as apt has checked.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            tar.extractall(scratch)
    except (tarfile.TarError, EOFError) as error:
        raise Failure(f"{archive.name} cannot be unpacked: {error}: {apt.OWN_CHECKOUT}") from None
    (top,) = scratch.iterdir()
    _move(top, folder)


def _move(made: Path, folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    made.rename(folder)


def _take_out(package: str, files: Path, tree: Path, scratch: Path) -> None:
    """Put what a package would install as sources into the tree."""
    inside, place = _INSTALLED[package]
    apt.unpack(_single(package, files.glob(f"{package}_*.deb")), scratch)
    _move(scratch / inside, tree / place)


def _single(package: str, paths: Iterable[Path]) -> Path:
    found = [path for path in paths if path.suffix != ".asc"]
    if len(found) != 1:
        raise Failure(f"Debian's package {package} has no single archive: {apt.OWN_CHECKOUT}")
    return found[0]


def _record(packages: Sequence[str], files: Path, tree: Path) -> str:
    versions = {path.name.split("_")[0]: path.stem.split("_")[1] for path in files.iterdir() if path.suffix in (".deb", ".dsc")}
    fetched = {path.name: digest(path) for path in sorted(files.iterdir())}
    record = {"release": apt.RELEASE, "packages": versions, "files": fetched, "tree": digest_of_tree(tree)}
    return json.dumps(record, indent=2) + "\n"


def _fetch(packages: Sequence[str], final: Path) -> None:
    with staged(final) as folder:
        say(f"fetching MicroPython's source from this machine's Debian mirror into {final} …")
        root = folder / "apt"
        installed = [package for package in packages if package in _INSTALLED]
        files = apt.download([package for package in packages if package in _PLACES], installed, root)
        say("unpacking MicroPython's source …")
        for package in packages:
            scratch = folder / "unpacked"
            scratch.mkdir()
            if package in _INSTALLED:
                _take_out(package, files, folder / "micropython", scratch)
            else:
                archive = _single(package, files.glob(f"{package}_*.orig.tar.*"))
                _unpack(archive, folder / "micropython" / _PLACES[package], scratch)
            shutil.rmtree(scratch)
        (folder / "source.json").write_text(_record(packages, files, folder / "micropython"))
        shutil.rmtree(root)


def packaged(board: Board) -> Path:
    """Give the tree for a board, fetching it when the cache does not have it."""
    packages = board.packages
    if not packages:
        needs = f"with its submodules {', '.join(board.submodules)}"
        raise Failure(f"BOARD={board.name}: some of its source is in no package: {apt.OWN_CHECKOUT}, {needs}")
    final = paths.fit_for_make(paths.cache()) / "-".join((apt.RELEASE, *packages))
    if not final.is_dir():
        with locked(final.parent):
            if not final.is_dir():
                _fetch(packages, final)
    return final / "micropython"


def recorded(path: Path) -> dict[str, Any]:
    """Say what a tree of the cache was made of; of a checkout of the user's nothing is known."""
    try:
        record = json.loads((path.parent / "source.json").read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
