# The application of the TLS tests, for both interpreters: main port, certificate, key, then `NAME=NUMBER` for its limits.
# The next port serves the same without TLS.

import asyncio
import sys

from microdot import Microdot, Request
from microdot.tls import server_context
from microdot.websocket import WebSocket, with_websocket


def make() -> Microdot:
    app = Microdot()

    @app.get("/")
    async def index(request: Request) -> object:
        return request.scheme + " " + request.client_addr[0]

    @app.get("/lines")
    async def lines(request: Request) -> object:
        return (f"line {i} {'x' * (i % 100)}\n" for i in range(3000))

    @app.get("/big")
    async def big(request: Request) -> object:
        return b"b" * 300000

    @app.post("/length")
    async def length(request: Request) -> object:
        size = 0
        while True:
            data = await request.stream.read(1000)
            if not data:
                return str(size)
            size += len(data)

    @app.post("/echo")
    async def echo(request: Request) -> object:
        return request.body

    add_sockets(app)
    return app


def add_sockets(app: Microdot) -> None:
    @app.get("/socket")
    @with_websocket
    async def echo_socket(request: Request, ws: WebSocket) -> None:
        async for message in ws:
            await ws.send(message)

    @app.get("/flood")
    @with_websocket
    async def flood(request: Request, ws: WebSocket) -> None:
        async def send(letter: str) -> None:
            for i in range(200):
                await ws.send(letter * (i * 371 % 30000))

        await asyncio.gather(send("a"), send("b"), send("c"))


async def serve(port: int, context: object, limits: "list[str]") -> None:
    plain, secure = make(), make()
    for limit in limits:
        name, value = limit.split("=")
        setattr(secure, name, float(value) if "." in value else int(value))
    task = asyncio.create_task(plain.start_server("127.0.0.1", port + 1))
    await secure.start_server("127.0.0.1", port, ssl=context)
    await task


asyncio.run(serve(int(sys.argv[1]), server_context(sys.argv[2], sys.argv[3]), sys.argv[4:]))
