# Text from the wire: strict UTF-8, percent-encoding, and the pairs of query strings and URL-encoded forms (WHATWG URL).
# Loaded when a request's arguments, form or body text are first asked for.
from microdot.dicts import MultiDict
from microdot.grammar import is_hex
from microdot.utf8 import decode_utf8


def urldecode(s):
    """Decode ``%XX`` and ``+``, from text or bytes to text; raise ``ValueError`` for bad digits or bytes that are not UTF-8."""
    data = s.encode() if isinstance(s, str) else s
    data = data.replace(b"+", b" ")
    if b"%" not in data:
        return decode_utf8(data)
    out = bytearray()
    at = 0
    while at < len(data):
        escape = data.find(b"%", at)
        if escape < 0:
            escape = len(data)
        out += data[at:escape]
        digits = data[escape + 1 : escape + 3]
        if not digits or digits[0] == 37:  # a "%" before another one or at the end stands for itself
            out += data[escape : escape + 1]
            at = escape + 1
        else:
            out.append(_byte(digits))
            at = escape + 3
    return decode_utf8(out)


def _byte(digits):
    if not is_hex(digits):
        raise ValueError("malformed percent escape")
    return int(digits, 16)


def urlencode(s):
    """Encode the characters that would end or split a query value: ``% + space ? # & =``."""
    return (
        s.replace("%", "%25")
        .replace("+", "%2B")
        .replace(" ", "+")
        .replace("?", "%3F")
        .replace("#", "%23")
        .replace("&", "%26")
        .replace("=", "%3D")
    )


def parse_pairs(text):
    """Return the ``MultiDict`` of ``name=value`` pairs that ``&`` separates; raise ``ValueError`` as ``urldecode`` does."""
    pairs = MultiDict()
    ampersand, equals, empty = ("&", "=", "") if isinstance(text, str) else (b"&", b"=", b"")
    for pair in text.split(ampersand):
        if pair:
            at = pair.find(equals)
            name, value = (pair[:at], pair[at + 1 :]) if at >= 0 else (pair, empty)
            pairs[urldecode(name)] = urldecode(value)
    return pairs
