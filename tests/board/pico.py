"""The emulated board: installing the emulator, starting it for other programs, and running a program by its clock alone."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
_FOLDER = ROOT / "build/emulator"
_PACKAGES = ("package.json", "package-lock.json")


def firmware(board: str) -> Path:
    """Give the folder with the board's firmware, up to date with the checkout."""
    _checked([sys.executable, "-m", "tools", "firmware", "--board", board], ROOT)
    return ROOT / "build" / board


def _checked(command: list[str], folder: Path, seconds: float = 600) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def installed() -> Path:
    """Give a folder from which node finds the emulator, filling it when the lock file has changed."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
        stamp = _FOLDER / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)
        for module in (HERE / "emulator").glob("*.mjs"):
            shutil.copy(module, _FOLDER)
    return _FOLDER


def _install() -> None:
    assert shutil.which("npm"), "no npm to install the emulator with: `apt-get install nodejs npm`"
    for name in _PACKAGES:
        shutil.copy(HERE / name, _FOLDER)
    _checked(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], _FOLDER)


class Board(NamedTuple):
    """A running board: the TCP ports that its USB serial and its UART0 are on."""

    usb: int
    uart: int
    firmware: Path

    def mpremote(self, *arguments: str, seconds: float = 120) -> str:
        """Run stock mpremote on the board; give what it printed."""
        done = self.try_mpremote(*arguments, seconds=seconds)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_mpremote(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run stock mpremote on the board, whatever comes of it."""
        command = [sys.executable, "-m", "mpremote", "connect", f"socket://127.0.0.1:{self.usb}", *arguments]
        # The packages of the environment only, as a user has them: not this repository's modules.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=seconds)


@contextmanager
def started(image: Path) -> Iterator[Board]:
    """Run a board with this image in its flash; end it with the block, or with this process."""
    command = ["node", "serve.mjs", str(image)]
    process = subprocess.Popen(command, cwd=installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ports = json.loads(process.stdout.readline())
        yield Board(ports["usb"], ports["uart"], image.parent)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def measured(image: Path, program: Path, seconds: int = 60) -> dict[str, int]:
    """Run a program on a fresh board that no clock of this machine reaches; give the JSON object it prints."""
    said = _checked(["node", "measure.mjs", str(image), str(program), str(seconds)], installed())
    result: dict[str, int] = json.loads(said)
    return result
