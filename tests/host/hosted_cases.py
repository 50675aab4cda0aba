"""What every real server does with the application of hosted_routes.py, be it over ASGI or over WSGI.

A module of tests has a subclass of `HostedCases`, whose name begins with `Test`, and a fixture `server`.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from hosted_routes import FILE
from servers import Server

LONG = bytes(range(256)) * 400  # more than is loaded into memory
WHOLE_BODIES_FIRST = ("daphne", "waitress")  # ask the application when they have the whole body


class HostedCases:
    """The cases that both protocols share; a subclass says where its servers differ."""

    def started(self, server: Server) -> list[str]:
        """Return what the mounted ASGI application noted when the server started it."""
        raise NotImplementedError

    def test_get(self, server: Server) -> None:
        response, body = server.request("GET", "/")
        assert (response.status, body) == (200, b"hello")
        assert response.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert response.headers["Content-Length"] == "5"

    def test_head_has_the_length_and_no_body(self, server: Server) -> None:
        response, body = server.request("HEAD", "/")
        assert (response.status, body, response.headers["Content-Length"]) == (200, b"", "5")

    def test_what_the_handler_sees(self, server: Server) -> None:
        assert server.json("/seen/caf%C3%A9%20%3F?a=1&a=%C3%A9", {"x-test": "v", "Cookie": "a=1; b=2"}) == {
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

    def test_bodies_in_memory(self, server: Server) -> None:
        as_json = {"Content-Type": "application/json"}
        assert json.loads(server.request("POST", "/json", b'{"a": [1]}', as_json)[1]) == {"a": [1]}
        assert server.request("POST", "/json", b'{"a": [1', as_json)[0].status == 400
        _, body = server.request("POST", "/form", b"a=%C3%A9", {"Content-Type": "application/x-www-form-urlencoded"})
        assert body.decode() == "é"

    def test_long_bodies_are_streamed(self, server: Server) -> None:
        assert server.request("POST", "/echo", LONG)[1] == LONG
        assert json.loads(server.request("POST", "/memory", LONG)[1]) == {"memory": 0}
        assert json.loads(server.request("POST", "/memory", b"x" * 16384)[1]) == {"memory": 16384}

    def test_chunked_bodies(self, server: Server) -> None:
        assert server.request("POST", "/echo", iter([b"ab", b"c"]))[1] == b"abc"
        assert server.request("POST", "/echo", iter([LONG[:50_000], LONG[50_000:]]))[1] == LONG
        assert json.loads(server.request("POST", "/memory", iter([b"ab", b"c"]))[1]) == {"memory": 3}

    def test_too_much(self, server: Server) -> None:
        with server.connect() as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000001\r\nConnection: close\r\n\r\n")
            if server.name in WHOLE_BODIES_FIRST:
                sock.sendall(b"x" * 2000001)
            assert b" 413 " in sock.recv(65536).split(b"\r\n")[0]

    def test_headers_of_the_reply(self, server: Server) -> None:
        response, _ = server.request("GET", "/headers")
        assert (response.status, response.headers["Location"]) == (302, "/")
        assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert response.headers["X-One"].encode("latin-1").decode() == "ü"

    def test_no_header_splits_a_reply(self, server: Server) -> None:
        response, _ = server.request("GET", "/split")
        assert response.status == 500
        assert "Set-Cookie" not in response.headers

    def test_errors(self, server: Server) -> None:
        assert server.request("GET", "/nowhere")[0].status == 404
        response, _ = server.request("POST", "/")
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        response, body = server.request("GET", "/fail")
        assert (response.status, body) == (500, b"Internal server error")
        assert server.prints("a fault of the application")

    def test_replies_of_all_kinds(self, server: Server) -> None:
        response, body = server.request("GET", "/empty")
        assert (response.status, body) == (204, b"")
        assert server.get("/thread") == b"a def handler"
        assert server.get("/generator") == server.get("/async-generator") == b"0\n1\n2\n"
        response, body = server.request("GET", "/file")
        assert (body, response.headers["Content-Length"]) == (FILE, str(len(FILE)))
        response, body = server.request("HEAD", "/file")
        assert (body, response.headers["Content-Length"]) == (b"", str(len(FILE)))

    def test_a_streamed_reply_arrives_piece_by_piece(self, server: Server, tmp_path: Path) -> None:
        client = server.client()
        client.request("GET", f"/held/3?until={tmp_path}/read")
        response = client.getresponse()
        assert response.readline() == b"piece\n"
        (tmp_path / "read").touch()
        assert response.read() == b"piece\n" * 2
        client.close()
        assert server.logs("closed")

    def test_handlers_run_side_by_side(self, server: Server) -> None:
        server.json("/log")
        threads = [threading.Thread(target=server.get, args=["/linger"]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log = [line for line in server.json("/log") if line.startswith("linger")]
        assert log == ["linger begun"] * 4 + ["linger over"] * 4

    def test_mounted_wsgi(self, server: Server) -> None:
        response, body = server.request("PUT", "/old/caf%C3%A9", LONG)
        assert body == "/old /café PUT ".encode() + LONG
        assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert server.request("OPTIONS", "/old")[1] == b"/old  OPTIONS "

    def test_mounted_asgi(self, server: Server) -> None:
        assert server.json("/other/page") == {"root": "/other", "path": "/other/page", "started": self.started(server)}
        assert server.request("PUT", "/other/echo", LONG)[1] == LONG
        assert server.get("/other/stream") == b"0\n1\n2\n"
        assert server.request("GET", "/other/nowhere")[0].status == 404
        assert server.request("GET", "/other/fail")[0].status == 500
        assert server.request("HEAD", "/other/page")[0].status == 200
