"""MICROPYTHON=PATH: what is not a tree to build from is refused in one line, before anything is built."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from helpers import one_line, run_tools

from tools.checkout import Checkout, fingerprint

_LANDMARKS = ("mpy-cross/Makefile", "extmod/asyncio/manifest.py", "ports/unix/Makefile")


def _tree(folder: Path, version: tuple[int, int, int]) -> Path:
    """Lay out what is looked at in a checkout, without its submodules' files."""
    parts = zip(("MAJOR", "MINOR", "MICRO"), version)
    text = "".join(f"#define MICROPY_VERSION_{part} {number}\n" for part, number in parts)
    for landmark in _LANDMARKS:
        (folder / landmark).parent.mkdir(parents=True)
        (folder / landmark).touch()
    (folder / "py").mkdir()
    (folder / "py/mpconfig.h").write_text(text)
    (folder / "lib/mbedtls").mkdir(parents=True)
    return folder


def _file(path: Path) -> Path:
    path.touch()
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: path, "no such folder"),
        (_file, "no such folder"),
        (_folder, "not a MicroPython checkout, it has no py/mpconfig.h"),
        (lambda path: _tree(path, (1, 23, 0)), "MicroPython 1.23.0 is too old: 1.24 or later is needed"),
        (lambda path: _tree(path, (1, 24, 0)), "submodule update --init lib/mbedtls"),
        (lambda path: _tree(path, (2, 0, 1)), "submodule update --init lib/mbedtls"),
    ],
)
def test_a_bad_checkout_is_refused(tmp_path: Path, make: Callable[[Path], Path], complaint: str) -> None:
    path = make(tmp_path / "micropython")
    line = one_line(run_tools("firmware", env={"MICROPYTHON": str(path), "MDOT_CACHE": str(tmp_path / "cache")}))
    assert str(path) in line
    assert complaint in line
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "py/mpconfig.h").write_text("longer than before, and something else"),
        lambda tree: os.utime(tree / "py/mpconfig.h", (1, 1)),
        lambda tree: (tree / "py/new.c").touch(),
        lambda tree: (tree / "ports/unix/Makefile").unlink(),
    ],
)
def test_a_changed_tree_has_another_fingerprint(tmp_path: Path, change: Callable[[Path], object]) -> None:
    tree = Checkout(_tree(tmp_path / "micropython", (1, 25, 0)), "1.25.0")
    folders = ("py", "ports/unix", "not/there")
    before = fingerprint(tree, folders)
    assert fingerprint(tree, folders) == before
    change(tree.path)
    assert fingerprint(tree, folders) != before


def test_builds_in_the_tree_do_not_change_its_fingerprint(tmp_path: Path) -> None:
    tree = Checkout(_tree(tmp_path / "micropython", (1, 25, 0)), "1.25.0")
    before = fingerprint(tree, ("py", "ports/unix"))
    for folder in ("ports/unix/build-standard", "py/__pycache__"):
        (tree.path / folder).mkdir()
        (tree.path / folder / "made").touch()
    assert fingerprint(tree, ("py", "ports/unix")) == before
