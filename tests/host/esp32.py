"""ESP32 images made up from the documented formats (ESP-IDF: esp_app_format.h, "Partition Tables"): no real one is at hand."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from functools import reduce

TABLE = 0x8000
# The chip's number in an image, and the offset of its boot loader in the flash.
CHIPS = {"esp32": (0, 0x1000), "esp32s3": (9, 0), "esp32c3": (5, 0)}
# Name, type, subtype, offset, size: as MicroPython's partitions-4MiB.csv has them up to 1.25, and from 1.26 on.
OLD = (
    ("nvs", 1, 2, 0x9000, 0x6000),
    ("phy_init", 1, 1, 0xF000, 0x1000),
    ("factory", 0, 0, 0x10000, 0x1F0000),
    ("vfs", 1, 0x81, 0x200000, 0x200000),
)
NEW = OLD[:-1]


def program(chip: str, content: bytes, flash: int = 4 << 20) -> bytes:
    """Make a boot loader or an application: header, one segment, checksum, SHA-256."""
    number, _ = CHIPS[chip]
    size = (flash >> 20).bit_length() - 1
    header = struct.pack("<BBBBI", 0xE9, 1, 2, size << 4 | 0xF, 0x4037_0000 if chip != "esp32" else 0x4008_0000)
    header += struct.pack("<B3sHBHH4sB", 0xEE, bytes(3), number, 0, 0, 0xFFFF, bytes(4), 1)
    content = content.ljust(-(-len(content) // 4) * 4, b"\0")
    body = header + struct.pack("<II", 0x3FFF_0000 if chip == "esp32" else 0x3FC8_8000, len(content)) + content
    body += bytes(15 - len(body) % 16) + bytes([reduce(lambda check, byte: check ^ byte, content, 0xEF)])
    return body + hashlib.sha256(body).digest()


def table(rows: Sequence[tuple[str, int, int, int, int]]) -> bytes:
    """Make a partition table, with the row that has its checksum."""
    packed = b"".join(struct.pack("<2sBBII16sI", b"\xaa\x50", *row[1:], row[0].encode(), 0) for row in rows)
    return (packed + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(packed).digest()).ljust(0xC00, b"\xff")


def firmware(
    chip: str = "esp32", rows: Sequence[tuple[str, int, int, int, int]] = OLD, flash: int = 4 << 20, size: int = 100_000
) -> bytes:
    """Make a firmware.bin: the flash from the boot loader on, to the application's end."""
    start = CHIPS[chip][1]
    image = program(chip, b"boot loader" * 500, flash).ljust(TABLE - start, b"\xff") + table(rows)
    application = next(row[3] for row in rows if row[1] == 0)
    return image.ljust(application - start, b"\xff") + program(chip, bytes(n * 7 % 251 for n in range(size)), flash)
