"""Reading an image's partitions from what it tells about itself; made-up images here, the real ones in test_board_images.py."""

from __future__ import annotations

import struct

from tools.binary_info import BlockDevice, block_devices

_BASE = 0x10000000
_MARKER = 0x7188EBF2, 0xE71AA390


def _image(*records: bytes, at: int = 0x100) -> bytes:
    """Lay out an image with these records, their names after them."""
    pointers = at + 20
    first = pointers + 4 * len(records)
    starts = [first + sum(map(len, records[:n])) for n in range(len(records))]
    header = struct.pack("<5I", _MARKER[0], _BASE + pointers, _BASE + first, 0, _MARKER[1])
    table = b"".join(struct.pack("<I", _BASE + start) for start in starts)
    return bytes(at) + header + table + b"".join(records) + b"FILES\0".ljust(64, b"\0")


def _device(kind: int, name: int, address: int, size: int) -> bytes:
    return struct.pack("<HHIIIIH", kind, 0x504D, _BASE + name, address, size, 0, 3)


def test_partitions_are_found_among_other_records() -> None:
    records = _device(6, 0, 1, 2), _device(7, 0x100 + 20 + 8 + 44, 0x10100000, 0x100000)
    assert list(block_devices(_image(*records), _BASE)) == [BlockDevice("FILES", 0x10100000, 0x100000)]


def test_an_image_without_the_marker_has_none() -> None:
    assert list(block_devices(bytes(4096), _BASE)) == []


def test_a_pointer_out_of_the_image_is_passed_over() -> None:
    image = bytearray(_image(_device(7, 0, 1, 2)))
    struct.pack_into("<I", image, 0x100 + 20, 0x20000000)
    assert list(block_devices(bytes(image), _BASE)) == []
