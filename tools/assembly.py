"""From an application's folder to the files as they are to lie on a board, all in memory.

Modules become bytecode, templates modules, static files get compressed siblings; the rest stays as it is.  What would not
work on the board, or not as it does on the host, is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import application, bytecode, cert, private_keys, static_files, templates
from .bytecode import Mpy
from .console import Failure, say
from .deploy_toml import NAME as DEPLOY_TOML
from .deploy_toml import Settings

# What MicroPython runs itself, and it runs no bytecode.
_LAUNCHER = b"# The application's main.py, compiled, is the module _main.\nfrom _main import *\n"
_KEPT_AS_SOURCE = ("boot.py",)
# The user's settings on the board, which no deploy may touch.
_THE_BOARD_S_OWN = "config.json"
# Bytes: what a journal on the board takes (board/modules/onboard/journal.py).
_LONGEST_PATH = 255
# Modules at the top of the firmware; one of the same name in the application would be taken in their place.
FROZEN = ("asyncio", "hmac", "jwt", "microdot", "onboard", "ssl", "uasyncio", "utemplate")


class Piece(NamedTuple):
    """One file for the board, and the file that it was made of."""

    data: bytes
    source: str


@dataclass
class Assembly:
    """The files for a board, by their absolute paths there."""

    app: Path
    settings: Settings
    mpy: Mpy
    as_source: bool
    pieces: dict[str, Piece]

    def add(self, path: str, data: bytes, source: str) -> None:
        """Add a file; raise Failure when there is one of this path."""
        other = self.pieces.get("/" + path)
        if other:
            raise Failure(f"{source}: becomes /{path}, as {other.source} does: rename or remove one of them")
        if path.lower() == _THE_BOARD_S_OWN:
            raise Failure(f"{source}: too like {_THE_BOARD_S_OWN}, the board's own, which no deploy may touch: rename the file")
        if (length := len(path.encode()) + 1) > _LONGEST_PATH:
            raise Failure(f"{source[:40]}…: a path of {length} bytes: a deploy takes {_LONGEST_PATH} at most: make it shorter")
        self.pieces["/" + path] = Piece(data, source)

    def add_module(self, name: str, code: bytes, source: str, shown: str | None = None) -> None:
        """Add a module, compiled unless source is wanted; `name` is its path without suffix, `shown` is for tracebacks."""
        if self.as_source:
            self.add(name + ".py", code, source)
        else:
            self.add(name + ".mpy", bytecode.compiled(code, shown or source, self.mpy, self.settings.optimize), source)


def assembled(app: Path, settings: Settings, mpy: Mpy, as_source: bool = False) -> Assembly:
    """Make the files of an application for a board that loads `mpy`; raise Failure for what is wrong in it."""
    if not (app / "main.py").is_file():
        raise Failure(f"{app}: no main.py there: give the folder of an application, as in examples/hello")
    assembly = Assembly(app, settings, mpy, as_source, {})
    files = application.listed(app, settings.exclude)
    hints = application.hints(app, list(files))
    template_folder = _template_folder(app, settings, hints)
    static_folders = settings.static_folders if settings.static_folders is not None else sorted(hints.static)
    _check_folders(app, settings)
    pages = {}
    for name, path in files.items():
        if template_folder and name.startswith(template_folder + "/") and not name.endswith((".py", ".mpy")):
            pages[name[len(template_folder) + 1 :]] = path
        elif any(name.startswith(folder + "/") for folder in static_folders):
            _add_static(assembly, files, name, path)
        else:
            _add(assembly, name, path)
    if pages:
        _add_templates(assembly, template_folder, pages, hints)
    _check_siblings(assembly.pieces)
    _check_certificates(files)
    return assembly


def _template_folder(app: Path, settings: Settings, hints: application.Hints) -> str:
    if settings.templates_folder is not None:
        return settings.templates_folder
    if len(hints.templates) > 1:
        found = " and ".join(sorted(hints.templates))
        raise Failure(f"{found}: more than one template folder: name the one in {DEPLOY_TOML}, [templates] folder")
    default = "templates" if hints.uses_templates and (app / "templates").is_dir() else ""
    return next(iter(hints.templates), default)


def _check_folders(app: Path, settings: Settings) -> None:
    for name in [*(settings.static_folders or ()), settings.templates_folder]:
        if name is not None and not (name and (app / name).is_dir()):
            raise Failure(f"{DEPLOY_TOML}: {name or 'an empty name'}: no such folder in the application: correct the name")


def _add(assembly: Assembly, name: str, path: Path) -> None:
    data = path.read_bytes()
    if name == _THE_BOARD_S_OWN:
        say(f"{name}: left out: on a board this file holds its own settings, as its network's password")
    elif templates.is_generated(data) and name.endswith(".py"):
        pass  # a loader made it on this machine; ours is made of its template
    elif name.endswith(".py"):
        _add_module(assembly, name, data)
    else:
        _check_data(assembly, name, path, data)
        assembly.add(name, data, name)


def _add_module(assembly: Assembly, name: str, code: bytes) -> None:
    top = name.partition("/")[0].removesuffix(".py")
    if top in FROZEN:
        say(f"{name}: takes the place of the firmware's own {top} on the board, and memory that one does not")
    if assembly.as_source or name in _KEPT_AS_SOURCE:
        assembly.add(name, code, name)
    elif name == "main.py":
        assembly.add(name, _LAUNCHER, name)
        assembly.add_module("_main", application.run_as_main(code), name)
    else:
        assembly.add_module(name.removesuffix(".py"), code.removeprefix(b"\xef\xbb\xbf"), name)


def _check_data(assembly: Assembly, name: str, path: Path, data: bytes) -> None:
    if name.endswith(".mpy"):
        reason = bytecode.mismatch(bytecode.needs(data, name), assembly.mpy)
        if reason:
            raise Failure(f"{name}: {reason}: put its source there, or compile it for the board")
    elif private_keys.is_private_key(data) and private_keys.is_tracked(path):
        raise Failure(f"{name}: a private key that git keeps: make a new one, and take this one out with `git rm --cached`")


def _add_static(assembly: Assembly, files: Mapping[str, Path], name: str, path: Path) -> None:
    data = path.read_bytes()
    _check_data(assembly, name, path, data)
    sibling = name + ".gz"
    made = None
    if sibling in files:
        if static_files.unzipped(files[sibling].read_bytes()) != data:
            say(f"{sibling}: does not hold what {name} does: remove it, and the build makes it")
    elif assembly.settings.gzip:
        made = static_files.zipped(name, data)
    if made:
        assembly.add(sibling, made, name)
    if not made or assembly.settings.gzip != "only":
        assembly.add(name, data, name)


def _check_certificates(files: Mapping[str, Path]) -> None:
    for name, path in files.items():
        folder, _, last = name.rpartition("/")
        key = f"{folder}/key.{last[5:]}".lstrip("/")
        if last in ("cert.pem", "cert.der") and key in files:
            cert.checked(path, files[key])


def _add_templates(assembly: Assembly, folder: str, pages: Mapping[str, Path], hints: application.Hints) -> None:
    autoescape = assembly.settings.templates_autoescape
    if autoescape is None:
        if hints.unclear or len(hints.autoescape) > 1:
            place = hints.unclear or "Template.initialize is called with and without"
            raise Failure(f"{place}: autoescape is no literal: say it in {DEPLOY_TOML}, [templates] autoescape = true")
        autoescape = True in hints.autoescape
    for name, code in templates.to_python(folder, pages, autoescape).items():
        assembly.add_module(f"{folder}/{templates.module_path(name)}", code, f"{folder}/{name}")


def _check_siblings(pieces: Mapping[str, Piece]) -> None:
    # MicroPython looks for a folder first, whatever is in it; CPython for `x.py`.
    folders = {path.rpartition("/")[0] for path in pieces}
    folders |= {above for folder in folders for above in _above(folder)}
    for path, piece in pieces.items():
        stem, _, suffix = path.rpartition(".")
        if suffix in ("py", "mpy") and stem in folders:
            raise Failure(f"{piece.source}: never imported on a board, where the folder {stem} comes first: rename one of them")
        if suffix == "mpy" and stem + ".py" in pieces:
            raise Failure(f"{piece.source}: never imported, since {stem}.py comes first: remove one of them")


def _above(folder: str) -> list[str]:
    words = folder.split("/")
    return ["/".join(words[:count]) for count in range(2, len(words))]
