# The client's end of a WebSocket for `TestClient.websocket`: a stream whose other side is a generator.
from microdot.helpers import iscoroutine
from microdot.utf8 import decode_utf8
from microdot.websocket_frames import BINARY, FIN, TEXT

HEADERS = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Wire:
    """What a handler's WebSocket reads and writes. The generator goes on when the handler sends or has nothing to read."""

    begun = False
    ended = False
    upgraded = False  # the handshake was answered

    def __init__(self, client):
        self.client = client
        self.frames = b""  # for the handler to read

    async def read(self, n):
        if not self.frames:
            await self._go_on(None)
        data = self.frames[:n]
        self.frames = self.frames[n:]
        return data

    async def awrite(self, data):
        if not self.upgraded:
            self.upgraded = True
            return
        opcode, message = _decode(data)
        if opcode in (TEXT, BINARY) and not self.ended:
            if not self.begun:
                await self._go_on(None)
            await self._go_on(decode_utf8(message) if opcode == TEXT else message)

    async def _go_on(self, message):
        if self.ended:
            raise OSError(32, "Websocket connection closed")
        self.begun = True
        try:
            step = self.client.asend(message) if hasattr(self.client, "asend") else self.client.send(message)
            reply = await step if iscoroutine(step) or hasattr(step, "__await__") else step
        except (StopIteration, StopAsyncIteration):
            self.ended = True
            if message is None:
                raise OSError(32, "Websocket connection closed")
            return
        if reply is not None:
            self.frames += _encode(reply)


def _encode(message):
    # A frame as clients send it, under a mask that changes nothing.
    payload = message.encode() if isinstance(message, str) else bytes(message)
    n = len(payload)
    size = bytes((128 | n,)) if n < 126 else b"\xfe" + n.to_bytes(2, "big") if n < 65536 else b"\xff" + n.to_bytes(8, "big")
    return bytes((FIN | (TEXT if isinstance(message, str) else BINARY),)) + size + b"\0\0\0\0" + payload


def _decode(frame):
    # Return opcode and payload of a frame as servers send it.
    n = frame[1]
    start = 2 if n < 126 else 4 if n == 126 else 10
    return frame[0] & 15, frame[start:]
