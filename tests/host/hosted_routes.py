"""The application that every real server serves: `build` adds its routes to an application of any front end.

asgi: hosted_routes:asgi_app    wsgi: hosted_routes:wsgi_app
"""

# mypy: ignore-errors
from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from microdot import Request, asgi, redirect, send_file, wsgi
from microdot.websocket import with_websocket

Request.max_content_length = 2_000_000
FILE = b"0123456789" * 30_000
LARGE_PIECE = b"x" * 65536


class Pieces:
    """A body that counts what is taken of it and knows whether it was closed."""

    def __init__(self, log: list[str], count: int, held_until: str | None = None) -> None:
        """Hold all but the first piece back until there is a file of this name."""
        self.log, self.left, self.held_until = log, count, held_until
        self.begun = False

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        while self.begun and self.held_until and not os.path.exists(self.held_until):
            await asyncio.sleep(0.01)
        self.begun = True
        await asyncio.sleep(0.01)
        return b"piece\n"

    async def aclose(self) -> None:
        self.log.append("closed")


def build(app: Any) -> Any:  # noqa: C901 - a list of routes
    log: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    @app.get("/")
    async def index(request: Any) -> str:
        return "hello"

    @app.get("/thread")
    def thread(request: Any) -> str:
        return "a def handler"

    @app.get("/seen/<name>")
    async def seen(request: Any, name: str) -> Any:
        return {
            "name": name,
            "path": request.path,
            "url": request.url,
            "query": request.query_string,
            "args": request.args.getlist("a"),
            "header": request.headers.get("x-test"),
            "spelling": "X-Test" in list(request.headers),
            "cookies": request.cookies,
            "version": request.http_version,
            "scheme": request.scheme,
            "client": request.client_addr and request.client_addr[0],
        }

    @app.post("/json")
    async def accept_json(request: Any) -> Any:
        return request.json

    @app.post("/form")
    async def form(request: Any) -> Any:
        return request.form["a"]

    @app.post("/echo")
    async def echo(request: Any) -> Any:
        parts = []
        while data := await request.stream.read(10_000):
            parts.append(data)
        return b"".join(parts)

    @app.post("/memory")
    async def memory(request: Any) -> Any:
        return {"memory": len(request.body)}

    @app.post("/ignore")
    async def ignore(request: Any) -> str:
        return "ignored"

    @app.get("/headers")
    async def headers(request: Any) -> Any:
        res = redirect("/")
        res.headers["X-One"] = "ü"
        res.set_cookie("a", "1")
        res.set_cookie("b", "2")
        return res

    @app.get("/split")
    async def split(request: Any) -> Any:
        return "body", {"X-Evil": "a\r\nSet-Cookie: b"}

    @app.get("/empty")
    async def empty(request: Any) -> Any:
        return None

    @app.get("/file")
    async def get_file(request: Any) -> Any:
        # Made here, in the folder that goes with the server: a test that imports this module is to leave nothing.
        with tempfile.NamedTemporaryFile(suffix=".txt", delete=False) as file:
            file.write(FILE)
        return send_file(file.name)

    @app.get("/generator")
    async def generator(request: Any) -> Any:
        def pieces() -> Iterator[str]:
            for n in range(3):
                yield f"{n}\n"

        return pieces()

    @app.get("/async-generator")
    async def async_generator(request: Any) -> Any:
        async def pieces() -> AsyncIterator[str]:
            for n in range(3):
                await asyncio.sleep(0)
                yield f"{n}\n"

        return pieces()

    @app.get("/held/<int:count>")
    async def held(request: Any, count: int) -> Any:
        return Pieces(log, count, request.args["until"])

    @app.get("/endless")
    async def endless(request: Any) -> Any:
        return Pieces(log, 1_000_000)

    @app.get("/flood")
    async def flood(request: Any) -> Any:
        async def pieces() -> AsyncIterator[bytes]:
            for n in range(1000):
                log.append(f"flood {n}")
                yield LARGE_PIECE

        return pieces()

    @app.get("/broken-body")
    async def broken_body(request: Any) -> Any:
        def pieces() -> Iterator[str]:
            yield "begun\n" * 1000
            raise ValueError("in the middle of a body")

        return pieces()

    @app.get("/wait")
    async def wait(request: Any) -> str:
        log.append("waiting")
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        return "waited"

    @app.get("/sleep")
    async def sleep(request: Any) -> str:
        await asyncio.wait_for(asyncio.sleep(0.3), 5)
        return "slept"

    @app.get("/linger")
    async def linger(request: Any) -> str:
        """Wait until four are here, but not for ever: where they have to come one by one, the log shows it."""
        log.append("linger begun")
        for _ in range(1000):
            if log.count("linger begun") >= 4:
                break
            await asyncio.sleep(0.01)
        log.append("linger over")
        return "lingered"

    @app.get("/background")
    async def background(request: Any) -> str:
        async def later() -> None:
            await asyncio.sleep(0.1)
            log.append("background")

        tasks.add(asyncio.create_task(later()))
        return "begun"

    @app.get("/loop")
    async def loop(request: Any) -> str:
        return f"{id(asyncio.get_running_loop())}"

    @app.get("/fail")
    async def fail(request: Any) -> str:
        raise ValueError("a fault of the application")

    @app.get("/log")
    async def read_log(request: Any) -> Any:
        copy = list(log)
        log.clear()
        return copy

    @app.route("/ws")
    @with_websocket
    async def ws(request: Any, ws: Any) -> None:
        try:
            while True:
                await ws.send(await ws.receive())
        finally:
            log.append("ws left")

    @app.route("/ws/bye")
    @with_websocket
    async def ws_bye(request: Any, ws: Any) -> None:
        await ws.send("bye")

    @app.before_request
    async def hook(request: Any) -> Any:
        if request.path == "/ws/secret":
            return {"why": "no"}, 401
        return None

    @app.get("/ws/secret")
    async def secret(request: Any) -> str:
        return "secret"

    @app.get("/state")
    async def state(request: Any) -> Any:
        return {"pid": os.getpid(), "threads": sorted(thread.name for thread in threading.enumerate())}

    app.mount_wsgi("/old", old_wsgi)
    app.mount_asgi("/other", other_asgi())
    app.log = log
    return app


