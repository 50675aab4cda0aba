"""The emulated board: installing the emulator, starting it for other programs, and running a program by its clock alone."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools import boards, checkout, elf_sizes, mpy_cross, source, uf2

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
_FOLDER = ROOT / "build/emulator"
_FLASH_AT, _FLASH_SIZE, _SECTOR = 0x1000_0000, 2 * 1024 * 1024, 4096
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


def cross_compiler() -> Path:
    """Give the mpy-cross of the MicroPython that the board runs."""
    board, own = boards.named("RPI_PICO"), os.environ.get("MICROPYTHON")
    return mpy_cross.built(checkout.opened(Path(own) if own else source.packaged(board), board.port, board.submodules))


def cross_compiled(python: Path, bytecode: Path) -> None:
    """Compile a module for the board."""
    _checked([str(cross_compiler()), "-s", python.name, "-o", str(bytecode), str(python)], ROOT)


class State(NamedTuple):
    """What the emulator tells of itself."""

    usb: int
    uart: int
    power: str  # "on", "cut", or "boot loader" when the program asked for that
    operations: int  # sectors erased and pages programmed since the power came on
    resets: int  # by the watchdog, which `machine.reset` uses too
    seconds: float  # by the board's clock, since its power came on or it was reset
    entered: int  # times that the program came into the outer one of two watched functions
    overlapped: int  # times that the inner one began before it was back
    sent: int  # bytes over UART0


class Board:
    """A running board: its USB serial and its UART0 are on TCP ports, which stay through a reset."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        first = self._told()
        self.usb, self.uart = first.usb, first.uart

    def _told(self) -> State:
        assert self._process.stdout is not None
        return State(**json.loads(self._process.stdout.readline()))

    def _ask(self, line: str) -> State:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._told()

    def state(self) -> State:
        """Tell how the board does."""
        return self._ask("state")

    def cut_after(self, operations: int) -> None:
        """Let the power fail in the middle of the operation on the flash that follows so many more."""
        self._ask(f"cut {operations}")

    def watch(self, outer: str, inner: str, leap: int = 0) -> None:
        """Count from now on how often a function of the firmware is entered, and how often another begins within it.

        The board's clock leaps by so many milliseconds there: what interrupts are to run by then wants to run there.
        """
        self._ask(f"watch {_address(outer)} {_address(inner)} {leap}")

    def wait(self, happened: Callable[[State], bool], seconds: float = 120) -> State:
        """Wait for something to have happened on the board."""
        deadline = time.monotonic() + seconds
        while not happened(state := self.state()):
            assert time.monotonic() < deadline, f"still {state}"
            time.sleep(0.05)
        return state

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


@cache
def _address(function: str) -> int:
    symbols = elf_sizes.output("nm", str(ROOT / "build/RPI_PICO/firmware.elf")).splitlines()
    return next(int(line.split()[0], 16) for line in symbols if re.fullmatch(rf"\w+ [Tt] {function}(\.\w+)*", line))


@contextmanager
def started(image: Path | None, flash: Path | None = None, cut_after: int | None = None) -> Iterator[Board]:
    """Switch a board on, and off with the end of the block or of this process.

    Its flash chip lives in the file `flash`, an erased one if there is none yet, and keeps what the board wrote
    there: the next block, or another one's board, goes on with it.  Without `flash` it is a new chip, thrown away
    at the end.  The image (`.bin` or `.uf2`) is put into it before, as the boot loader does; None leaves the flash
    as it is.  With `cut_after` the power fails for good in the middle of an operation on the flash: the one
    after so many, counted from the start.  `Board.cut_after` counts from a moment of your choice.
    """
    with tempfile.TemporaryDirectory() as folder:
        flash = flash or Path(folder, "flash")
        if image or not flash.exists():
            insert(flash, image)
        command = ["node", "serve.mjs", str(flash), *([] if cut_after is None else [str(cut_after)])]
        process = subprocess.Popen(command, cwd=installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with process:
            try:
                yield Board(process)
            finally:
                process.kill()  # as a plug is pulled: the file has all that the chip has


def insert(flash: Path, image: Path | None) -> None:
    """Put an image into the file of a flash chip as a boot loader does: by whole sectors, and the others stay."""
    content = bytearray(flash.read_bytes()) if flash.exists() else bytearray()
    content += b"\xff" * (_FLASH_SIZE - len(content))
    for address, data in _pieces(image) if image else ():
        content[address : address + _SECTOR] = data.ljust(_SECTOR, b"\xff")
    flash.write_bytes(content)


def _pieces(image: Path) -> Iterator[tuple[int, bytes]]:
    """Give the content of the sectors that an image holds; a UF2 file has whole ones, for the reason that `tools.uf2` gives."""
    if image.suffix == ".uf2":
        blocks = uf2.decoded(image.read_bytes())
        base, data = blocks[0].address - _FLASH_AT, b"".join(block.payload for block in blocks)
    else:
        base, data = 0, image.read_bytes()
    for at in range(0, len(data), _SECTOR):
        yield base + at, data[at : at + _SECTOR]


def measured(image: Path, program: Path, seconds: int = 60) -> dict[str, int]:
    """Run a program on a fresh board that no clock of this machine reaches; give the JSON object it prints."""
    said = _checked(["node", "measure.mjs", str(image), str(program), str(seconds)], installed())
    result: dict[str, int] = json.loads(said)
    return result
