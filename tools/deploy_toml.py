"""`deploy.toml`, what an application says of its own build and deploy: read, and checked for what nobody would understand.

docs/tools.md describes the settings.
"""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .console import Failure

NAME = "deploy.toml"
_TABLES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "": {"name": str, "exclude": list, "protect": list, "optimize": int},
    "static": {"folders": list, "gzip": (bool, str)},
    "templates": {"folder": str, "autoescape": bool},
    "budget": {"flash": (str, int), "heap": (str, int)},
    "board": {"id": str, "name": str},
}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
# tomllib came with 3.11; before, the package that it was made of.
_toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")


@dataclass(frozen=True)
class Settings:
    """What deploy.toml says; None is for the build to find out."""

    name: str = ""
    exclude: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    optimize: int = 0
    static_folders: tuple[str, ...] | None = None
    gzip: bool | str = True
    templates_folder: str | None = None
    templates_autoescape: bool | None = None
    flash: int | None = None
    heap: int | None = None
    board: dict[str, str] = field(default_factory=dict)


def read(app: Path) -> Settings:
    """Read an application's deploy.toml; raise Failure for what is not understood in it."""
    try:
        content = _toml.loads((app / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (UnicodeDecodeError, _toml.TOMLDecodeError) as error:
        reason = "not in utf-8" if isinstance(error, UnicodeDecodeError) else str(error)[:1].lower() + str(error)[1:]
        raise Failure(f"{NAME}: {reason}: correct it there") from None
    _check(content)
    return _settings(content)


def size(text: str | int, key: str) -> int:
    """Read a number of bytes, as in 65536, "64K" or "1M"."""
    found = re.fullmatch(r"(\d{1,9}) ?([KM]?)i?B?", str(text))
    if not found:
        raise Failure(f'{NAME}: {key}: no size: write a number of bytes, "64K" or "1M"')
    return int(found[1]) * _UNITS[found[2]]


def _check(content: dict[str, Any]) -> None:
    for key, value in content.items():
        table = _TABLES.get(key) if key else None
        if table is None:
            _check_value(key, value, _TABLES[""].get(key))
        elif not isinstance(value, dict):
            raise Failure(f"{NAME}: {key}: not a table: write [{key}]")
        else:
            for name, inner in value.items():
                _check_value(f"{key}.{name}", inner, table.get(name))


def _check_value(key: str, value: Any, kinds: type | tuple[type, ...] | None) -> None:
    if kinds is None:
        known = ", ".join([*_TABLES[""], *(f"{table}.{name}" for table, names in _TABLES.items() if table for name in names)])
        raise Failure(f"{NAME}: {key}: no such setting: there are {known}")
    # In Python a bool is an int as well.
    fits = isinstance(value, kinds) and (kinds is not int or not isinstance(value, bool))
    if not fits or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        wanted = kinds[0] if isinstance(kinds, tuple) else kinds
        words = {list: "a list of texts", str: "a text", int: "a number", bool: "true or false"}
        raise Failure(f"{NAME}: {key}: wrong kind of value: write {words[wanted]}")


def _settings(content: dict[str, Any]) -> Settings:
    static, templates, budget = (content.get(table, {}) for table in ("static", "templates", "budget"))
    optimize, gzip = content.get("optimize", 0), static.get("gzip", True)
    if optimize not in range(4):
        raise Failure(f"{NAME}: optimize: out of range: write 0 to 3")
    if gzip not in (True, False, "only"):
        raise Failure(f'{NAME}: static.gzip: unknown value: write true, false or "only"')
    return Settings(
        name=content.get("name", ""),
        exclude=tuple(content.get("exclude", ())),
        protect=tuple(content.get("protect", ())),
        optimize=optimize,
        static_folders=tuple(name.strip("/") for name in static["folders"]) if "folders" in static else None,
        gzip=gzip,
        templates_folder=templates["folder"].strip("/") if "folder" in templates else None,
        templates_autoescape=templates.get("autoescape"),
        flash=size(budget["flash"], "budget.flash") if "flash" in budget else None,
        heap=size(budget["heap"], "budget.heap") if "heap" in budget else None,
        board=content.get("board", {}),
    )
