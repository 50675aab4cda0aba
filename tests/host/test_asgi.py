"""The ASGI front end without a server: each scope to the letter of the specification, and what servers rarely do."""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return,no-untyped-call,untyped-decorator"
from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from microdot import Request, asgi
from microdot.asgi import Microdot, Response, WebSocket, websocket_upgrade, with_websocket
from microdot.microdot import MultiDict, NoCaseDict
from microdot.sse import with_sse
from microdot.websocket import broadcast

Event = dict[str, Any]
PATIENCE = 60


class Peer:
    """An ASGI server for one scope: gives the events, then waits; keeps what the application sends."""

    def __init__(self, *events: Event, stay: bool = True) -> None:
        self.events = list(events)
        self.stay = stay
        self.sent: list[Event] = []
        self.left = asyncio.Event()
        self.news = asyncio.Event()

    async def receive(self) -> Event:
        if self.events:
            return self.events.pop(0)
        if self.stay:
            await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        self.sent.append(event)
        self.news.set()

    @property
    def body(self) -> bytes:
        return b"".join(event.get("body", b"") for event in self.sent[1:])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def http(path: str = "/", **values: Any) -> Event:
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    return {**scope, "path": path, "query_string": b"", "headers": [], "client": ["1.2.3.4", 5], **values}


def serve(app: Any, scope: Event, *events: Event, stay: bool = True) -> Peer:
    """Run one scope to its end, by which the application has no task left."""

    async def main() -> Peer:
        peer = Peer(*events, stay=stay)
        await asyncio.wait_for(app(scope, peer.receive, peer.send), PATIENCE)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return peer

    return asyncio.run(main())


def meet(app: Any, scope: Event, script: Callable[[Peer, asyncio.Task[None]], Awaitable[None]], *events: Event) -> Peer:
    """Run one scope beside a coroutine that plays the client."""

    async def main() -> Peer:
        peer = Peer(*events)
        task = asyncio.create_task(app(scope, peer.receive, peer.send))
        await asyncio.wait_for(script(peer, task), PATIENCE)
        await asyncio.wait_for(task, PATIENCE)
        return peer

    return asyncio.run(main())


def app_with(handler: Any, path: str = "/", methods: tuple[str, ...] = ("GET", "POST")) -> Any:
    app = Microdot()
    app.route(path, list(methods))(handler)
    return app


def chunk(body: bytes, more: bool = False) -> Event:
    return {"type": "http.request", "body": body, "more_body": more}


def test_names() -> None:
    assert issubclass(NoCaseDict, dict)
    assert issubclass(MultiDict, dict)
    assert asgi.Request is Request
    for name in ("abort", "redirect", "send_file", "URLPattern", "AsyncBytesIO", "WebSocket"):
        assert hasattr(asgi, name)


def test_a_reply_in_memory_is_two_messages() -> None:
    async def handler(request: Any) -> str:
        assert all(callable(end) for end in request.sock)
        assert request.asgi_scope["type"] == "http"
        return "hello"

    peer = serve(app_with(handler), http())
    assert peer.sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"5"), (b"content-type", b"text/plain; charset=UTF-8")],
        },
        {"type": "http.response.body", "body": b"hello"},
    ]


def test_a_handler_that_asks_its_own_application() -> None:
    async def inner(request: Any) -> str:
        return "inner"

    app = app_with(inner, "/inner")

    async def outer(request: Any) -> Any:
        peer = Peer()
        await app(http("/inner"), peer.receive, peer.send)
        return peer.body

    app.get("/outer")(outer)
    assert serve(app, http("/outer")).body == b"inner"


def test_a_sparse_scope() -> None:
    async def handler(request: Any) -> Any:
        return [request.client_addr, request.args, request.scheme, request.http_version, request.method]

    scope = {"type": "http", "path": "/", "headers": []}
    assert serve(app_with(handler), scope).body == b'[null, {}, "http", "HTTP/1.1", "GET"]'


def test_cookies_that_http_2_split_are_joined() -> None:
    async def handler(request: Any) -> Any:
        return request.cookies

    headers = [(b"cookie", b"a=1"), (b"x-a", b"1"), (b"cookie", b"b=2")]
    peer = serve(app_with(handler), http(http_version="2", headers=headers), chunk(b""))
    assert peer.body == b'{"a": "1", "b": "2"}'


def test_http_2_needs_no_length() -> None:
    async def handler(request: Any) -> Any:
        return request.body

    peer = serve(app_with(handler), http(http_version="2", method="POST"), chunk(b"ab", True), chunk(b"c"))
    assert peer.body == b"abc"


