"""What is known of an ESP32's image: the chip, where it goes in the flash, its partitions, and where the files go.

MicroPython's `firmware.bin` is the flash from the boot loader on: boot loader, partition table, application.  The formats are
ESP-IDF's: `esp_image_header_t` (esp_app_format.h, "App Image Format") and "Partition Tables" in its API guides.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

_MAGIC, _HEADER = 0xE9, struct.Struct("<BBBBIB3xH")
_TABLE, _TABLE_SIZE, _ROW = 0x8000, 0xC00, struct.Struct("<2sBBII16sI")
_ENTRY, _CHECKSUM, _END = b"\xaa\x50", b"\xeb\xeb", b"\xff\xff"
_APPLICATION, _SECTOR = 0, 4096
# A flash of 128 MiB, as the power of two above 1 MiB that a header has.
_LARGEST = 7


class Chip(NamedTuple):
    """A kind of ESP32: its name as installers in browsers have it, and the offset of its boot loader."""

    name: str
    offset: int

    @property
    def family(self) -> str:
        """The chip's name as ESP-IDF has it."""
        return self.name.replace("-", "").lower()


CHIPS = {
    0: Chip("ESP32", 0x1000),
    2: Chip("ESP32-S2", 0x1000),
    5: Chip("ESP32-C3", 0),
    9: Chip("ESP32-S3", 0),
    12: Chip("ESP32-C2", 0),
    13: Chip("ESP32-C6", 0),
    16: Chip("ESP32-H2", 0),
    18: Chip("ESP32-P4", 0x2000),
    23: Chip("ESP32-C5", 0x2000),
}


class Partition(NamedTuple):
    """A row of the partition table."""

    name: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


class Firmware(NamedTuple):
    """What an image tells about itself; offsets are those of the flash."""

    chip: Chip
    flash_size: int
    partitions: tuple[Partition, ...]

    @property
    def application(self) -> Partition:
        """The partition that the image's program is in: the first for programs."""
        return next(partition for partition in self.partitions if partition.type == _APPLICATION)

    def files(self, flash_size: int) -> Partition:
        """Find the place for files in a flash of this size, or raise ValueError.

        MicroPython up to 1.25 has it in the table; a later one takes all of the flash after the last partition.
        """
        start = max(partition.end for partition in self.partitions)
        rest = Partition("vfs", 1, 0x81, start, flash_size - start)
        place = next((partition for partition in self.partitions if partition.name == "vfs"), rest)
        if place.end > flash_size:
            raise ValueError(f"its filesystem ends at {place.end:#x}, past the flash of {flash_size >> 20} MiB")
        if place.size < 2 * _SECTOR:
            raise ValueError(f"its partitions end at {start:#x}, which leaves no room for files in {flash_size >> 20} MiB")
        if place.offset < self.application.end or (place.offset | place.size) % _SECTOR:
            raise ValueError("its partition table is not MicroPython's: the files lie across something else")
        return place


def parsed(image: bytes) -> Firmware:
    """Read MicroPython's image of a whole flash; raise ValueError for what is none."""
    if len(image) < _HEADER.size or image[0] != _MAGIC:
        raise ValueError("it does not begin with a boot loader: what is wanted is MicroPython's firmware.bin")
    *_, sizes, _, _, number = _HEADER.unpack_from(image)
    chip = CHIPS.get(number)
    if chip is None or sizes >> 4 > _LARGEST:
        raise ValueError(f"it is for a chip of the unknown number {number}, or a flash of no known size")
    partitions = _partitions(image[_TABLE - chip.offset :][:_TABLE_SIZE])
    if not any(partition.type == _APPLICATION for partition in partitions):
        raise ValueError("its partition table has no application")
    firmware = Firmware(chip, 1 << 20 + (sizes >> 4), partitions)
    if len(image) > firmware.application.end - chip.offset:
        raise ValueError("it goes on after the partition of its application: it holds more than MicroPython")
    return firmware


def _partitions(table: bytes) -> tuple[Partition, ...]:
    found = []
    for at in range(0, len(table) - _ROW.size + 1, _ROW.size):
        magic, kind, subtype, offset, size, name, _ = _ROW.unpack_from(table, at)
        if magic == _CHECKSUM and table[at + 16 : at + 32] != hashlib.md5(table[:at], usedforsecurity=False).digest():
            raise ValueError("the checksum of its partition table is wrong: it is damaged")
        if magic in (_CHECKSUM, _END):
            break
        if magic != _ENTRY:
            raise ValueError("it has no partition table at 0x8000: what is wanted is MicroPython's firmware.bin")
        found.append(Partition(name.rstrip(b"\0").decode("ascii", "replace"), kind, subtype, offset, size))
    return tuple(found)
