# mypy: ignore-errors
# The floor of persistent connections: as floor.py, but answers until the client hangs up.
# Usage: floor_keep.py PORT
import asyncio
import sys

_REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 13\r\n\r\nHello, world!"


async def serve(reader, writer):
    head = b""
    while True:
        data = await reader.read(1024)
        if not data:
            break
        head += data
        if b"\r\n\r\n" in head:
            writer.write(_REPLY)
            await writer.drain()
            head = b""
    writer.close()
    await writer.wait_closed()


async def main():
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    while True:
        await asyncio.sleep(3600)


asyncio.run(main())
