"""MicroPython's cross compiler, built once for each state of a tree and kept in the cache."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from . import checkout, gnumake, paths
from .console import Failure, say
from .files import locked, staged

_FOLDERS = ("py", "mpy-cross", "shared")


def built(tree: checkout.Checkout) -> Path:
    """Give the path of the tree's mpy-cross, building it when the cache does not have it."""
    key = checkout.fingerprint(tree, _FOLDERS)[:16]
    final = paths.fit_for_make(paths.cache()) / f"mpy-cross-{tree.version}-{platform.machine()}-{key}"
    if not final.is_dir():
        with locked(final.parent):
            if not final.is_dir():
                _build(tree, final)
    return final / "mpy-cross"


def _build(tree: checkout.Checkout, final: Path) -> None:
    gnumake.check_compiler()
    say(f"building mpy-cross {tree.version} …")
    paths.BUILD.mkdir(exist_ok=True)
    with staged(final) as folder:
        objects = folder / "objects"
        complaint = gnumake.make(tree.path, "mpy-cross", [f"BUILD={objects}"], paths.BUILD / "mpy-cross.log")
        if complaint:
            raise Failure(complaint)
        (objects / "mpy-cross").rename(folder / "mpy-cross")
        shutil.rmtree(objects)
