"""Who is measured: the floor, ours, and the published microdot, and how each is started on an interpreter."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from .errors import BenchmarkError
from .process import Command, output_of

SERVERS = Path(__file__).parent / "servers"
FROZEN = ".frozen"


@dataclass(frozen=True)
class Contender:
    """A framework, or none, and where its modules are found."""

    name: str
    path: str = FROZEN


FLOOR = Contender("floor")


@dataclass(frozen=True)
class MicroPython:
    """A unix build of MicroPython."""

    program: str

    def script(self, who: Contender, script: str, *arguments: str, heap: str = "") -> Command:
        """A server from its source, as `servers/script`."""
        return self._command(who, heap, str(SERVERS / script), *arguments)

    def module(self, who: Contender, module: str, *arguments: str, heap: str = "") -> Command:
        """A server that is frozen or compiled, by its module's name."""
        return self._command(who, heap, "-m", module, *arguments)

    def evaluate(self, who: Contender, source: str) -> str:
        """What a line of Python prints."""
        return output_of(self._command(who, "", "-c", source)).strip()

    def has_frozen(self, module: str) -> bool:
        """Whether an import finds the module; a server's fails later, when it looks for its port."""
        attempt = f"try:\n import {module}\nexcept ImportError:\n print(0)\nexcept Exception:\n pass"
        return self.evaluate(FLOOR, attempt) != "0"

    def version(self) -> str:
        return self.evaluate(FLOOR, "import sys; print('.'.join(map(str, sys.implementation.version[:3])))")

    def bits(self) -> int:
        return 32 if self.evaluate(FLOOR, "import sys; print(sys.maxsize)") == "2147483647" else 64

    def _command(self, who: Contender, heap: str, *arguments: str) -> Command:
        options = ("-X", f"heapsize={heap}") if heap else ()
        path = who.path if who.path == FROZEN else f"{who.path}:{FROZEN}"
        return Command(who.name, (self.program, *options, *arguments), {"MICROPYPATH": path})


@dataclass(frozen=True)
class CPython:
    """CPython, which has the framework from a folder."""

    program: str

    def script(self, who: Contender, script: str, *arguments: str) -> Command:
        return Command(who.name, (self.program, str(SERVERS / script), *arguments), self._environment(who))

    def module(self, who: Contender, module: str, *arguments: str) -> Command:
        """Another server, which finds its application in `servers/` by a module's name."""
        return Command(who.name, (self.program, "-m", module, *arguments), self._environment(who, SERVERS))

    def has(self, module: str) -> bool:
        """Whether the module is installed."""
        source = f"import importlib.util as i; print(i.find_spec({module!r}) is not None)"
        return output_of(Command(module, (self.program, "-c", source))).strip() == "True"

    def _environment(self, who: Contender, *folders: Path) -> dict[str, str]:
        paths = [*([] if who.path == FROZEN else [who.path]), *map(str, folders)]
        return {"PYTHONDONTWRITEBYTECODE": "1", **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})}


def micropython(program: Path, folder: Path) -> MicroPython:
    """A copy of the interpreter at a path; raises BenchmarkError when there is none that runs.

    The copy keeps a run in one piece when the firmware is built again meanwhile.
    """
    if not os.access(program, os.X_OK):
        raise BenchmarkError(f"{program}: no such program: build it with `make firmware`")
    found = MicroPython(shutil.copy(program, mkdtemp(dir=folder)))
    if found.evaluate(FLOOR, "import sys; print(sys.implementation.name)") != "micropython":
        raise BenchmarkError(f"{program}: not a MicroPython")
    return found
