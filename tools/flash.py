"""put firmware onto a board

Takes the image for --board, built if it is not there, or a file, and checks for what processor it is before anything is
written.  A board that answers is asked to enter its boot loader; else esptool does it by the port's lines, or the steps by
hand are told.  Afterwards the board is asked for its version.  The files on the board stay, unless --erase or the image says
otherwise.

  mdot flash --board RPI_PICO
  mdot flash firmware.uf2 --drive /media/me/RPI-RP2
  mdot flash ESP32_GENERIC_S3.bin --port /dev/ttyUSB0 --erase
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from . import board_state, boards, device, drives, firmware, flash_image, known_boards, paths
from .console import Ambiguous, Failure, Misuse, say
from .deploying import restarted
from .device import Lost, ProgramFailed
from .drives import Drive
from .flash_image import Esp, Uf2
from .known_boards import Target

ESPTOOL: Sequence[str] = (sys.executable, "-m", "esptool")
# What works with the usual cables and USB chips.
_BAUD = 460800
# Seconds for a drive to appear after its board was asked for it, to go when it has the image, and for the port to return.
_APPEARS, _GOES, _RETURNS = 15.0, 30.0, 30.0
_BOOT_LOADER = "import machine\nmachine.bootloader()\n"
_WHO = "import sys\nprint((sys.platform, getattr(sys.implementation, '_machine', '')))\n"
# Those whose MicroPython has machine.bootloader().
_GO_BY_THEMSELVES = ("esp32s2", "esp32s3", "esp32c2", "esp32c3")
_NOT_REACHED = re.compile(r"failed to connect|no serial data received|wrong boot mode|not in download mode", re.IGNORECASE)


class Job(NamedTuple):
    """What is to be done."""

    file: Path
    port: str | None
    """What the user gave for it."""
    drive: Path | None
    erase: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a .uf2, or an ESP32's .bin (default: ours)")
    parser.add_argument("--board", help="the board whose firmware is wanted, as in RPI_PICO")
    device.add_port(parser)
    parser.add_argument("--drive", type=Path, metavar="DIR", help="the boot loader's drive, where it is not found by itself")
    parser.add_argument("--erase", action="store_true", help="remove the files on the board, too")
    parser.add_argument("--yes", action="store_true", help="do not ask before --erase")
    firmware.add_micropython(parser)


def do(arguments: argparse.Namespace) -> None:
    if (arguments.file is None) == (arguments.board is None):
        raise Misuse("what firmware: give --board, as in --board RPI_PICO, or a file")
    file = arguments.file or _ours(arguments)
    image = flash_image.read(file)
    if arguments.erase:
        _ask(arguments.yes)
    job = Job(file, arguments.port, arguments.drive, arguments.erase)
    if isinstance(image, Uf2):
        _flash_drive(job, _erasing(image, file) if arguments.erase else image)
    else:
        _flash_esp(job, image)


def _ours(arguments: argparse.Namespace) -> Path:
    board = boards.named(arguments.board)
    if board.port == "unix":
        raise Misuse(f"--board {board.name}: that is this machine: `run` runs applications here")
    return firmware.built(board, arguments.micropython)


def _erasing(image: Uf2, file: Path) -> Uf2:
    try:
        return image.erasing()
    except ValueError as error:
        raise Failure(f"{file}: {error}") from None


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("--erase: the files on the board will be gone: nobody can be asked: add --yes if that is right")
    say("The files on the board will be gone. Go on? [y/N] ")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("stopped: nothing was changed")


def _fate(keeps: bool | None, erase: bool) -> str:
    if erase:
        return "the files on the board are erased"
    if keeps is None:
        return "what becomes of the files on the board, the image does not say"
    return "the files on the board stay" if keeps else "the image has files of its own, which take the place of the board's"


# Drives


def _flash_drive(job: Job, image: Uf2) -> None:
    drive = _drive(job, image)
    if drive.board_id != image.drive:
        raise Failure(f"{drive.path}: this board is {drive.board_id}, and {paths.shown(job.file)} is for {image.drive}")
    say(f"{drive.path}: writing {len(image.data)} bytes for {image.processor}; {_fate(image.keeps_files, job.erase)} …")
    # Those of other boards: this one has none while it shows a drive.
    others = {port.path for port in device.ports()}
    drives.bring(drive, image.data, _GOES)
    _confirm(job.port, others)


def _drive(job: Job, image: Uf2) -> Drive:
    """Find the drive, asking a board to show it where there is none yet, or where a board is meant by its port."""
    if job.drive:
        drive = drives.at(job.drive)
        if not drive:
            raise Failure(f"{job.drive}: no drive of a boot loader: there is no INFO_UF2.TXT in it")
        return drive
    before = drives.found()
    found = [] if job.port else before
    if not found and (job.port or device.ports()):
        target = known_boards.target(job.port, {}, Path.cwd())
        if _sent_to_boot_loader(target, Fits("rp2", image.processor, job.file)):
            found = drives.awaited(_APPEARS, lambda: [drive for drive in drives.found() if drive not in before])
    if len(found) > 1:
        listed = ", ".join(f"{drive.path} ({drive.board_id})" for drive in found)
        raise Ambiguous(f"{len(found)} drives could be meant: {listed}: choose one with --drive")
    if not found:
        raise Failure(_by_hand(job.file))
    return found[0]


def _by_hand(file: Path) -> str:
    if devices := drives.unmounted():
        return f"the drive is there but not mounted: `udisksctl mount -b {devices[0]}`, and then this again"
    how = "hold BOOTSEL while you plug the board in, and run this again"
    return f"no drive of a boot loader: {how}; or copy {paths.shown(file)} to the drive yourself"


# The boot loader


class Fits(NamedTuple):
    """What a board has to be for an image."""

    platform: str
    processor: str
    file: Path

    def check(self, port: str, platform: str, machine: str) -> None:
        """Raise Failure for a board that says it is another."""
        words = re.split(r"[^a-z0-9]+", machine.lower().replace("-", ""))
        if platform != self.platform or self.processor.lower() not in words:
            it = machine or platform
            raise Failure(f"{port}: this board is {it}, and {paths.shown(self.file)} is for {self.processor}")


def _sent_to_boot_loader(target: Target, fits: Fits) -> bool:
    """Ask MicroPython on a board to go there; tell whether it did, and raise Failure if the board is the wrong one."""
    port = target.port
    say(f"{port}: asking the board to enter its boot loader …")
    with contextlib.closing(device.Device(port)) as board:
        try:
            board.enter()
            platform, machine = _told(board.run(_WHO))
        except Failure as failure:
            say(str(failure))
            return False
        try:
            fits.check(port, platform, machine)
            known_boards.check(board, target.id)
        except Failure:
            board.restart()
            raise
        return _gone(board)


def _gone(board: device.Device) -> bool:
    try:
        board.run(_BOOT_LOADER, _APPEARS)
    except Lost:
        return True
    except ProgramFailed as failure:  # it has no such function
        say(str(failure))
        board.restart()
    return False


def _told(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"\('([^']*)', ['\"](.*)['\"]\)", text.strip())
    return (found[1], found[2]) if found else ("not told", "")


# esptool


def command(port: str, image: Esp, file: Path, erase: bool, before: str = "default-reset") -> list[str]:
    """Give esptool's arguments."""
    link = ["--chip", image.chip, "--port", port, "--baud", str(_BAUD), "--before", before, "--after", "hard-reset"]
    return [*link, "write-flash", *(["--erase-all"] if erase else []), f"{image.offset:#x}", str(file)]


