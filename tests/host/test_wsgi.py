"""The WSGI front end without a server, under the standard library's validator."""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return,no-untyped-call,untyped-decorator"
from __future__ import annotations

import asyncio
import io
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from microdot import Request, wsgi
from microdot.wsgi import Microdot, Response, with_websocket


class Reply:
    status = ""
    headers: list[tuple[str, str]]
    body = b""


def call(app: Any, path: str = "/", body: bytes = b"", checked: bool = True, **values: Any) -> Reply:
    """Make one request as a server does; with `checked` the validator looks at both sides."""
    environ: dict[str, Any] = {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "wsgi.input": io.BytesIO(body),
        "QUERY_STRING": "",
        "REMOTE_ADDR": "1.2.3.4",
    }
    environ.update({key.replace("wsgi_", "wsgi."): value for key, value in values.items()})
    if body:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    setup_testing_defaults(environ)
    environ = {key: value for key, value in environ.items() if value is not None}
    reply = Reply()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        reply.status, reply.headers = status, headers
        return reply

    pieces = (validator(app) if checked else app)(environ, start_response)
    try:
        reply.body = b"".join(pieces)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    return reply


def app_with(handler: Any, path: str = "/") -> Any:
    app = Microdot()
    app.route(path, ["GET", "POST"])(handler)
    return app


def test_a_plain_reply() -> None:
    async def handler(request: Any) -> str:
        assert request.environ["PATH_INFO"] == "/"
        return "hello"

    reply = call(app_with(handler))
    assert (reply.status, reply.body) == ("200 OK", b"hello")
    assert reply.headers == [("Content-Length", "5"), ("Content-Type", "text/plain; charset=UTF-8")]


def test_the_request() -> None:
    async def handler(request: Any, name: str) -> Any:
        return [request.path, request.url, request.args, request.client_addr, request.scheme, request.sock, request.headers]

    reply = call(
        app_with(handler, "/app/<name>"),
        "/caf\xc3\xa9",
        SCRIPT_NAME="/app",
        QUERY_STRING="a=1",
        REMOTE_PORT="5",
        HTTP_X_TEST="\xc3\xa9",
        CONTENT_TYPE="text/plain",
        CONTENT_LENGTH="",
        HTTP_HOST="h",
    )
    assert reply.body.decode() == (
        '["/app/caf\\u00e9", "/app/caf%C3%A9?a=1", {"a": ["1"]}, ["1.2.3.4", 5], "http", [null, null], '
        '{"X-Test": "\\u00e9", "Content-Type": "text/plain", "Host": "h"}]'
    )


def test_statuses_and_reasons() -> None:
    replies = {"/a": Response("a", 201), "/b": Response("b", 404, reason="GONE FISHING"), "/c": Response(None, 304)}

    async def handler(request: Any) -> Any:
        return replies[request.path]

    app = Microdot()
    for path in replies:
        app.get(path)(handler)
    assert [call(app, path).status for path in replies] == ["201 N/A", "404 GONE FISHING", "304 N/A"]


def test_no_type_where_there_is_no_body() -> None:
    async def handler(request: Any) -> Any:
        return Response(None, 204, {"Content-Type": "text/html", "X-A": "1"})

    assert call(app_with(handler)).headers == [("X-A", "1")]


def test_streamed_replies_of_every_kind() -> None:
    def generator() -> Iterator[str]:
        yield from ("a", "é")

    async def async_generator() -> AsyncIterator[Any]:
        yield "a"
        await asyncio.sleep(0)
        yield "é".encode()

    for body in (generator, async_generator, lambda: io.BytesIO("aé".encode())):

        async def handler(request: Any, body: Any = body) -> Any:
            return body()

        assert call(app_with(handler)).body.decode() == "aé"


def test_an_abandoned_reply_is_closed() -> None:
    closed = []

    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "piece"
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def handler(request: Any) -> Any:
        return pieces()

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    reply: Any = app_with(handler)(environ, lambda status, headers: None)
    assert next(iter(reply)) == b"piece"
    reply.close()
    assert closed == [True]


def test_head() -> None:
    def pieces() -> Iterator[str]:
        raise AssertionError("read")
        yield

    async def handler(request: Any) -> Any:
        return pieces(), {"Content-Length": "7"}

    reply = call(app_with(handler), REQUEST_METHOD="HEAD")
    assert (reply.body, dict(reply.headers)["Content-Length"]) == (b"", "7")


