"""The tests' own layout: folders that pytest takes in one run share the names of their modules."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from helpers import ROOT

# What pytest imports by the name alone; tests/browser is a package, so that its modules have names of their own.
_FLAT = [ROOT / "tests" / name for name in ("host", "tools", "board")]


def _imported(module: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(module.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_no_two_modules_have_one_name() -> None:
    # The second one would not be imported: Python knows the name.
    counts = Counter(path.name for folder in _FLAT for path in folder.glob("*.py") if path.name != "conftest.py")
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("folder", _FLAT, ids=lambda folder: folder.name)
def test_nobody_imports_a_conftest(folder: Path) -> None:
    # There are several of that name: what tests share beside fixtures has a module of its own.
    assert [path.name for path in folder.glob("*.py") if "conftest" in _imported(path)] == []
