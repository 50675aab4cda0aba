"""The application of hosted_routes.py behind every WSGI server that people trust, one with the standard library's validator."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hosted_cases import LONG, HostedCases
from servers import PATIENCE, WSGI, Server, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

APP = "hosted_routes:wsgi_app"
CHUNKED = ("gunicorn-sync", "gunicorn-gthread", "waitress")  # mark the end of a chunked body
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
THREADS = ("gunicorn-gthread", "waitress")


@pytest.fixture(scope="module", params=WSGI)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param, APP, WSGI[request.param]) as server:
        yield server


class TestHosted(HostedCases):
    def started(self, server: Server) -> list[str]:
        return []  # WSGI has no lifespan

    def test_get(self, server: Server) -> None:
        super().test_get(server)
        assert server.request("GET", "/")[0].reason == "OK"  # which the application says in WSGI

    def test_chunked_bodies(self, server: Server) -> None:
        if server.name in CHUNKED:
            super().test_chunked_bodies(server)
            return
        with server.connect() as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert b" 411 " in sock.recv(65536).split(b"\r\n")[0]

    def test_handlers_run_side_by_side(self, server: Server) -> None:
        if server.name not in THREADS:
            pytest.skip("the server has one thread")
        super().test_handlers_run_side_by_side(server)


def test_a_departure_closes_the_reply(server: Server) -> None:
    server.json("/log")
    client = server.client()
    client.request("GET", "/endless")
    client.getresponse().readline()
    client.close()
    assert server.logs("closed")


def test_a_failure_within_a_reply_is_printed(server: Server) -> None:
    with server.connect() as sock:
        sock.sendall(b"GET /broken-body HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while sock.recv(65536):
            pass
    assert server.prints("in the middle of a body")


def test_the_loop_lives_as_long_as_the_worker(server: Server) -> None:
    loops = {server.get("/loop") for _ in range(3)}
    assert server.get("/sleep") == b"slept"
    assert server.get("/background") == b"begun"
    assert server.logs("background")
    assert loops == {server.get("/loop")}
    assert server.get("/thread") == b"a def handler"


def test_a_single_thread_needs_no_other() -> None:
    with serving("gunicorn-sync", APP, WSGI["gunicorn-sync"]) as server:
        for path in ("/", "/thread", "/fail", "/generator", "/file", "/nowhere", "/headers"):
            server.request("GET", path)
        server.request("POST", "/memory", LONG)
        server.request("POST", "/echo", iter([LONG]))
        assert server.json("/state")["threads"] == ["MainThread"]
        assert server.get("/sleep") == b"slept"
        assert server.json("/state")["threads"] == ["MainThread", "microdot"]


def test_websocket(server: Server) -> None:
    if server.name != "gunicorn-gthread":
        if server.name != "gunicorn-sync":
            assert server.request("GET", "/ws", headers=HANDSHAKE)[0].status == 501
        return
    server.json("/log")
    with _connected(server, "/ws") as ws, _connected(server, "/ws") as other:
        for message in ("text é", b"\0\xff", "", "x" * 16384):
            ws.send(message)
            other.send(message)
            assert ws.recv(PATIENCE) == other.recv(PATIENCE) == message
    assert server.logs("ws left")
    with _connected(server, "/ws/bye") as ws:
        assert ws.recv(PATIENCE) == "bye"
        with pytest.raises(ConnectionClosed):
            ws.recv(PATIENCE)
        assert ws.protocol.close_code == 1000
    with pytest.raises(InvalidStatus) as refused, _connected(server, "/ws/secret"):
        pass
    assert refused.value.response.status_code == 401
    assert server.get("/") == b"hello"
    assert "Traceback" not in server.printed().split("in the middle of a body")[-1]


def _connected(server: Server, path: str) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}{path}", open_timeout=PATIENCE, proxy=None)


def test_workers_have_loops_of_their_own() -> None:
    with serving("gunicorn", APP, "gunicorn --preload --workers 2 --bind {bind} --log-level warning {app}") as server:
        pids: set[int] = set()
        deadline = time.monotonic() + PATIENCE
        while len(pids) < 2 and time.monotonic() < deadline:
            assert server.get("/sleep") == b"slept"
            pids.add(server.json("/state")["pid"])
        assert len(pids) == 2


def test_unix_socket() -> None:
    with serving("gunicorn", APP, "gunicorn --bind unix:{path} --log-level warning {app}", unix=True) as server:
        assert server.get("/") == b"hello"


def test_the_validator_complains_of_nothing(server: Server) -> None:
    # The last test of each server: what all the others made it print.
    printed = server.printed()
    assert "AssertionError" not in printed
    assert "WSGIWarning" not in printed
