# The text of a response's head. Every header leaves through `_header_line`, which refuses what could split a response.
#
# Loaded with the first response that has headers of its own or another status than 200: the server knows the others by heart.
from microdot import http
from microdot.grammar import is_text, is_token

_FRAMING = "content-length", "transfer-encoding", "connection"  # the server's own to say
_known_names = {}  # header names that were found good: applications use few, and checking one costs a look at each byte


def head(res, minor, length, close, date):
    """Return the bytes of the head that the server sends.

    ``length`` is the body's in bytes, ``http.CHUNKED``, or None to give none. Raises ``ValueError`` for a header that must
    not be sent.
    """
    if not 200 <= res.status_code <= 999:
        raise ValueError("status that is none of a reply")  # an interim one would give this reply's place to the next
    headers = res._headers
    text = [status_line(res, minor), "" if headers and "Date" in headers else date]
    if headers:
        header_lines(res, text, _FRAMING)
        if "Upgrade" in headers:
            text.append("Connection: Upgrade\r\n")  # RFC 9110 7.8
    if length is not None:
        if not headers or "Content-Type" not in headers:
            text.append("Content-Type: " + res.kind() + "\r\n")
        if length != http.CHUNKED:
            text.append("Content-Length: %d\r\n" % length)
        elif minor:
            text.append("Transfer-Encoding: chunked\r\n")
    text.append("Connection: close\r\n\r\n" if close else "\r\n")
    return "".join(text).encode()


def status_line(res, minor):
    """Return the first line of a response in HTTP/1.``minor``."""
    reason = res.reason or ("OK" if res.status_code == 200 else "N/A")
    _check_text(reason)
    return "HTTP/1.%d %d %s\r\n" % (minor, res.status_code, reason)


def header_lines(res, text, skipped=()):
    """Append a line for each header to the list ``text``, but for those whose names in lower case are skipped."""
    for name, value in res.headers.items():
        if name.lower() in skipped:
            continue
        if isinstance(value, list):
            for item in value:
                text.append(_header_line(name, item))
        else:
            text.append(_header_line(name, value))


def _header_line(name, value):
    if name not in _known_names:
        if not is_token(name.encode()):
            raise ValueError("header name is no token")
        if len(_known_names) < 32:
            _known_names[name] = True
    if not isinstance(value, str):
        value = str(value)
    _check_text(value)
    return name + ": " + value + "\r\n"


def _check_text(text):
    data = text.encode()
    if data and (min(data) < 32 or 127 in data) and not is_text(data):
        raise ValueError("line break or control character in response header")