def test_a_body_without_length_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "max_content_length", 10)
    monkeypatch.setattr(Request, "max_body_length", 4)

    async def handler(request: Any) -> Any:
        return await request.stream.read()

    headers = [(b"transfer-encoding", b"chunked")]
    fits = [chunk(b"x" * 5, True), chunk(b"x" * 5)]
    assert serve(app_with(handler), http(method="POST", headers=headers), *fits).body == b"x" * 10
    over = [chunk(b"x" * 5, True), chunk(b"x" * 6)]
    assert serve(app_with(handler), http(method="POST", headers=headers), *over).sent[0]["status"] == 413


@pytest.mark.parametrize("value", [b"-1", b"+1", b"1_0", b"", b"a", b"\xd9\xa1", b"1" * 16])
def test_a_malformed_length(value: bytes) -> None:
    async def handler(request: Any) -> str:
        return "never"

    assert serve(app_with(handler), http(headers=[(b"content-length", value)])).sent[0]["status"] == 400


def test_a_client_that_leaves_within_its_body_gets_nothing() -> None:
    async def handler(request: Any) -> str:
        return "never"

    scope = http(method="POST", headers=[(b"content-length", b"10")])
    assert serve(app_with(handler), scope, chunk(b"abc", True), {"type": "http.disconnect"}).sent == []


def test_reading_lines_and_the_rest_of_a_long_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "max_body_length", 0)

    async def handler(request: Any) -> Any:
        line = await request.stream.readline()
        exactly = await request.stream.readexactly(2)
        return [line.decode(), exactly.decode(), (await request.stream.read()).decode()]

    scope = http(method="POST", headers=[(b"content-length", b"10")])
    assert serve(app_with(handler), scope, chunk(b"one\nt", True), chunk(b"wo\n12")).body == b'["one\\n", "tw", "o\\n12"]'


def test_back_pressure_on_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "max_body_length", 0)

    async def handler(request: Any) -> Any:
        return await request.stream.read(2)

    scope = http(method="POST", headers=[(b"content-length", b"6")])
    pieces = [chunk(b"ab", True), chunk(b"cd", True), chunk(b"ef")]
    peer = serve(app_with(handler), scope, *pieces)
    assert (peer.body, len(peer.events)) == (b"ab", 2)


@pytest.mark.parametrize(
    ("path", "root", "seen"), [("/a/b", "/a", "/b"), ("/a", "/a", "/"), ("/b", "/a", "/b"), ("/ab", "/a", "/ab")]
)
def test_root_path(path: str, root: str, seen: str) -> None:
    async def handler(request: Any, path: str) -> Any:
        return [request.path, request.url]

    app = app_with(handler, "/<path:path>")
    app.get("/")(lambda request: ["/", request.url])
    assert serve(app, http(path, root_path=root)).body.decode() == f'["{seen}", "{path}"]'


def test_a_departure_cancels_the_handler() -> None:
    ended = []

    async def handler(request: Any) -> None:
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def client(peer: Peer, task: Any) -> None:
        peer.left.set()

    assert meet(app_with(handler), http(), client).sent == []
    assert ended == ["cancelled"]


def test_a_cancellation_by_the_server_is_passed_on() -> None:
    async def handler(request: Any) -> None:
        await asyncio.sleep(PATIENCE)

    async def server(peer: Peer, task: Any) -> None:
        await asyncio.sleep(0)
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        meet(app_with(handler), http(), server)


def test_a_departure_ends_the_reply_and_closes_its_body() -> None:
    ended = []

    async def pieces() -> AsyncIterator[str]:
        try:
            yield "piece"
            await asyncio.sleep(PATIENCE)
        finally:
            ended.append("closed")

    async def handler(request: Any) -> Any:
        return pieces()

    async def client(peer: Peer, task: Any) -> None:
        while len(peer.sent) < 2:
            await asyncio.sleep(0)
        peer.left.set()

    peer = meet(app_with(handler), http(), client)
    assert [event.get("body") for event in peer.sent] == [None, b"piece"]
    assert ended == ["closed"]


def test_a_handler_that_takes_its_time_is_answered() -> None:
    async def handler(request: Any) -> str:
        await asyncio.sleep(3 * asgi.WATCH_AFTER)
        return "late"

    assert serve(app_with(handler), http()).body == b"late"


