# A WebSocket client for the tests: sends whatever bytes it is told, and judges what comes back strictly.

from client import Truncated, request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # that of RFC 6455, with the answer it must get
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIELDS = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + KEY)
MASK = b"\x37\xfa\x21\x3d"


def handshake(path="/ws", *fields):
    return request("GET", path, *(FIELDS + fields))


def size_bytes(n, masked=True):
    bit = 128 if masked else 0
    if n < 126:
        return bytes((bit | n,))
    if n < 65536:
        return bytes((bit | 126,)) + n.to_bytes(2, "big")
    return bytes((bit | 127,)) + n.to_bytes(8, "big")


def masked(payload, mask=MASK):
    result = bytearray(payload)
    for i in range(len(payload)):
        result[i] ^= mask[i % 4]
    return bytes(result)


def frame(opcode, payload=b"", fin=True, reserved=0, mask=MASK):
    """Return a frame as clients send it."""
    first = (128 if fin else 0) | reserved | opcode
    return bytes((first,)) + size_bytes(len(payload)) + mask + masked(payload, mask)


def text(message):
    return frame(TEXT, message.encode())


def close(code=None, reason=""):
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason.encode())


class WsClient:
    """One end of a WebSocket over a `Client`."""

    def __init__(self, client):
        self.client = client
        self.send = client.send

    async def frame(self):
        """Read a frame; return `(opcode, payload)`. A server's frame is whole, not masked and of the shortest form."""
        head = await self.client._exactly(2)
        if not head[0] & 128 or head[0] & 0x70 or head[1] & 128:
            raise AssertionError(head)
        n = head[1]
        if n > 125:
            n = int.from_bytes(await self.client._exactly(2 if n == 126 else 8), "big")
            if size_bytes(n, False)[0] != head[1]:
                raise AssertionError("length not in its shortest form")
        return head[0] & 15, await self.client._exactly(n)

    async def message(self):
        opcode, payload = await self.frame()
        if opcode not in (TEXT, BINARY):
            raise AssertionError((opcode, payload))
        return payload.decode() if opcode == TEXT else payload

    async def close_code(self):
        """Read the close frame and the end of the connection; return the code, None without one."""
        opcode, payload = await self.frame()
        if opcode != CLOSE:
            raise AssertionError((opcode, payload))
        code = int.from_bytes(payload[:2], "big") if payload else None
        await self.client.send_if_wanted([close(code)])
        if await self.client.rest():
            raise AssertionError("bytes after the close frame")
        return code


async def connect(server, path="/ws", *fields):
    """Open a WebSocket; raises Truncated with the head when the server refuses."""
    client = await server.connect()
    await client.send(handshake(path, *fields))
    return await upgraded(client)


async def upgraded(client):
    """Read the answer to a handshake."""
    reply = await client.reply()
    if reply.status != 101 or reply.headers["sec-websocket-accept"] != ACCEPT:
        raise Truncated(reply.status)
    ws = WsClient(client)
    ws.headers = reply.headers
    return ws
