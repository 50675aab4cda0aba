"""Clients that leave: at every byte of a request, at many places of a reply, politely or with a reset.

Afterwards the server has said nothing, holds no descriptor and no open body more than before, and answers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, TypeVar

import pytest
from wire.client import CHUNKED, LAST, chunks, connect, exchange, exchange_and_leave, request, reset
from wire.judges import read_reply
from wire.servers import INTERPRETERS, Server, left_as_it_was, serving, until

T = TypeVar("T")
Leave = Callable[[socket.socket], None]
LEAVING: list[Leave] = [socket.socket.close, reset]
REQUESTS = {
    "without a body": request("GET", "/"),
    "with a length": request("POST", "/echo", body=b"hello"),
    "in chunks": request("POST", "/echo", CHUNKED) + chunks(b"hel", b"lo")[:-2] + b"X-Sum: 1\r\n\r\n",
    "continued": request("POST", "/echo", "Expect: 100-continue", body=b"hello"),
    "unread": request("POST", "/ignore", body=b"hello"),
    "refused": request("POST", "/echo", "Content-Length: 20000") + b"hello",
    "malformed": b"GET / HTTP/1.1\r\nnonsense\r\n\r\nhello",
}
SMALL_WINDOW = 4096  # so that a long reply can't leave all at once
LONG = ["/long/bytes", "/long/generator", "/long/iterator", "/long/file"]


MODES = [pytest.param((i, n), id=f"{i}-{how}") for i in INTERPRETERS for how, n in (("loaded", 16384), ("streamed", 0))]


@pytest.fixture(scope="module", params=MODES)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    """Serve with bodies loaded before the handler runs, and with all of them left to it as a stream."""
    interpreter, limit = request.param
    # Room for all who leave, so that nobody is turned away before he could.
    with serving(interpreter, firmware, f"max_body_length={limit}", "max_connections=300") as server:
        exchange(server.port, LAST)
        yield server


@pytest.fixture(autouse=True)
def _nothing_is_left(server: Server) -> Iterator[None]:
    with left_as_it_was(server):
        yield
    assert server.printed() == ""
    get_open = request("GET", "/open", "Connection: close")
    assert until(lambda: read_reply(exchange(server.port, get_open)).body == b"0"), "bodies are not closed"


def _in_turn(server: Server, items: Iterable[T]) -> Iterator[T]:
    """Give the items a few at a time: a server's queue of new connections is short, and a client must not wait in it."""
    for number, item in enumerate(items):
        yield item
        if number % 4 == 3:
            exchange(server.port, LAST)


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("name", REQUESTS)
def test_at_every_byte_of_a_request(server: Server, name: str, leave: Leave) -> None:
    data = REQUESTS[name]
    for at in _in_turn(server, range(len(data) + 1)):
        with connect(server.port) as sock:
            sock.sendall(data[:at])
            leave(sock)


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("name", REQUESTS)
def test_at_every_byte_of_a_request_that_was_being_read(server: Server, name: str, leave: Leave) -> None:
    # The server has seen the first part and waits for more when the client leaves.
    data = REQUESTS[name]
    with ExitStack() as stack:
        socks = []
        for at in _in_turn(server, range(1, len(data) + 1)):
            socks.append(stack.enter_context(connect(server.port)))
            socks[-1].sendall(data[:at])
        exchange(server.port, LAST)
        for sock in socks:
            leave(sock)


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("path", LONG)
def test_in_the_middle_of_a_reply(server: Server, path: str, leave: Leave) -> None:
    for amount in _in_turn(server, (0, 1, 20, 100, 150, 1000, 5000, 50000, 90000)):
        with connect(server.port, SMALL_WINDOW) as sock:
            sock.sendall(request("GET", path))
            _receive(sock, amount)
            leave(sock)


@pytest.mark.parametrize("leave", LEAVING)
def test_at_many_bytes_of_a_slow_reply(server: Server, leave: Leave) -> None:
    drip = request("GET", "/drip", "Connection: close")
    amounts = range(0, len(exchange(server.port, drip)), 3)
    with ExitStack() as stack:
        socks = []
        for _ in _in_turn(server, amounts):
            socks.append(stack.enter_context(connect(server.port)))
            socks[-1].sendall(drip)
        for amount, sock in zip(amounts, socks):
            _receive(sock, amount)
            leave(sock)


def _receive(sock: socket.socket, amount: int) -> None:
    while amount > 0:
        received = len(sock.recv(amount))
        assert received, "the reply is shorter than that"
        amount -= received


@pytest.mark.parametrize("leave", LEAVING)
def test_in_a_pipeline_while_replies_wait_to_be_read(server: Server, leave: Leave) -> None:
    for path in LONG:
        with connect(server.port, SMALL_WINDOW) as sock:
            sock.sendall(request("GET", path) * 5 + request("POST", "/echo", body=b"hello") * 5)
            leave(sock)


@pytest.mark.parametrize("leave", LEAVING)
def test_while_the_handler_works(server: Server, leave: Leave) -> None:
    for _ in _in_turn(server, range(20)):
        with connect(server.port) as sock:
            sock.sendall(request("GET", "/slow"))
            leave(sock)


def test_after_closing_one_direction(server: Server) -> None:
    # RFC 9112 9.6: a client may have nothing more to say and still want its reply.
    for path in ("/", "/slow", "/drip", "/long/file"):
        assert read_reply(exchange_and_leave(server.port, request("GET", path))).status == 200


def test_many_at_once(server: Server) -> None:
    data = REQUESTS["with a length"]

    def come_and_go() -> None:
        for at in range(0, len(data), 5):
            with connect(server.port) as sock:
                sock.sendall(data[:at])
                reset(sock)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
