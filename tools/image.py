"""make one file of firmware and application, which a new board takes and serves at its first start

The application is built first.  The filesystem of the image is where the firmware itself says that it looks for it; what a
board had in its filesystem before is gone.  A later `deploy` sends only what has changed since.

  mdot image examples/hello --board RPI_PICO
      build/hello/RPI_PICO/hello.uf2, to be copied onto the drive of a board in its boot loader
  mdot image examples/hello --board RPI_PICO --config config.json
      the same with the board's settings in it, its network's password among them
  mdot image examples/hello --board ESP32_GENERIC_S3 --firmware firmware.bin --flash-size 8M
      build/hello/ESP32_GENERIC_S3/hello.bin for esptool, and hello.manifest.json beside it for installers in browsers
"""

from __future__ import annotations

import argparse
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import binary_info, board_state, boards, build, esp32_image, files, firmware, littlefs, paths, uf2
from .console import Failure, Misuse, say

_RP2_FLASH, _RP2_LARGEST = 0x1000_0000, 16 << 20
# What rp2 programs at once, and what MicroPython takes everywhere else.
_RP2_PAGE, _PAGE = 256, 32
# What a board reads: board/modules/onboard/settings.py.
_LARGEST_CONFIG = 4096
_FLASH_SIZES = "1M, 2M, 4M, 8M, 16M, 32M"


