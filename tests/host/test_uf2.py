"""UF2 files as the format and the boot ROMs want them, byte by byte, beside what our own reader makes of them."""

from __future__ import annotations

import struct

import pytest

from tools.uf2 import Block, decoded, encoded

_BASE = 0x10000000
_SIZES = (1, 255, 256, 257, 4095, 4096, 4097, 70_000)


def _image(size: int) -> bytes:
    return bytes(n * 7 % 251 for n in range(size))


def _payloads(blocks: list[Block]) -> bytes:
    return b"".join(block.payload for block in blocks)


def test_a_block_is_laid_out_as_the_format_says() -> None:
    block = encoded(b"\x01\x02", _BASE, "rp2040")[:512]
    magic, second, flags, address, size, number, of, family = struct.unpack_from("<8I", block)
    assert block[:4] == b"UF2\n"
    assert (magic, second) == (0x0A324655, 0x9E5D5157)
    assert (flags, family) == (0x2000, 0xE48BFF56)
    assert (address, size, number, of) == (_BASE, 256, 0, 16)
    assert block[32:34] == b"\x01\x02"
    assert block[508:] == struct.pack("<I", 0x0AB16F30)


@pytest.mark.parametrize("size", _SIZES)
def test_the_row_is_whole(size: int) -> None:
    file = encoded(_image(size), _BASE, "rp2040")
    assert len(file) % 512 == 0
    blocks = decoded(file)
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert {block.of for block in blocks} == {len(blocks)}
    assert [block.address for block in blocks] == [_BASE + 256 * n for n in range(len(blocks))]


@pytest.mark.parametrize("size", _SIZES)
def test_every_sector_is_given_whole(size: int) -> None:
    # RP2040-E14
    payload = _payloads(decoded(encoded(_image(size), _BASE, "rp2040")))
    assert len(payload) % 4096 == 0
    assert len(payload) - size < 4096
    assert payload[:size] == _image(size)
    assert set(payload[size:]) <= {0xFF}


def test_an_rp2350_gets_a_block_ahead_that_is_not_counted() -> None:
    # RP2350-E10
    file = encoded(_image(5000), _BASE, "rp2350-arm-s")
    first, *rest = decoded(file)
    assert (first.family, first.address, first.number, first.of) == (0xE48BFF57, 0x10FFFF00, 0, 2)
    assert (first.flags, first.payload, first.extension) == (0xA000, b"\xef" * 256, struct.pack("<I", 0x9957E304))
    assert {block.family for block in rest} == {0xE48BFF59}
    assert [(block.number, block.of) for block in rest] == [(n, 32) for n in range(32)]
    assert _payloads(rest)[:5000] == _image(5000)


def test_an_address_inside_a_sector_is_refused() -> None:
    with pytest.raises(ValueError, match="0x10000100 does not begin a sector"):
        encoded(b"x", _BASE + 0x100, "rp2040")


@pytest.mark.parametrize("broken", [b"", b"x" * 512, b"UF2\n" * 100])
def test_what_is_no_uf2_file_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="UF2"):
        decoded(broken)
