"""Fixtures of the tests of the tools: applications, and boards to bring them to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from app_folders import ROOT, unix_firmware
from bridge import Boards, Bridge, bridged

from tools import deploying, paths


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Boards]:
    """Give a function that switches on stand-ins for boards; they are off when the test is over."""
    unix_firmware()
    with ExitStack() as stack:

        def switched_on(name: str = "board", **details: object) -> Bridge:
            return stack.enter_context(bridged(tmp_path / f"{name}.flash", **details))  # type: ignore[arg-type]

        yield switched_on


@pytest.fixture
def tested(tmp_path: Path) -> Iterator[Path]:
    """Give a folder for an application that a verb builds, and take that build away."""
    yield tmp_path / "tested-by-pytest"
    shutil.rmtree(ROOT / "build/tested-by-pytest", ignore_errors=True)


@pytest.fixture
def board(boards: Boards) -> Bridge:
    """Give a stand-in for a board with our firmware, and nothing on it."""
    return boards(identity="aa01")


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tools build below a folder of the test's own, and wait for no words of an application that was just started."""
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(deploying, "FIRST_WORDS", 0.01)
