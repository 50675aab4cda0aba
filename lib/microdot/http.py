# HTTP/1.1 without I/O: bytes in, values out (RFC 9112).
#
# `parse_head` looks at a buffer and gives a request head, None when it needs more bytes, or raises ClientError with the
# status to answer. It refuses whatever two recipients could read in two ways: bare CR or LF, folded lines, space before a
# colon, a doubtful length. On MicroPython a native scan (`_scan.py`) vouches for the heads that clients send every day;
# what it does not know goes to `heads.py`, which alone decides. Cost: the two strings and the field bytes of the head, nothing
# per field: `Request.headers` parses those when it is asked.
try:
    from microdot._scan import layout, scan
except (ImportError, SyntaxError):  # no native code on this interpreter, or none for this chip
    scan = layout = None

KEEP = 1  # flag: the client wants the connection kept
EXPECT = 2  # flag: the client waits for "100 Continue" before it sends the body
CHUNKED = -1  # length: the body comes in chunks

limits = None  # what holds max_readline, max_head and max_fields: request.py sets it


class ClientError(ValueError):
    """A request that can't be honoured because of what the client sent; ``status_code`` is the answer it gets."""

    def __init__(self, reason, status_code=400):
        super().__init__(reason)
        self.reason = reason
        self.status_code = status_code


class HTTPException(Exception):
    """Ends a request with a status; raised by ``abort``. Attributes: ``status_code``, ``reason``, ``headers`` or None."""

    headers = None

    def __init__(self, status_code, reason=None):
        super().__init__()
        self.status_code = status_code
        self.reason = reason or str(status_code) + " error"


# For each byte, bit 0: part of a token ("!#$%&'*+-.^_`|~", digits, letters; RFC 9110 5.6.2), bit 1: part of a field value.
KINDS = (
    b"\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\3\2\3\3\3\3\3\2\2\3\3\2\3\3\2"
    b"\3\3\3\3\3\3\3\3\3\3\2\2\2\2\2\2\2\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\2\2\2\3\3"
    b"\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\3\2\3\2\3\0"
    b"\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2"
    b"\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2"
    b"\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2"
)


def parse_head(buf, start, end):
    """Return ``(size, method, target, minor, length, flags, fields)`` of the head in ``buf[start:end]``, None if incomplete.

    ``size`` counts the blank line and any empty line ahead; ``length`` is the body's (``CHUNKED`` for chunks), ``fields``
    the header section's bytes. The limits are those of ``Request``. Raises ``ClientError`` with 400, 414, 417, 431, 501 or 505.
    """
    if scan:
        size = scan(buf, start, end, layout, KINDS)
        if size > 0:
            if size <= limits.max_head and layout[6] <= limits.max_readline and layout[7] <= limits.max_fields:
                return _head_of(buf, start, size)
        elif size == 0 and end - start < limits.max_readline:
            return None
    return parse_head_portable(buf, start, end)


def _head_of(buf, start, size):
    # Read the values off the offsets that `scan` left in `layout` (its order is described there).
    path = layout[0]
    method = "GET" if layout[8] else str(buf[start : path - 1], "utf-8")
    end = layout[1]
    target = "/" if end == path + 1 else str(buf[path:end], "utf-8")
    fields = bytes(memoryview(buf)[layout[5] : start + size - 4])
    return size, method, target, layout[2], layout[3], layout[4], fields


def parse_head_portable(buf, start, end):
    """Do what ``parse_head`` does without native code; loaded when a head first asks for it."""
    from microdot.heads import parse

    return parse(buf, start, end, limits)


def http_date(year, month, day, hour, minute, second, weekday):
    """Return an IMF-fixdate (RFC 9110 5.6.7); Monday is weekday 0, and the time is in UTC."""
    names = (
        "MonTueWedThuFriSatSun"[weekday * 3 : weekday * 3 + 3],
        day,
        "JanFebMarAprMayJunJulAugSepOctNovDec"[month * 3 - 3 : month * 3],
        year,
    )
    return "%s, %02d %s %04d" % names + " %02d:%02d:%02d GMT" % (hour, minute, second)
