"""Requests for hypothesis to make: of good parts, odd parts, and a fault here and there.

Most parts are good, so that what is wrong is mostly alone.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FOUND = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))

LINE_ENDS = [b"\r\n"] * 30 + [b"\n", b"\r", b"\r\r\n", b"\n\r\n"]
METHODS = [b"GET"] * 6 + [b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH", b"M-SEARCH"]
ODD_METHODS = [b"get", b"BREW", b"GETS", b"!#$%&'*+-.^_`|~1", b"", b"G ET", b"G\tET", b"G\0", b"G(T", b"G\x80", b"CONNECT"]
TARGETS = [b"/"] * 6 + [b"/a/b?c=d&e", b"/%20%zz", b"//a", b"/a?b?c#d", b"/~'!()*,;:@$", b'/"<>\\^`{|}', b"/" + b"a" * 500]
ODD_TARGETS = [
    b"http://b/c?d",
    b"HTTP://B",
    b"https://b?c=/",
    b"http://",
    b"ftp://b/",
    b"*",
    b"a",
    b"a:80",
    b"",
    b"/\x7f",
    b"/ ",
    b"/a b",
    b"/\t",
    b"/\xc3\xa9",
    b"/\0",
    b"/\x01",
    b"http:///",
    b"http:/b",
    b"?a",
    b"#a",
]
VERSIONS = [b"HTTP/1.1"] * 12 + [b"HTTP/1.0"] * 3
ODD_VERSIONS = [
    b"HTTP/1.2",
    b"HTTP/1.9",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"HTTP/1.10",
    b"HTTP/01.1",
    b"HTTP/1",
    b"http/1.1",
    b"",
    b"HTTP/1,1",
    b"HTTP/1.1 ",
    b" HTTP/1.1",
    b"HTTP /1.1",
    b"HTTP/1.a",
    b"HTTP/+1.1",
    b"HTTPS/1.1",
]
FIELDS = [
    b"Accept: */*",
    b"X-A:b",
    b"X-Tab: a\tb",
    b"X-Blanks: \t a  b \t ",
    b"X-Empty:",
    b"X-High: \x80\xff\xc3\xa9",
    b"Cookie: a=b; c=d",
]
FIELDS += [b"Connection: close", b"connection: keep-alive, Close", b"CONNECTION: TE", b"Connection: upgrade", b"Upgrade: h2c"]
FIELDS += [b"Content-Type: text/plain", b"!#$%&'*+-.^_`|~1: x", b"X-Long: " + b"a" * 1000, b"X-A: second"]
FRAMING = [
    b"Content-Length: 0",
    b"Content-Length: 5",
    b"content-length:\t5\t",
    b"Content-Length: 0005",
    b"Content-Length: 123456789012",
]
FRAMING += [b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked ", b"Expect: 100-continue", b"EXPECT: 100-Continue"]
ODD_FIELDS = [
    b"Content-Length: +5",
    b"Content-Length: -5",
    b"Content-Length: 5,5",
    b"Content-Length: 5 5",
    b"Content-Length: 0x5",
]
ODD_FIELDS += [
    b"Content-Length:",
    b"Content-Length: 5_0",
    b"Content-Length: " + b"9" * 30,
    b"Content-Length: \xb2",
    b"Content-Length : 5",
]
ODD_FIELDS += [b"Transfer-Encoding: gzip", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, chunked"]
ODD_FIELDS += [
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:",
    b"Transfer-Encoding: chunked;a=b",
]
ODD_FIELDS += [
    b" folded",
    b"\tfolded",
    b"X : a",
    b": a",
    b"a",
    b"X\t: a",
    b"X-\xc3\xa9: a",
    b'"X": a',
    b"X Y: a",
    b"X-\0: a",
    b" ",
]
ODD_FIELDS += [
    b"X: a\0b",
    b"X: a\x01b",
    b"X: a\x7fb",
    b"X: a\x0bb",
    b"X: a\x1bb",
    b"X: a\rb",
    b"X: a\nb",
    b"Expect: b",
    b"Host: b",
]
HOSTS = [b"Host: a"] * 12 + [b"HOST:a.example:80", b"host: [::1]", b"Host:"]
BYTES = b'\r\n\0\t :;,/*?%.-+_"(019Ax\x0b\x7f\x80\xff'


def _mostly(good: list[bytes], odd: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.integers(0, 19).flatmap(lambda n: st.sampled_from(odd if n == 0 else good))


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    line = b" ".join(
        draw(_mostly(*pair)) for pair in ((METHODS, ODD_METHODS), (TARGETS, ODD_TARGETS), (VERSIONS, ODD_VERSIONS))
    )
    fields = draw(st.lists(_mostly(FIELDS * 2 + FRAMING, ODD_FIELDS), max_size=6))
    fields.insert(draw(st.integers(0, len(fields))), draw(st.sampled_from(HOSTS)))
    ends = [draw(st.sampled_from(LINE_ENDS)) for _ in range(len(fields) + 2)]
    head = b"".join(part + end for part, end in zip([line, *fields, b""], ends))
    return draw(_fault(draw(st.sampled_from([b""] * 20 + [b"\r\n"])) + head))


def _fault(head: bytes) -> st.SearchStrategy[bytes]:
    """Spoil one head in four in one place: a byte replaced, put in or taken out, or the end cut off."""
    place, byte = st.integers(0, len(head) - 1), st.sampled_from([bytes([b]) for b in BYTES])
    kind = st.integers(0, 15)
    return st.tuples(kind, place, byte).map(lambda spoil: _spoilt(head, *spoil))


def _spoilt(head: bytes, kind: int, place: int, byte: bytes) -> bytes:
    ways = {0: head[:place] + byte + head[place + 1 :], 1: head[:place] + byte + head[place:]}
    ways.update({2: head[:place] + head[place + 1 :], 3: head[:place]})
    return ways.get(kind, head)


SIZES = [b"%x"] * 12 + [b"%X", b"000%x", b"%x;a", b'%x;a=b;c="d"', b"%x ;a"]
ODD_SIZES = [
    b"+%x",
    b"-%x",
    b"0x%x",
    b"%x_0",
    b" %x",
    b"%x,",
    b"%x\0",
    b"%x;\x01",
    b"%x;\r",
    b"",
    b"g",
    b"%x\t",
    b"%x.0",
    b"\xb2",
]
TRAILERS = [b""] * 12 + [b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n", b"X-Empty:\r\n"]
ODD_TRAILERS = [
    b"nonsense\r\n",
    b": x\r\n",
    b"X Y: z\r\n",
    b"X : z\r\n",
    b" folded\r\n",
    b"X: \0\r\n",
    b"X: a\rb\r\n",
    b"X: a\n",
    b"\xc3\xa9: a\r\n",
]
DATA = st.binary(min_size=1, max_size=40)


@st.composite
def chunked_bodies(draw: st.DrawFn) -> bytes:
    data = b""
    for piece in [*draw(st.lists(DATA, max_size=4)), b""]:
        size = draw(_mostly(SIZES, ODD_SIZES))
        data += (size % len(piece) if b"%" in size else size) + draw(st.sampled_from(LINE_ENDS))
        if piece:
            data += piece + draw(st.sampled_from(LINE_ENDS))
    return draw(_fault(data + draw(_mostly(TRAILERS, ODD_TRAILERS)) + b"\r\n"))
