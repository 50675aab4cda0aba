# Signs of life: finds out that a client is gone although its connection says nothing (RFC 6455 5.5.2). One task a connection.
import asyncio

from microdot.websocket_frames import FIN, PING, WebSocketError, encode


async def keep_alive(ws):
    """Send a ping after each ``ping_interval``; give the client up if nothing at all comes within ``ping_timeout``."""
    try:
        while not ws.closed:
            await asyncio.sleep(ws.ping_interval)
            heard = ws._heard
            await ws.send(b"", PING)
            await asyncio.sleep(ws.ping_timeout)
            if ws._heard == heard and not ws.closed and not await _listen(ws):
                ws.drop()
    except WebSocketError:
        pass  # closed meanwhile
    except OSError:
        ws.drop()


async def _listen(ws):
    # A handler that does not receive leaves the answer unread: look for it. A message that it has yet to take counts too.
    if ws._receiver:
        return False
    if ws._kept or _has_message(ws):
        return True
    heard = ws._heard
    ws._receiver = asyncio.current_task()
    try:
        await asyncio.wait_for(ws._more(), 0.1)
        while not _has_message(ws):
            step = ws._next()
            if step is None:
                break
            if step[0]:
                await ws._out.awrite(encode(FIN | step[0], step[1]))
    except asyncio.TimeoutError:
        pass
    except WebSocketError as e:
        await ws._end(e.code)
        raise
    finally:
        ws._receiver = None
    return ws._heard != heard


def _has_message(ws):
    source = ws._in
    return ws._payload is not None or (source.start < source.end and not source.buf[source.start] & 8)
