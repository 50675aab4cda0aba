"""`boards.toml`, the names of one's own boards: in the folder from which the tools are run.

    [kitchen]
    id = "e6614103e7452d2f"         # machine.unique_id(), as `devices --probe` and `doctor` tell it
    port = "/dev/ttyACM0"           # optional; else the board with that serial number is looked for on USB

Wherever a port is asked for, such a name will do, and nothing is written to a board of another id.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from . import device
from .console import Failure

NAME = "boards.toml"
# It came with 3.11; before, there is the package that it was made of.
_toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
_ID = re.compile(r"[0-9a-f]{2,64}")


class Known(NamedTuple):
    """What boards.toml says of a board; what it does not say is empty."""

    id: str = ""
    port: str = ""


class Target(NamedTuple):
    """A port, and the identity that the board there must have, or nothing."""

    port: str
    id: str


def read(folder: Path) -> dict[str, Known]:
    """Read boards.toml; without one, no board has a name."""
    try:
        content = _toml.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, _toml.TOMLDecodeError) as error:
        raise Failure(f"{NAME}: {str(error)[:1].lower()}{str(error)[1:]}: correct it there") from None
    return {name: _known(name, entry) for name, entry in content.items()}


def _known(name: str, entry: object) -> Known:
    if not isinstance(entry, dict) or not entry or not all(isinstance(value, str) for value in entry.values()):
        raise Failure(f'{NAME}: {name}: not understood: write [{name}] and below it id = "…" or port = "…"')
    unknown = sorted(set(entry) - set(Known._fields))
    if unknown:
        raise Failure(f"{NAME}: {name}.{unknown[0]}: no such setting: there are id and port")
    return Known(checked_id(entry.get("id", ""), f"{NAME}: {name}"), entry.get("port", ""))


def checked_id(text: str, where: str) -> str:
    """Give an identity as boards tell theirs; raise Failure for what is none."""
    if text and not _ID.fullmatch(text.lower()):
        raise Failure(f"{where}: {text!r} is no board's id: write the hexadecimal digits that `doctor` tells")
    return text.lower()


def target(given: str | None, pinned: Mapping[str, str], folder: Path) -> Target:
    """Find the board that is meant: by what the user gave, else by what an application's `[board]` pins."""
    known = read(folder)
    name = (given if given in known else None) if given else pinned.get("name")
    wanted = _pinned_id(pinned, known)
    if name:
        wanted = _agreed(wanted, known[name].id)
        given = known[name].port or None
    if not given and wanted:
        given = f"id:{wanted}"
    return Target(device.chosen(given), wanted)


def pinned_id(pinned: Mapping[str, str], folder: Path) -> str:
    """Give the identity of the board that an application's `[board]` pins, or nothing."""
    return _pinned_id(pinned, read(folder))


def _pinned_id(pinned: Mapping[str, str], known: Mapping[str, Known]) -> str:
    wanted = checked_id(pinned.get("id", ""), "deploy.toml: board.id")
    return _agreed(wanted, _named(pinned["name"], known).id) if pinned.get("name") else wanted


def check(board: device.Device, wanted: str) -> None:
    """Raise Failure for a board that is not the one of an identity; it is in its raw REPL."""
    if wanted:
        found = board.run("import machine\nprint(machine.unique_id().hex())\n").strip()
        if found != wanted:
            raise Failure(f"{board.port}: this board is {found}, and {wanted} is wanted: choose the other port")


def _named(name: str, known: Mapping[str, Known]) -> Known:
    if name not in known:
        raise Failure(f"deploy.toml: board.name: no {name!r} in {NAME}: add it there, or pin the board by its id")
    return known[name]


def _agreed(one: str, other: str) -> str:
    if one and other and one != other:
        raise Failure(f"this application is pinned to the board {one}, not {other}: choose another, or change its deploy.toml")
    return one or other
