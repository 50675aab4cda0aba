"""Static files as boards serve them: `NAME.gz` beside the file where compression pays.

`app.static` sends the sibling to clients that take gzip, and the file to the others.  Where the file itself is left out, the
sibling goes to all who do not refuse it; those who do, no browser among them, get 404.
"""

from __future__ import annotations

import struct
import zlib

_COMPRESSED = (
    *("7z", "apng", "avif", "br", "bz2", "flac", "gif", "gz", "jpeg", "jpg", "m4a", "mov", "mp3", "mp4", "ogg", "opus"),
    *("png", "webm", "webp", "woff", "woff2", "xz", "zip", "zst"),
)
# For less, a second file is not worth its place.
_GAIN_PERCENT, _GAIN_BYTES = 10, 100
_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"


def zipped(name: str, data: bytes) -> bytes | None:
    """Compress a file; None where that does not pay.  The same bytes whenever and wherever it is done."""
    if name.rpartition(".")[2].lower() in _COMPRESSED:
        return None
    # RFC 1952 by hand: Python's releases differ in the header that they write.
    raw = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    made = _HEAD + raw.compress(data) + raw.flush() + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    gain = len(data) - len(made)
    return made if gain >= _GAIN_BYTES and gain * 100 >= len(data) * _GAIN_PERCENT else None


def unzipped(data: bytes) -> bytes | None:
    """Give what a gzipped file holds; None if it is none."""
    try:
        return zlib.decompress(data, zlib.MAX_WBITS | 16)
    except zlib.error:
        return None
