# Strict UTF-8 (RFC 3629) on every interpreter.
import sys

# MicroPython's decoder accepts overlong forms, surrogates and what is beyond U+10FFFF: text that passed a check could mean
# something else later. These are the first bytes by which they can be known, and the bounds of the second.
_SUSPECT = (
    (b"\xc0", 0, 0),
    (b"\xc1", 0, 0),
    (b"\xe0", 0xA0, 0xC0),
    (b"\xed", 0x80, 0xA0),
    (b"\xf0", 0x90, 0xC0),
    (b"\xf4", 0x80, 0x90),
    (b"\xf5", 0, 0),
    (b"\xf6", 0, 0),
    (b"\xf7", 0, 0),
)
_lenient = sys.implementation.name == "micropython"


def decode_utf8(data):
    """Decode bytes as UTF-8; raise ``UnicodeError`` for overlong forms and surrogates too (RFC 3629 3, 10)."""
    text = str(data, "utf-8")
    if _lenient and len(text) != len(data):
        _check(text.encode())
    return text


def _check(data):
    for first, least, end in _SUSPECT:
        at = data.find(first)
        while at >= 0:
            if not least <= data[at + 1] < end:
                raise UnicodeError("malformed utf-8")
            at = data.find(first, at + 2)
