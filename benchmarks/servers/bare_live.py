# mypy: ignore-errors
# The floor of live connections: a WebSocket echo without any check, and a loop that writes events.
# Usage: bare_live.py PORT websocket, or bare_live.py PORT events COUNT
import asyncio
import hashlib
import sys
from binascii import b2a_base64

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


async def echo(reader, writer, head):
    at = head.lower().find(b"sec-websocket-key:") + 18
    key = head[at : head.find(b"\r\n", at)].strip()
    accept = b2a_base64(hashlib.sha1(key + _GUID).digest()).strip()
    fields = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\n\r\n")
    while True:
        frame = await reader.read(1024)  # short messages come in one piece here
        if not frame:
            return
        n = frame[1] & 127
        mask = int.from_bytes(frame[2:6] * (n // 4 + 1), "little")
        payload = (int.from_bytes(frame[6 : 6 + n], "little") ^ mask).to_bytes(n + 4, "little")[:n]
        writer.write(bytes((0x81, n)) + str(payload, "utf-8").encode())
        await writer.drain()


async def events(reader, writer, head):
    writer.write(_HEAD)
    for _ in range(int(sys.argv[3])):
        writer.write(b"data: " + "21.5".encode() + b"\n\n")
        await writer.drain()


async def serve(reader, writer):
    head = await reader.read(1024)
    await (echo if sys.argv[2] == "websocket" else events)(reader, writer, head)
    writer.close()
    await writer.wait_closed()


async def main():
    await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    while True:
        await asyncio.sleep(3600)


asyncio.run(main())
