"""Images in Microsoft's UF2 format: what a board in its boot loader takes when a file is dragged onto it.

A file is a row of blocks of 512 bytes, each with up to 476 bytes of payload (256 here, a page of flash), the
address it goes to, its place in the row and the family of processors it is for.  Two errata of Raspberry Pi's
processors shape the file: RP2040-E14 (a boot ROM that erases by sector wants whole sectors) and RP2350-E10
(one block ahead that nobody stores).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_START = (0x0A324655, 0x9E5D5157)
_END = 0x0AB16F30
_BLOCK, _DATA = 512, 476
_PAGE, _SECTOR = 256, 4096
_HAS_FAMILY, _HAS_EXTENSION = 0x2000, 0x8000
ABSOLUTE = 0xE48BFF57
# RP2350-E10: an address past the flash that is there, and the extension that says "do not store".
_IGNORED_ADDRESS, _IGNORE = 0x10FFFF00, 0x9957E304

FAMILIES = {
    "rp2040": 0xE48BFF56,
    "rp2350-arm-s": 0xE48BFF59,
}


class Block(NamedTuple):
    """One block: where its payload goes, and its number among how many."""

    address: int
    payload: bytes
    number: int
    of: int
    family: int
    flags: int = _HAS_FAMILY
    extension: bytes = b""


def _packed(block: Block) -> bytes:
    numbers = (block.flags, block.address, len(block.payload), block.number, block.of, block.family)
    data = (block.payload + block.extension).ljust(_DATA, b"\0")
    return struct.pack("<8I", *_START, *numbers) + data + struct.pack("<I", _END)


def _pages(image: bytes, base: int) -> Iterator[tuple[int, bytes]]:
    if base % _SECTOR:
        raise ValueError(f"address {base:#x} does not begin a sector of {_SECTOR} bytes")
    # RP2040-E14: a sector that is not given whole may be left erased; as in erased flash, what is missing is ones.
    whole = image + b"\xff" * (-len(image) % _SECTOR)
    for at in range(0, len(whole), _PAGE):
        yield base + at, whole[at : at + _PAGE]


def _ahead() -> Block:
    """Make the block of RP2350-E10, which counts as a row of its own (its second block never comes)."""
    extension = struct.pack("<I", _IGNORE)
    return Block(_IGNORED_ADDRESS, b"\xef" * _PAGE, 0, 2, ABSOLUTE, _HAS_FAMILY | _HAS_EXTENSION, extension)


def encoded(image: bytes, base: int, family: str) -> bytes:
    """Give the file that puts an image at an address, which must begin a sector, of a processor's flash."""
    return joined({base: image}, family)


def joined(areas: Mapping[int, bytes], family: str) -> bytes:
    """Give the file that fills several areas of the flash, by their addresses; what is between them stays as it is.

    Raise ValueError for areas that do not begin a sector, or that overlap.
    """
    pages = [page for base in sorted(areas) for page in _pages(areas[base], base)]
    for (before, _), (after, _) in zip(pages, pages[1:]):
        if after < before + _PAGE:
            raise ValueError(f"two areas meet at {after:#x}")
    # One row: a boot ROM takes a block that says another number of blocks for the beginning of another file.
    blocks = [_ahead()] if family.startswith("rp2350") else []
    blocks += [Block(address, page, n, len(pages), FAMILIES[family]) for n, (address, page) in enumerate(pages)]
    return b"".join(map(_packed, blocks))


def _unpacked(raw: bytes) -> Block:
    *start, flags, address, size, index, count, family = struct.unpack_from("<8I", raw)
    if tuple(start) != _START or raw[-4:] != struct.pack("<I", _END) or size > _DATA:
        raise ValueError("not a UF2 block")
    return Block(address, raw[32 : 32 + size], index, count, family, flags, raw[32 + size : 36 + size])


def decoded(file: bytes) -> list[Block]:
    """Read the blocks of a file back; raise ValueError where it is none."""
    if not file or len(file) % _BLOCK:
        raise ValueError(f"a UF2 file is a row of blocks of {_BLOCK} bytes")
    return [_unpacked(file[at : at + _BLOCK]) for at in range(0, len(file), _BLOCK)]
