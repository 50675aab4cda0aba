# The judge of request heads (RFC 9112 2 to 6): every head that native code does not vouch for, on CPython all of them.
#
# Loaded when the first such head comes in. Cost: a list of its lines while it is parsed.
from microdot.grammar import is_text, is_token, is_visible, tokens
from microdot.http import CHUNKED, EXPECT, KEEP, KINDS, ClientError


def parse(buf, start, end, limits):
    """Return what ``http.parse_head`` returns."""
    first = start
    while end - first > 1 and first - start < 4 and buf[first] == 13 and buf[first + 1] == 10:
        first += 2  # RFC 9112 2.2: ignore an empty line ahead of the request line
    stop = buf.find(b"\r\n\r\n", first, end)
    if stop < 0 or stop == first:
        return _incomplete(buf, first, end, limits)
    if stop - first > limits.max_head - 4:
        _refuse_long(buf, first, stop, limits)
    head = bytes(buf[first:stop])
    line = head.find(b"\r\n")
    if line < 0:
        line = len(head)
    if line > limits.max_readline - 2:
        raise ClientError("request line over %d bytes" % limits.max_readline, 414)
    method, target, minor = request_line(head[:line])
    fields = head[line + 2 :]
    length, flags = framing(fields, minor, limits)
    if target[0] != "/":
        target, fields = _rewrite(method, target, fields)
    return stop + 4 - start, method, target, minor, length, flags, fields


def _incomplete(buf, first, end, limits):
    # Refuse at once what no further byte can mend, so that nobody waits for a deadline.
    if end > first and not KINDS[buf[first]] & 1 and buf[first] != 13:
        raise ClientError("not an http request")
    if buf.find(b"\n\n", first, end) >= 0 or buf.find(b"\n\r\n", first, min(end, first + 3)) >= 0:
        raise ClientError("line without carriage return")
    if end - first >= limits.max_head:
        _refuse_long(buf, first, end, limits)
    if end - first >= limits.max_readline and buf.find(b"\r\n", first, first + limits.max_readline) < 0:
        raise ClientError("request line over %d bytes" % limits.max_readline, 414)
    return None


def _refuse_long(buf, first, end, limits):
    if buf.find(b"\r\n", first, min(end, first + limits.max_readline)) < 0:
        raise ClientError("request line over %d bytes" % limits.max_readline, 414)
    raise ClientError("head over %d bytes" % limits.max_head, 431)


def request_line(line):
    """Return method, target and minor version of a request line (RFC 9112 3); raise ``ClientError`` with 400 or 505."""
    parts = line.split(b" ")
    if len(parts) != 3 or not is_token(parts[0]) or not is_visible(parts[1]):
        raise ClientError("malformed request line")
    version = parts[2]
    if len(version) != 8 or not version.startswith(b"HTTP/") or version[6] != 46 or not (version[5:6] + version[7:]).isdigit():
        raise ClientError("malformed http version")
    if version[5] != 49:
        raise ClientError("http version not supported", 505)
    return str(parts[0], "utf-8"), str(parts[1], "utf-8"), 0 if version[7] == 48 else 1


def _rewrite(method, target, fields):
    # RFC 9112 3.2: absolute-form replaces Host; asterisk-form belongs to OPTIONS; authority-form to CONNECT.
    if target == "*" and method == "OPTIONS":
        return target, fields
    if method == "CONNECT":
        raise ClientError("connect is not supported", 501)
    scheme = target.find("://")
    if target[:scheme].lower() not in ("http", "https"):
        raise ClientError("malformed request target")
    rest = target[scheme + 3 :]
    cut = len(rest)
    for mark in "/?":
        at = rest.find(mark)
        if 0 <= at < cut:
            cut = at
    if not cut:
        raise ClientError("malformed request target")
    path = rest[cut:]
    host = b"Host: " + _host(rest[:cut].encode())
    return path if path[:1] == "/" else "/" + path, host if not fields else fields + b"\r\n" + host


def framing(fields, minor, limits, host_needed=True):
    """Check every field line; return the body's length and the flags that they give, as ``parse_head`` does."""
    hosts = length = coding = None
    flags = KEEP if minor else 0
    count = 0
    for line in fields.split(b"\r\n") if fields else ():
        count += 1
        name, value = _field(line, limits)
        if name == b"host":
            hosts = _host(_once(hosts, value))
        elif name == b"content-length":
            length = _once(length, value)
        elif name == b"transfer-encoding":
            coding = _once(coding, value)
        elif name == b"connection" and b"close" in tokens(value):
            flags &= ~KEEP
        elif name == b"expect" and minor:
            flags |= _expectation(value)
    if count > limits.max_fields:
        raise ClientError("more than %d header fields" % limits.max_fields, 431)
    if hosts is None and minor and host_needed:
        raise ClientError("missing host")
    return _length(length, coding, minor), flags


def _field(line, limits):
    if len(line) > limits.max_readline - 2:
        raise ClientError("header line over %d bytes" % limits.max_readline, 431)
    colon = line.find(b":")
    if colon < 1 or not is_token(line[:colon]):  # an empty name, a folded line and a space before the colon end here
        raise ClientError("malformed header field")
    value = line[colon + 1 :]
    if not is_text(value):
        raise ClientError("control character in header field")
    return line[:colon].lower(), value.strip(b" \t")


def _host(value):
    # RFC 9112 3.2: a host that can't be one is refused, as another recipient could read it in another way.
    end = value.find(b"]") + 1 if value[:1] == b"[" else 0  # of an IPv6 address
    name, _, port = value[end:].partition(b":")
    if (end and name) or end == 2 or (port and not port.isdigit()):
        raise ClientError("malformed host")
    for c in name or value[1 : end - 1]:
        if not 32 < c < 127 or c in b'/?#@\\,"<>[]^`{|}':
            raise ClientError("malformed host")
    return value


def _once(known, value):
    if known is not None:
        raise ClientError("repeated header field")
    return value


def _expectation(value):
    if value.lower() != b"100-continue":
        raise ClientError("unknown expectation", 417)
    return EXPECT


def _length(length, coding, minor):
    if coding is None:
        return 0 if length is None else _digits(length)
    # RFC 9112 6.1: a length beside a transfer coding is how requests are smuggled; 1.0 knows no codings.
    if length is not None or not minor:
        raise ClientError("conflicting body length")
    if coding.lower() != b"chunked":
        raise ClientError("unknown transfer coding", 501)
    return CHUNKED


def _digits(text):
    if not text.isdigit():
        raise ClientError("malformed content length")
    if len(text) > 15:
        raise ClientError("body too large", 413)
    return int(text)
