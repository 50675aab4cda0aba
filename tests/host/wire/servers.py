"""The application of the wire tests as a process, on CPython and on the firmware."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from wire.client import LAST, exchange
from wire.judges import read_reply

HERE = Path(__file__).resolve().parent
LIB = HERE.parent.parent.parent / "lib"
APPLICATION = HERE / "application.py"
INTERPRETERS = ("cpython", "micropython")
PATIENCE = 60.0  # seconds after which a condition counts as one that will not come true


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until the condition holds; tell whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


class Server:
    """A running server: its port, and what can be seen of it from outside."""

    def __init__(self, interpreter: str, process: subprocess.Popen[bytes], output: Path) -> None:
        self.interpreter = interpreter
        self.process = process
        self._output = output
        self._seen = 0
        self.port = 0

    def wait_for_port(self) -> None:
        """Take the port from the first line that the application prints."""
        assert until(lambda: b"\n" in self._output.read_bytes() or not self.is_running()), "the server says nothing"
        found = re.match(rb"port (\d+)\n", self._output.read_bytes())
        assert found, self._output.read_text()
        self.port = int(found[1])
        self._seen = found.end()

    def printed(self) -> str:
        """Return what was printed since the last call: complaints, for the application prints nothing."""
        text = self._output.read_bytes()[self._seen :]
        self._seen += len(text)
        return text.decode("utf-8", "backslashreplace")

    def descriptors(self) -> list[str]:
        """Return what the process has open."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        found = []
        for name in folder.iterdir():
            try:
                found.append(os.readlink(name))
            except FileNotFoundError:
                continue  # closed since
        return sorted(found)

    def settles_at(self, descriptors: Sequence[str]) -> bool:
        """Tell whether as many descriptors as these are open, now or soon."""
        return until(lambda: len(self.descriptors()) == len(descriptors))

    def is_running(self) -> bool:
        return self.process.poll() is None

    def exit_status(self) -> int | None:
        """Return the exit status of a process that ends by itself; None if it does not."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None


@contextmanager
def serving(
    interpreter: str, firmware: Path, *settings: str, options: Sequence[str] = (), application: Path = APPLICATION
) -> Iterator[Server]:
    """Run an application with limits as `NAME=NUMBER`, on an interpreter with these options of its own."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        output = Path(folder, "printed")
        command = [*_interpreter(interpreter, firmware), *options, str(application), *settings]
        with output.open("wb") as file:
            process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=file, stderr=subprocess.STDOUT)
        try:
            server = Server(interpreter, process, output)
            server.wait_for_port()
            yield server
        finally:
            process.kill()
            process.wait()


@contextmanager
def left_as_it_was(server: Server) -> Iterator[None]:
    """Check that the server answers after the block, and has no descriptor more; forget what it printed before."""
    server.printed()
    before = server.descriptors()
    yield
    assert read_reply(exchange(server.port, LAST)).body == b"hello"
    assert server.settles_at(before), f"{before} became {server.descriptors()}"


def _interpreter(name: str, firmware: Path) -> list[str]:
    if name == "micropython":
        return [str(firmware)]
    # What is dropped without being closed is a leak, even if the collector finds it in the end.
    return [sys.executable, "-u", "-B", "-W", "always::ResourceWarning"]


def _environment() -> dict[str, str]:
    # The firmware has the framework in it; CPython takes it from the checkout.
    ours = {"PYTHONPATH": f"{LIB}:{HERE.parent}", "MICROPYPATH": f".frozen:{HERE.parent}"}
    return {**{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}, **ours}