def test_a_reply_that_the_server_does_not_take_closes_its_body() -> None:
    ended = []

    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "piece"
        finally:
            ended.append("closed")

    async def handler(request: Any) -> Any:
        return pieces()

    async def main() -> None:
        peer = Peer()

        async def send(event: Event) -> None:
            if event.get("body"):
                raise OSError(104, "client has left")

        await app_with(handler)(http(), peer.receive, send)
        assert ended == ["closed"]

    asyncio.run(main())


def test_server_sent_events_end_with_the_client() -> None:
    ended = []

    @with_sse
    async def events(request: Any, sse: Any) -> None:
        try:
            await sse.send("one")
            await asyncio.sleep(PATIENCE)
        finally:
            ended.append("events")

    async def client(peer: Peer, task: Any) -> None:
        while len(peer.sent) < 2:
            await asyncio.sleep(0)
        peer.left.set()

    peer = meet(app_with(events), http(), client)
    assert (peer.headers[b"content-type"], peer.body) == (b"text/event-stream", b"data: one\n\n")
    assert ended == ["events"]


def test_an_endless_body_lets_others_run() -> None:
    def pieces() -> Any:
        while True:
            yield "piece"

    async def handler(request: Any) -> Any:
        return pieces()

    async def client(peer: Peer, task: Any) -> None:
        while len(peer.sent) < 3:
            await asyncio.sleep(0)
        peer.left.set()

    meet(app_with(handler), http(), client)


def test_a_failure_within_the_body_reaches_the_server() -> None:
    async def handler(request: Any) -> Any:
        def pieces() -> Any:
            yield "piece"
            raise KeyError("fault")

        return pieces()

    with pytest.raises(KeyError):
        serve(app_with(handler), http())


def test_a_failure_ahead_of_the_body_leaves_the_server_free_to_answer_500() -> None:
    async def handler(request: Any) -> Any:
        def pieces() -> Any:
            raise KeyError("fault")
            yield "never"

        return pieces()

    async def main() -> Peer:
        peer = Peer()
        with pytest.raises(KeyError):
            await app_with(handler)(http(), peer.receive, peer.send)
        return peer

    assert asyncio.run(main()).sent == []


def test_a_body_without_pieces_has_a_head() -> None:
    async def handler(request: Any) -> Any:
        return iter(())

    assert [event["type"] for event in serve(app_with(handler), http()).sent] == ["http.response.start", "http.response.body"]


def test_the_head_of_an_event_stream_comes_before_its_first_event() -> None:
    @with_sse
    async def silent(request: Any, sse: Any) -> None:
        await asyncio.sleep(1000)

    async def client(peer: Peer, task: Any) -> None:
        await asyncio.wait_for(peer.news.wait(), PATIENCE)
        peer.left.set()

    sent = meet(app_with(silent), http(), client).sent
    assert [event["type"] for event in sent] == ["http.response.start"]


def test_head_closes_what_it_does_not_send() -> None:
    closed = []

    class Body:
        def __aiter__(self) -> Body:
            return self

        async def __anext__(self) -> bytes:
            raise AssertionError

        async def aclose(self) -> None:
            closed.append(True)

    async def handler(request: Any) -> Any:
        return Body(), {"Content-Length": "7"}

    peer = serve(app_with(handler), http(method="HEAD"))
    assert (peer.body, peer.headers[b"content-length"], closed) == (b"", b"7", [True])


def test_connection_headers_are_the_servers() -> None:
    async def handler(request: Any) -> Any:
        return "x", {"Connection": "close", "Transfer-Encoding": "chunked", "Content-Length": "99", "X-A": ["1", "2"]}

    peer = serve(app_with(handler), http())
    assert peer.sent[0]["headers"] == [
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"content-length", b"1"),
        (b"content-type", b"text/plain; charset=UTF-8"),
    ]


def test_already_handled_sends_nothing_and_stays_as_it_was() -> None:
    async def handler(request: Any) -> Any:
        return Response.already_handled

    assert serve(app_with(handler), http()).sent == []
    assert not Response.already_handled._headers


def test_unknown_scopes_end_without_a_reply() -> None:
    assert serve(Microdot(), {"type": "telepathy"}).sent == []


def test_asgi_app_may_be_wrapped() -> None:
    app = app_with(lambda request: "inner")
    inner = app.asgi_app

    async def middleware(scope: Event, receive: Any, send: Any) -> None:
        await inner({**scope, "path": "/"}, receive, send)

    app.asgi_app = middleware
    assert serve(app, http("/elsewhere")).body == b"inner"


