"""Programs that run on a board: each is a file of its own here, and its `main` is called with arguments from this side."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from .. import paths

_HERE = Path(__file__).parent


def program(name: str, *arguments: object) -> str:
    """Give the text of a program that calls its `main` with these arguments, which must have a literal form."""
    return f"{_shortened(_HERE / f'{name}.py')}\nmain(*{arguments!r})\n"


def journal(frozen: bool) -> str:
    """Give the source of the journal's code for a board whose firmware does not have it, else nothing."""
    return "" if frozen else _shortened(paths.SOURCES / "board/modules/onboard/journal.py")


@cache
def _shortened(source: Path) -> str:
    """Leave out what costs time on a slow line and says nothing to a board: comments and docstrings."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    # What is unparsed has no text over several lines, so all of these blanks are indentation.
    return re.sub(r"^(?: {4})+", lambda blanks: " " * (len(blanks[0]) // 4), ast.unparse(tree), flags=re.MULTILINE)
