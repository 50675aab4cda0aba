# mypy: ignore-errors
# The framework has one handler for each method, which finds its own way by the URL.
# Usage: micro_http_server_hello.py PORT
import asyncio
import sys

from micro_http_server import userver


def get(url, data):
    if url == "/":
        return 200, "Hello, world!", {}
    return 404, "", {}


async def serve(reader, writer):
    await userver.handle_client(reader, writer, {"get": get})
    await userver.finalise_client(reader, writer)


async def main():
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    while True:
        await asyncio.sleep(3600)


asyncio.run(main())
