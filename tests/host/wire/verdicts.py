"""What h11 and httptools make of a request, in one form: to be compared with what the framework makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import h11
import httptools

Fields = list[tuple[str, str]]
ACCEPTED, REFUSED, INCOMPLETE = "accepted", "refused", "incomplete"


@dataclass
class Verdict:
    """A judge's opinion; of a request that is not accepted only the reason counts."""

    opinion: str
    reason: str = ""
    method: str = ""
    target: str = ""
    version: str = ""
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    rest: bytes = b""  # what came behind the request


def h11_on_head(data: bytes) -> Verdict:
    """Have h11 judge a request's head."""
    return _h11(data, whole=False)


def h11_on_request(data: bytes) -> Verdict:
    """Have h11 judge a whole request; what lies behind it is not looked at."""
    return _h11(data, whole=True)


def _h11(data: bytes, whole: bool) -> Verdict:
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    verdict = Verdict(INCOMPLETE)
    try:
        event = server.next_event()
        while isinstance(event, (h11.Request, h11.Data)):
            if isinstance(event, h11.Data):
                verdict.body += event.data
            else:
                verdict = _request_of(event)
                if not whole:
                    return verdict
            event = server.next_event()
    except h11.RemoteProtocolError as error:
        return Verdict(REFUSED, str(error))
    if event is h11.NEED_DATA:
        return Verdict(INCOMPLETE)
    verdict.rest = server.trailing_data[0]
    return verdict


def _request_of(event: h11.Request) -> Verdict:
    fields = [(_text(name).lower(), _text(value)) for name, value in event.headers]
    return Verdict(ACCEPTED, "", _text(event.method), _text(event.target), _text(event.http_version), fields)


def _text(data: bytes) -> str:
    return str(data, "latin-1")


class _Notes:
    """What httptools finds in a request."""

    def __init__(self) -> None:
        self.verdict = Verdict(INCOMPLETE)
        self.head = self.complete = False

    def on_url(self, part: bytes) -> None:
        self.verdict.target += _text(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head:  # else it is a trailer
            # llhttp leaves the blanks behind a value to its caller
            self.verdict.fields.append((_text(name).lower(), _text(value).rstrip(" \t")))

    def on_headers_complete(self) -> None:
        self.head = True

    def on_body(self, data: bytes) -> None:
        self.verdict.body += data

    def on_message_complete(self) -> None:
        self.complete = True


def httptools_on_head(data: bytes) -> Verdict:
    """Have httptools judge a request's head."""
    return _httptools(data, whole=False)


def httptools_on_request(data: bytes) -> Verdict:
    """Have httptools judge a whole request with nothing behind it."""
    return _httptools(data, whole=True)


def _httptools(data: bytes, whole: bool) -> Verdict:
    notes = _Notes()
    parser = httptools.HttpRequestParser(notes)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # a wish of the client's that needs not be granted
    except httptools.HttpParserError as error:
        return Verdict(REFUSED, str(error))
    if not (notes.complete if whole else notes.head):
        return Verdict(INCOMPLETE)
    verdict = notes.verdict
    verdict.opinion = ACCEPTED
    verdict.method, verdict.version = _text(parser.get_method()), parser.get_http_version()
    return verdict
