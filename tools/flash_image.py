"""A file to be flashed: what it is for, where it goes, and what becomes of the files on the board."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from . import binary_info, esp32_image, uf2
from .binary_info import BlockDevice
from .console import Failure

# By the families of uf2.py: what INFO_UF2.TXT says of itself, and how MicroPython's `sys.implementation` names the processor.
_UF2 = {"rp2040": ("RPI-RP2", "RP2040"), "rp2350-arm-s": ("RP2350", "RP2350")}
_RP2_FLASH, _RP2_LARGEST = 0x1000_0000, 16 << 20
_SECTOR = 4096
# littlefs keeps its superblock in the first two blocks; without it MicroPython makes a new filesystem.
_SUPERBLOCKS = 2 * _SECTOR
_TABLE_END = 0x9000  # of an ESP32's flash


class Uf2(NamedTuple):
    """An image for a drive."""

    data: bytes
    family: str
    drive: str
    """The Board-ID of the drives that it is for."""
    processor: str
    filesystem: BlockDevice | None
    """Where the firmware keeps its files, if it is firmware that says so."""
    keeps_files: bool | None
    """Whether the board's files stay; None where that cannot be known."""
    program: bytes

    def erasing(self) -> Uf2:
        """Give the image with which the board's filesystem is made anew; raise ValueError where that is not known."""
        if not self.filesystem:
            raise ValueError("the image does not say where its files are: erase them from the REPL")
        areas = {_RP2_FLASH: self.program, self.filesystem.address: b"\xff" * _SUPERBLOCKS}
        return self._replace(data=uf2.joined(areas, self.family), keeps_files=False)


class Esp(NamedTuple):
    """An image that esptool writes."""

    chip: str
    """As esptool calls it."""
    offset: int
    keeps_files: bool


def read(path: Path) -> Uf2 | Esp:
    """Read an image; raise Failure for what is none."""
    try:
        content = path.read_bytes()
        return _uf2(content) if content.startswith(b"UF2\n") else _esp(content)
    except (ValueError, struct.error) as error:
        raise Failure(f"{path}: {error}: give a firmware.uf2, or an ESP32's firmware.bin") from None


def _uf2(content: bytes) -> Uf2:
    blocks = [block for block in uf2.decoded(content) if block.family != uf2.ABSOLUTE]
    _check_row(blocks)
    names = {number: name for name, number in uf2.FAMILIES.items()}
    families = {block.family for block in blocks}
    if len(families) != 1 or not families <= set(names):
        listed = ", ".join(f"{family:#x}" for family in sorted(families)) or "none"
        raise ValueError(f"it is for processors that are not known here ({listed})")
    family = names[families.pop()]
    program = _program(blocks)
    place = next((part for part in binary_info.block_devices(program, _RP2_FLASH) if part.name == "MicroPython"), None)
    inside = range(place.address, place.address + place.size) if place else range(0)
    keeps = not any(block.address in inside for block in blocks) if place else None
    return Uf2(content, family, *_UF2[family], place, keeps, program)


def _check_row(blocks: Sequence[uf2.Block]) -> None:
    """A boot loader waits for ever for a block that is missing."""
    counts = {block.of for block in blocks}
    if len(counts) != 1 or sorted(block.number for block in blocks) != list(range(counts.pop())):
        raise ValueError("some of its blocks are missing: get it again")


def _program(blocks: Sequence[uf2.Block]) -> bytes:
    """Take what lies in one piece from the flash's beginning: without the filesystem of an image that has one too."""
    program = bytearray()
    for block in sorted(blocks, key=lambda block: block.address):
        if block.address != _RP2_FLASH + len(program) or len(program) > _RP2_LARGEST:
            break
        program += block.payload
    return bytes(program)


def _esp(content: bytes) -> Esp:
    # The header is for all, the length is not: an image with files goes on after what `parsed` knows.
    if len(content) < _TABLE_END:
        raise ValueError("it is no image, or it is cut off")
    firmware = esp32_image.parsed(content[:_TABLE_END])
    place = firmware.files(firmware.flash_size)
    return Esp(firmware.chip.family, firmware.chip.offset, firmware.chip.offset + len(content) <= place.offset)
