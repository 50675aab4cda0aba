"""Applications of other frameworks beside Microdot's routes, and Microdot inside one of theirs, in one process."""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return,no-untyped-call,untyped-decorator"
from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from asgiref.wsgi import WsgiToAsgi
from microdot import asgi
from microdot.microdot import Microdot
from microdot.test_client import TestClient
from microdot.websocket import with_websocket
from servers import free_port
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # WebOb imports cgi, Starlette's client would rather have another httpx
    from pyramid.config import Configurator
    from pyramid.response import Response
    from starlette.testclient import TestClient as StarletteClient
    from starlette.testclient import WebSocketDenialResponse

PATIENCE = 60


def pyramid() -> Any:
    def view(request: Any) -> Any:
        return Response(f"{request.script_name} {request.path_info} {request.method} {request.text}")

    with Configurator() as config:
        config.add_route("all", "/*rest")
        config.add_view(view, route_name="all")
        return config.make_wsgi_app()


def microdot(cls: Any = asgi.Microdot) -> Any:
    app = cls()

    @app.get("/mine")
    async def mine(request: Any) -> str:
        return "mine " + request.url

    @app.get("/ws")
    @with_websocket
    async def ws(request: Any, ws: Any) -> None:
        await ws.send("echo " + await ws.receive())

    return app


def client(app: Any) -> Any:
    """A client that speaks http and websocket with an ASGI application, and gives the lifespan events."""
    return StarletteClient(app, base_url="http://test")


def refusal(web: Any, path: str) -> int:
    """Return the status with which a WebSocket is refused."""
    with pytest.raises(WebSocketDenialResponse) as refused, web.websocket_connect(path):
        pass
    return refused.value.status_code


def test_pyramid_and_a_websocket_in_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    app = microdot()
    app.mount_asgi("/", WsgiToAsgi(pyramid()))
    with client(app) as web:
        assert web.get("/mine").text == "mine /mine"
        assert web.post("/theirs", content=b"body").text == " /theirs POST body"
        assert web.options("/theirs").text == " /theirs OPTIONS "
        assert web.post("/mine").status_code == 405
        with web.websocket_connect("/ws") as ws:
            ws.send_text("a")
            assert ws.receive_text() == "echo a"
        # Pyramid knows no WebSocket: the client gets an answer and the log the reason.
        assert refusal(web, "/theirs") == 501
    assert "non-HTTP scope" in capsys.readouterr().err


def test_pyramid_as_wsgi() -> None:
    app = microdot()
    app.mount_wsgi("/pyramid", pyramid())
    with client(app) as web:
        assert web.put("/pyramid/caf%C3%A9", content=b"x" * 100_00).text == "/pyramid /café PUT " + "x" * 100_00
        assert web.get("/pyramids").status_code == 404
        assert web.get("/mine").text == "mine /mine"


def test_microdot_in_starlette() -> None:
    async def page(request: Any) -> Any:
        return PlainTextResponse("starlette")

    inner = microdot()
    inner.mount_asgi("/deeper", Starlette(routes=[Route("/page", page)]))
    with client(Starlette(routes=[Route("/page", page), Mount("/micro", inner)])) as web:
        assert web.get("/page").text == "starlette"
        assert web.get("/micro/mine?a=1").text == "mine /micro/mine?a=1"
        assert web.get("/micro/deeper/page").text == "starlette"
        assert web.get("/micro/nowhere").status_code == 404
        with web.websocket_connect("/micro/ws") as ws:
            ws.send_text("a")
            assert ws.receive_text() == "echo a"


def test_hooks_apply_to_mounted_applications() -> None:
    async def page(request: Any) -> Any:
        return PlainTextResponse("page", headers={"set-cookie": "theirs=1"})

    app = microdot()
    app.mount_asgi("/their", Starlette(routes=[Route("/page", page), Route("/secret", page)]))

    @app.before_request
    async def before(request: Any) -> Any:
        return ("no", 401) if request.path == "/their/secret" else None

    @app.after_request
    async def after(request: Any, response: Any) -> None:
        response.headers["X-Ours"] = "1"

    with client(app) as web:
        reply = web.get("/their/page")
        assert (reply.text, reply.headers["x-ours"], reply.cookies["theirs"]) == ("page", "1", "1")
        assert web.get("/their/secret").status_code == 401
        assert web.head("/their/page").headers["content-length"] == "4"


