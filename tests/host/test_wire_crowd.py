"""Clients that hold connections: hundreds of idle and slow ones, and bursts that come all at once.

Who behaves is answered. Nothing here is timed: a client that is answered late runs into its own patience.
"""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from wire.client import LAST, PATIENCE, connect, exchange, request, rest_or_reset, status_of
from wire.judges import read_replies, read_reply
from wire.servers import INTERPRETERS, Server, serving

CROWD = 200  # of each sort
PATIENT = ["head_timeout=600", "idle_timeout=600"]  # who holds a connection is not ended for that
CLOSE = request("GET", "/", "Connection: close")
SLOW = request("GET", "/", *[f"X-{n}: slow" for n in range(10)])


class Crowd:
    """Connections that are held open: some say nothing, the others a byte now and then."""

    def __init__(self, idle: list[socket.socket], slow: list[socket.socket]) -> None:
        self.idle = idle
        self.slow = slow
        self.said = 0

    def say_a_byte(self) -> None:
        """Have every slow client send the next byte of its head, if the server still listens to it."""
        for sock in self.slow:
            try:
                sock.sendall(SLOW[self.said : self.said + 1])
            except (BrokenPipeError, ConnectionResetError):
                continue
        self.said += 1

    def held(self) -> int:
        """Count the connections that the server has not ended."""
        return sum(not _is_ended(sock) for sock in self.idle + self.slow)


def _is_ended(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        while sock.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        sock.setblocking(True)


@contextmanager
def _crowd(server: Server) -> Iterator[Crowd]:
    with ExitStack() as stack:
        crowd = Crowd([], [])
        for number in range(CROWD):
            crowd.idle.append(stack.enter_context(connect(server.port)))
            crowd.slow.append(stack.enter_context(connect(server.port)))
            crowd.slow[-1].sendall(b"GE" if number % 2 else b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
            if number % 2 == 0:  # the server's queue of new connections is short
                assert status_of(exchange(server.port, CLOSE)) == 200
        yield crowd


def _check_normal_clients(server: Server, crowd: Crowd) -> None:
    with connect(server.port) as kept:
        for _ in range(20):
            crowd.say_a_byte()
            assert read_reply(exchange(server.port, CLOSE)).body == b"hello"
            kept.sendall(request("GET", "/"))
            assert status_of(kept.recv(4096)) == 200


@pytest.mark.parametrize("cap", ["", "max_connections=450"])
@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_hundreds_of_idle_and_slow_clients_keep_nobody_from_being_answered(interpreter: str, cap: str, firmware: Path) -> None:
    settings = [*PATIENT, cap] if cap else PATIENT
    with serving(interpreter, firmware, *settings) as server:
        exchange(server.port, LAST)
        before = server.descriptors()
        with _crowd(server) as crowd:
            _check_normal_clients(server, crowd)
            if cap or interpreter == "cpython":  # else there is no room for them, and the oldest had to go
                assert crowd.held() == 2 * CROWD
            else:
                assert crowd.held() <= 6
        assert server.settles_at(before), f"{len(before)} descriptors became {len(server.descriptors())}"
        assert server.printed() == ""


# Bursts: more connections at once than the server may hold, before it has looked at the first of them.


@pytest.fixture(params=INTERPRETERS)
def small(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware, "max_connections=3") as server:
        exchange(server.port, LAST)
        yield server


def _burst(stack: ExitStack, server: Server, count: int) -> list[socket.socket]:
    socks = [stack.enter_context(socket.socket()) for _ in range(count)]
    for sock in socks:
        sock.setblocking(False)
        assert sock.connect_ex(("127.0.0.1", server.port)) in (0, errno.EINPROGRESS)
    for sock in socks:
        sock.settimeout(PATIENCE)
    return socks


def _status(sock: socket.socket) -> int:
    """Return the status of what comes; in a crowd it may be cut off behind that."""
    return status_of(rest_or_reset(sock))


def _ask(server: Server) -> int:
    with connect(server.port) as sock:
        sock.sendall(CLOSE)
        return _status(sock)


@pytest.mark.parametrize("data", [b"", b"GET / HT", request("GET", "/"), request("GET", "/slow")])
def test_a_burst_of_clients_leaves_nothing_behind(small: Server, data: bytes) -> None:
    small.printed()
    before = small.descriptors()
    with ExitStack() as stack:
        for sock in _burst(stack, small, 30):
            sock.sendall(data)
        # Even now one that behaves has its turn: an idle one makes room for it, or it is told to come again.
        assert _ask(small) in (200, 503)
    assert small.settles_at(before), f"{len(before)} descriptors became {len(small.descriptors())}"
    assert _ask(small) == 200
    assert small.printed() == ""


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_everybody_in_a_burst_who_asks_is_answered(interpreter: str, firmware: Path) -> None:
    # A connection with a request in it is not idle: it is answered, or turned away in words.
    with serving(interpreter, firmware, "max_connections=1") as server, ExitStack() as stack:
        server.process.send_signal(signal.SIGSTOP)  # all come while the server looks away
        socks = _burst(stack, server, 6)
        for sock in socks:
            sock.sendall(CLOSE)
        server.process.send_signal(signal.SIGCONT)
        statuses = [_status(sock) for sock in socks]
    assert set(statuses) <= {200, 503}, statuses
    assert 200 in statuses


def test_who_is_turned_away_is_told_in_words(small: Server) -> None:
    long_head = request("GET", "/", *[f"X-{n}: " + "a" * 500 for n in range(5)])
    with ExitStack() as stack:
        busy = [stack.enter_context(connect(small.port)) for _ in range(3)]
        for sock in busy:
            sock.sendall(request("GET", "/drip") * 30)
            sock.recv(10)  # its reply has begun
        reply = read_reply(exchange(small.port, long_head))
        assert (reply.status, reply.get("connection"), reply.body) == (503, "close", b"")
        assert reply.get("retry-after")


def test_who_is_served_is_not_sent_away_for_others(small: Server) -> None:
    with connect(small.port) as served, ExitStack() as stack:
        served.sendall(request("GET", "/drip", "Connection: close"))
        for _ in range(10):
            stack.enter_context(connect(small.port))
            assert _ask(small) == 200
        received = b"".join(iter(lambda: served.recv(4096), b""))
    assert read_replies(received, "GET")[0].body == b"drop" * 10
