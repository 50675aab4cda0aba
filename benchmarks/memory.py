"""Heap: bytes allocated per request, bytes kept by the import, and the smallest heap that serves."""

from __future__ import annotations

from functools import partial

from .contenders import Contender, MicroPython
from .errors import BenchmarkError
from .exchange import Exchange
from .load import ask, closing
from .process import Command, Server, output_of

# Room for all requests of a measurement, as nothing is collected during it.
_ROOMY = "64M"
_LEAST, _MOST, _STEP = 4_000, 200_000, 100
_REQUESTS = 200
_TIMEOUT = 3.0


def per_request(program: MicroPython, who: Contender, module: str, exchange: Exchange, *arguments: str) -> float:
    """Bytes that one request allocates, freed or not: the collector is off."""
    command = program.script(who, "heap_probe.py", "{port}", "{port2}", module, *arguments, heap=_ROOMY)
    count = 100
    load = partial(closing, exchange=exchange)
    with Server(command) as server:
        server.first(load, count)
        readings = [_reading(server)]
        for requests in (count, 2 * count):
            server.drive(load, requests)
            readings.append(_reading(server))
    first, second, third = readings
    return ((third - second) - (second - first)) / count


def _reading(server: Server) -> int:
    try:
        return int(ask(server.port2))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"{server.command.name}: the heap probe does not answer: {error}") from error


def kept_by_import(program: MicroPython, who: Contender) -> int:
    """Bytes in use after the import of the framework's core, asyncio being there before."""
    return int(output_of(program.script(who, "import_heap.py")))


def smallest_heap(program: MicroPython, who: Contender, module: str, exchange: Exchange) -> int:
    """The smallest heap with which a server, frozen or compiled, answers 200 requests one after the other."""
    too_small, enough = _LEAST, _MOST
    _serve(program.module(who, module, "{port}", heap=str(enough)), exchange)
    while enough - too_small > _STEP:
        middle = (too_small + enough) // 2
        try:
            _serve(program.module(who, module, "{port}", heap=str(middle)), exchange)
            enough = middle
        except BenchmarkError:
            too_small = middle
    return enough


def _serve(command: Command, exchange: Exchange) -> None:
    with Server(command) as server:
        server.first(partial(closing, exchange=exchange, timeout=_TIMEOUT), _REQUESTS)
