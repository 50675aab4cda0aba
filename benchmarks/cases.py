"""What a run has to work with, and the requests that most tables share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .contenders import Contender, CPython, MicroPython
from .exchange import HELLO, Exchange, browser, hello
from .process import Command


@dataclass(frozen=True)
class Bench:
    """The interpreters and contenders of this run; `source` is the folder our modules are compiled from."""

    program: MicroPython
    program32: MicroPython | None
    cpython: CPython
    mpy_cross: Path | None
    ours: Contender
    source: Path
    peer: Contender | None

    @property
    def frameworks(self) -> list[Contender]:
        return [self.ours, *([self.peer] if self.peer else [])]

    @property
    def names(self) -> list[str]:
        return [who.name for who in self.frameworks]


@dataclass(frozen=True)
class Case:
    """A request, and the application in `servers/` that answers it."""

    name: str
    exchange: Exchange
    module: str = "hello"
    arguments: tuple[str, ...] = ()

    def on(self, program: MicroPython | CPython, who: Contender) -> Command:
        """The command that starts this application with a contender's framework."""
        return program.script(who, f"{self.module}.py", "{port}", *self.arguments)

    def on_floor(self) -> Case:
        """The same request, answered with the floor's constant."""
        return Case(self.name, replace(self.exchange, body=HELLO), "floor")


CASES = (
    Case("hello", hello()),
    Case("browser head", browser()),
    Case("JSON with argument", Exchange("/items/7", b'{"item": [7, "lamp"]}'), "app", ("json",)),
)
