"""Counts that do not depend on the machine's speed: instructions in user space and system calls.

A server is run twice, for N and for 2N requests, and the difference divided by N: what it does before the
first request and after the last cancels out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import BenchmarkError, Unavailable
from .load import Load
from .process import Command, Server, last_line

_REPORT_TIMEOUT = 5.0

Counter = Callable[[Command, Load], float]


@dataclass(frozen=True)
class Tool:
    """A program that runs another one and leaves a report, in which a pattern finds the total."""

    name: str
    options: tuple[str, ...]
    total: re.Pattern[str]

    def arguments(self, report: Path) -> list[str]:
        return [self.name, *(option.replace("{report}", str(report)) for option in self.options)]


_CALLGRIND = Tool(
    "valgrind",
    ("--quiet", "--tool=callgrind", "--vgdb=no", "--callgrind-out-file={report}"),
    re.compile(r"^totals: (\d+)", re.MULTILINE),
)
_STRACE = Tool(
    "strace",
    # -D: the server stays our child, strace becomes its descendant, so that ending the server ends both.
    ("-D", "-f", "-c", "-o", "{report}"),
    # Share of time, seconds, microseconds per call, calls; errors follow only where there were any.
    re.compile(r"^100\.00 +[\d.]+ +\d+ +(\d+) .*total$", re.MULTILINE),
)


def instructions(command: Command, load: Load, count: int = 200) -> float:
    """User-space instructions per request, counted by callgrind."""
    return _per_request(_CALLGRIND, command, load, count)


def system_calls(command: Command, load: Load, count: int = 100) -> float:
    """System calls per request, counted by strace."""
    return _per_request(_STRACE, command, load, count)


def _per_request(tool: Tool, command: Command, load: Load, count: int) -> float:
    _check_works(tool)
    once, twice = (_total(tool, command, load, requests) for requests in (count, 2 * count))
    return (twice - once) / count


def _total(tool: Tool, command: Command, load: Load, requests: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        with Server(command.under(*tool.arguments(report))) as server:
            server.first(load, requests)
        return _read_total(tool, report)


def _read_total(tool: Tool, report: Path) -> int:
    """Wait for the report, which strace writes a moment after the server has ended."""
    deadline = time.monotonic() + _REPORT_TIMEOUT
    while time.monotonic() < deadline:
        found = tool.total.search(report.read_text() if report.exists() else "")
        if found:
            return int(found[1])
        time.sleep(0.01)
    raise BenchmarkError(f"{tool.name}: its report has no total")


@cache
def _check_works(tool: Tool) -> None:
    """Try the tool on a program that does nothing: it may be missing, or forbidden to trace."""
    if shutil.which(tool.name) is None:
        raise Unavailable(f"{tool.name} is not installed: `apt-get install {tool.name}`")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        done = subprocess.run([*tool.arguments(report), "true"], capture_output=True, text=True)
        try:
            _read_total(tool, report)
        except BenchmarkError as error:
            raise Unavailable(f"{tool.name} does not work here: {last_line(done.stderr)}") from error