def test_the_longest_prefix_wins() -> None:
    def app_that_says(text: str) -> Any:
        async def page(request: Any) -> Any:
            return PlainTextResponse(text)

        return Starlette(routes=[Route("/{rest:path}", page)])

    app = microdot()
    app.mount_asgi("/a", app_that_says("short"))
    app.mount_asgi("/a/b/", app_that_says("long"))
    with client(app) as web:
        assert [web.get(path).text for path in ("/a/c", "/a/b/c", "/a/b", "/a/bc")] == ["short", "long", "long", "short"]


def test_background_work_after_the_reply_is_done() -> None:
    done = threading.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.set()

    async def page(request: Any) -> Any:
        return PlainTextResponse("page", background=BackgroundTask(work))

    app = microdot()
    app.mount_asgi("/their", Starlette(routes=[Route("/page", page)]))
    with client(app) as web:
        assert web.get("/their/page").text == "page"
        assert done.wait(PATIENCE)


def test_failures_are_not_swallowed(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/fail/silent":
            return
        if scope["path"] == "/fail/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        raise ValueError("their fault")

    app = microdot()
    app.mount_asgi("/fail", fail)
    with client(app) as web:
        assert web.get("/fail/silent").status_code == 500
        assert "did not send http.response.start" in capsys.readouterr().err
        assert web.get("/fail/at-once").status_code == 500
        assert "ValueError: their fault" in capsys.readouterr().err
        with pytest.raises(ValueError, match="their fault"):  # the server's to log, and to cut the reply
            web.get("/fail/late")


def test_a_faulty_wsgi_application(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/replaced":
            try:
                start_response("200 OK", [])
                raise ValueError
            except ValueError:
                import sys

                start_response("503 Busy", [("X-A", "1")], sys.exc_info())
                return [b"busy"]
        if environ["PATH_INFO"] == "/write":
            write = start_response("200 OK", [])
            write(b"written ")
            return [b"returned"]
        return [b"no start"]

    app = microdot()
    app.mount_wsgi("/fail", fail)
    with client(app) as web:
        assert web.get("/fail/replaced").status_code == 503
        assert web.get("/fail/write").text == "written returned"
        assert web.get("/fail/other").status_code == 500
    assert "reply before start_response" in capsys.readouterr().err


class Endless:
    """An application of somebody else that streams for ever and says how it ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def pieces(self) -> AsyncIterator[str]:
        try:
            while True:
                yield "piece\n"
                await asyncio.sleep(0.01)
        finally:
            self.ended.append("asgi")

    def wsgi(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"piece\n"
        finally:
            self.ended.append("wsgi")


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_on_the_built_in_server(kind: str) -> None:
    endless = Endless()

    async def page(request: Any) -> Any:
        return PlainTextResponse(await request.body())

    async def stream(request: Any) -> Any:
        return StreamingResponse(endless.pieces())

    app = microdot(Microdot)
    app.mount_asgi("/asgi", Starlette(routes=[Route("/page", page, methods=["PUT"]), Route("/stream", stream)]))
    app.mount_wsgi("/wsgi/stream", endless.wsgi)
    app.mount_wsgi("/wsgi", pyramid())

    async def main() -> None:
        port = free_port()
        serving = asyncio.create_task(app.start_server("127.0.0.1", port))
        while app.server is None:
            await asyncio.sleep(0)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False) as web:
            reply = await web.put(f"/{kind}/page", content=b"x" * 10_000)
            assert reply.text == ("" if kind == "asgi" else "/wsgi /page PUT ") + "x" * 10_000
            assert (await web.get("/mine")).text == "mine /mine"
            async with web.stream("GET", f"/{kind}/stream") as reply:
                async for line in reply.aiter_lines():
                    assert line == "piece"
                    break
            for _ in range(PATIENCE * 50):
                if endless.ended:
                    break
                await asyncio.sleep(0.02)
            assert endless.ended == [kind]
        app.shutdown()
        await asyncio.wait_for(serving, PATIENCE)

    asyncio.run(main())


def test_in_the_test_client() -> None:
    app = microdot(Microdot)
    app.mount_wsgi("/pyramid", pyramid())
    reply = asyncio.run(TestClient(app).get("/pyramid/a%20b"))
    assert (reply.status_code, reply.text) == (200, "/pyramid /a b GET ")


def test_websocket_refusals_in_starlette() -> None:
    with client(Starlette(routes=[Mount("/micro", microdot())])) as web:
        assert refusal(web, "/micro/nowhere") == 404
