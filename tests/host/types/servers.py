"""Applications behind servers, others inside of them, and TLS."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from wsgiref.simple_server import make_server

from microdot import Microdot, asgi, wsgi
from microdot.jinja import Template
from microdot.tls import server_context
from starlette.applications import Starlette
from starlette.routing import Mount
from typing_extensions import assert_type


async def start(scope: MutableMapping[str, Any]) -> None:
    print(scope["type"])


app = asgi.Microdot(lifespan_startup=start)
worker = wsgi.Microdot()


@app.get("/")
async def index(request: asgi.Request) -> str:
    return str(request.asgi_scope["type"])


@app.get("/echo")
@asgi.with_websocket
async def echo(request: asgi.Request, ws: asgi.WebSocket) -> None:
    await ws.send(await ws.receive())


@worker.get("/")
def page(request: wsgi.Request) -> tuple[str, dict[str, str]]:
    return Template("index.html").render(name=request.environ["REMOTE_ADDR"]), {"Content-Type": "text/html"}


outer = Starlette(routes=[Mount("/inner", app=app)])
app.mount_asgi("/outer", Starlette())
app.mount_wsgi("/worker", worker)


async def serve(plain: Microdot) -> None:
    assert_type(await plain.start_server(port=5001, ssl=server_context("cert.pem", "key.pem")), None)
    listener = await plain.start_server("127.0.0.1", start_serving=False)
    await listener.serve_forever()


if __name__ == "__main__":
    make_server("127.0.0.1", 5000, worker).serve_forever()
    app.run(port=5000, ssl=server_context(b"certificate", b"key"))
