"""Every kind of reply, read by two independent judges: one reply a request, each ending where it says."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire.client import LAST, connect, exchange, request
from wire.judges import Reply, read_replies, read_reply
from wire.kinds import FAULTY, KINDS
from wire.servers import INTERPRETERS, Server, serving

LARGE = b"0123456789" * 100000


@pytest.fixture(scope="module", params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware) as server:
        yield server


@pytest.fixture(autouse=True)
def _silence(server: Server) -> None:
    """Forget what an earlier test made the server say."""
    server.printed()


def _all_ways(server: Server, path: str) -> dict[str, Reply]:
    """Ask in every way in which the framing of a reply may differ; each connection ends when all is read."""
    close = "Connection: close"
    kept = exchange(server.port, request("GET", path), LAST)
    kept_head = exchange(server.port, request("HEAD", path), LAST)
    # A reply may end the connection, and then it is the only one.
    closes = b"connection: close" in kept[: kept.find(b"\r\n\r\n")].lower()
    methods = ["GET"] if closes else ["GET", "GET"]
    return {
        "keep": read_replies(kept, *methods)[0],
        "keep head": read_replies(kept_head, "HEAD", *methods[1:])[0],
        "close": read_reply(exchange(server.port, request("GET", path, close))),
        "close head": read_reply(exchange(server.port, request("HEAD", path, close)), "HEAD"),
        "1.0": read_reply(exchange(server.port, request("GET", path, version="1.0"))),
        "1.0 head": read_reply(exchange(server.port, request("HEAD", path, version="1.0")), "HEAD"),
    }


def _check_framing(way: str, reply: Reply) -> None:
    length, coding = reply.get("content-length"), reply.get("transfer-encoding")
    assert reply.version == ("1.0" if "1.0" in way else "1.1")
    assert length is None or coding is None
    if reply.status in (204, 304):
        assert (length, coding, reply.body) == (None, None, b"")
    if "keep" not in way:
        assert reply.get("connection") == "close"
    if "1.0" in way:
        assert coding is None
    if "head" not in way and length is not None:
        assert int(length) == len(reply.body)


def _check_kind(replies: dict[str, Reply], status: int, body: bytes | None) -> None:
    for way, reply in replies.items():
        assert (way, reply.status) == (way, status)
        _check_framing(way, reply)
        expected = replies["keep"].body if body is None else body
        assert reply.body == (b"" if "head" in way else expected)
        assert status >= 500 or reply.get("date"), way  # RFC 9110 6.6.1


def _without_date(reply: Reply) -> list[tuple[str, str]]:
    return sorted(pair for pair in reply.fields if pair[0] != "date")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_reply_is_read_by_both_judges(server: Server, kind: str) -> None:
    _, status, body = KINDS[kind]
    replies = _all_ways(server, "/kinds/" + kind)
    _check_kind(replies, status, body)
    for way in ("keep", "close", "1.0"):  # RFC 9110 9.3.2
        assert _without_date(replies[way + " head"]) == _without_date(replies[way])
    assert server.printed() == ""


@pytest.mark.parametrize("kind", FAULTY)
def test_faults_of_the_application_are_read_by_both_judges(server: Server, kind: str) -> None:
    _, status, body = FAULTY[kind]
    replies = _all_ways(server, "/faulty/" + kind)
    _check_kind(replies, status, body)
    for reply in replies.values():
        assert "x-evil" not in dict(reply.fields)
    # Every request leaves one traceback, for every one is the application's fault.
    assert server.printed().count("Traceback") == len(replies)


def test_a_large_file_is_the_file(server: Server) -> None:
    reply = read_reply(exchange(server.port, request("GET", "/kinds/file", "Connection: close")))
    assert reply.get("content-length") == "1000000"
    assert reply.body == LARGE


def test_lists_make_a_line_for_each_item(server: Server) -> None:
    data = exchange(server.port, request("GET", "/kinds/body-and-headers"), LAST)
    fields = read_replies(data, "GET", "GET")[0].fields
    assert [value for name, value in fields if name == "x-b"] == ["1", "2"]
    cookies = read_replies(exchange(server.port, request("GET", "/kinds/cookies"), LAST), "GET", "GET")[0].fields
    assert [value[:2] for name, value in cookies if name == "set-cookie"] == ["a=", "b=", "c="]


def test_all_kinds_through_one_pipeline(server: Server) -> None:
    kinds = [kind for kind in KINDS if kind != "closing"]
    data = exchange(server.port, *[request("GET", "/kinds/" + kind) for kind in kinds], LAST)
    replies = read_replies(data, *["GET"] * (len(kinds) + 1))
    assert [reply.status for reply in replies] == [KINDS[kind][1] for kind in kinds] + [200]
    assert server.printed() == ""


@pytest.mark.parametrize("kind", ["generator", "iterator", "memory-file", "long-bytes", "file"])
def test_no_piece_of_a_reply_waits_for_the_client_to_confirm_the_last(server: Server, kind: str) -> None:
    # A client confirms late what it has nothing to say to, 40 ms later at the least. Where a server waits for
    # that it does so in each reply, so that not even the fastest of some is quick.
    whole = len(exchange(server.port, request("GET", "/kinds/" + kind), LAST)) - len(exchange(server.port, LAST))
    with connect(server.port) as sock:
        waits = [_longest_wait_in_a_reply(sock, "/kinds/" + kind, whole) for _ in range(20)]
    assert min(waits[10:]) < 0.03


def _longest_wait_in_a_reply(sock: socket.socket, path: str, size: int) -> float:
    """Measure no more than one piece: how long the whole takes depends on the machine."""
    longest, before = 0.0, time.monotonic()
    sock.sendall(request("GET", path))
    while size > 0:
        size -= len(sock.recv(size))
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    return longest


def test_date_is_in_the_only_form_to_be_made(server: Server) -> None:
    # RFC 9110 5.6.7
    reply = read_reply(exchange(server.port, LAST))
    date = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    assert re.fullmatch(date, reply.get("date") or "")


# Requests that are refused or answered without a handler; with these no connection goes on.
REFUSED = {
    "nonsense": (b"nonsense\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "bad length": (request("POST", "/echo", "Content-Length: +5"), 400),
    "two lengths": (request("POST", "/echo", "Content-Length: 5", "Content-Length: 6"), 400),
    "length and coding": (request("POST", "/echo", "Transfer-Encoding: chunked", body=b"x"), 400),
    "bad chunk": (request("POST", "/echo", "Transfer-Encoding: chunked") + b"x\r\n", 400),
    "body too long": (request("POST", "/echo", "Content-Length: 100000"), 413),
    "body beyond all numbers": (request("POST", "/echo", "Content-Length: " + "9" * 400), 413),
    "chunks too long": (request("POST", "/echo", "Transfer-Encoding: chunked") + b"4001\r\n", 413),
    "target too long": (request("GET", "/" + "a" * 2100), 414),
    "expectation": (request("GET", "/", "Expect: a-miracle"), 417),
    "field too long": (request("GET", "/", "X: " + "a" * 2100), 431),
    "head too long": (request("GET", "/", *["X: " + "a" * 1000] * 10), 431),
    "too many fields": (request("GET", "/", *["X: y"] * 70), 431),
    "coding": (request("POST", "/echo", "Transfer-Encoding: gzip"), 501),
    "connect": (request("CONNECT", "a:443"), 501),
    "http/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_read_by_both_judges(server: Server, name: str) -> None:
    data, status = REFUSED[name]
    reply = read_reply(exchange(server.port, data))
    assert (reply.status, reply.get("connection")) == (status, "close")
    assert server.printed() == ""


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_reach_a_client_that_has_more_to_send(server: Server, name: str) -> None:
    # RFC 9112 9.6: no reset, which may take the reply away before the client has read it.
    data, status = REFUSED[name]
    reply = read_reply(exchange(server.port, data + b"x" * 30000))
    assert reply.status == status
    assert server.printed() == ""


def test_a_last_reply_reaches_a_client_that_has_more_to_send(server: Server) -> None:
    # The same for a connection that ends because either side wanted it.
    more = request("GET", "/") * 500
    assert read_reply(exchange(server.port, LAST, more)).body == b"hello"
    assert read_reply(exchange(server.port, request("GET", "/kinds/closing"), more)).body == b"bye"
    assert read_reply(exchange(server.port, request("GET", "/", version="1.0"), more)).body == b"hello"


def test_continue_is_a_reply_of_its_own(server: Server) -> None:
    head = request("POST", "/echo", "Expect: 100-continue", "Content-Length: 5", "Connection: close")
    reply = read_reply(exchange(server.port, head, b"hello"), "POST")
    assert (reply.status, reply.body) == (200, b"hello")
    assert reply.interim in ([], [100])


def test_statuses_without_a_handler(server: Server) -> None:
    table = [
        (request("GET", "/none"), "GET", 404),
        (request("HEAD", "/none"), "HEAD", 404),
        (request("DELETE", "/echo"), "DELETE", 405),
        (request("OPTIONS", "/echo"), "OPTIONS", 200),
        (request("OPTIONS", "*"), "OPTIONS", 200),
        (request("BREW", "/"), "BREW", 405),
    ]
    replies = read_replies(exchange(server.port, *[row[0] for row in table], LAST), *[row[1] for row in table], "GET")
    assert [reply.status for reply in replies] == [row[2] for row in table] + [200]
    assert [reply.get("allow") for reply in replies[2:4]] == ["POST, OPTIONS"] * 2
