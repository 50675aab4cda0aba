"""What a run has to work with, and the requests that most tables share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .contenders import FLOOR, Contender, CPython, MicroPython
from .exchange import HELLO, Exchange, browser, hello
from .load import Load, closing
from .process import Command


@dataclass(frozen=True)
class Bench:
    """The interpreters and contenders of this run.

    `source` is the folder our modules are compiled from; `cache` is where other frameworks are installed, None without any.
    """

    program: MicroPython
    program32: MicroPython | None
    cpython: CPython
    mpy_cross: Path | None
    ours: Contender
    source: Path
    peer: Contender | None
    cache: Path | None

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

    @property
    def load(self) -> Load:
        """Its requests, each on a connection of its own."""
        return partial(closing, exchange=self.exchange)

    def on_floor(self) -> Case:
        """The same request, answered with the floor's constant."""
        return Case(self.name, replace(self.exchange, body=HELLO), "floor")


CASES = (
    Case("hello", hello()),
    Case("browser head", browser()),
    Case("JSON with argument", Exchange("/items/7", b'{"item": [7, "lamp"]}'), "app", ("json",)),
)

ECHOED = b'{"lamp": "on"} '  # the message of WebSocket measurements


def echo_server(bench: Bench, who: Contender) -> Command:
    """The command that starts a contender's WebSocket echo."""
    return live_server(bench, who, "websocket")


def live_server(bench: Bench, who: Contender, *arguments: str) -> Command:
    """The command that starts what a contender serves on connections that last."""
    return bench.program.script(who, "bare_live.py" if who is FLOOR else "app.py", "{port}", *arguments)
