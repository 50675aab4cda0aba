"""Firmware onto boards: a folder stands in for the drive of a boot loader, a script for esptool where there is no chip.

The drive and the Pico that shows it are one in the last test: the emulated board goes into its boot loader, and starts again
from the flash that the drive was given.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from app_folders import ROOT, complaint, run_verb
from bridge import Bridge

from tools import device, drives, flash, flash_image, uf2
from tools.console import Ambiguous, Failure

sys.path += [str(ROOT / "tests/board"), str(ROOT / "tests/host")]
import esp32
import pico

_FLASH = 0x1000_0000
_PROGRAM = bytes(range(256)) * 64
_INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {}\r\n"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is plugged into this machine out of it, and the waits short."""
    monkeypatch.setattr(device, "ports", list)
    monkeypatch.setattr(drives, "PLACES", (str(tmp_path / "media/*"),))
    monkeypatch.setattr(drives, "_LABELS", str(tmp_path / "labels/*"))
    monkeypatch.setattr(flash, "_GOES", 0.3)


def _flash(*arguments: str | Path) -> None:
    parser = argparse.ArgumentParser()
    flash.add_arguments(parser)
    flash.do(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Write an image for the RP2040."""
    path = tmp_path / "firmware.uf2"
    path.write_bytes(uf2.encoded(_PROGRAM, _FLASH, "rp2040"))
    return path


def _drive(folder: Path, board_id: str = "RPI-RP2") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "INFO_UF2.TXT").write_bytes(_INFO.format(board_id).encode())
    (folder / "INDEX.HTM").touch()
    return folder


@contextmanager
def _meanwhile(looked: Callable[[], bool], seconds: float) -> Iterator[None]:
    """Look every so many seconds, beside the block, until it ends or what was looked for has come."""
    stopped = threading.Event()

    def look() -> None:
        while not stopped.wait(seconds) and not looked():
            pass

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _taking(drive: Path, done: Callable[[bytes], None]) -> AbstractContextManager[None]:
    """Let a drive do as those of boot loaders: with the last block it is gone, and the board starts."""

    def take() -> bool:
        with_it = drive / "firmware.uf2"
        taken = with_it.read_bytes() if with_it.exists() else b""
        whole = len(taken) >= 512 and len(taken) == uf2.decoded(taken[-512:])[0].of * 512
        if whole:
            shutil.rmtree(drive)
            done(taken)
        return whole

    return _meanwhile(take, 0.005)


def test_the_image_is_copied_and_the_board_asked_for_its_version(
    image: Path, board: Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[bytes] = []
    drive = _drive(tmp_path / "media/RPI-RP2")
    with _taking(drive, taken.append):
        _flash(image, "--drive", drive, "--port", board.port)
    said, told = capsys.readouterr()
    assert taken == [image.read_bytes()]
    assert told == (
        f"{drive}: writing {image.stat().st_size} bytes for RP2040; "
        "what becomes of the files on the board, the image does not say …\n"
    )
    assert said.startswith(f"{board.port}: MicroPython 1.")


def test_a_drive_is_found_where_desktops_mount_it(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash, "_RETURNS", 0.1)
    drive = _drive(tmp_path / "media/RPI-RP2")
    (tmp_path / "media/stick").mkdir()
    with _taking(drive, lambda taken: None), pytest.raises(Failure) as failure:
        _flash(image)
    assert not drive.exists()
    assert str(failure.value) == (
        "the image is written, but no board answers on a new port: plug it in again, and ask `devices --probe`"
    )


def test_two_drives_are_one_too_many(image: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        _drive(tmp_path / "media" / name)
    with pytest.raises(
        Ambiguous, match=r"2 drives could be meant: .*/one \(RPI-RP2\), .*/two \(RPI-RP2\): choose one with --drive"
    ):
        _flash(image)


@pytest.mark.parametrize(("family", "board_id"), [("rp2040", "RP2350"), ("rp2350-arm-s", "RPI-RP2"), ("rp2040", "nRF52840")])
def test_the_wrong_processor_is_refused_before_anything_is_written(family: str, board_id: str, tmp_path: Path) -> None:
    (tmp_path / "x.uf2").write_bytes(uf2.encoded(_PROGRAM, _FLASH, family))
    drive = _drive(tmp_path / "drive", board_id)
    wanted = {"rp2040": "RPI-RP2", "rp2350-arm-s": "RP2350"}[family]
    with pytest.raises(Failure, match=f"drive: this board is {board_id}, and .*x.uf2 is for {wanted}"):
        _flash(tmp_path / "x.uf2", "--drive", drive)
    assert sorted(path.name for path in drive.iterdir()) == ["INDEX.HTM", "INFO_UF2.TXT"]


def test_a_board_that_answers_as_another_is_refused_and_goes_on(image: Path, board: Bridge) -> None:
    with pytest.raises(Failure, match=r"this board is .*, and .*firmware.uf2 is for RP2040"):
        _flash(image, "--port", board.port)
    assert b"soft reboot" in board.said


def test_without_a_drive_the_way_by_hand_is_told(image: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure) as failure:
        _flash(image)
    assert str(failure.value) == (
        "no drive of a boot loader: hold BOOTSEL while you plug the board in, and run this again; "
        f"or copy {image} to the drive yourself"
    )
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/RPI-RP2").touch()
    with pytest.raises(
        Failure, match=r"the drive is there but not mounted: `udisksctl mount -b .*/RPI-RP2`, and then this again"
    ):
        _flash(image)
    with pytest.raises(Failure, match=r"no drive of a boot loader: there is no INFO_UF2.TXT in it"):
        _flash(image, "--drive", tmp_path)


def test_a_drive_that_stays_did_not_take_the_image(image: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="the drive took the image but did not go: is the image whole, and for this board"):
        _flash(image, "--drive", _drive(tmp_path / "drive"))


def test_a_full_drive_is_told(image: Path, tmp_path: Path) -> None:
    drive = _drive(tmp_path / "drive")
    (drive / "firmware.uf2").symlink_to("/dev/full")
    with pytest.raises(
        Failure, match=f"no space left on device after 0 of {image.stat().st_size} bytes: plug the board in again"
    ):
        _flash(image, "--drive", drive)


@pytest.mark.parametrize("whole", [True, False], ids=["at the end", "in the middle"])
def test_a_drive_may_break_off_once_it_has_all(
    whole: bool, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flash, "_RETURNS", 0.1)
    image.write_bytes(uf2.encoded(_PROGRAM * 32, _FLASH, "rp2040"))  # more than a pipe holds
    drive = _drive(tmp_path / "drive")
    os.mkfifo(drive / "firmware.uf2")  # which cannot be synchronised either
    size = image.stat().st_size if whole else 1000

    def take() -> None:
        with (drive / "firmware.uf2").open("rb", buffering=0) as file:
            left = size
            while left:
                left -= len(file.read(left))
            shutil.rmtree(drive)

    thread = threading.Thread(target=take)
    thread.start()
    reason = "the image is written, but no board answers" if whole else f"broken pipe after .* of {image.stat().st_size} bytes"
    try:
        with pytest.raises(Failure, match=reason):
            _flash(image, "--drive", drive)
    finally:
        thread.join()


NOT_IMAGES = [
    ("empty", b"", "it is no image, or it is cut off"),
    ("garbage", b"hello" * 20000, "it does not begin with a boot loader"),
    ("cut", uf2.encoded(_PROGRAM, _FLASH, "rp2040")[:-100], "a UF2 file is a row of blocks of 512 bytes"),
    ("a block less", uf2.encoded(_PROGRAM, _FLASH, "rp2040")[:-512], "some of its blocks are missing: get it again"),
    ("no block", b"UF2\n" + bytes(508), "not a UF2 block"),
    ("another chip", esp32.firmware()[:12] + b"\x63\x00" + esp32.firmware()[14:], "it is for a chip of the unknown number 99"),
    ("ESP32 cut", esp32.firmware()[:0x4000], "it is no image, or it is cut off"),
]


@pytest.mark.parametrize(("content", "reason"), [case[1:] for case in NOT_IMAGES], ids=[case[0] for case in NOT_IMAGES])
def test_what_is_no_image_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Failure) as failure:
        _flash(tmp_path / "x")
    assert reason in str(failure.value)
    assert str(failure.value).endswith(": give a firmware.uf2, or an ESP32's firmware.bin")


def test_a_file_for_another_family_is_refused(tmp_path: Path) -> None:
    content = bytearray(uf2.encoded(_PROGRAM, _FLASH, "rp2040"))
    for at in range(28, len(content), 512):
        content[at : at + 4] = (0xADA52840).to_bytes(4, "little")
    (tmp_path / "x.uf2").write_bytes(content)
    with pytest.raises(Failure, match="it is for processors that are not known here \\(0xada52840\\)"):
        _flash(tmp_path / "x.uf2")


def test_a_missing_image_is_told_in_a_line() -> None:
    assert complaint(run_verb("flash", "missing.uf2")) == "missing.uf2: no such file or directory: check the path"


# esptool

COMMANDS = [
    ("esp32", False, "default-reset", "--before default-reset --after hard-reset write-flash 0x1000 f.bin"),
    ("esp32", True, "default-reset", "--before default-reset --after hard-reset write-flash --erase-all 0x1000 f.bin"),
    ("esp32s3", False, "no-reset", "--before no-reset --after hard-reset write-flash 0x0 f.bin"),
    ("esp32c3", True, "default-reset", "--before default-reset --after hard-reset write-flash --erase-all 0x0 f.bin"),
]


@pytest.fixture
def firmware_for(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes an image for a chip."""

    def write(chip: str, **details: object) -> Path:
        path = tmp_path / f"{chip}.bin"
        path.write_bytes(esp32.firmware(chip, **details))  # type: ignore[arg-type]
        return path

    return write


@pytest.mark.parametrize(("chip", "erase", "before", "rest"), COMMANDS)
def test_esptool_is_told_chip_offset_and_way(
    chip: str, erase: bool, before: str, rest: str, firmware_for: Callable[..., Path]
) -> None:
    image = flash_image.read(firmware_for(chip))
    assert isinstance(image, flash_image.Esp)
    made = " ".join(flash.command("/dev/ttyUSB0", image, Path("f.bin"), erase, before))
    assert made == f"--chip {chip} --port /dev/ttyUSB0 --baud 460800 {rest}"


@pytest.mark.parametrize("erase", [False, True])
def test_the_real_esptool_understands_it(erase: bool, firmware_for: Callable[..., Path]) -> None:
    path = firmware_for("esp32c3")
    image = flash_image.read(path)
    assert isinstance(image, flash_image.Esp)
    command = [*flash.ESPTOOL, *flash.command("/dev/none", image, path, erase)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert "Could not open /dev/none" in done.stdout + done.stderr


class Esptool:
    """A script in esptool's place: it notes how it was called, and ends as it was told to."""

    NOT_REACHED = "A fatal error occurred: Failed to connect to ESP32: No serial data received."

    def __init__(self, folder: Path) -> None:
        self._calls, self._outcomes = folder / "calls", folder / "outcomes"
        self._calls.touch()
        self.script = folder / "esptool.py"
        self.script.write_text(
            "import json, pathlib, sys\n"
            f"calls, outcomes = pathlib.Path({str(self._calls)!r}), pathlib.Path({str(self._outcomes)!r})\n"
            "with calls.open('a') as file: print(json.dumps(sys.argv[1:]), file=file)\n"
            "status, text = json.loads(outcomes.read_text())[len(calls.read_text().splitlines()) - 1]\n"
            "print(text)\nsys.exit(status)\n"
        )

    def will(self, *outcomes: tuple[int, str]) -> None:
        self._outcomes.write_text(json.dumps(outcomes))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self._calls.read_text().splitlines()]


@pytest.fixture
def esptool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Esptool:
    """Put a script into esptool's place."""
    made = Esptool(tmp_path)
    monkeypatch.setattr(flash, "ESPTOOL", (sys.executable, str(made.script)))
    return made


def test_esptool_writes_and_the_board_is_asked_for_its_version(
    esptool: Esptool, board: Bridge, firmware_for: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    esptool.will((0, "Hash of data verified."))
    path = firmware_for("esp32")
    _flash(path, "--port", board.port)
    (call,) = esptool.calls
    assert call[-3:] == ["write-flash", "0x1000", str(path)]
    said, told = capsys.readouterr()
    assert told == f"{board.port}: writing {path} for esp32; the files on the board stay …\nHash of data verified.\n"
    assert said.startswith(f"{board.port}: MicroPython 1.")


FATES = [
    ("old layout", {"rows": esp32.OLD}, b"", (), "the files on the board stay"),
    ("new layout", {"rows": esp32.NEW}, b"", (), "the files on the board stay"),
    ("with files", {}, b"x" * (2 << 20), (), "the image has files of its own, which take the place of the board's"),
    ("erased", {}, b"", ("--erase", "--yes"), "the files on the board are erased"),
]


@pytest.mark.parametrize(("details", "more", "options", "fate"), [case[1:] for case in FATES], ids=[case[0] for case in FATES])
def test_what_becomes_of_the_files_is_said(
    details: dict[str, object],
    more: bytes,
    options: tuple[str, ...],
    fate: str,
    esptool: Esptool,
    firmware_for: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    esptool.will((2, "A fatal error occurred: stop here"))
    path = firmware_for("esp32", **details)
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(Failure, match=r"^esptool: stop here: see what it said above, and try again$"):
        _flash(path, "--port", "/dev/none", *options)
    assert f"for esp32; {fate} …\n" in capsys.readouterr().err
    assert ("--erase-all" in esptool.calls[0]) == ("--erase" in options)


def test_a_boot_loader_out_of_reach_ends_in_the_steps_by_hand(esptool: Esptool, firmware_for: Callable[..., Path]) -> None:
    esptool.will((2, Esptool.NOT_REACHED))
    path = firmware_for("esp32")
    with pytest.raises(Failure) as failure:
        _flash(path, "--port", "/dev/none")
    assert str(failure.value) == (
        "/dev/none: the boot loader does not answer: hold BOOT, press EN or RESET, let BOOT go, and then: "
        "python3 -m esptool --chip esp32 --port /dev/none --baud 460800 --before default-reset --after hard-reset "
        f"write-flash 0x1000 {path}"
    )


@pytest.mark.parametrize("goes", [True, False])
def test_chips_that_can_go_by_themselves_are_asked_first(
    goes: bool, esptool: Esptool, board: Bridge, firmware_for: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # No such chip is at hand.
    monkeypatch.setattr(flash, "_sent_to_boot_loader", lambda port, fits: goes)
    esptool.will((2, Esptool.NOT_REACHED), (0, "")) if goes else esptool.will((0, ""))
    _flash(firmware_for("esp32s3"), "--port", board.port)
    ways = [call[call.index("--before") + 1] for call in esptool.calls]
    assert ways == (["no-reset", "default-reset"] if goes else ["default-reset"])


def test_erasing_wants_a_yes(esptool: Esptool, firmware_for: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="--erase: the files on the board will be gone: nobody can be asked: add --yes"):
        _flash(firmware_for("esp32"), "--port", "/dev/none", "--erase")
    assert esptool.calls == []


BOARDS = [
    ("rp2", "Raspberry Pi Pico with RP2040", "RP2040", True),
    ("rp2", "Raspberry Pi Pico2 with RP2350", "RP2040", False),
    ("rp2", "Raspberry Pi Pico W with RP2040", "RP2350", False),
    ("esp32", "Generic ESP32S3 module with ESP32S3", "esp32s3", True),
    ("esp32", "ESP32-C3 module", "esp32c3", True),
    ("esp32", "Generic ESP32S3 module with ESP32S3", "esp32", False),
    ("linux", "linux [GCC]", "RP2040", False),
]


@pytest.mark.parametrize(("platform", "machine", "processor", "right"), BOARDS)
def test_boards_are_told_apart(platform: str, machine: str, processor: str, right: bool) -> None:
    fits = flash.Fits("rp2" if processor.startswith("RP") else "esp32", processor, Path("x"))
    complaint = f"^port: this board is {re.escape(machine)}, and x is for {processor}$"
    with contextlib.nullcontext() if right else pytest.raises(Failure, match=complaint):
        fits.check("port", platform, machine)


# The real image


@pytest.fixture(scope="module")
def real() -> Path:
    """Give our image of the RP2040, up to date with the checkout."""
    return pico.firmware("RPI_PICO") / "firmware.uf2"


def test_our_firmware_says_where_its_files_are(real: Path) -> None:
    image = flash_image.read(real)
    assert isinstance(image, flash_image.Uf2)
    assert image.keeps_files
    assert image.filesystem is not None
    erased = [block for block in uf2.decoded(image.erasing().data) if block.address >= image.filesystem.address]
    assert b"".join(block.payload for block in erased) == b"\xff" * 8192
    assert erased[0].address == image.filesystem.address


class Started:
    """The board after its boot loader: it starts from the flash as the drive left it, on another port."""

    def __init__(self, chip: Path) -> None:
        self._chip = chip
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def take(self, taken: bytes) -> None:
        """Put what the drive was given into the flash, and start."""
        content = bytearray(self._chip.read_bytes())
        for block in uf2.decoded(taken):  # in whole sectors
            at = block.address - _FLASH
            content[at : at + len(block.payload)] = block.payload
        self._chip.write_bytes(content)
        self._thread.start()

    def _run(self) -> None:
        with pico.started(None, self._chip) as board:
            _name(board)
            self._over.wait(200)

    def stop(self) -> None:
        self._over.set()
        if self._thread.ident:
            self._thread.join()


@pytest.mark.parametrize("erase", [False, True], ids=["files stay", "erased"])
def test_a_running_pico_goes_into_its_boot_loader_and_comes_back(
    erase: bool, real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("_GOES", "_APPEARS", "_RETURNS"):
        monkeypatch.setattr(flash, name, 100)
    monkeypatch.chdir(tmp_path)
    chip, drive = tmp_path / "chip", tmp_path / "media/RPI-RP2"
    again = Started(chip)
    try:
        with pico.started(real, chip) as board:
            board.mpremote("exec", "open('mine', 'w').write('mine')")
            _name(board)
            with _showing(board, drive), _taking(drive, again.take):
                _flash(real, "--port", "pico", *(["--erase", "--yes"] if erase else []))
    finally:
        again.stop()
    said, told = capsys.readouterr()
    assert "asking the board to enter its boot loader …" in told
    assert ("the files on the board are erased" if erase else "the files on the board stay") in told
    assert re.search(r": MicroPython 1\..* RP2040$", said, re.MULTILINE)
    with pico.started(None, chip) as board:
        assert board.mpremote("exec", "import os; print(os.listdir())").strip() == ("[]" if erase else "['mine']")


def _name(board: pico.Board) -> None:
    Path("boards.toml").write_text(f'[pico]\nport = "socket://127.0.0.1:{board.usb}"\n')


def _showing(board: pico.Board, drive: Path) -> AbstractContextManager[None]:
    """Show the drive when the board has gone into its boot loader."""

    def show() -> bool:
        there = board.state().power == "boot loader"
        if there:
            _drive(drive)
        return there

    return _meanwhile(show, 0.05)
