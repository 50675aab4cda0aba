# The beginning and the end of a WebSocket connection (RFC 6455 4.2, 7): what is needed once for each.
import asyncio
import hashlib
from binascii import a2b_base64, b2a_base64

from microdot.helpers import load
from microdot.http import HTTPException
from microdot.request_lazy import field
from microdot.server import SENDING
from microdot.websocket_frames import WebSocketError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def handshake(ws):
    """Check the request and answer it with 101, or raise the ``HTTPException`` that says what is wrong with it."""
    request = ws.request
    key = field(request, b"sec-websocket-key")
    _check(request, key)
    _check_origin(ws.origins, field(request, b"origin"))
    lines = [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept_key(key)
    ]
    ws.subprotocol = _choose(ws.protocols, field(request, b"sec-websocket-protocol"))
    if ws.subprotocol:
        lines.append("Sec-WebSocket-Protocol: " + ws.subprotocol)
    if ws.compress:
        extension = load("websocket_deflate").negotiate(ws, field(request, b"sec-websocket-extensions") or "")
        if extension:
            lines.append("Sec-WebSocket-Extensions: " + extension)
    await _take_over(ws, "\r\n".join(lines + ["", ""]).encode())


def accept_key(key):
    """Return the ``Sec-WebSocket-Accept`` of a key (RFC 6455 4.2.2)."""
    digest = hashlib.sha1(key.encode() + _GUID).digest()
    return b2a_base64(digest).strip().decode()


def _check(request, key):
    upgrade = (field(request, b"upgrade") or "").lower()
    connection = (field(request, b"connection") or "").lower()
    if upgrade != "websocket" or "upgrade" not in connection or not key:
        raise HTTPException(400)
    # RFC 9110 7.8: HTTP/1.0 knows no upgrade; what a body would be followed by is no frame
    has_body = request.content_length or field(request, b"transfer-encoding")
    if request.method != "GET" or has_body or (request._connection and request.http_version == "1.0"):
        raise HTTPException(400, "not a websocket handshake")
    if field(request, b"sec-websocket-version") != "13":
        error = HTTPException(426, "websocket version 13 required")
        error.headers = {"Sec-WebSocket-Version": "13", "Upgrade": "websocket", "Connection": "Upgrade"}
        raise error
    if not _is_key(key):
        raise HTTPException(400, "malformed websocket key")


def _is_key(key):
    try:
        return len(key) == 24 and len(a2b_base64(key.encode())) == 16
    except ValueError:
        return False


def _check_origin(origins, origin):
    if origins is not None and origin not in origins:
        raise HTTPException(403, "origin not allowed")


def _choose(protocols, offered):
    # The application's first choice among what the client offers.
    offered = [name.strip() for name in (offered or "").split(",")]
    for name in protocols:
        if name in offered:
            return name
    return None


async def _take_over(ws, head):
    request = ws.request
    connection = request._connection
    if connection:
        if connection.server.stopping:
            raise HTTPException(503)
        ws._in = connection
    else:
        from microdot.wire_streams import Streams

        ws._in = Streams(request.sock[0])
    ws._out = request.sock[1]
    request.upgraded = True
    if connection:
        connection.guest = ws
        connection.phase = SENDING
    try:
        await ws._out.awrite(head)
    except OSError:
        ws._lost()
        raise
    if ws.ping_interval:
        ws._keeper = asyncio.create_task(load("websocket_ping").keep_alive(ws))


async def goodbye(ws):
    """Read on until the client has answered our close: a socket closed with unread bytes would take that with it."""
    connection = ws._in
    if not connection.task:
        return  # nobody's but the application's, which closes it
    connection.deadline = connection.server.now + connection.server.ticks(ws.close_timeout)
    try:
        try:
            while ws.close_code is None:
                if ws._next() is None:
                    await ws._more()
        except (WebSocketError, MemoryError):
            if ws.close_code is None:
                await connection.linger()  # frames that can't be read have no end
    except OSError:
        pass