def test_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "max_body_length", 10)
    monkeypatch.setattr(Request, "max_content_length", 20)

    async def handler(request: Any) -> Any:
        return [len(request.body), len(await request.stream.read())]

    app = app_with(handler)
    post: dict[str, Any] = {"REQUEST_METHOD": "POST"}
    assert call(app, body=b"x" * 10, **post).body == b"[10, 10]"
    assert call(app, body=b"x" * 11, **post).body == b"[0, 11]"
    assert call(app, body=b"x" * 21, **post).status[:3] == "413"
    chunked = {**post, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    assert call(app, body=b"x" * 20, **chunked, wsgi_input_terminated=True).body == b"[0, 20]"
    assert call(app, body=b"x" * 21, **chunked, wsgi_input_terminated=True).status[:3] == "413"
    assert call(app, body=b"x", **chunked).status[:3] == "411"
    assert call(app, body=b"xx", REQUEST_METHOD="POST", CONTENT_LENGTH="3").status[:3] == "400"


@pytest.mark.parametrize("length", ["-1", "+1", "1_0", "a", " 1"])
def test_a_malformed_length(length: str) -> None:
    async def handler(request: Any) -> str:
        return "never"

    assert call(app_with(handler), checked=False, CONTENT_LENGTH=length).status[:3] == "400"


def test_handlers_need_no_thread_until_they_wait() -> None:
    names = []

    async def handler(request: Any) -> str:
        names.append(threading.current_thread().name)
        return "x"

    def plain(request: Any) -> str:
        names.append(threading.current_thread().name)
        asyncio.run(asyncio.sleep(0))  # as in a thread of its own
        return "x"

    async def waits(request: Any) -> str:
        async with asyncio.Lock():
            await asyncio.wait_for(asyncio.sleep(0.01), 60)
        names.append(threading.current_thread().name)
        return "waited"

    app = Microdot()
    app.get("/")(handler)
    app.get("/plain")(plain)
    app.get("/waits")(waits)
    single: dict[str, Any] = {"wsgi_multithread": False}
    for path in ("/", "/plain", "/waits", "/"):
        assert call(app, path, **single).status == "200 OK"
    assert names == ["MainThread", "MainThread", "microdot", "microdot"]


@pytest.mark.parametrize("kind", ["task", "timer", "callback", "thread"])
def test_what_a_handler_leaves_behind_goes_on(kind: str) -> None:
    done = threading.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.set()

    tasks = []

    async def handler(request: Any) -> str:
        loop = asyncio.get_running_loop()
        if kind == "task":
            tasks.append(asyncio.create_task(work()))
        elif kind == "timer":
            loop.call_later(0.01, done.set)
        elif kind == "callback":
            loop.call_soon(done.set)
        else:
            loop.call_soon_threadsafe(done.set)
        return "begun"

    app = app_with(handler)
    assert call(app, wsgi_multithread=False).body == b"begun"
    assert done.wait(60)


def test_threads_share_one_loop_and_run_side_by_side() -> None:
    loops = set()
    meeting: list[asyncio.Event] = []

    async def handler(request: Any) -> str:
        loops.add(asyncio.get_running_loop())
        meeting.append(asyncio.Event())
        if len(meeting) == 3:
            for event in meeting:
                event.set()
        await asyncio.wait_for(meeting[-1].wait() if len(meeting) < 3 else asyncio.sleep(0), 60)
        return "met"

    all_there = threading.Barrier(3)

    def blocking(request: Any) -> str:
        all_there.wait(60)
        return "met"

    app = app_with(handler)
    app.get("/blocking")(blocking)
    for path in ("/", "/blocking"):
        with ThreadPoolExecutor(3) as threads:
            peers = list(threads.map(lambda path: call(app, path, wsgi_multithread=True), [path] * 3))
        assert [peer.body for peer in peers] == [b"met"] * 3
    assert loops == {app.loop}


def test_a_failing_handler_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    async def handler(request: Any) -> str:
        raise ValueError("fault")

    assert call(app_with(handler)).status[:3] == "500"
    assert "ValueError: fault" in capsys.readouterr().err


def test_a_websocket_where_no_socket_is_lent() -> None:
    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        raise AssertionError

    reply = call(app_with(handler), HTTP_UPGRADE="websocket", HTTP_CONNECTION="upgrade")
    assert reply.status[:3] == "501"


def test_already_handled_needs_a_socket() -> None:
    async def handler(request: Any) -> Any:
        return Response.already_handled

    with pytest.raises(RuntimeError, match="did not lend the socket"):
        call(app_with(handler), checked=False)


def test_names() -> None:
    from microdot import websocket

    assert wsgi.WebSocket is websocket.WebSocket
    assert wsgi.Request is Request
    assert wsgi.websocket_upgrade is websocket.websocket_upgrade


def test_shutdown_ends_the_servers_process(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = []
    monkeypatch.setattr("microdot.wsgi.os.getpgrp", lambda: 0)
    monkeypatch.setattr("microdot.wsgi.os.kill", lambda *args: killed.append(args[1]))
    Microdot().shutdown()
    assert killed == [signal.SIGTERM]
