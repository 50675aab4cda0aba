"""What an image for Raspberry Pi's processors tells about itself ("binary info"): here, its partitions of the flash.

A marker among the first words is followed by the addresses of a list of pointers; each points at a record of a
type, a tag and what belongs to the type.  All is read from the image itself: no geometry stands in our code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_MARKER, _MARKER_END = 0x7188EBF2, 0xE71AA390
# The marker is within this many bytes of the vector table, which follows RP2040's second-stage boot loader.
_SEARCHED = 0x100 + 0x400
_BLOCK_DEVICE = 7


class BlockDevice(NamedTuple):
    """A part of the flash that holds files."""

    name: str
    address: int
    size: int


def _pointers(image: bytes) -> tuple[int, int]:
    words = struct.unpack_from(f"<{min(len(image), _SEARCHED) // 4}I", image)
    for at, word in enumerate(words[:-4]):
        if word == _MARKER and words[at + 4] == _MARKER_END:
            return words[at + 1], words[at + 2]
    return 0, 0


def _text(image: bytes, at: int) -> str:
    return image[at : image.index(b"\0", at)].decode("ascii", "replace")


def block_devices(image: bytes, base: int) -> Iterator[BlockDevice]:
    """List the partitions that an image, made for the address `base`, says it uses."""
    start, end = _pointers(image)
    for pointer in range(start - base, end - base, 4):
        at = struct.unpack_from("<I", image, pointer)[0] - base
        if 0 <= at <= len(image) - 16 and struct.unpack_from("<H", image, at)[0] == _BLOCK_DEVICE:
            name, address, size = struct.unpack_from("<3I", image, at + 4)
            yield BlockDevice(_text(image, name - base), address, size)
