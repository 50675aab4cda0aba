"""Bringing files to a board: in pieces that are as large as its memory allows, deflated where that is shorter.

A piece holds records of one or many files, so that small files cost no turn of their own; the form of it all is told in
`on_board/receive.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from . import on_board
from .board_state import About
from .device import Device

# What unpacking takes of a board's memory is some three times a piece.
_LEAST, _MOST, _SHARE_OF_HEAP = 512, 8192, 20
_HEAD = 28
_WINDOW = 12  # bits; the board keeps a window of that size, 4 KiB, while it unpacks


def size_for(heap: int) -> int:
    """Choose the size of the pieces for a board that has so many bytes of heap."""
    return max(_LEAST, min(_MOST, heap // _SHARE_OF_HEAP))


def pieces(files: Iterable[tuple[str, bytes]], size: int) -> Iterator[bytes]:
    """Lay files, of a name and what is to be appended to it, out in pieces of at most that size."""
    piece = bytearray()
    for name, content in files:
        left = memoryview(content)
        while True:
            room = size - len(piece) - _HEAD
            if room < min(len(left), _LEAST // 4):
                yield bytes(piece)
                piece.clear()
                continue
            piece += f"{name}{min(room, len(left)):04x}".encode() + left[:room]
            left = left[room:]
            if not left:
                break
    if piece:
        yield bytes(piece)


def packed(piece: bytes, deflate: bool, last: bool) -> bytes:
    """Give a piece as it goes over the wire."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW)
    short = squeezer.compress(piece) + squeezer.flush() if deflate else piece
    kind, data = ("d", short) if len(short) < len(piece) else ("s", piece)
    # Ctrl-C would interrupt the program that receives it.
    data = data.replace(b"\x1b", b"\x1bA").replace(b"\x03", b"\x1bB")
    return f"{kind.upper() if last else kind}{len(data):04x}{len(piece):04x}".encode() + data


def sent(
    board: Device, files: Sequence[tuple[str, bytes]], stale: Sequence[str], about: About, progress: Callable[[int], None]
) -> None:
    """Send files, of a name and what is to be appended to it; `progress` gets the bytes of them that the board has."""
    size = size_for(about.heap)
    row = list(pieces(files, size))
    board.start(on_board.program("receive", list(stale), size))
    for number, piece in enumerate(row, 1):
        board.read(1)
        board.write(packed(piece, about.deflate, number == len(row)))
        progress(sum(map(len, row[:number])))
    board.finish()
