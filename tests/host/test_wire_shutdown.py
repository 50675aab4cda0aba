"""`shutdown()` under load: what was begun is finished, nothing else is, and the process ends by itself."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from wire.client import CHUNKED, connect, exchange, request, rest, rest_or_reset, send, status_of
from wire.judges import read_replies, read_reply
from wire.servers import INTERPRETERS, LIB, Server, serving

# The server may wait this long for replies, and must not when there are none left.
LONG = "shutdown_timeout=60"
DROPS = b"drop" * 10


@pytest.fixture(params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware, LONG, "max_connections=100") as server:
        yield server


def _begun(server: Server, stack: ExitStack, data: bytes, seen: int = 0) -> socket.socket:
    """Send a request and wait for the first bytes of the reply."""
    sock = stack.enter_context(connect(server.port))
    sock.sendall(data)
    if seen:
        assert len(sock.recv(seen, socket.MSG_PEEK)) > 0
    return sock


def _stop(server: Server) -> None:
    reply = read_reply(exchange(server.port, request("GET", "/stop")))
    assert (reply.body, reply.get("connection")) == (b"stopping", "close")


def _ends(server: Server) -> None:
    assert server.exit_status() == 0, "the server does not end"
    assert server.printed() == ""


def test_a_server_with_nothing_to_do_ends_at_once(server: Server) -> None:
    _stop(server)
    _ends(server)


def test_replies_that_were_begun_are_finished(server: Server) -> None:
    with ExitStack() as stack:
        slow = [_begun(server, stack, request("GET", "/slow")) for _ in range(5)]
        drips = [_begun(server, stack, request("GET", "/drip"), 1) for _ in range(5)]
        _stop(server)
        for sock in slow:
            assert read_reply(rest(sock)).body == b"slow"
        for sock in drips:
            assert read_reply(rest(sock)).body == DROPS
    _ends(server)


def test_a_long_reply_reaches_a_client_that_reads_slowly(server: Server) -> None:
    with ExitStack() as stack:
        sock = stack.enter_context(connect(server.port, window=4096))
        sock.sendall(request("GET", "/long/file"))
        sock.recv(1, socket.MSG_PEEK)
        _stop(server)
        assert len(read_reply(rest(sock)).body) == 1000000
    _ends(server)


def test_a_pipeline_ends_with_a_whole_reply(server: Server) -> None:
    with ExitStack() as stack:
        sock = _begun(server, stack, request("GET", "/drip") * 20, 1)
        _stop(server)
        received = rest(sock)
        replies = read_replies(received, *["GET"] * received.count(b"HTTP/1.1"))
        assert len(replies) < 20
        assert [reply.body for reply in replies] == [DROPS] * len(replies)
    _ends(server)


def test_connections_without_a_request_are_closed(server: Server) -> None:
    with ExitStack() as stack:
        silent = _begun(server, stack, b"")
        begun = _begun(server, stack, b"GET / HT")
        kept = _begun(server, stack, request("GET", "/"), 1)
        kept.recv(4096)
        _stop(server)
        assert rest(silent) == b""
        assert status_of(rest(begun)) in (0, 408, 503)
        assert rest(kept) == b""
    _ends(server)


def test_a_body_that_is_on_its_way_is_answered(server: Server) -> None:
    with ExitStack() as stack:
        loaded = _begun(server, stack, request("POST", "/echo", body=b"hello")[:-1])
        chunked = _begun(server, stack, request("POST", "/echo", CHUNKED) + b"5\r\nhel")
        drip = _begun(server, stack, request("GET", "/drip"), 1)  # by now the server has seen those above
        _stop(server)
        loaded.sendall(b"o")
        chunked.sendall(b"lo\r\n0\r\n\r\n")
        assert read_reply(rest(loaded), "POST").body == b"hello"
        assert read_reply(rest(chunked), "POST").body == b"hello"
        assert read_reply(rest(drip)).body == DROPS
    _ends(server)


def test_stopping_twice_and_by_many_at_once_is_stopping_once(server: Server) -> None:
    with ExitStack() as stack:
        socks = [_begun(server, stack, request("GET", "/"), 1) for _ in range(8)]
        for sock in socks:
            sock.recv(4096)
        for sock in socks:
            send(sock, [request("GET", "/stop")])
        # Who is late finds the connection closed.
        received = [rest_or_reset(sock) for sock in socks]
    assert {status_of(data) for data in received} <= {0, 200}
    assert b"stopping" in b"".join(received)
    _ends(server)


def test_clients_that_leave_while_the_server_stops(server: Server) -> None:
    with ExitStack() as stack:
        for data in (request("GET", "/drip"), request("GET", "/slow"), request("POST", "/echo", body=b"hello")[:-1]):
            _begun(server, stack, data)
        _begun(server, stack, request("GET", "/long/iterator"), 1)
        _stop(server)
    _ends(server)


def test_a_client_that_does_not_read_holds_the_server_no_longer_than_allowed(server: Server, firmware: Path) -> None:
    with serving(server.interpreter, firmware, "shutdown_timeout=1") as hasty, ExitStack() as stack:
        sock = stack.enter_context(connect(hasty.port, window=4096))
        sock.sendall(request("GET", "/long/iterator"))
        sock.recv(1, socket.MSG_PEEK)
        _stop(hasty)
        _ends(hasty)


# Applications that stop when they never started, or could not.
PROGRAMS = {
    "before it started": "Microdot().shutdown()",
    "after it could not start": """
import asyncio
app = Microdot()
try:
    asyncio.run(app.start_server("127.0.0.1", {port}))
except OSError:
    app.shutdown()
else:
    raise SystemExit("the port was free")
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_stopping_what_does_not_serve(server: Server, firmware: Path, name: str) -> None:
    program = "from microdot import Microdot\n" + PROGRAMS[name].format(port=server.port)
    command = [str(firmware)] if server.interpreter == "micropython" else [sys.executable]
    environment = {"PYTHONPATH": str(LIB), "MICROPYPATH": ".frozen"}
    done = subprocess.run([*command, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
