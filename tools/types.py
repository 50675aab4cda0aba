"""check the types of what runs on boards, against the published stubs of MicroPython's ports

The examples are checked for unix, rp2 and esp32, what boards start with for the latter two.  None of this has annotations,
so that it is misused names and arguments that are found: of MicroPython's modules, of the framework's and of their own.

  mdot types
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from . import environment
from .console import Failure, say
from .files import locked, staged
from .paths import BUILD, ROOT, shown

_STUBS = BUILD / "typings"
_PYTHON = ROOT / ".venv/bin/python"
_STAMP = "complete.txt"

# One folder a port: each brings MicroPython's own `builtins`, `sys` and the like.  The versions are those of the firmware.
_COMMON = "micropython-stdlib-stubs==1.25.0"
_PORTS = {
    "unix": "micropython-unix-stubs==1.25.0.post1",
    "rp2": "micropython-rp2-rpi-pico-w-stubs==1.25.0.post4",
    "esp32": "micropython-esp32-stubs==1.25.0.post5",
}

# What the published stubs lack: the stub, and what is added to it (MicroPython's py/builtinevex.c, extmod/network_ppp_lwip.c).
_EXECFILE = ("stdlib/builtins.pyi", "def execfile(filename: str, /) -> None: ...")
_PPP = """class PPP:
    SEC_NONE: int
    SEC_PAP: int
    SEC_CHAP: int
    def __init__(self, stream: object, /) -> None: ...
    def connect(self, *, security: int = ..., user: str = ..., key: str = ...) -> None: ...
    def disconnect(self) -> None: ...
    def isconnected(self) -> bool: ...
    def ifconfig(self, addresses: tuple[str, str, str, str] = ..., /) -> tuple[str, str, str, str]: ...
    def ipconfig(self, *arguments: str, **values: object) -> object: ...
    def config(self, *arguments: str, **values: object) -> object: ...
    def status(self) -> int: ...
    def poll(self) -> None: ..."""
_ADDED = {"unix": (_EXECFILE,), "rp2": (_EXECFILE, ("network.pyi", _PPP)), "esp32": (_EXECFILE,)}

# Nothing says what a name may hold: neither that it may be None, nor that it will be another type later.  On unix there is no
# hardware, so that programs which ask for it have looked before where they are.
_CONFIG = """[mypy]
check_untyped_defs = true
strict_optional = false
disable_error_code = assignment, var-annotated
follow_imports = silent
follow_imports_for_stubs = true
explicit_package_bases = true
no_site_packages = true
"""
_NO_HARDWARE = "[mypy-machine]\nfollow_imports = skip\n[mypy-network]\nfollow_imports = skip\nignore_missing_imports = true\n"

# Of CPython's servers.
_HOST_ONLY = ("deploy", "redis")
_HOST_FILES = ("_asgi.py", "_wsgi.py")


class Part(NamedTuple):
    """What one run checks: files that import each other from one folder."""

    name: str
    base: Path
    files: Sequence[Path]


def do(arguments: argparse.Namespace) -> None:
    environment.complete("the checks", "dev")
    with locked(_STUBS):
        for port in _PORTS:
            provide(port)
        found = _checked()
    for mistake, ports in found.items():
        print(f"{mistake} ({', '.join(ports)})")
    if found:
        raise Failure(f"mistakes in what runs on boards: {len(found)}: listed above, with the ports that they concern")


# The stubs


def _wanted(port: str) -> str:
    return repr((_COMMON, _PORTS[port], _ADDED[port], _config(port)))


def _config(port: str) -> str:
    return _CONFIG + (_NO_HARDWARE if port == "unix" else "")


def provide(port: str) -> None:
    """Install a port's stubs, unless they are there."""
    folder = _STUBS / port
    if (folder / _STAMP).exists() and (folder / _STAMP).read_text(encoding="utf-8") == _wanted(port):
        return
    say(f"installing the stubs of MicroPython for {port} …")
    shutil.rmtree(folder, ignore_errors=True)
    with staged(folder) as new:
        install(port, new)
        for stub, text in _ADDED[port]:
            with (new / stub).open("a", encoding="utf-8") as file:
                file.write(f"\n{text}\n")
        (new / "mypy.ini").write_text(_config(port), encoding="utf-8")
        (new / _STAMP).write_text(_wanted(port), encoding="utf-8")


def install(port: str, folder: Path) -> None:
    """Install a port's stubs into a folder; raise Failure."""
    command = [str(_PYTHON), "-m", "pip", "install", "--no-input", "--quiet", "--target", str(folder), _COMMON, _PORTS[port]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, close_fds=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["it failed without a reason"]
        raise Failure(f"pip: {errors[-1].removeprefix('ERROR: ')}: check the network, the room on the disk and pip's index")


# The check


def parts(port: str) -> Iterator[Part]:
    """Give the programs for a port: those of one file together, as only files of different folders may have the same name."""
    if port != "unix":
        yield Part("board", ROOT / "board/modules", sorted((ROOT / "board/modules").rglob("*.py")))
    single: list[Path] = []
    for folder in sorted(path for path in (ROOT / "examples").iterdir() if path.name not in _HOST_ONLY):
        files = [path for path in sorted(folder.glob("*.py")) if not path.name.endswith(_HOST_FILES)]
        if len(files) > 1:
            yield Part(folder.name, folder, files)
        else:
            single += files
    yield Part("examples", ROOT, single)


def _checked() -> dict[str, list[str]]:
    """Check every part for every port; give the mistakes, each with the ports where it is one."""
    runs = [(port, part) for port in _PORTS for part in parts(port) if part.files]
    found: dict[str, list[str]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (port, _), made in zip(runs, pool.map(lambda run: mistakes(*run), runs)):
            for mistake in made:
                found.setdefault(mistake, []).append(port)
    return found


def mistakes(port: str, part: Part) -> list[str]:
    """Check one part for one port; give mypy's lines."""
    stubs = _STUBS / port
    path = [part.base, ROOT / "lib", ROOT / "lib/shims", ROOT / "board/modules", stubs]
    command = [str(_PYTHON), "-m", "mypy", "--config-file", str(stubs / "mypy.ini"), "--custom-typeshed-dir", str(stubs)]
    command += ["--platform", "linux" if port == "unix" else port, "--cache-dir", str(BUILD / "mypy" / port / part.name)]
    command += ["--no-error-summary", *(os.path.relpath(file, ROOT) for file in part.files)]
    variables = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, close_fds=False)
    made = [line for line in done.stdout.splitlines() if _is_mistake(line)]
    if done.returncode > 1 and not made:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise Failure(f"mypy: {reason[0]}: remove {shown(_STUBS)} and {shown(BUILD / 'mypy')}, and try again")
    return made


def _is_mistake(line: str) -> bool:
    # A name that is None at first is told by its other values what it has, and mypy by annotations alone.
    return ": error: " in line and not re.search(r'"(None|object)" has no attribute', line)
