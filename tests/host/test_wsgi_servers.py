"""The application of hosted_routes.py behind every WSGI server that people trust, one with the standard library's validator."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from hosted_routes import FILE
from servers import WSGI, Server, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

APP = "hosted_routes:wsgi_app"
LONG = bytes(range(256)) * 400  # more than is loaded into memory
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


def test_get(server: Server) -> None:
    response, body = server.request("GET", "/")
    assert (response.status, response.reason, body) == (200, "OK", b"hello")
    assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert response.headers["Content-Length"] == "5"


def test_head_has_the_length_and_no_body(server: Server) -> None:
    response, body = server.request("HEAD", "/")
    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", "5")


def test_what_the_handler_sees(server: Server) -> None:
    seen = server.json("/seen/caf%C3%A9%20%3F?a=1&a=%C3%A9", {"x-test": "v", "Cookie": "a=1; b=2"})
    version = seen.pop("version")
    assert version == "HTTP/1.1"
    assert seen == {
        "name": "café ?",
        "path": "/seen/café ?",
        "url": "/seen/caf%C3%A9%20%3F?a=1&a=%C3%A9",
        "query": "a=1&a=%C3%A9",
        "args": ["1", "é"],
        "header": "v",
        "spelling": True,
        "cookies": {"a": "1", "b": "2"},
        "scheme": "http",
        "client": "127.0.0.1",
    }


def test_bodies_in_memory(server: Server) -> None:
    as_json = {"Content-Type": "application/json"}
    assert json.loads(server.request("POST", "/json", b'{"a": [1]}', as_json)[1]) == {"a": [1]}
    assert server.request("POST", "/json", b'{"a": [1', as_json)[0].status == 400
    _, body = server.request("POST", "/form", b"a=%C3%A9", {"Content-Type": "application/x-www-form-urlencoded"})
    assert body.decode() == "é"


def test_long_bodies_are_streamed(server: Server) -> None:
    assert server.request("POST", "/echo", LONG)[1] == LONG
    assert json.loads(server.request("POST", "/memory", LONG)[1]) == {"memory": 0}
    assert json.loads(server.request("POST", "/memory", b"x" * 16384)[1]) == {"memory": 16384}


def test_chunked_bodies(server: Server) -> None:
    if server.name not in CHUNKED:
        with server.connect() as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert b" 411 " in sock.recv(65536).split(b"\r\n")[0]
        return
    assert server.request("POST", "/echo", iter([b"ab", b"c"]))[1] == b"abc"
    assert server.request("POST", "/echo", iter([LONG[:50_000], LONG[50_000:]]))[1] == LONG
    assert json.loads(server.request("POST", "/memory", iter([b"ab", b"c"]))[1]) == {"memory": 3}


def test_too_much(server: Server) -> None:
    with server.connect() as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000001\r\nConnection: close\r\n\r\n")
        if server.name == "waitress":  # it asks the application when it has the whole body
            sock.sendall(b"x" * 2000001)
        assert b" 413 " in sock.recv(65536).split(b"\r\n")[0]


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


def test_handlers_run_side_by_side(server: Server) -> None:
    if server.name not in THREADS:
        pytest.skip("the server has one thread")
    begin = time.monotonic()
    threads = [threading.Thread(target=server.get, args=["/sleep"]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begin < 1


def test_websocket(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}"
    if server.name != "gunicorn-gthread":
        if server.name != "gunicorn-sync":
            assert server.request("GET", "/ws", headers=HANDSHAKE)[0].status == 501
        return
    server.json("/log")
    with connect(url + "/ws") as ws, connect(url + "/ws") as other:
        for message in ("text é", b"\0\xff", "", "x" * 16384):
            ws.send(message)
            other.send(message)
            assert ws.recv(5) == other.recv(5) == message
    assert server.logs("ws left")
    with connect(url + "/ws/bye") as ws:
        assert ws.recv(5) == "bye"
        with pytest.raises(ConnectionClosed):
            ws.recv(5)
        assert ws.protocol.close_code == 1000
    with pytest.raises(InvalidStatus) as refused, connect(url + "/ws/secret"):
        pass
    assert refused.value.response.status_code == 401
    assert server.get("/") == b"hello"
    assert "Traceback" not in server.printed().split("in the middle of a body")[-1]


def test_mounted_wsgi(server: Server) -> None:
    response, body = server.request("PUT", "/old/caf%C3%A9", LONG)
    assert body == "/old /café PUT ".encode() + LONG
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert server.request("OPTIONS", "/old")[1] == b"/old  OPTIONS "


def test_mounted_asgi(server: Server) -> None:
    assert server.json("/other/page") == {"root": "/other", "path": "/other/page", "started": []}
    assert server.request("PUT", "/other/echo", LONG)[1] == LONG
    assert server.get("/other/stream") == b"0\n1\n2\n"
    assert server.request("GET", "/other/nowhere")[0].status == 404
    assert server.request("GET", "/other/fail")[0].status == 500


def test_workers_have_loops_of_their_own() -> None:
    with serving("gunicorn", APP, "gunicorn --preload --workers 2 --bind {bind} --log-level warning {app}") as server:
        pids: set[int] = set()
        deadline = time.monotonic() + 10
        while len(pids) < 2 and time.monotonic() < deadline:
            assert server.get("/sleep") == b"slept"
            pids.add(server.json("/state")["pid"])
        assert len(pids) == 2


def test_unix_socket() -> None:
    with serving("gunicorn", APP, "gunicorn --bind unix:{path} --log-level warning {app}", unix=True) as server:
        assert server.get("/") == b"hello"


def test_the_example() -> None:
    command = "gunicorn --chdir ../../examples/hello --bind {bind} --log-level warning {app}"
    with serving("gunicorn", "hello_wsgi:app", command) as server:
        assert b"<h1>Hello from Microdot</h1>" in server.get("/")


def test_the_validator_complains_of_nothing(server: Server) -> None:
    # The last test of each server: what all the others made it print.
    printed = server.printed()
    assert "AssertionError" not in printed
    assert "WSGIWarning" not in printed
