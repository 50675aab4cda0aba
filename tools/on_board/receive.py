# mypy: ignore-errors
# ruff: noqa: SIM115
"""Runs on a board: takes files from the serial line into `/.mdot/new`.

It says `+` when it is ready for a piece.  A piece comes as its kind, the length on the wire and the length unpacked, in
hexadecimal of four digits each, and then its bytes; Ctrl-C (byte 3), which would end the program, is escaped in them.
An unpacked piece is a row of records: a name of 24 characters, a length of four digits, and what is to be appended to
the file of that name.  Of the kinds `d` is deflated and `s` is stored; the last piece's is a capital letter.

As the board sends nothing while it is away from the line, and gets nothing, no buffer of a serial port overflows.
"""

import gc
import io
import os
import sys

try:
    import deflate
except ImportError:
    deflate = None

NEW = "/.mdot/new"


def prepare(stale):
    for path in ("/.mdot", NEW):
        try:
            os.mkdir(path)
        except OSError:
            pass
    for path in stale:
        os.remove(path)


def unpacked(kind, data, buffer, length):
    if kind not in "dD":
        return memoryview(data)
    view = memoryview(buffer)[:length]
    with deflate.DeflateIO(io.BytesIO(data), deflate.RAW, 12) as stream:
        at = 0
        while at < length:
            count = stream.readinto(view[at:])
            if not count:
                raise ValueError("a piece is too short")
            at += count
    return view


class Files:
    """The file that is being written."""

    def __init__(self):
        self.name = self.file = None

    def append(self, name, data):
        if name != self.name:
            self.close()
            self.name, self.file = name, open(NEW + "/" + name, "ab")
        self.file.write(data)

    def close(self):
        if self.file:
            self.file.close()
            self.file = None


def keep(files, view):
    at = 0
    while at < len(view):
        name, length = str(view[at : at + 24], "ascii"), int(str(view[at + 24 : at + 28], "ascii"), 16)
        at += 28 + length
        files.append(name, view[at - length : at])


def main(stale, size):
    """Remove stale files, then receive pieces of up to `size` bytes unpacked, until the last."""
    prepare(stale)
    files, buffer, line, kind = Files(), bytearray(size), sys.stdin.buffer, "s"
    try:
        while kind in "ds":
            gc.collect()  # not in the middle of a piece, while bytes arrive
            sys.stdout.write("+")
            head = line.read(9).decode()
            kind, length, size = head[0], int(head[1:5], 16), int(head[5:9], 16)
            data = line.read(length).replace(b"\x1bB", b"\x03").replace(b"\x1bA", b"\x1b")
            keep(files, unpacked(kind, data, buffer, size))
    finally:
        files.close()
