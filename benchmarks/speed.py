"""Throughput, as the server's processor time per request: side by side, in interleaved rounds, medians.

Processor time is what a request costs the server whatever the client and the other programs do meanwhile; it
still moves with the machine, so only the ratios of one run mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from .load import Load
from .process import Command, Server

_ROUNDS = 9


@dataclass(frozen=True)
class Runner:
    """A server and what is sent to it."""

    command: Command
    load: Load


@dataclass(frozen=True)
class Speed:
    """Processor time per request in microseconds, and throughput as a share of the first runner's."""

    microseconds: float
    share: float


def compare(runners: Sequence[Runner], count: int) -> list[Speed]:
    """Measure the runners in turn, round after round; the first one is what the others are compared with."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(runner.command)) for runner in runners]
        for server, runner in zip(servers, runners):
            server.first(runner.load, count)
        rounds = [[_cost(server, runner.load, count) for server, runner in zip(servers, runners)] for _ in range(_ROUNDS)]
    return [_speed([costs[n] for costs in rounds], [costs[0] for costs in rounds]) for n in range(len(runners))]


def _cost(server: Server, load: Load, count: int) -> float:
    before = server.cpu_seconds()
    server.drive(load, count)
    return (server.cpu_seconds() - before) / count


def _speed(costs: list[float], firsts: list[float]) -> Speed:
    return Speed(median(costs) * 1e6, median(first / cost for first, cost in zip(firsts, costs)))
