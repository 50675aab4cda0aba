# The small rules of HTTP's grammar (RFC 9110 5.6, RFC 9112 7.1), for the parser, the chunks of a body and the header lines of a
# response. Loaded when the first of them is needed.
import sys

from microdot.http import KINDS, ClientError

if sys.implementation.name == "micropython":

    def is_token(text):
        """Tell whether the bytes are a token (RFC 9110 5.6.2)."""
        for c in text:
            if not KINDS[c] & 1:
                return False
        return len(text) > 0

    def is_text(text):
        """Tell whether the bytes hold no control character but the tab (RFC 9110 5.5)."""
        for c in text:
            if not KINDS[c] & 2:
                return False
        return True

    def is_visible(text):
        """Tell whether the bytes are visible ASCII and nothing else."""
        for c in text:
            if not 33 <= c <= 126:
                return False
        return len(text) > 0
else:
    import re

    is_token = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
    is_text = re.compile(rb"[\t -~\x80-\xff]*").fullmatch
    is_visible = re.compile(rb"[!-~]+").fullmatch


def is_hex(digits):
    """Tell whether the bytes are hexadecimal digits and nothing else (``int`` takes signs, spaces and underscores too)."""
    for c in digits:
        if c not in b"0123456789abcdefABCDEF":
            return False
    return len(digits) > 0


def chunk_size(line):
    """Return the size in a chunk's first line, extensions ignored; raise ``ClientError`` for any other text."""
    if not is_text(line):
        raise ClientError("malformed chunk size")
    cut = line.find(b";")
    digits = line[:cut].rstrip(b" \t") if cut >= 0 else line
    if len(digits) > 8 or not is_hex(digits):
        raise ClientError("malformed chunk size")
    return int(digits, 16)


def tokens(value):
    """Return the lower-cased items of a comma-separated list (RFC 9110 5.6.1)."""
    return [item.strip(b" \t") for item in value.lower().split(b",")]


def find_field(fields, name):
    """Return the value of the last field called ``name`` (lower-case bytes) in a header section, None when there is none."""
    lines = b"\n" + fields.lower()
    at = lines.rfind(b"\n" + name + b":")
    if at < 0:
        return None
    start = at + len(name) + 1  # in `fields`, which lacks the leading line feed
    stop = fields.find(b"\r", start)
    return fields[start : stop if stop >= 0 else len(fields)].strip(b" \t")
