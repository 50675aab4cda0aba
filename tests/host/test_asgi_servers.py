"""The application of hosted_routes.py behind every ASGI server that people trust."""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return,no-untyped-call,untyped-decorator"
from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hosted_routes import FILE
from servers import ASGI, Server, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

APP = "hosted_routes:asgi_app"
LONG = bytes(range(256)) * 400  # more than is loaded into memory


@pytest.fixture(scope="module", params=ASGI)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param, APP, ASGI[request.param]) as server:
        yield server


def websocket(server: Server, path: str, **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}{path}", **options)


def test_get(server: Server) -> None:
    response, body = server.request("GET", "/")
    assert (response.status, body) == (200, b"hello")
    assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert response.headers["Content-Length"] == "5"


def test_head_has_the_length_and_no_body(server: Server) -> None:
    response, body = server.request("HEAD", "/")
    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", "5")


def test_connections_are_kept(server: Server) -> None:
    client = server.client()
    for path in ("/", "/thread", "/headers", "/generator", "/"):
        client.request("GET", path)
        sock = client.sock
        client.getresponse().read()
        assert client.sock is sock
    client.close()


def test_what_the_handler_sees(server: Server) -> None:
    headers = {"x-test": "v", "Cookie": "a=1; b=2"}
    seen = server.json("/seen/caf%C3%A9%20%3F?a=1&a=%C3%A9", headers)
    assert seen == {
        "name": "café ?",
        "path": "/seen/café ?",
        "url": "/seen/caf%C3%A9%20%3F?a=1&a=%C3%A9",
        "query": "a=1&a=%C3%A9",
        "args": ["1", "é"],
        "header": "v",
        "spelling": True,
        "cookies": {"a": "1", "b": "2"},
        "version": "HTTP/1.1",
        "scheme": "http",
        "client": "127.0.0.1",
    }


def test_bodies_in_memory(server: Server) -> None:
    as_json = {"Content-Type": "application/json"}
    response, body = server.request("POST", "/json", b'{"a": [1]}', as_json)
    assert json.loads(body) == {"a": [1]}
    response, body = server.request("POST", "/json", b'{"a": [1', as_json)
    assert response.status == 400
    response, body = server.request("POST", "/form", b"a=%C3%A9", {"Content-Type": "application/x-www-form-urlencoded"})
    assert body.decode() == "é"


def test_long_bodies_are_streamed(server: Server) -> None:
    assert server.request("POST", "/echo", LONG)[1] == LONG
    assert json.loads(server.request("POST", "/memory", LONG)[1]) == {"memory": 0}
    assert json.loads(server.request("POST", "/memory", b"x" * 16384)[1]) == {"memory": 16384}


def test_chunked_bodies(server: Server) -> None:
    assert server.request("POST", "/echo", iter([b"ab", b"c"]))[1] == b"abc"
    assert server.request("POST", "/echo", iter([LONG[:50_000], LONG[50_000:]]))[1] == LONG
    assert json.loads(server.request("POST", "/memory", iter([b"ab", b"c"]))[1]) == {"memory": 3}


def test_too_much(server: Server) -> None:
    with server.connect() as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000001\r\nConnection: close\r\n\r\n")
        if server.name == "daphne":  # it asks the application when it has the whole body
            sock.sendall(b"x" * 2000001)
        assert b" 413 " in sock.recv(65536).split(b"\r\n")[0]


def test_a_body_that_nobody_read(server: Server) -> None:
    client = server.client()
    for _ in range(2):
        client.request("POST", "/ignore", LONG)
        assert client.getresponse().read() == b"ignored"
    client.close()


def test_headers_of_the_reply(server: Server) -> None:
    response, _ = server.request("GET", "/headers")
    assert (response.status, response.headers["Location"]) == (302, "/")
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers["X-One"].encode("latin-1").decode() == "ü"


def test_no_header_splits_a_reply(server: Server) -> None:
    response, _ = server.request("GET", "/split")
    assert response.status == 500
    assert "Set-Cookie" not in response.headers


