"""What goes over the wire in an upload: pieces, and what unpacks them on a board."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import on_board, upload

NAMES = st.text("0123456789abcdef", min_size=24, max_size=24)


def records(piece: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 0
    while at < len(piece):
        name, length = piece[at : at + 24].decode(), int(piece[at + 24 : at + 28], 16)
        at += 28 + length
        assert at <= len(piece)
        found.append((name, piece[at - length : at]))
    return found


@given(st.dictionaries(NAMES, st.binary(max_size=3000), min_size=1, max_size=8), st.integers(512, 8192))
def test_pieces_hold_every_byte_once_and_in_order(files: dict[str, bytes], size: int) -> None:
    together: dict[str, bytes] = {}
    for piece in upload.pieces(files.items(), size):
        assert 0 < len(piece) <= size
        for name, part in records(piece):
            together[name] = together.get(name, b"") + part
    assert together == files


@pytest.mark.parametrize("deflate", [True, False])
@given(piece=st.one_of(st.binary(min_size=1, max_size=8192), st.text("\x03\x1bAB", min_size=1).map(str.encode)))
def test_a_packed_piece_never_interrupts_the_board(piece: bytes, deflate: bool) -> None:
    wire = upload.packed(piece, deflate, last=False)
    assert b"\x03" not in wire
    assert len(wire) <= 2 * len(piece) + 9
    kind, length, size = wire[:1], int(wire[1:5], 16), int(wire[5:9], 16)
    data = wire[9:].replace(b"\x1bB", b"\x03").replace(b"\x1bA", b"\x1b")
    assert length == len(wire) - 9
    assert size == len(piece)
    import zlib

    assert (zlib.decompress(data, -12) if kind == b"d" else data) == piece


@pytest.mark.parametrize(("heap", "size"), [(0, 512), (20_000, 1000), (200_000, 8192), (2_000_000, 8192)])
def test_pieces_fit_the_boards_memory(heap: int, size: int) -> None:
    assert upload.size_for(heap) == size


def test_programs_come_without_their_comments_and_keep_their_meaning() -> None:
    text = on_board.program("receive", ["/a"], 512)
    assert "#" not in text
    assert '"""' not in text
    assert text.endswith("\nmain(*(['/a'], 512))\n")
    compile(text, "receive", "exec")
