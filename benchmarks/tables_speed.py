"""The tables of throughput: processor time, side by side, in rounds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from .cases import CASES, ECHOED, Bench, Case, echo_server, live_server
from .contenders import FLOOR, Contender, CPython, MicroPython
from .exchange import MEGABYTE, Exchange, browser, hello
from .load import closing, echoing, keeping
from .report import Table, number, ratio
from .speed import Runner, compare

_NOTE = "Microseconds of processor time per request, message or event, and throughput as a share of the first column's."
_EVENTS = 1000  # of one stream
_KEPT = "The published microdot closes every connection: it has no keep-alive rows."


def throughput(bench: Bench) -> Table:
    table = _table("Throughput (MicroPython)", "floor", bench)
    for case in CASES:
        _add(table, "throughput", case.name, [_floor(bench.program, case), *_apps(bench, case)], 300)
    for name, exchange in (("hello", hello(keep=True)), ("browser head", browser(keep=True))):
        _add(table, "throughput", f"{name}, keep-alive", _kept(bench.program, bench.ours, exchange), 2000)
    table.notes.append(_KEPT)
    return table


def streams(bench: Bench) -> Table:
    table = _table("Long bodies (MicroPython)", "bare loop", bench)
    with TemporaryDirectory() as folder:
        path = Path(folder, "body.bin")
        path.write_bytes(MEGABYTE)
        file = Case("file, 1 MB", Exchange("/file", MEGABYTE), "app", ("file", str(path)))
        _add(table, "throughput", file.name, [_bare(bench, file, str(path)), *_apps(bench, file)], 20)
    chunks = Case("generator, 1 MB", Exchange("/generator", MEGABYTE), "app", ("generator",))
    _add(table, "throughput", chunks.name, [_bare(bench, chunks), *_apps(bench, chunks)], 20)
    return table


def live(bench: Bench) -> Table:
    """A message and an event each count as one."""
    table = _table("Live connections (MicroPython)", "bare loop", bench)
    contenders = (FLOOR, *bench.frameworks)
    load = partial(echoing, message=ECHOED)
    echo = [Runner(echo_server(bench, who), load) for who in contenders]
    _add(table, "throughput", "websocket echo", echo, 2000)
    exchange = Exchange("/events", b"data: 21.5\n\n" * _EVENTS)
    load = partial(_events, exchange=exchange)
    events = [Runner(live_server(bench, who, "events", str(_EVENTS)), load) for who in contenders]
    _add(table, "throughput", "sse", events, 10 * _EVENTS)
    return table


def _events(port: int, count: int, exchange: Exchange) -> None:
    closing(port, count // _EVENTS, exchange)


def cpython(bench: Bench) -> Table:
    table = _table("Throughput of our own server (CPython)", "bare asyncio", bench)
    case = CASES[0]
    frameworks = [Contender(bench.ours.name, str(bench.source)), *bench.frameworks[1:]]
    runners = [_app(bench.cpython, who, case) for who in frameworks]
    _add(table, "CPython", case.name, [_floor(bench.cpython, case), *runners], 300)
    _add(
        table,
        "CPython",
        f"{case.name}, keep-alive",
        _kept(bench.cpython, frameworks[0], hello(keep=True)),
        2000,
    )
    table.notes.append(_KEPT)
    return table


def _table(title: str, first: str, bench: Bench) -> Table:
    return Table(title, [first, *bench.names, *(f"{name}, share" for name in bench.names)], notes=[_NOTE])


def _add(table: Table, prefix: str, name: str, runners: list[Runner], count: int) -> None:
    """Measure a row. It may have fewer runners than the table has columns: the peer is the last of them."""
    first, *others = compare(runners, count)
    absent = ["-"] * ((len(table.columns) - 1) // 2 - len(others))
    costs = [*(number(speed.microseconds) for speed in others), *absent]
    shares = [*(ratio(speed.share) for speed in others), *absent]
    table.add(prefix, name, [number(first.microseconds), *costs, *shares], others[0].share)


def _app(program: MicroPython | CPython, who: Contender, case: Case) -> Runner:
    return Runner(case.on(program, who), case.load)


def _apps(bench: Bench, case: Case) -> list[Runner]:
    return [_app(bench.program, who, case) for who in bench.frameworks]


def _floor(program: MicroPython | CPython, case: Case) -> Runner:
    return _app(program, FLOOR, case.on_floor())


def _bare(bench: Bench, case: Case, *arguments: str) -> Runner:
    return _app(bench.program, FLOOR, Case(case.name, case.exchange, "bare_stream", arguments))


def _kept(program: MicroPython | CPython, ours: Contender, exchange: Exchange) -> list[Runner]:
    load = partial(keeping, exchange=exchange)
    floor = Case("hello", exchange, "floor_keep").on(program, FLOOR)
    return [Runner(floor, load), Runner(Case("hello", exchange).on(program, ours), load)]