def test_errors(server: Server) -> None:
    assert server.request("GET", "/nowhere")[0].status == 404
    response, _ = server.request("POST", "/")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    response, body = server.request("GET", "/fail")
    assert (response.status, body) == (500, b"Internal server error")
    assert server.prints("a fault of the application")


def test_replies_of_all_kinds(server: Server) -> None:
    response, body = server.request("GET", "/empty")
    assert (response.status, body) == (204, b"")
    assert server.get("/thread") == b"a def handler"
    assert server.get("/generator") == server.get("/async-generator") == b"0\n1\n2\n"
    response, body = server.request("GET", "/file")
    assert (body, response.headers["Content-Length"]) == (FILE, str(len(FILE)))
    response, body = server.request("HEAD", "/file")
    assert (body, response.headers["Content-Length"]) == (b"", str(len(FILE)))


def test_a_streamed_reply_arrives_piece_by_piece(server: Server) -> None:
    client = server.client()
    begin = time.monotonic()
    client.request("GET", "/slow/3")
    response = client.getresponse()
    assert response.readline() == b"piece\n"
    assert time.monotonic() - begin < 0.45
    assert response.read() == b"piece\n" * 2
    client.close()
    assert server.logs("closed")


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
    time.sleep(0.2)
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
        time.sleep(0.5)
        taken = len([line for line in server.json("/log") if line.startswith("flood")])
        assert 0 < taken < 500  # of 1000 pieces of 64 KiB


def test_a_failure_within_a_reply_shows(server: Server) -> None:
    if server.name == "daphne":
        pytest.skip("daphne ends the reply as if it were whole")
    client = server.client()
    client.request("GET", "/broken-body")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.getresponse().read()
    client.close()
    assert server.prints("in the middle of a body")


def test_handlers_run_side_by_side(server: Server) -> None:
    begin = time.monotonic()
    threads = [threading.Thread(target=server.get, args=["/sleep"]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begin < 1.2


def test_websocket(server: Server) -> None:
    server.json("/log")
    with websocket(server, "/ws") as ws:
        for message in ("text é", b"\0\xff", "x" * 16384, ""):
            if not message and server.name == "daphne":
                continue  # it sends no empty message
            ws.send(message)
            assert ws.recv(5) == message
    assert server.logs("ws left")


def test_websocket_ends_with_the_handler(server: Server) -> None:
    with websocket(server, "/ws/bye") as ws:
        assert ws.recv(5) == "bye"
        with pytest.raises(ConnectionClosed):
            ws.recv(5)
        assert ws.protocol.close_code == 1000


def test_websocket_messages_are_bounded(server: Server) -> None:
    with websocket(server, "/ws") as ws:
        ws.send(b"x" * 16385)
        with pytest.raises(ConnectionClosed):
            ws.recv(5)
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


def test_mounted_wsgi(server: Server) -> None:
    response, body = server.request("PUT", "/old/caf%C3%A9", LONG)
    assert body == "/old /café PUT ".encode() + LONG
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert server.request("OPTIONS", "/old")[1] == b"/old  OPTIONS "


def test_mounted_asgi(server: Server) -> None:
    started = [] if server.name == "daphne" else ["started"]  # it has no lifespan
    assert server.json("/other/page") == {"root": "/other", "path": "/other/page", "started": started}
    assert server.request("PUT", "/other/echo", LONG)[1] == LONG
    assert server.get("/other/stream") == b"0\n1\n2\n"
    assert server.request("GET", "/other/nowhere")[0].status == 404
    assert server.request("GET", "/other/fail")[0].status == 500
    assert server.request("HEAD", "/other/page")[0].status == 200


def test_mounted_websocket(server: Server) -> None:
    with websocket(server, "/other/talk") as ws:
        ws.send("hello")
        assert ws.recv(5) == "starlette hello"


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


def test_the_example() -> None:
    command = "uvicorn --app-dir ../../examples/hello --port {port} --log-level warning {app}"
    with serving("uvicorn", "hello_asgi:app", command) as server:
        assert b"<h1>Hello from Microdot</h1>" in server.get("/")
