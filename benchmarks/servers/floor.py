# mypy: ignore-errors
# The floor: the least that an asyncio server can do for a request. It reads to the blank line, writes a
# constant in one write, drains and closes. Its main task sleeps, as that of an application does: a timer that
# is pending, which a server with deadlines has as well, costs two more polls a request than a main task that
# waits for the server. Runs on MicroPython and on CPython.  Usage: floor.py PORT
import asyncio
import sys

_REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 13\r\n"
    b"Connection: close\r\n\r\nHello, world!"
)


async def serve(reader, writer):
    head = b""
    while b"\r\n\r\n" not in head:
        data = await reader.read(1024)
        if not data:
            break
        head += data
    writer.write(_REPLY)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main():
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    while True:
        await asyncio.sleep(3600)


asyncio.run(main())
