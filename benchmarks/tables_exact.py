"""The tables of figures that repeat exactly, whatever the machine does meanwhile: counts and bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from . import counts, memory
from .cases import CASES, ECHOED, Bench, Case, echo_server
from .compile import compiled
from .contenders import FLOOR, FROZEN, Contender, MicroPython
from .exchange import Exchange
from .load import Load, echoing
from .report import Table, number, ratio


def instructions(bench: Bench) -> Table:
    table = Table("Instructions per request, or message, in user space (MicroPython)", _beside_floor(bench))
    with table.noting():
        for case in CASES:
            _add_instructions(table, case.name, _count(counts.instructions, bench, case))
        _add_instructions(table, "WebSocket echo", _count_echoes(bench))
    return table


def _add_instructions(table: Table, name: str, counted: list[float]) -> None:
    floor, *values = counted
    cells = [number(floor), *map(number, values), *(ratio(value / floor) for value in values)]
    table.add("instructions", name, cells, values[0] / floor)


def _count_echoes(bench: Bench) -> list[float]:
    """One connection, or how many messages a server finds at a time would depend on the machine."""
    load: Load = partial(echoing, message=ECHOED, connections=1)
    return [counts.instructions(echo_server(bench, who), load) for who in (FLOOR, *bench.frameworks)]


def system_calls(bench: Bench) -> Table:
    table = Table("System calls per request (MicroPython)", _beside_floor(bench))
    with table.noting():
        for case in CASES:
            floor, *values = _count(counts.system_calls, bench, case)
            more = [round(value - floor, 1) for value in values]
            cells = [*map(number, (floor, *values)), *(f"{n:+.1f}" for n in more)]
            table.add("system calls", case.name, cells, more[0])
    return table


def _beside_floor(bench: Bench) -> list[str]:
    return ["floor", *bench.names, *(f"{name} to floor" for name in bench.names)]


def _count(counter: counts.Counter, bench: Bench, case: Case) -> list[float]:
    floor = case.on_floor()
    return [
        counter(floor.on(bench.program, FLOOR), floor.load),
        *(counter(case.on(bench.program, who), case.load) for who in bench.frameworks),
    ]


def routes(bench: Bench) -> Table:
    columns = [f"{name}, {what}" for name in bench.names for what in ("1 route", "100 routes", "ratio")]
    table = Table("Instructions per request for the last of the routes (MicroPython)", columns)
    with table.noting():
        for kind, path in (("static", "/route99"), ("dynamic", "/route99/7")):
            pairs = [_one_and_hundred(bench, who, kind, path) for who in bench.frameworks]
            cells = [text for one, many in pairs for text in (number(one), number(many), ratio(many / one))]
            table.add("routes", kind, cells, pairs[0][1] / pairs[0][0])
    return table


def _one_and_hundred(bench: Bench, who: Contender, kind: str, path: str) -> tuple[float, float]:
    one, hundred = (Case(kind, Exchange(path), "app", (kind, count)) for count in ("1", "100"))
    return (
        counts.instructions(one.on(bench.program, who), one.load),
        counts.instructions(hundred.on(bench.program, who), hundred.load),
    )


def heap_per_request(bench: Bench) -> Table:
    table = Table("Heap allocated per request, bytes (MicroPython)", ["floor", *bench.names])
    for program in _programs(bench, table):
        for case in CASES:
            values = [_heap(program, FLOOR, case.on_floor())]
            values += [_heap(program, who, case) for who in bench.frameworks]
            table.add("heap per request", f"{case.name}, {program.bits()}-bit", map(number, values), values[1])
    return table


def _heap(program: MicroPython, who: Contender, case: Case) -> float:
    return memory.per_request(program, who, case.module, case.exchange, *case.arguments)


def import_heap(bench: Bench) -> Table:
    table = Table("Heap kept by the import of the core, bytes (MicroPython)", bench.names)
    for program in _programs(bench, table):
        if bench.ours.path == FROZEN:
            kept = memory.kept_by_import(program, bench.ours)
            table.add("import", f"frozen, {program.bits()}-bit", _first_of(bench.names, kept), kept)
        with table.noting(), _compiled(bench, program) as (_, *frameworks):
            cells = [number(memory.kept_by_import(program, who)) for who in frameworks]
            table.add("import", f".mpy, {program.bits()}-bit", cells)
    return table


def smallest_heap(bench: Bench) -> Table:
    table = Table("Smallest heap that serves 200 requests, bytes (MicroPython)", ["floor", *bench.names])
    for program in _programs(bench, table):
        if program.has_frozen("hello"):
            floor, ours = _smallest(program, [FLOOR, Contender(bench.ours.name)])
            name = f"frozen, {program.bits()}-bit"
            table.add("smallest heap", name, [number(floor), *_first_of(bench.names, ours)], ours)
        with table.noting(), _compiled(bench, program) as contenders:
            cells = map(number, _smallest(program, contenders))
            table.add("smallest heap", f".mpy, {program.bits()}-bit", cells)
    return table


def _smallest(program: MicroPython, contenders: list[Contender]) -> list[int]:
    modules = ["floor", *["hello"] * (len(contenders) - 1)]
    return [memory.smallest_heap(program, who, module, CASES[0].exchange) for who, module in zip(contenders, modules)]


def _first_of(names: list[str], figure: int) -> list[str]:
    """Cells for a row in which only ours, the first of the frameworks, has a figure: no peer is frozen."""
    return [number(figure), *["-"] * (len(names) - 1)]


def _programs(bench: Bench, table: Table) -> list[MicroPython]:
    if bench.program32:
        return [bench.program, bench.program32]
    table.missing.append("no 32-bit unix build: `make firmware BOARD=unix32`")
    return [bench.program]


@contextmanager
def _compiled(bench: Bench, program: MicroPython) -> Iterator[list[Contender]]:
    """The floor and the frameworks as .mpy files, each in a folder of its own while the context lasts."""
    sources = [None, bench.source, *([Path(bench.peer.path)] if bench.peer else [])]
    with tempfile.TemporaryDirectory() as folder:
        yield [
            compiled(bench.mpy_cross, program, who, source, Path(folder, str(n)))
            for n, (who, source) in enumerate(zip([FLOOR, *bench.frameworks], sources))
        ]
