"""The goals, one line each. A figure is what a table computes under the same key; KB are 1,000 bytes.

`held` goals are those that `--check` enforces: they were met once and may not be lost again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    limit: float
    at_most: bool
    held: bool

    def met(self, figure: float) -> bool:
        return figure <= self.limit if self.at_most else figure >= self.limit

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.limit:,}"


def at_most(limit: float, held: bool = False) -> Goal:
    return Goal(limit, True, held)


def at_least(limit: float, held: bool = False) -> Goal:
    return Goal(limit, False, held)


GOALS = {
    # multiples of the floor's
    "instructions: hello": at_most(1.9),
    "instructions: browser head": at_most(2.1),
    "instructions: JSON with argument": at_most(2.3),
    # more than the floor's
    "system calls: hello": at_most(2, held=True),
    "system calls: browser head": at_most(2, held=True),
    "system calls: JSON with argument": at_most(2, held=True),
    # bytes
    "heap per request: hello, 64-bit": at_most(3_000),
    "heap per request: browser head, 64-bit": at_most(4_000),
    "import: frozen, 64-bit": at_most(5_000),
    "import: frozen, 32-bit": at_most(3_000),
    "smallest heap: frozen, 32-bit": at_most(11_000),
    # multiples of one route's instructions
    "routes: static": at_most(1.05, held=True),
    "routes: dynamic": at_most(1.05),
    # shares of the floor's throughput
    "throughput: hello, keep-alive": at_least(0.45),
    "throughput: browser head, keep-alive": at_least(0.40),
    "throughput: file, 1 MB": at_least(0.85),
    "throughput: websocket echo": at_least(0.8),
    "throughput: sse": at_least(0.7),
    "throughput: generator, 1 MB": at_least(0.8),
    "CPython: hello": at_least(0.65),
    "CPython: hello, keep-alive": at_least(0.4),
    # shares of the bare application's throughput behind the same server
    "uvicorn: hello, keep-alive": at_least(0.80),
    "gunicorn: hello": at_least(0.80),
    # MB over the bare application
    "memory: uvicorn": at_most(4),
    "memory: gunicorn": at_most(4),
}
