"""The table of other projects' frameworks for MicroPython: what a request for `Hello, world!` costs with each."""

from __future__ import annotations

from . import counts, memory
from .cases import CASES, Bench
from .contenders import FLOOR, Contender
from .peer import Peer, all_installed
from .report import Table, number, ratio

PEERS = (
    Peer("uWebServer", "uwebserver>=0.3.2,<0.4"),
    Peer("micropython-uaioweb", "micropython-uaioweb>=0.0.3,<0.1"),
    Peer("micro_http_server", "micro_http_server>=0.1.2,<0.2"),
)
_NOTE = """\
A dash: the framework collects garbage while it serves, so that what a request allocates is not seen. They differ in what they
do for one: micropython-uaioweb leaves the whole reply to the handler, micro_http_server the routing."""


def others(bench: Bench) -> Table:
    """Instructions and system calls as against the floor; heap with the collector off."""
    found, missing = all_installed(PEERS, bench.cache)
    table = Table(
        "Hello, world! with other frameworks (MicroPython)",
        ["instructions", "to floor", "system calls", "heap allocated, bytes"],
        notes=[_NOTE],
        missing=missing,
    )
    servers = [
        (FLOOR, "floor"),
        *((who, "hello") for who in bench.frameworks),
        *((who, f"peers.{peer.module}_hello") for peer, who in found.items()),
    ]
    with table.noting():
        costs = [_costs(bench, who, module) for who, module in servers]
        for (who, _), (instructions, calls, heap) in zip(servers, costs):
            cells = [number(instructions), ratio(instructions / costs[0][0]), number(calls), number(heap)]
            table.add("others", who.name, cells)
    return table


def _costs(bench: Bench, who: Contender, module: str) -> tuple[float, float, float | None]:
    hello = CASES[0]
    command = bench.program.script(who, module.replace(".", "/") + ".py", "{port}")
    allocated = memory.per_request(bench.program, who, module, hello.exchange)
    return (
        counts.instructions(command, hello.load),
        counts.system_calls(command, hello.load),
        allocated if allocated > 0 else None,
    )
