"""What a client can make the server hold, and what becomes of a server that has no memory left.

On a board memory is what runs out first, so these are for the firmware alone, in a small heap.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire.client import CHUNKED, LAST, chunks, connect, exchange, request, rest, send, status_of
from wire.judges import read_reply
from wire.servers import Server, serving, until

# What this application needs, and beside that about as much as a board has.
BOARD = ("-X", "heapsize=384k")


@pytest.fixture
def board(firmware: Path) -> Iterator[Server]:
    with serving("micropython", firmware, options=BOARD) as server:
        exchange(server.port, LAST)
        yield server


def test_a_body_in_chunks_of_one_byte_costs_no_more_than_another(board: Server) -> None:
    body = b"0123456789" * 1600
    head = request("POST", "/echo", CHUNKED, "Connection: close")
    assert read_reply(exchange(board.port, head + chunks(body))).body == body
    pieces = chunks(*[body[i : i + 1] for i in range(len(body))])
    assert read_reply(exchange(board.port, head + pieces)).body == body
    assert board.printed() == ""


def test_a_body_that_comes_byte_by_byte_costs_no_more_than_another(board: Server) -> None:
    body = b"0123456789" * 500
    with connect(board.port) as sock:
        sock.sendall(request("POST", "/echo", "Connection: close", f"Content-Length: {len(body)}"))
        send(sock, _slowly(body))
        assert read_reply(rest(sock)).body == body
    assert board.printed() == ""


def _slowly(body: bytes) -> Iterator[bytes]:
    for at in range(len(body)):
        yield body[at : at + 1]
        time.sleep(0)  # so that the server takes most of them one by one


@pytest.mark.parametrize("heap", ["321k", "333k", "384k", "402k"])
def test_want_of_memory_before_anything_else_was_done_is_answered_503(firmware: Path, heap: str) -> None:
    # All memory is taken, and kept for a while, by the first request of all: nothing may be left to load then.  Where
    # exactly it is lacking depends on the heap.
    with serving("micropython", firmware, options=("-X", f"heapsize={heap}")) as board:
        before = board.descriptors()
        assert status_of(exchange(board.port, request("GET", "/hoard/everything"))) == 503
        assert _answers_again(board)
        assert board.settles_at(before), f"{before} became {board.descriptors()}"
        assert "Task exception" not in board.printed()


def test_want_of_memory_while_others_come_does_not_end_the_server(board: Server) -> None:
    before = board.descriptors()
    with connect(board.port) as sock:
        sock.sendall(request("GET", "/hoard/everything"))
        others = [_status_if_any(board) for _ in range(20)]
        assert status_of(rest(sock)) == 503
    assert set(others) <= {0, 200, 503}, others
    assert _answers_again(board)
    assert board.settles_at(before), f"{before} became {board.descriptors()}"
    assert "Task exception" not in board.printed()


def _status_if_any(server: Server) -> int:
    try:
        return status_of(exchange(server.port, LAST))
    except (AssertionError, ConnectionError):
        return 0


def _answers_again(server: Server) -> bool:
    return until(lambda: _status_if_any(server) == 200)
