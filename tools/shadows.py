"""Which module an import finds on a board, where several have the name.

MicroPython goes through `sys.path`: usually the top of the filesystem, the frozen modules, then /lib.  In one place a folder
beats a `.py`, and that beats a `.mpy`; a `.mpy` of the name main or boot is never run at a start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

_FROZEN = ".frozen"


class Shadow(NamedTuple):
    """A module's name, what is imported, and what of the same name is not."""

    name: str
    winner: str
    losers: tuple[str, ...]


def found(search: Sequence[str], files: Iterable[str], frozen: Collection[str]) -> list[Shadow]:
    """List the names that more than one module has; `search` is `sys.path`, where "" is the top."""
    paths = set(files)
    names = {name for folder in search for name in _names(folder, paths, frozen)}
    shadows = []
    for name in sorted(names):
        places = [place for folder in search for place in _places(folder, name, paths, frozen)]
        if len(places) > 1:
            shadows.append(Shadow(name, places[0], tuple(places[1:])))
    return shadows


def frozen_modules(listing: str) -> set[str]:
    """Read what `help("modules")` prints: the top-level names of the modules in the firmware."""
    words = listing.split("Plus any modules")[0].split()
    return {word.split("/")[0].split(".")[0] for word in words}


def _names(folder: str, paths: Collection[str], frozen: Collection[str]) -> set[str]:
    if folder == _FROZEN:
        return set(frozen)
    start = _start(folder)
    # Only what can be imported: not every folder is meant as a package, but one with modules in it is.
    inside = [path[len(start) :] for path in paths if path.startswith(start) and path.endswith((".py", ".mpy"))]
    return {path.split("/")[0].rpartition(".")[0] if "/" not in path else path.split("/")[0] for path in inside}


def _places(folder: str, name: str, paths: Collection[str], frozen: Collection[str]) -> list[str]:
    if folder == _FROZEN:
        return ["the firmware's"] if name in frozen else []
    start = f"{_start(folder)}{name}"
    package = [f"{start}/"] if any(path.startswith(f"{start}/") for path in paths) else []
    return package + [path for path in (f"{start}.py", f"{start}.mpy") if path in paths]


def _start(folder: str) -> str:
    return f"{folder.rstrip('/')}/" if folder else "/"
