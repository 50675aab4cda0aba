"""Write MicroPython's ROMFS, the read-only filesystem whose files are used where they lie (extmod/vfs_rom.c describes it).

It is made of records: a kind, the payload's length, the payload.  A number is written seven bits to a byte, the highest
first, with the top bit set on all bytes but the last, so that 0x80 ahead of one changes nothing: that is how contents get
their alignment.  Contents come first, each once however many files have it; then directories and files that point at them.
The board runs bytecode, and takes strings and bytes, from where they are; native code it copies into RAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_MAGIC = 0x14A6B1
_PADDING, _DATA, _POINTER, _DIRECTORY, _FILE = 1, 2, 3, 4, 5
# What `array` and `struct` want of their largest items, so that they can be laid over a file.  The payload begins there, too.
ALIGNMENT = 8
_LENGTH = ALIGNMENT - 3
# More than any board's flash, and less than what _LENGTH bytes can tell.
LARGEST = (1 << 31) - 1

_Tree = dict[str, "_Tree | bytes"]


def image(files: Mapping[str, bytes]) -> bytes:
    """Make an image of files by their paths; raise ValueError for paths that cannot be, or contents too large."""
    tree = _tree(files)
    data, offsets = _contents(files[path] for path in sorted(files))
    payload = data + _records(tree, offsets)
    if len(payload) % 2:
        # The format wants an even size, and a padding record has two bytes at least.
        payload += _record(_PADDING, b"\xff")
    if len(payload) > LARGEST:
        raise ValueError(f"an image has {LARGEST} bytes at most")
    return _number(_MAGIC) + _number(len(payload), _LENGTH) + payload


def _number(value: int, width: int = 1) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.insert(0, value & 0x7F | 0x80)
    return bytes(digits).rjust(width, b"\x80")


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _tree(files: Mapping[str, bytes]) -> _Tree:
    root: _Tree = {}
    for path, content in files.items():
        *folders, name = path.strip("/").split("/")
        folder = root
        for part in (*folders, name):
            if part in ("", ".", "..") or "\0" in part:
                raise ValueError(f"{path!r} is no path of a file")
        for part in folders:
            below = folder.setdefault(part, {})
            if isinstance(below, bytes):
                raise ValueError(f"{path!r} is below a file")
            folder = below
        if name in folder:
            raise ValueError(f"{path!r} is there twice")
        folder[name] = content
    return root


def _contents(contents: Iterable[bytes]) -> tuple[bytes, dict[bytes, int]]:
    """Lay contents out, and tell where each begins; the offsets are what pointers hold."""
    data, offsets = bytearray(), {}
    for content in contents:
        if content in offsets:
            continue
        head = _number(_DATA) + _number(len(content))
        width = len(head) - 1 + -(len(data) + len(head)) % ALIGNMENT
        data += _number(_DATA) + _number(len(content), width)
        offsets[content] = len(data)
        data += content
    return bytes(data), offsets


def _records(folder: _Tree, offsets: Mapping[bytes, int]) -> bytes:
    return b"".join(_entry(name, folder[name], offsets) for name in sorted(folder))


def _entry(name: str, what: _Tree | bytes, offsets: Mapping[bytes, int]) -> bytes:
    encoded = name.encode()
    named = _number(len(encoded)) + encoded
    if isinstance(what, bytes):
        pointer = _number(len(what)) + _number(offsets[what])
        return _record(_FILE, named + _record(_POINTER, pointer))
    return _record(_DIRECTORY, named + _records(what, offsets))
