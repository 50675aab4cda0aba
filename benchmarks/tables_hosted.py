"""The tables of other servers' throughput and memory: our front ends beside bare applications, behind uvicorn and gunicorn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .cases import Bench
from .contenders import FLOOR, Contender
from .errors import Unavailable
from .exchange import Exchange, browser, hello
from .load import Load, closing, keeping
from .process import Command, Server
from .report import Table, number, ratio
from .speed import Runner, compare


@dataclass(frozen=True)
class Host:
    """A server of another project, and the kind of application that it serves."""

    module: str
    kind: str
    options: tuple[str, ...]

    def serving(self, bench: Bench, who: Contender) -> Command:
        if not bench.cpython.has(self.module):
            raise Unavailable(f"{self.module} is not installed")
        name = "bare" if who is FLOOR else "hello"
        return bench.cpython.module(who, self.module, *self.options, f"{name}_{self.kind}:app")


UVICORN = Host("uvicorn", "asgi", ("--port", "{port}", "--no-access-log", "--log-level", "warning"))
GUNICORN = Host("gunicorn", "wsgi", ("--bind", "127.0.0.1:{port}", "--log-level", "warning"))


def hosted(bench: Bench) -> Table:
    names = bench.names
    table = Table("Behind other servers (CPython)", ["bare", *names, *(f"{name}, share" for name in names)])
    rows: list[tuple[Host, str, Exchange]] = [
        (UVICORN, "hello, keep-alive", hello(keep=True)),
        (UVICORN, "browser head, keep-alive", browser(keep=True)),
        (GUNICORN, "hello", hello()),
        (GUNICORN, "browser head", browser()),
    ]
    with table.noting():
        for host, name, exchange in rows:
            _compare(table, bench, host, name, exchange)
    table.notes.append("Microseconds of processor time per request, and throughput as a share of the bare application's.")
    return table


def hosted_memory(bench: Bench) -> Table:
    names = bench.names
    table = Table("Memory behind other servers (CPython)", ["bare, MB", *(f"{name}, MB" for name in names), "ours over bare"])
    with table.noting():
        for host in (UVICORN, GUNICORN):
            load: Load = partial(closing, exchange=hello())
            bare, *others = [_megabytes(command, load) for command in _commands(bench, host)]
            table.add("memory", host.module, map(number, [bare, *others, others[0] - bare]), others[0] - bare)
    table.notes.append("Memory after 300 requests, workers included, shared pages in parts (PSS).")
    return table


def _commands(bench: Bench, host: Host) -> list[Command]:
    ours = Contender(bench.ours.name, str(bench.source))
    return [host.serving(bench, who) for who in (FLOOR, ours, *bench.frameworks[1:])]


def _compare(table: Table, bench: Bench, host: Host, name: str, exchange: Exchange) -> None:
    load: Load = partial(keeping if exchange.keep else closing, exchange=exchange)
    runners = [Runner(command, load) for command in _commands(bench, host)]
    first, *others = compare(runners, 2000 if exchange.keep else 300)
    cells = [first.microseconds, *(speed.microseconds for speed in others)]
    shares = [ratio(speed.share) for speed in others]
    table.add(host.module, name, [*map(number, cells), *shares], others[0].share)


def _megabytes(command: Command, load: Load) -> float:
    with Server(command) as server:
        server.first(load, 300)
        return server.megabytes()
