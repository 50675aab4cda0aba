"""Two independent readers of HTTP/1.1: h11, and httptools (llhttp).

What one of them reads is compared with what the other reads: a reply is good when both take exactly its bytes
and find the same in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import h11
import httptools

Fields = list[tuple[str, str]]


@dataclass
class Reply:
    """A reply as h11 has read it; `raw` are its bytes, `interim` the statuses of 1xx replies ahead of it."""

    status: int
    version: str
    reason: str
    fields: Fields
    body: bytes = b""
    raw: bytes = b""
    interim: list[int] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """Return the value of a field that may be there once."""
        values = [value for key, value in self.fields if key == name]
        assert len(values) < 2, f"{name} is there {len(values)} times"
        return values[0] if values else None


def read_replies(data: bytes, *methods: str) -> list[Reply]:
    """Have both judges read one reply for each request, to the last byte; `data` ends where the server closed."""
    client = h11.Connection(h11.CLIENT)
    client.receive_data(data)
    client.receive_data(b"")
    replies = []
    for number, method in enumerate(methods):
        if number:
            client.start_next_cycle()
        start = len(data) - len(client.trailing_data[0]) if number else 0
        try:
            reply = _read_reply(client, method)
            reply.raw = data[start : len(data) - len(client.trailing_data[0])]
            _compare(reply, method)
        except (h11.RemoteProtocolError, httptools.HttpParserError) as error:
            message = f"reply {number + 1} of {len(methods)}, at byte {start}: {error!r} in {data[:500]!r}"
            raise AssertionError(message) from None
        replies.append(reply)
    assert client.trailing_data[0] == b"", f"behind the last reply: {client.trailing_data[0][:200]!r}"
    return replies


def read_reply(data: bytes, method: str = "GET") -> Reply:
    """Read the only reply there is."""
    return read_replies(data, method)[0]


def read_truncated(data: bytes, method: str = "GET") -> bytes:
    """Return what h11 takes for body of a reply that ends too early; fail if it finds it complete."""
    client = h11.Connection(h11.CLIENT)
    client.receive_data(data)
    client.receive_data(b"")
    body = bytearray()
    try:
        _read_reply(client, method, body)
    except h11.RemoteProtocolError:
        return bytes(body)
    raise AssertionError(f"a client takes this for complete: {data[-200:]!r}")


def _read_reply(client: h11.Connection, method: str, body: bytearray | None = None) -> Reply:
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    received = bytearray() if body is None else body
    interim = []
    while True:
        event = client.next_event()
        if isinstance(event, h11.InformationalResponse):
            interim.append(event.status_code)
        elif isinstance(event, h11.Response):
            reply = Reply(event.status_code, str(event.http_version, "ascii"), _text(event.reason), _fields(event))
        elif isinstance(event, h11.Data):
            received += event.data
        else:
            assert isinstance(event, h11.EndOfMessage), f"no reply to {method}, but {event}"
            reply.body = bytes(received)
            reply.interim = interim
            return reply


def _text(data: bytes) -> str:
    return str(data, "latin-1")


def _fields(event: h11.Request | h11.Response) -> Fields:
    return [(_text(name).lower(), _text(value)) for name, value in event.headers]


class _Notes:
    """What httptools finds in a reply."""

    def __init__(self) -> None:
        self.begun = self.heads = self.complete = 0
        self.fields: Fields = []
        self.body = bytearray()

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((_text(name).lower(), _text(value)))

    def on_headers_complete(self) -> None:
        self.heads += 1

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1


def _compare(reply: Reply, method: str) -> None:
    notes = _Notes()
    parser = httptools.HttpResponseParser(notes)
    count = 1 + len(reply.interim)
    parser.feed_data(reply.raw)
    assert (notes.begun, notes.heads) == (count, count)
    assert (parser.get_status_code(), parser.get_http_version()) == (reply.status, reply.version)
    if method == "HEAD":  # which httptools can't know: it waits for the body
        assert reply.raw.endswith(b"\r\n\r\n")
        assert reply.raw.count(b"\r\n\r\n") == 1
    else:
        # Without a length the end of the connection ends the body, and httptools is not told of that.
        endless = "content-length" not in dict(reply.fields) and "transfer-encoding" not in dict(reply.fields)
        bodiless = reply.status in (204, 304)
        assert notes.complete == count - (endless and not bodiless)
    assert (notes.fields, bytes(notes.body)) == (reply.fields, reply.body)
