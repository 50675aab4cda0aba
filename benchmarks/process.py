"""A server's process: started on a free port, waited for, ended with the run whatever happens."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from .errors import BenchmarkError
from .load import HOST, Load

_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 10.0
_PR_SET_PDEATHSIG = 1
_LISTEN = "0A"  # TCP_LISTEN as /proc/net/tcp writes it
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Command:
    """How to start a server. `{port}` and `{port2}` in an argument become ports that are free."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def under(self, *tool: str) -> Command:
        """The same server, run by a measuring tool."""
        return Command(self.name, (*tool, *self.arguments), self.environment)


class Server:
    """A running server; use it in a `with` statement."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.port, self.port2 = free_ports()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._process = self._started()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def first(self, load: Load, count: int) -> None:
        """Send the first requests as soon as the server listens; raise when it ends instead."""
        deadline = time.monotonic() + _START_TIMEOUT
        while not listens(self.port):
            if self._process.poll() is not None:
                raise self._failure(f"not started: it ended with status {self._process.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"not started: it does not listen after {_START_TIMEOUT:.0f} s")
            time.sleep(0.01)
        self.drive(load, count)

    def drive(self, load: Load, count: int) -> None:
        """Send requests, and say which server it was when that fails."""
        try:
            load(self.port, count)
        except (OSError, ValueError, BenchmarkError) as error:
            raise self._failure(str(error)) from error

    def cpu_seconds(self) -> float:
        """The processor time that the server and its workers took so far, to the nanosecond."""
        # The kernel's clock number for another process, as clock_getcpuclockid(3) makes it.
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in _family(self._process.pid))

    def megabytes(self) -> float:
        """The memory of the server and its workers, what they share counted once."""
        return sum(_pss(pid) for pid in _family(self._process.pid)) * 1.024 / 1000

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._with_ports(text) for text in self.command.arguments],
            env={**_quiet_environment(), **self.command.environment},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            preexec_fn=_die_with_parent,
        )

    def _with_ports(self, text: str) -> str:
        return text.replace("{port}", str(self.port)).replace("{port2}", str(self.port2))

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _failure(self, reason: str) -> BenchmarkError:
        self._output.seek(0)
        said = last_line(self._output.read().decode(errors="replace"))
        return BenchmarkError(f"{self.command.name}: {reason}" + (f": {said}" if said else ""))


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _pss(pid: int) -> int:
    """The proportional set size in units of 1,024 bytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(rollup.split("Pss:")[1].split()[0])


def free_ports() -> tuple[int, int]:
    """Two ports on which nobody listens at this moment."""
    with socket.socket() as first, socket.socket() as second:
        first.bind((HOST, 0))
        second.bind((HOST, 0))
        return first.getsockname()[1], second.getsockname()[1]


def listens(port: int) -> bool:
    """Look at the kernel's table instead of connecting: a server must see only what is counted."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    return any(row[1].endswith(f":{port:04X}") and row[3] == _LISTEN for row in rows[1:])


def last_line(text: str) -> str:
    """The last line that is not empty: where interpreters name the error."""
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")


def output_of(command: Command) -> str:
    """Run a command that ends by itself and return what it printed."""
    done = subprocess.run(
        command.arguments,
        env={**_quiet_environment(), **command.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = last_line(done.stdout + done.stderr)
        raise BenchmarkError(f"{command.name}: ended with status {done.returncode}: {said}")
    return done.stdout


def _quiet_environment() -> dict[str, str]:
    """Only what a program needs to run: no PYTHON* or MICROPY* variable of the user's changes a figure."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _die_with_parent() -> None:
    """Have the kernel end this child when the benchmark is killed and cannot end it itself."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