def test_static_files_are_found_by_their_decoded_names(tmp_path: Path) -> None:
    for name in ("100%.txt", "a%20b.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "fold er").mkdir()
    app = Microdot()
    app.static("/files", tmp_path)
    assert serve(app, http("/files/100%.txt")).body == b"100%.txt"
    assert serve(app, http("/files/a%20b.txt")).body == b"a%20b.txt"
    assert serve(app, http("/files/../files/100%.txt")).sent[0]["status"] == 404
    moved = serve(app, http("/out/files/fold er", root_path="/out"))
    assert (moved.sent[0]["status"], moved.headers[b"location"]) == (302, b"/out/files/fold%20er/")


# Lifespan

STARTUP, SHUTDOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}


def test_lifespan() -> None:
    calls = []

    async def note(scope: Event) -> None:
        calls.append(scope["type"])

    complete = [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert serve(Microdot(), {"type": "lifespan"}, STARTUP, SHUTDOWN).sent == complete
    assert serve(Microdot(note, lifespan_shutdown=note), {"type": "lifespan"}, STARTUP, SHUTDOWN).sent == complete
    assert calls == ["lifespan", "lifespan"]


def test_lifespan_failures_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(scope: Event) -> None:
        raise ValueError("why")

    message = {"message": repr(ValueError("why"))}
    assert serve(Microdot(fail), {"type": "lifespan"}, STARTUP).sent == [{"type": "lifespan.startup.failed", **message}]
    peer = serve(Microdot(None, fail), {"type": "lifespan"}, STARTUP, SHUTDOWN)
    assert peer.sent[1] == {"type": "lifespan.shutdown.failed", **message}
    assert "ValueError: why" in capsys.readouterr().err


def test_lifespan_of_mounted_applications() -> None:
    log = []

    async def mounted(scope: Event, receive: Any, send: Any) -> None:
        log.append((await receive())["type"])
        await send({"type": "lifespan.startup.complete"})
        log.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    async def ignorant(scope: Event, receive: Any, send: Any) -> None:
        raise TypeError(scope["type"])

    app = Microdot()
    app.mount_asgi("/a", mounted)
    app.mount_asgi("/b", ignorant)
    peer = serve(app, {"type": "lifespan"}, STARTUP, SHUTDOWN)
    assert [event["type"] for event in peer.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert log == ["lifespan.startup", "lifespan.shutdown"]


def test_lifespan_failure_of_a_mounted_application() -> None:
    async def refuse(scope: Event, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "not today"})

    app = Microdot()
    app.mount_asgi("/their", refuse)
    peer = serve(app, {"type": "lifespan"}, STARTUP)
    assert peer.sent == [{"type": "lifespan.startup.failed", "message": repr(RuntimeError("not today"))}]


# WebSocket

CONNECT = {"type": "websocket.connect"}
BYE = {"type": "websocket.disconnect", "code": 1001, "reason": "bye"}


def ws_scope(path: str = "/", **values: Any) -> Event:
    return {**http(path, **values), "type": "websocket"}


def text(data: str) -> Event:
    return {"type": "websocket.receive", "text": data}


def test_websocket_messages() -> None:
    seen = []

    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        seen.append(await ws.receive())
        seen.append(await ws.receive())
        await ws.send("text")
        await ws.send(b"bytes")
        await ws.send(b"as text", ws.TEXT)
        with pytest.raises(OSError, match="closed") as left:
            await ws.receive()
        seen.append((left.value.args[0], ws.close_code, ws.close_reason, ws.closed))

    peer = serve(
        app_with(handler), ws_scope(), CONNECT, text("a"), {"type": "websocket.receive", "bytes": b"b", "text": None}, BYE
    )
    assert peer.sent == [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "text"},
        {"type": "websocket.send", "bytes": b"bytes"},
        {"type": "websocket.send", "text": "as text"},
    ]
    assert seen == ["a", b"b", (32, 1001, "bye", True)]


def test_websocket_receive_with_a_timeout() -> None:
    seen = []

    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        seen.append(await ws.receive(timeout=1))
        for _ in range(2):
            with pytest.raises(asyncio.TimeoutError):
                await ws.receive(timeout=0.01)
        peers[0].events.append(text("late"))
        peers[0].left.set()
        seen.append(await ws.receive())

    class Slow(Peer):
        async def receive(self) -> Event:
            if not self.events:
                await self.left.wait()
            return self.events.pop(0)

    async def main() -> None:
        peers.append(Slow(CONNECT, text("soon")))
        await asyncio.wait_for(app_with(handler)(ws_scope(), peers[0].receive, peers[0].send), PATIENCE)

    peers: list[Peer] = []
    asyncio.run(main())
    assert seen == ["soon", "late"]


