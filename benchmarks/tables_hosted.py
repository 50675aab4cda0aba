"""The tables of other servers' throughput and memory: frameworks beside bare applications, behind uvicorn and gunicorn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .cases import Bench
from .contenders import Contender
from .errors import Unavailable
from .exchange import Exchange, browser, hello
from .load import Load, closing, keeping
from .peer import Peer, all_installed
from .process import Command, Server
from .report import Table, number, ratio
from .speed import Runner, compare

BARE = Contender("bare")
BOTTLE = Peer("Bottle", "bottle>=0.13,<0.14")
FALCON = Peer("Falcon", "falcon>=4,<5")
FLASK = Peer("Flask", "flask>=3,<4")
STARLETTE = Peer("Starlette", "starlette>=1,<2")
PEERS = (BOTTLE, FALCON, FLASK, STARLETTE)


@dataclass(frozen=True)
class Host:
    """A server of another project, the kind of application that it serves, and the frameworks that make such."""

    module: str
    kind: str
    options: tuple[str, ...]
    peers: tuple[Peer, ...]

    def serving(self, bench: Bench, who: Contender, application: str) -> Command:
        if not bench.cpython.has(self.module):
            raise Unavailable(f"{self.module} is not installed")
        return bench.cpython.module(who, self.module, *self.options, f"{application}_{self.kind}:app")


UVICORN = Host("uvicorn", "asgi", ("--port", "{port}", "--no-access-log", "--log-level", "warning"), (FALCON, STARLETTE))
GUNICORN = Host("gunicorn", "wsgi", ("--bind", "127.0.0.1:{port}", "--log-level", "warning"), (BOTTLE, FALCON, FLASK))


class _Contenders:
    """Who is measured behind these servers, in the order of a table's columns."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._ours = [Contender(bench.ours.name, str(bench.source)), *bench.frameworks[1:]]
        self._peers, self.missing = all_installed(PEERS, bench.cache)

    @property
    def names(self) -> list[str]:
        return [who.name for who in (BARE, *self._ours, *self._peers.values())]

    def commands(self, host: Host) -> dict[str, Command]:
        """By name: the bare application first, then ours."""
        applications = [(BARE, "bare"), *((who, "hello") for who in self._ours)]
        applications += [(self._peers[peer], f"peers.{peer.module}") for peer in host.peers if peer in self._peers]
        return {who.name: host.serving(self._bench, who, module) for who, module in applications}

    def cells(self, texts: dict[str, str]) -> list[str]:
        """One for each column, a dash where a framework makes no such application."""
        return [texts.get(name, "-") for name in self.names]


def hosted(bench: Bench) -> Table:
    contenders = _Contenders(bench)
    table = Table("Behind other servers (CPython)", contenders.names, missing=contenders.missing)
    rows: list[tuple[Host, str, Exchange]] = [
        (UVICORN, "hello, keep-alive", hello(keep=True)),
        (UVICORN, "browser head, keep-alive", browser(keep=True)),
        (GUNICORN, "hello", hello()),
        (GUNICORN, "browser head", browser()),
    ]
    with table.noting():
        for host, name, exchange in rows:
            _compare(table, contenders, host, name, exchange)
    table.notes.append("Microseconds of processor time per request, and throughput as a share of the bare application's.")
    return table


def hosted_memory(bench: Bench) -> Table:
    contenders = _Contenders(bench)
    table = Table(
        "Memory behind other servers, MB (CPython)", [*contenders.names, "ours over bare"], missing=contenders.missing
    )
    with table.noting():
        for host in (UVICORN, GUNICORN):
            used = {name: _megabytes(command) for name, command in contenders.commands(host).items()}
            more = used[bench.ours.name] - used[BARE.name]
            cells = [*contenders.cells({name: number(value) for name, value in used.items()}), number(more)]
            table.add("memory", host.module, cells, more)
    table.notes.append("Memory after 300 requests, workers included, shared pages in parts (PSS).")
    return table


def _compare(table: Table, contenders: _Contenders, host: Host, name: str, exchange: Exchange) -> None:
    load: Load = partial(keeping if exchange.keep else closing, exchange=exchange)
    commands = contenders.commands(host)
    speeds = compare([Runner(command, load) for command in commands.values()], 2000 if exchange.keep else 300)
    texts = {who: f"{number(speed.microseconds)}, {ratio(speed.share)}" for who, speed in zip(commands, speeds)}
    cells = contenders.cells({**texts, BARE.name: number(speeds[0].microseconds)})
    table.add(host.module, name, cells, speeds[1].share, label=f"{host.module}, {name}")


def _megabytes(command: Command) -> float:
    with Server(command) as server:
        server.first(partial(closing, exchange=hello()), 300)
        return server.megabytes()
