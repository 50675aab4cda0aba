"""The application of hosted_routes.py behind every ASGI server that people trust."""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return,no-untyped-call,untyped-decorator"
from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hosted_cases import LONG, HostedCases
from servers import ASGI, PATIENCE, Server, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

APP = "hosted_routes:asgi_app"


@pytest.fixture(scope="module", params=ASGI)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param, APP, ASGI[request.param]) as server:
        yield server


class TestHosted(HostedCases):
    def started(self, server: Server) -> list[str]:
        return [] if server.name == "daphne" else ["started"]  # it has no lifespan


def websocket(server: Server, path: str, **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}{path}", open_timeout=PATIENCE, proxy=None, **options)


def test_connections_are_kept(server: Server) -> None:
    client = server.client()
    for path in ("/", "/thread", "/headers", "/generator", "/"):
        client.request("GET", path)
        sock = client.sock
        client.getresponse().read()
        assert client.sock is sock
    client.close()


def test_a_body_that_nobody_read_is_not_taken_for_a_request(server: Server) -> None:
    with contextlib.closing(server.client()) as client:
        client.request("POST", "/ignore", LONG)
        assert client.getresponse().read() == b"ignored"
        try:
            client.request("GET", "/")
            answer = client.getresponse().read()
        except ConnectionError:  # instead of reading the rest, the server closed the connection, as it may
            answer = server.get("/")
        assert answer == b"hello"


def test_a_departure_stops_the_reply(server: Server) -> None:
    server.json("/log")
    client = server.client()
    client.request("GET", "/endless")
    client.getresponse().readline()
    leave(client)
    assert server.logs("closed")


def test_a_departure_cancels_the_handler(server: Server) -> None:
    server.json("/log")
    client = server.client()
    client.request("GET", "/wait")
    assert server.logs("waiting")
    leave(client)
    assert server.logs("cancelled")


def leave(client: http.client.HTTPConnection) -> None:
    assert client.sock
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()
    client.close()


def test_back_pressure_on_the_reply(server: Server) -> None:
    if server.name == "daphne":
        pytest.skip("daphne takes all that it is given")
    server.json("/log")
    with server.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.sendall(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
        taken = 0
        while (more := _flooded(server)) or not taken:  # until it comes to rest
            taken += more
            time.sleep(0.5)
        assert taken < 500  # of 1000 pieces of 64 KiB


def _flooded(server: Server) -> int:
    return len([line for line in server.json("/log") if line.startswith("flood")])


def test_a_failure_within_a_reply_shows(server: Server) -> None:
    if server.name == "daphne":
        pytest.skip("daphne ends the reply as if it were whole")
    client = server.client()
    client.request("GET", "/broken-body")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.getresponse().read()
    client.close()
    assert server.prints("in the middle of a body")


def test_websocket(server: Server) -> None:
    server.json("/log")
    with websocket(server, "/ws") as ws:
        for message in ("text é", b"\0\xff", "x" * 16384, ""):
            if not message and server.name == "daphne":
                continue  # it sends no empty message
            ws.send(message)
            assert ws.recv(PATIENCE) == message
    assert server.logs("ws left")


def test_websocket_ends_with_the_handler(server: Server) -> None:
    with websocket(server, "/ws/bye") as ws:
        assert ws.recv(PATIENCE) == "bye"
        with pytest.raises(ConnectionClosed):
            ws.recv(PATIENCE)
        assert ws.protocol.close_code == 1000


def test_websocket_messages_are_bounded(server: Server) -> None:
    with websocket(server, "/ws") as ws:
        ws.send(b"x" * 16385)
        with pytest.raises(ConnectionClosed):
            ws.recv(PATIENCE)
        assert ws.protocol.close_code == (1000 if server.name == "daphne" else 1009)  # it knows few codes


@pytest.mark.parametrize(("path", "status"), [("/ws/secret", 401), ("/nowhere", 404), ("/fail", 500), ("/old/x", 404)])
def test_websocket_refused(server: Server, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused, websocket(server, path):
        pass
    # Servers without the extension for a response of ours say 403.
    extended = server.name != "daphne"
    assert refused.value.response.status_code == (status if extended else 403)
    if extended and status == 401:
        assert json.loads(refused.value.response.body or b"") == {"why": "no"}


def test_mounted_websocket(server: Server) -> None:
    with websocket(server, "/other/talk") as ws:
        ws.send("hello")
        assert ws.recv(PATIENCE) == "starlette hello"


@pytest.mark.parametrize("name", ["uvicorn-h11", "hypercorn", "granian"])
def test_lifespan(name: str) -> None:
    with serving(name, APP, ASGI[name]) as server:
        assert "startup lifespan" in server.json("/log")
        server.stop()
        assert server.prints("lifespan shutdown")


def test_unix_socket_and_root_path() -> None:
    with serving("uvicorn", APP, "uvicorn --uds {path} --root-path /app --log-level warning {app}", unix=True) as server:
        seen = server.json("/seen/a")
        assert (seen["path"], seen["url"], seen["client"]) == ("/seen/a", "/app/seen/a", None)
        assert server.json("/other/page")["root"] == "/app/other"
