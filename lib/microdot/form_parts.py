# The parts of a multipart body (RFC 2046 5.1, RFC 7578) without I/O: bytes in, lines and runs of data out.
#
# One buffer of fixed size holds what is not yet told apart; no more than a delimiter's length stays in it when data is taken,
# so every step makes progress. Refused: lines that don't end in CRLF or don't fit the buffer, anything but space between a
# boundary and its line's end, a body that ends before its closing boundary. What stands before the first boundary is skipped,
# what follows the last is never looked at.
from microdot.grammar import is_text, is_token
from microdot.http import ClientError
from microdot.text import decode_utf8, urldecode


class Scanner:
    """Splits a multipart body. Bytes are put into ``room()`` and announced with ``fed(n)``."""

    def __init__(self, boundary, size):
        if not 0 < len(boundary) <= 70:  # RFC 2046 5.1.1
            raise ClientError("malformed boundary")
        self.delimiter = b"\r\n--" + boundary
        self.buf = bytearray(size + len(self.delimiter))
        self.buf[:2] = b"\r\n"  # a boundary may open the body: its line end comes from here
        self.start = 0
        self.end = 2
        self.known = 0  # up to here the buffer holds data of the present part
        self.blank = True  # at the line end of an empty line, which may be a delimiter's too

    def room(self):
        """Return the free part of the buffer; raise ``ClientError`` when a line leaves none."""
        unread = self.end - self.start
        if self.start:
            self.buf[:unread] = self.buf[self.start : self.end]
            self.known = max(0, self.known - self.start)
            self.start = 0
            self.end = unread
        if unread == len(self.buf):
            raise ClientError("line of a part over %d bytes" % unread)
        return memoryview(self.buf)[unread:]

    def fed(self, n):
        """Take note of ``n`` new bytes; none means that the body has ended, too early."""
        if not n:
            raise ClientError("multipart body ends early")
        self.end += n

    def data(self):
        """Return how many bytes at ``start`` are data, 0 when more bytes are needed, -1 at the end of the part."""
        if self.start >= self.known:
            self._find_delimiter()
        if self.known < 0:
            return -1
        return self.known - self.start

    def _find_delimiter(self):
        at = delimiter = self.buf.find(self.delimiter, self.start, self.end)
        if at < 0:  # one may have begun near the end
            at = self.buf.find(b"\r", max(self.start, self.end - len(self.delimiter) + 1), self.end)
            if at < 0:
                at = self.end
        if self.blank and at > self.start:
            self.start += 2
            self.blank = False
        self.known = -1 if delimiter == self.start else at

    def next_part(self):
        """Go past the delimiter: tell whether a part follows, None when more bytes are needed."""
        at = self.start + len(self.delimiter)
        if self.end < at + 2:
            return None
        if self.buf[at : at + 2] == b"--":
            return False
        end = self.buf.find(b"\r\n", at, self.end)
        if end < 0:
            return None
        if self.buf[at:end].strip(b" \t"):
            raise ClientError("malformed boundary line")
        self.start = end + 2
        return True

    def line(self):
        """Return the next line of a part's head without its end, None when more bytes are needed; b"" leads to the data."""
        at = self.buf.find(b"\r\n", self.start, self.end)
        if at < 0:
            return None
        line = bytes(memoryview(self.buf)[self.start : at])
        if line:
            self.start = at + 2
        else:
            self.known = 0
            self.blank = True
        return line


def add_field(head, line):
    """Add a line of a part's head to a dictionary of texts by lower-case names; raise ``ClientError`` if it is malformed."""
    name, colon, value = line.partition(b":")
    name = name.lower()
    if not colon or not is_token(name) or not is_text(value):
        raise ClientError("malformed header of a part")
    name = name.decode()
    if name in head:
        raise ClientError("repeated header of a part")
    head[name] = _text(value.strip(b" \t"))


def disposition(head):
    """Return name and file name (None for a field) from a part's head."""
    kind, options = parameters(head.get("content-disposition", ""))
    if kind != "form-data" or "name" not in options:
        raise ClientError("part without form-data name")
    filename = options.get("filename")
    if "filename*" in options:  # RFC 6266 4.3: it comes before the other
        filename = _extended(options["filename*"])
    return options["name"], filename


def parameters(text):
    """Return a header's value in lower case and its parameters (RFC 9110 5.6.6); raise ``ClientError`` if malformed."""
    kind, _, rest = text.partition(";")
    found = {}
    rest = rest.lstrip(" \t;")
    while rest:
        name, equals, rest = rest.partition("=")
        name = name.lower()
        if not equals or name in found or not is_token(name.encode()):
            raise ClientError("malformed parameter")
        if rest[:1] == '"':
            found[name], rest = _quoted(rest)
        else:
            value, semicolon, rest = rest.partition(";")
            found[name] = value.rstrip(" \t")
            rest = semicolon + rest
        if rest and rest[0] != ";":
            raise ClientError("malformed parameter")
        rest = rest.lstrip(" \t;")
    return kind.strip().lower(), found


def _quoted(text):
    # Return what is in the quotes that the text begins with, and what follows them.
    end = 0
    slashes = 1
    while slashes & 1:  # the quote before which they stand is no end
        end = text.find('"', end + 1)
        if end < 0:
            raise ClientError("malformed parameter")
        slashes = 0
        while text[end - 1 - slashes] == "\\":
            slashes += 1
    # Other backslashes stand for themselves: some browsers send whole paths.
    return text[1:end].replace('\\"', '"').replace("\\\\", "\\"), text[end + 1 :].lstrip(" \t")


def _extended(value):
    # RFC 8187 3.2: charset'language'percent-encoded text.
    parts = value.split("'")
    if len(parts) != 3 or parts[0].lower() != "utf-8":
        raise ClientError("malformed filename*")
    try:
        return urldecode(parts[2].replace("+", "%2B"))
    except ValueError:
        raise ClientError("malformed filename*")


def _text(data):
    try:
        return decode_utf8(data)
    except ValueError:
        raise ClientError("malformed utf-8")