def test_websocket_is_closed_with_the_handler() -> None:
    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        pass

    peer = serve(app_with(handler), ws_scope(), CONNECT)
    assert peer.sent[1:] == [{"type": "websocket.close", "code": 1000}]


def test_websocket_of_a_faulty_handler(capsys: pytest.CaptureFixture[str]) -> None:
    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        raise ValueError("fault")

    assert serve(app_with(handler), ws_scope(), CONNECT).sent[1:] == [{"type": "websocket.close", "code": 1011}]
    assert "ValueError: fault" in capsys.readouterr().err


def test_websocket_upgrade() -> None:
    async def handler(request: Any) -> str:
        ws = await websocket_upgrade(request)
        assert isinstance(ws, WebSocket)
        await ws.close(4000, "done")
        await ws.close()
        return "ignored"

    peer = serve(app_with(handler), ws_scope(), CONNECT)
    assert peer.sent[1:] == [{"type": "websocket.close", "code": 4000, "reason": "done"}]


def test_websocket_subprotocol_and_origin() -> None:
    @with_websocket(protocols=("b", "a"), origins=("http://here",))
    async def handler(request: Any, ws: Any) -> None:
        assert ws.subprotocol == "a"

    app = app_with(handler)
    here = [(b"origin", b"http://here")]
    peer = serve(app, ws_scope(headers=here, subprotocols=["a", "c"]), CONNECT)
    assert peer.sent[0] == {"type": "websocket.accept", "subprotocol": "a"}
    peer = serve(app, ws_scope(headers=[(b"origin", b"http://there")]), CONNECT)
    assert peer.sent == [{"type": "websocket.close", "code": 1000}]


def test_websocket_refused_with_a_response() -> None:
    scope = ws_scope("/nowhere", extensions={"websocket.http.response": {}})
    peer = serve(Microdot(), scope, CONNECT)
    assert [event["type"] for event in peer.sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (peer.sent[0]["status"], peer.body) == (404, b"Not found")


def test_websocket_client_that_left_before_the_refusal() -> None:
    assert serve(Microdot(), ws_scope("/nowhere"), BYE).sent == []


def test_http_request_for_a_websocket_route() -> None:
    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        raise AssertionError

    assert serve(app_with(handler), http()).sent[0]["status"] == 400


def test_broadcast_reaches_asgi_clients() -> None:
    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        for message in ("short", b"x" * 200, "x" * 70000):
            await broadcast([ws], message)
        await asyncio.sleep(0.01)

    peer = serve(app_with(handler), ws_scope(), CONNECT)
    assert [event.get("text") or event.get("bytes") for event in peer.sent[1:4]] == ["short", b"x" * 200, "x" * 70000]


def test_a_client_that_takes_nothing_is_given_up() -> None:
    ended = []

    @with_websocket
    async def handler(request: Any, ws: Any) -> None:
        try:
            for _ in range(50):
                await broadcast([ws], b"x" * 100_000)
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            ended.append(True)
            raise

    async def main() -> None:
        peer = Peer(CONNECT)
        full = asyncio.Event()

        async def send(event: Event) -> None:
            if event["type"] == "websocket.send":
                await full.wait()
            await peer.send(event)

        await asyncio.wait_for(app_with(handler)(ws_scope(), peer.receive, send), PATIENCE)
        assert peer.sent == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 1013}]

    asyncio.run(main())
    assert ended == [True]


# The process


def test_shutdown_ends_the_servers_process(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = []
    monkeypatch.setattr("microdot.asgi.os.getpgrp", lambda: 0)
    monkeypatch.setattr("microdot.asgi.os.getpid", lambda: 42)
    monkeypatch.setattr("microdot.asgi.os.kill", lambda *args: killed.append(args))
    Microdot().shutdown()
    assert killed == [(42, signal.SIGTERM)]


def test_run_serves_without_asgi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microdot.asgi.os.kill", lambda *args: pytest.fail("killed"))
    app = Microdot()

    async def main() -> None:
        app.embedded_server = True
        serving = asyncio.create_task(app.start_server("127.0.0.1", 0))
        while app.server is None:
            await asyncio.sleep(0)
        app.shutdown()
        await asyncio.wait_for(serving, PATIENCE)

    asyncio.run(main())
