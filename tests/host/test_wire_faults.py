"""Faults of the application, for want of memory too, and mistakes of clients: who sees what, and who gets the blame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wire.client import CHUNKED, LAST, chunks, connect, exchange, request, rest_or_reset, send, status_of
from wire.faults import BROKEN, HOARD
from wire.judges import read_replies, read_truncated
from wire.servers import INTERPRETERS, Server, left_as_it_was, serving

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
BODY_OF_BROKEN = b"0123456789" * 10


@pytest.fixture(scope="module", params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware) as server:
        exchange(server.port, LAST)
        yield server


@pytest.fixture(autouse=True)
def _nothing_is_left(server: Server) -> Iterator[None]:
    with left_as_it_was(server):
        yield


# Bodies that fail


def _ask_for_broken(server: Server, kind: str, version: str = "1.1") -> bytes:
    """Return what comes of a reply that is cut, be it with a reset."""
    with connect(server.port) as sock:
        send(sock, [request("GET", "/broken/" + kind, version=version) + request("GET", "/")])
        return rest_or_reset(sock)


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind != "generator-at-once"])
def test_a_body_that_fails_is_seen_to_be_incomplete(server: Server, kind: str) -> None:
    received = _ask_for_broken(server, kind)
    body = read_truncated(received)
    assert received.count(b"HTTP/1.") < 2, "the connection goes on behind it"
    assert server.printed().count("Traceback") == 1
    if kind != "file":
        assert body.startswith(BODY_OF_BROKEN), "what came before the fault has not arrived"


def test_a_body_that_fails_before_anything_was_sent_is_answered_500(server: Server) -> None:
    replies = read_replies(exchange(server.port, request("GET", "/broken/generator-at-once"), LAST), "GET", "GET")
    assert [reply.status for reply in replies] == [500, 200]
    assert server.printed().count("Traceback") == 1


@pytest.mark.parametrize("kind", ["longer-than-its-length", "shorter-than-its-length", "file"])
def test_a_body_that_fails_is_seen_to_be_incomplete_by_clients_of_version_10(server: Server, kind: str) -> None:
    read_truncated(_ask_for_broken(server, kind, "1.0"))


# Want of memory


@pytest.mark.parametrize("how", [how for how in HOARD if how != "everything"])
def test_want_of_memory_in_a_handler_is_answered_503(server: Server, how: str) -> None:
    replies = read_replies(exchange(server.port, request("GET", "/hoard/" + how), LAST), "GET", "GET")
    assert [reply.status for reply in replies] == [503, 200]


# Mistakes of clients: none of them leaves a traceback.

MALFORMED_JSON = [b"", b" ", b"{", b"}", b"[1,2", b"[1,]", b"[1 2]", b"{1:2}", b'{"a"}', b'{"a":}', b'{"a":1,}', b'"a', b"'a'"]
MALFORMED_JSON += [b"nul", b"tru", b"NaN", b"-", b"+1", b"1-2", b"1 2", b".5", b"1e", b"01", b"1.", b"0x1", b"-Infinity"]
MALFORMED_JSON += [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\\x"', b'"\\uZZZZ"', b'"\\u12"', b'"\n"', b'"\0"', b"1\0"]
MALFORMED_JSON += [b'\xff\xfe"\0a\0"\0', b"[" * 10000, b'{"a":' * 3000, b"[1]]", b'{"a":1}}', b"[1}", b"\xc3\xa9"]
BAD_ESCAPES = [b"%zz", b"%f%", b"%+1", b"%-1", b"% 1", b"%ff", b"%c0%80", b"%ed%a0%80", b"%f8%88%80%80%80", b"%C3"]


def _post(target: str, kind: str, body: bytes) -> bytes:
    return request("POST", target, kind, "Connection: close", body=body)


def _statuses(server: Server, requests: dict[bytes, bytes]) -> dict[bytes, int]:
    return {name: status_of(exchange(server.port, data)) for name, data in requests.items()}


def test_malformed_json_is_the_clients_mistake(server: Server) -> None:
    statuses = _statuses(server, {body: _post("/json", JSON, body) for body in MALFORMED_JSON})
    wrong = {body[:20]: status for body, status in statuses.items() if status != 400}
    assert wrong == {}
    assert server.printed() == ""


def test_malformed_forms_and_arguments_are_the_clients_mistake(server: Server) -> None:
    requests = {b"form " + text: _post("/form", FORM, b"a=" + text) for text in BAD_ESCAPES}
    requests[b"form of no text"] = _post("/form", FORM, b"a=\xff")
    for text in BAD_ESCAPES:
        if b" " not in text:
            requests[b"query " + text] = request("GET", "/arguments?a=" + text.decode(), "Connection: close")
    statuses = _statuses(server, requests)
    assert {name: status for name, status in statuses.items() if status != 400} == {}
    assert server.printed() == ""


def test_no_mistake_of_a_client_is_printed(server: Server) -> None:
    mistakes = {
        b"no route": (request("GET", "/none", "Connection: close"), 404),
        b"no method": (request("GET", "/echo", "Connection: close"), 405),
        b"no type": (request("POST", "/json", "Connection: close", body=b"{}"), 415),
        b"nonsense": (b"nonsense\r\n\r\n", 400),
        b"tls": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", 400),
        b"too long": (request("POST", "/echo", "Content-Length: 100000"), 413),
        b"bad chunk": (request("POST", "/echo", CHUNKED) + b"5\r\nhelloworld", 400),
        b"bad cookies": (request("GET", "/any/x", "Cookie: ;;=;a=\xff;", "Connection: close"), 200),
        b"odd path": (request("GET", "/any/%zz%00/../..//\\", "Connection: close"), 200),
        b"long path": (request("GET", "/any/" + "a/" * 1000, "Connection: close"), 200),
        b"small chunks": (request("POST", "/echo", CHUNKED, "Connection: close") + chunks(*[b"x"] * 200), 200),
    }
    statuses = _statuses(server, {name: data for name, (data, _) in mistakes.items()})
    assert statuses == {name: status for name, (_, status) in mistakes.items()}
    assert server.printed() == ""
