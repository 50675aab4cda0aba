"""A thousand requests of every sort leave the server as it was: memory and descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wire.client import CHUNKED, LAST, chunks, exchange, exchange_and_leave, request
from wire.judges import read_replies, read_reply
from wire.servers import INTERPRETERS, Server, serving

ROUNDS = 60
# What a collector that guesses may leave standing: next to nothing for each of a thousand requests.
SPARE = {"micropython": 2000, "cpython": 20}
CLOSE = "Connection: close"
# What is answered on one connection, in this order.
KEPT = {
    "hello": (request("GET", "/"), 200),
    "echo": (request("POST", "/echo", body=b"x" * 700), 200),
    "chunked": (request("POST", "/echo", CHUNKED) + chunks(b"a" * 500, b"b" * 300), 200),
    "chunks back": (request("GET", "/kinds/generator"), 200),
    "iterator": (request("GET", "/kinds/iterator"), 200),
    "memory file": (request("GET", "/kinds/memory-file"), 200),
    "file": (request("GET", "/kinds/empty-file"), 200),
    "json": (request("POST", "/json", "Content-Type: application/json", body=b'{"a": [1, 2]}'), 200),
    "arguments": (request("GET", "/arguments?a=1&b=%20"), 200),
    "everything": (request("GET", "/any/x?a=1", "Cookie: a=b", "X-A: b"), 200),
    "cookies": (request("GET", "/kinds/cookies"), 200),
    "abort": (request("GET", "/kinds/abort"), 403),
    "no route": (request("GET", "/none"), 404),
    "no method": (request("GET", "/echo"), 405),
    "bad json": (request("POST", "/json", "Content-Type: application/json", body=b"{"), 400),
    "bad arguments": (request("GET", "/arguments?a=%zz"), 400),
    "exception": (request("GET", "/faulty/exception"), 500),
    "out of memory": (request("GET", "/hoard/raise"), 503),
}
# What ends its connection.
ENDING = {
    "closed": (request("GET", "/", CLOSE), 200),
    "1.0": (request("GET", "/kinds/generator", version="1.0"), 200),
    "long file": (request("GET", "/long/file", CLOSE), 200),
    "nonsense": (b"nonsense\r\n\r\n", 400),
    "too long": (request("POST", "/echo", "Content-Length: 100000"), 413),
    "head too long": (request("GET", "/", *["X: " + "a" * 1000] * 10), 431),
}


@pytest.fixture(params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware, "max_connections=20") as server:
        yield server


def _one_round(server: Server, number: int) -> int:
    """Ask for everything, each round one more of what ends a connection; return how many requests that took."""
    received = exchange(server.port, *[data for data, _ in KEPT.values()], LAST)
    replies = read_replies(received, *["GET"] * (len(KEPT) + 1))
    assert [reply.status for reply in replies] == [status for _, status in KEPT.values()] + [200]
    data, status = list(ENDING.values())[number % len(ENDING)]
    assert read_reply(exchange_and_leave(server.port, data)).status == status
    return len(replies) + 1


def _heap(server: Server, descriptors: list[str]) -> int:
    """Return what is in use when all connections have ended but the one that asks."""
    assert server.settles_at(descriptors), f"{descriptors} became {server.descriptors()}"
    return int(read_reply(exchange(server.port, request("GET", "/heap", CLOSE))).body)


def test_a_thousand_requests_leave_the_server_as_it_was(server: Server) -> None:
    exchange(server.port, LAST)
    descriptors = server.descriptors()
    for number in range(2 * len(ENDING)):  # whatever is loaded once is loaded now
        _one_round(server, number)
    heaps = [_heap(server, descriptors)]
    for _ in range(2):
        assert sum(_one_round(server, number) for number in range(ROUNDS)) >= 1000
        heaps.append(_heap(server, descriptors))
    # What is kept once, by a slot of a table that was used and is not yet used again, does not grow a second time.
    assert min(heaps[1] - heaps[0], heaps[2] - heaps[1]) < SPARE[server.interpreter], heaps