def _flash_esp(job: Job, image: Esp) -> None:
    target = known_boards.target(job.port, {}, Path.cwd())
    port = target.port
    say(f"{port}: writing {paths.shown(job.file)} for {image.chip}; {_fate(image.keeps_files, job.erase)} …")
    for before in _ways(target, image, job.file):
        if _esptool(command(port, image, job.file, job.erase, before)):
            _confirm(port, set())
            return
    manual = shlex.join(["python3", "-m", "esptool", *command(port, image, job.file, job.erase)])
    raise Failure(f"{port}: the boot loader does not answer: hold BOOT, press EN or RESET, let BOOT go, and then: {manual}")


def _ways(target: Target, image: Esp, file: Path) -> Iterator[str]:
    """Give what esptool is to do first: nothing, if the board went there by itself; then a reset by the port's lines."""
    if image.chip in _GO_BY_THEMSELVES and _sent_to_boot_loader(target, Fits("esp32", image.chip, file)):
        yield "no-reset"
    yield "default-reset"


def _esptool(arguments: Sequence[str]) -> bool:
    """Run esptool, whose output is the user's to see; tell whether it reached the board, raise Failure if it then failed."""
    said: list[str] = []
    process = subprocess.Popen(
        [*ESPTOOL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            sys.stderr.write(line)
    if process.returncode and not _NOT_REACHED.search("".join(said)):
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        raise Failure(f"esptool: {last.removeprefix('A fatal error occurred: ')}: see what it said above, and try again")
    return not process.returncode


# Afterwards


def _confirm(port: str | None, others: set[str]) -> None:
    """Wait for the board to start, and tell what it runs; without a known port, on one that was not there before."""
    deadline = time.monotonic() + _RETURNS
    while time.monotonic() < deadline:
        try:
            if found := _returned(port, others):
                with device.connected(found) as board, restarted(board):
                    about = board_state.read(board, recover=False).about
                print(f"{found}: MicroPython {about.version} on {about.machine or about.target}")
                return
        except Failure:
            pass  # it is still starting
        time.sleep(0.5)
    where = port or "a new port"
    raise Failure(f"the image is written, but no board answers on {where}: plug it in again, and ask `devices --probe`")


def _returned(port: str | None, others: set[str]) -> str | None:
    if port:
        return known_boards.target(port, {}, Path.cwd()).port
    return next((each.path for each in device.ports() if each.path not in others), None)
