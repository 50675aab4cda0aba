# mypy: ignore-errors
# The framework leaves the reply to the handler, head included.  Usage: micropython_uaioweb_hello.py PORT
import asyncio
import sys

from uaioweb import App

app = App(host="127.0.0.1", port=int(sys.argv[1]))


@app.route("/")
async def hello(reader, writer):
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nHello, world!")
    await writer.drain()


async def main():
    asyncio.create_task(app.serve())
    while True:
        await asyncio.sleep(3600)


asyncio.run(main())