class Job(NamedTuple):
    """What an image is made of."""

    board: boards.Board
    source: Path
    """Where the firmware came from, for complaints."""
    firmware: bytes
    build: build.Build
    files: dict[str, bytes]
    flash_size: int | None

    def wrong(self, reason: object) -> Failure:
        return Failure(f"{paths.shown(self.source)}: {reason}")

    @property
    def output(self) -> Path:
        return self.build.folder / self.build.app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", type=Path, metavar="APP", help="the application's folder, with its main.py")
    build.add_target(parser)
    parser.add_argument("--firmware", type=Path, metavar="FILE", help="a firmware.uf2 or firmware.bin (default: ours, built)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="put this file into the image as /config.json")
    parser.add_argument("--flash-size", metavar="SIZE", help="of an ESP32's flash, as in 8M (default: as its firmware says)")
    firmware.add_micropython(parser)


def do(arguments: argparse.Namespace) -> None:
    board = boards.named(arguments.board)
    if board.port not in _MAKERS:
        raise Misuse(f"BOARD={board.name}: it has no flash: choose a board that has, as in BOARD=RPI_PICO")
    config = _config(arguments.config) if arguments.config else {}
    size = _flash_size(arguments.flash_size) if arguments.flash_size else None
    made = build.built(arguments.app, board.name, build.target(arguments), arguments.source)
    source = arguments.firmware or firmware.built(board, arguments.micropython)
    job = Job(board, source, source.read_bytes(), made, {**_on_board(made), **config}, size)
    for path, content in _MAKERS[board.port](job).items():
        files.write(path, content, bool(config) or made.is_private)
        print(f"{paths.shown(path)} is ready, {len(content)} bytes")
    if config:
        say("the image holds the passwords of your settings: it is for this network's boards only")


def _config(path: Path) -> dict[str, bytes]:
    text = path.read_bytes()[: _LARGEST_CONFIG + 1]
    if len(text) > _LARGEST_CONFIG:
        raise Failure(f"{path}: larger than {_LARGEST_CONFIG} bytes: no board reads such settings")
    try:
        settings = json.loads(text.decode())  # as it is: of itself json takes UTF-16 and a mark of the order of bytes
        json.dumps(settings, allow_nan=False)  # a board does not read such numbers
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise Failure(f"{path}: no JSON object: docs/boards.md tells what settings look like")
    return {"/config.json": text}


def _flash_size(text: str) -> int:
    if text not in _FLASH_SIZES.split(", "):
        raise Misuse(f"--flash-size {text}: no size of a flash: give one of {_FLASH_SIZES}")
    return int(text[:-1]) << 20


def _on_board(made: build.Build) -> dict[str, bytes]:
    """Give the files as a deploy would have left them, with its record of what is its own."""
    content = {file.path: made.local(file).read_bytes() for file in made.files}
    record = board_state.recorded(made.app, made.build, ((file.path, file.size, file.sha256) for file in made.files))
    return {**content, board_state.OWNED: record}


def _rp2(job: Job) -> dict[Path, bytes]:
    """Put the filesystem where the firmware's own record says."""
    program = _program(job)
    device = _device(program)
    if device is None:
        raise job.wrong("it tells of no filesystem: give MicroPython's firmware.uf2 for the board")
    if _RP2_FLASH + len(program) > device.address:
        raise job.wrong("it reaches into its own filesystem: give one that fits the board")
    filesystem = littlefs.image(job.files, device.size, _RP2_PAGE)
    blocks = {device.address + at: block for at, block in filesystem.blocks().items()}
    made = uf2.joined({_RP2_FLASH: program, **blocks}, job.board.family)
    return {job.output.with_name(job.output.name + ".uf2"): made}


def _device(program: bytes) -> binary_info.BlockDevice | None:
    try:
        found = [part for part in binary_info.block_devices(program, _RP2_FLASH) if part.name == "MicroPython"]
    except (struct.error, ValueError):
        return None
    blocks = [part for part in found if (part.address | part.size) % littlefs.BLOCK == 0 and 0 < part.size <= _RP2_LARGEST]
    return blocks[0] if blocks else None


def _program(job: Job) -> bytes:
    """Take the program out of a UF2 file, after checking for which processor it is; another file is the program itself."""
    if not job.firmware.startswith(b"UF2\n"):
        return job.firmware
    try:
        blocks = [block for block in uf2.decoded(job.firmware) if block.family != uf2.ABSOLUTE]
    except ValueError as error:
        raise job.wrong(error) from None
    families = {block.family for block in blocks}
    if families != {uf2.FAMILIES[job.board.family]}:
        names = {number: name for name, number in uf2.FAMILIES.items()}
        found = ", ".join(names.get(family, f"{family:#x}") for family in sorted(families)) or "no processor"
        raise job.wrong(f"it is for {found}, and {job.board.name} is {job.board.family}: give one for the board")
    program = bytearray()
    for block in sorted(blocks, key=lambda block: block.address):
        at = block.address - _RP2_FLASH
        if not len(program) <= at < _RP2_LARGEST:
            raise job.wrong("its blocks overlap, or do not begin with the flash")
        program += b"\xff" * (at - len(program)) + block.payload
    return bytes(program)


def _esp32(job: Job) -> dict[Path, bytes]:
    """Put the filesystem behind the program, and write the description that installers read."""
    try:
        image = esp32_image.parsed(job.firmware)
        if image.chip.family != job.board.family:
            raise ValueError(f"it is for {image.chip.name}, and {job.board.name} is another chip")
        place = image.files(job.flash_size or image.flash_size)
    except ValueError as error:
        raise job.wrong(error) from None
    filesystem = littlefs.image(job.files, place.size, _PAGE)
    # What lies past the last block that counts need not be written.
    last = filesystem.used[-1] + 1
    content = filesystem.data[: last * littlefs.BLOCK]
    start = place.offset - image.chip.offset
    merged = job.firmware + b"\xff" * (start - len(job.firmware)) + content
    name = job.output.name
    described = _installer(job.build, image.chip, f"{name}.bin")
    return {job.output.with_name(f"{name}.bin"): merged, job.output.with_name(f"{name}.manifest.json"): described}


def _installer(made: build.Build, chip: esp32_image.Chip, file: str) -> bytes:
    """Describe the image as ESP Web Tools wants it (https://esphome.github.io/esp-web-tools/, "Creating your manifest")."""
    manifest = {
        "name": made.app,
        "version": made.build[:12],
        "new_install_prompt_erase": True,
        # No Improv: the installer need not wait for it.
        "new_install_improv_wait_time": 0,
        "builds": [{"chipFamily": chip.name, "parts": [{"path": file, "offset": chip.offset}]}],
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()


_MAKERS: dict[str, Callable[[Job], dict[Path, bytes]]] = {"rp2": _rp2, "esp32": _esp32}
