"""What a client sends and what must come back. Plain values: no sockets here.

The two heads are those of the goals: three fields, as a command-line client sends, and thirteen (645 bytes),
as Chrome does.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import BenchmarkError

HELLO = b"Hello, world!"
CHUNK = bytes(range(256)) * 4
MEGABYTE = CHUNK * 1024

_SHORT = (
    "Host: 127.0.0.1:5000",
    "User-Agent: benchmarks/1.0",
)
_BROWSER = (
    "Host: 192.168.4.1:5000",
    "Cache-Control: max-age=0",
    'sec-ch-ua: "Chromium";v="138", "Google Chrome";v="138", "Not)A;Brand";v="8"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en-US;q=0.9,en;q=0.8",
)


@dataclass(frozen=True)
class Exchange:
    """One request and the body of the reply that answers it."""

    path: str = "/"
    body: bytes = HELLO
    fields: tuple[str, ...] = _SHORT
    keep: bool = False

    def request(self) -> bytes:
        connection = "keep-alive" if self.keep else "close"
        lines = (f"GET {self.path} HTTP/1.1", *self.fields, f"Connection: {connection}", "", "")
        return "\r\n".join(lines).encode()

    def check(self, reply: bytes) -> None:
        """Refuse a reply that is not a complete 200 with the body that was expected."""
        if not reply:
            raise BenchmarkError(f"GET {self.path}: closed without a reply")
        head, blank, body = reply.partition(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0]
        if not blank or not status.startswith((b"HTTP/1.0 200 ", b"HTTP/1.1 200 ")):
            raise BenchmarkError(f"GET {self.path}: wrong reply: {status[:60].decode('latin-1')!r}")
        if decoded_body(head, body) != self.body:
            raise BenchmarkError(f"GET {self.path}: wrong body: {len(body)} bytes: {body[:40]!r}")


def hello(keep: bool = False) -> Exchange:
    return Exchange(keep=keep)


def browser(keep: bool = False) -> Exchange:
    return Exchange(fields=_BROWSER, keep=keep)


def field(head: bytes, name: bytes) -> bytes | None:
    """The value of a header field, lower-cased, or None."""
    for line in head.lower().split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key == name:
            return value.strip()
    return None


def decoded_body(head: bytes, body: bytes) -> bytes | None:
    """The body as the application gave it, or None when it is not whole."""
    if field(head, b"transfer-encoding") == b"chunked":
        return _unchunked(body)
    length = field(head, b"content-length")
    if length is not None and int(length) != len(body):
        return None
    return body


def _unchunked(data: bytes) -> bytes | None:
    parts: list[bytes] = []
    start = 0
    while True:
        end = data.find(b"\r\n", start)
        if end < 0:
            return None
        size = int(data[start:end], 16)
        start = end + 2
        if data[start + size : start + size + 2] != b"\r\n":
            return None
        if size == 0:
            return b"".join(parts) if start + 2 == len(data) else None
        parts.append(data[start : start + size])
        start += size + 2