def old_wsgi(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """A WSGI application of somebody else."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    yield environ["SCRIPT_NAME"].encode() + b" "
    yield environ["PATH_INFO"].encode("latin-1") + b" " + environ["REQUEST_METHOD"].encode() + b" "
    yield body


def other_asgi() -> Any:
    """An ASGI application of somebody else, made with Starlette."""
    from contextlib import asynccontextmanager

    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
    from starlette.routing import Route, WebSocketRoute

    started = []

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        started.append("started")
        yield

    async def page(request: Any) -> Any:
        return JSONResponse({"root": request.scope["root_path"], "path": request.url.path, "started": started})

    async def echo(request: Any) -> Any:
        return PlainTextResponse(await request.body())

    async def stream(request: Any) -> Any:
        async def pieces() -> AsyncIterator[str]:
            for n in range(3):
                yield f"{n}\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(pieces())

    async def fail(request: Any) -> Any:
        raise ValueError("a fault of the mounted application")

    async def talk(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text("starlette " + await websocket.receive_text())
        await websocket.close()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/page", page),
            Route("/echo", echo, methods=["PUT"]),
            Route("/stream", stream),
            Route("/fail", fail),
            WebSocketRoute("/talk", talk),
        ],
    )


async def _startup(scope: Any) -> None:
    asgi_app.log.append("startup " + scope["type"])


async def _shutdown(scope: Any) -> None:
    print("lifespan shutdown", flush=True)


asgi_app = build(asgi.Microdot(_startup, _shutdown))
wsgi_app = build(wsgi.Microdot())
