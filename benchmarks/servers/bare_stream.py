# mypy: ignore-errors
# The floor of long bodies: a loop with nothing around it that sends a file, or one buffer many times.
# Usage: bare_stream.py PORT FILE, or bare_stream.py PORT for the buffer
import asyncio
import sys

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n"
_BUFFER = memoryview(bytearray(4096))
_CHUNK = bytes(range(256)) * 4


async def send_file(writer):
    with open(sys.argv[2], "rb") as file:
        while True:
            n = file.readinto(_BUFFER)
            if not n:
                break
            writer.write(_BUFFER[:n])
            await writer.drain()


async def send_chunks(writer):
    for _ in range(1024):
        writer.write(_CHUNK)
        await writer.drain()


async def serve(reader, writer):
    await reader.read(1024)
    writer.write(_HEAD)
    await (send_file if len(sys.argv) > 2 else send_chunks)(writer)
    writer.close()
    await writer.wait_closed()


async def main():
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    while True:
        await asyncio.sleep(3600)


asyncio.run(main())
