"""An application's folder: the files of it that are for a board, and what its source says of its folders.

The source is read, never run: `app.static("/", "site")` names a folder of static files, `Template.initialize("pages",
autoescape=True)` one of templates and how they are compiled.  Where the arguments are no literals, deploy.toml says it.
"""

from __future__ import annotations

import ast
import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .console import Failure
from .deploy_toml import NAME as DEPLOY_TOML

_NEVER = ("__pycache__", "*.py[co]", "*.pyi", "*~", "#*#", "*.bak", "*.orig", "*.rej", "*.sw[nop]", "*.tmp", "Thumbs.db")
_NEVER_AT_THE_TOP = ("tests", DEPLOY_TOML, "README", "README.*")
_LONGEST_NAME = 255  # bytes: what littlefs holds


def listed(app: Path, exclude: Sequence[str] = ()) -> dict[str, Path]:
    """Find the files for a board, by their paths from the top, sorted; raise Failure for one that no board could hold."""
    return dict(sorted(_walked(app, "", exclude, (app.resolve(),))))


def _walked(folder: Path, above: str, exclude: Sequence[str], inside: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    for path in folder.iterdir():
        name = above + path.name
        if _is_left_out(name, exclude):
            continue
        _check_name(path.name)
        if path.is_dir():
            real = path.resolve()
            if real in inside:
                raise Failure(f"{name}: a link to a folder around it: remove it, or exclude it in {DEPLOY_TOML}")
            yield from _walked(path, name + "/", exclude, (*inside, real))
        elif path.is_file():
            yield name, path
        else:
            reason = "a link to nothing" if path.is_symlink() else "neither a file nor a folder"
            raise Failure(f"{name}: {reason}: remove it, or exclude it in {DEPLOY_TOML}")


def _is_left_out(path: str, exclude: Sequence[str]) -> bool:
    name = path.rpartition("/")[2]
    if name.startswith(".") or any(fnmatch.fnmatchcase(name, pattern) for pattern in _NEVER):
        return True
    if path == name and any(fnmatch.fnmatchcase(name, pattern) for pattern in _NEVER_AT_THE_TOP):
        return True
    # A pattern with a slash is for the whole path, another one for names wherever they are.
    return any(fnmatch.fnmatchcase(path if "/" in pattern else name, pattern.strip("/")) for pattern in exclude)


def _check_name(name: str) -> None:
    shown = name.encode("ascii", "backslashreplace").decode()
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise Failure(f"{shown}: a name that is not utf-8: rename the file") from None
    if not name.isprintable():
        raise Failure(f"{name!a}: a name with control characters: rename the file")
    if length > _LONGEST_NAME:
        raise Failure(f"{name[:40]}…: a name of {length} bytes: a board's files have at most {_LONGEST_NAME}")


@dataclass
class Hints:
    """What the source of an application says of its folders."""

    static: set[str] = field(default_factory=set)
    uses_templates: bool = False
    templates: set[str] = field(default_factory=set)
    autoescape: set[bool] = field(default_factory=set)
    unclear: str = ""
    """Where `autoescape` is no literal."""


def hints(app: Path, names: Sequence[str]) -> Hints:
    """Read all modules of an application."""
    found = Hints()
    for name in names:
        if name.endswith(".py"):
            try:
                tree = ast.parse((app / name).read_bytes())
            except (SyntaxError, ValueError):
                continue  # the compiler for the board says it better, and speaks MicroPython's dialect
            for node in ast.walk(tree):
                _note(found, app, name, node)
    return found


def _note(found: Hints, app: Path, name: str, node: ast.AST) -> None:
    if isinstance(node, ast.Import):
        found.uses_templates |= any("utemplate" in alias.name.split(".") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        words = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        found.uses_templates |= "utemplate" in words
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "static" and _is_prefix(_argument(node, 0, "url_prefix")):
            found.static |= _folders(app, _argument(node, 1, "directory"))
        elif node.func.attr == "initialize" and _last_name(node.func.value) == "Template":
            found.templates |= _folders(app, _argument(node, 0, "template_dir"))
            _note_autoescape(found, name, _argument(node, 2, "autoescape"))


def _note_autoescape(found: Hints, name: str, value: ast.expr | None) -> None:
    if value is None:
        found.autoescape.add(False)
    elif isinstance(value, ast.Constant):
        found.autoescape.add(bool(value.value))
    else:
        found.unclear = f"{name}:{value.lineno}"


def _is_prefix(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.startswith("/")


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    if len(call.args) > position:
        return call.args[position]
    return next((given.value for given in call.keywords if given.arg == keyword), None)


def _folders(app: Path, value: ast.expr | None) -> set[str]:
    """Find the folders of the application that an expression mentions: `here + "/site"` does one."""
    texts = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant)] if value else []
    names = {os.path.normpath(text.strip("/")) for text in texts if isinstance(text, str) and text.strip("./")}
    return {name for name in names if not name.startswith("..") and os.path.isdir(app / name)}


def run_as_main(source: bytes) -> bytes:
    """Make the tests for `__name__ == "__main__"` true: as a compiled module, main.py has another name.

    Every line stays where it is, for tracebacks.  What is no Python to CPython is left to the board's compiler.
    """
    source = source.removeprefix(b"\xef\xbb\xbf")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and _asks_for_main(node)]
    for node in sorted(tests, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        word = b"True" if isinstance(node.ops[0], ast.Eq) else b"False"
        source = source[:start] + word + b"\\\n" * (node.end_lineno - node.lineno) + source[end:]
    return source


def _asks_for_main(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    named = [isinstance(side, ast.Name) and side.id == "__name__" for side in sides]
    told = [isinstance(side, ast.Constant) and side.value == "__main__" for side in sides]
    return len(sides) == 2 and any(named) and any(told) and isinstance(node.ops[0], (ast.Eq, ast.NotEq))
