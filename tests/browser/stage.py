"""Serving an application of examples/ to a browser: on the unix firmware or on CPython, from a copy, and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
FIRMWARE = ROOT / "build/unix/micropython"
_HOST = "127.0.0.1"


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], port: int) -> bool:
    """Return when something listens on the port; tell whether it does, or the process has ended before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                return True
        time.sleep(0.02)
    return False


class Stage:
    """A copy of an application's folder, and the process that serves it."""

    def __init__(self, application: str, folder: Path, interpreter: str) -> None:
        self.interpreter = interpreter
        self.port = free_port()
        self.url = f"http://{_HOST}:{self.port}/"
        # The application writes into its folder: keys, uploads, compiled templates.
        self.folder = folder / f"{application}-{self.port}"
        shutil.copytree(ROOT / "examples" / application, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        self._log = folder / f"{application}-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, setup: str = "", options: str = "") -> Stage:
        """Serve; `setup` is what the program does between import and start, `options` are arguments of `app.run`."""
        program = f"import main\n{setup}\nmain.app.run(host={_HOST!r}, port={self.port}, {options})"
        command = [sys.executable] if self.interpreter == "cpython" else [str(FIRMWARE)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-c", program], cwd=self.folder, env=self._environment(), stdout=log, stderr=subprocess.STDOUT
            )
        assert wait_for(self._process, self.port), self.printed()
        return self

    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MICROPY", "PYTHON"))}
        return {**env, "PYTHONPATH": str(ROOT / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}

    def stop(self) -> None:
        """End the process at once, as a board that loses its power."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let the process do nothing at all, while the system keeps its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def printed(self) -> str:
        """Give all that the application has printed."""
        return self._log.read_text(errors="replace")


Serve = Callable[..., Stage]
