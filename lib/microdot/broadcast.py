# One message for many clients: WebSockets, event streams, or both. Encoded once for each kind, and nobody is waited for: who
# has not taken what it was sent before, up to its own bound, is given up.
import asyncio

from microdot.helpers import load

MAX_WAITING = 16  # messages that may wait for a client whose connection is not ours to look at


async def broadcast(clients, data, **options):
    """Send ``data`` to each client that is not closed; return those that were given up as too slow or gone.

    ``clients`` holds ``WebSocket`` or ``SSE`` objects and may change meanwhile; options are those of their ``encode``.
    The handler of a client that is given up is cancelled.
    """
    encoded = {}
    dropped = []
    for client in list(clients):
        kind = type(client)
        if kind not in encoded:
            encoded[kind] = client.encode(data, **options)
        if not client.offer(encoded[kind]):
            dropped.append(client)
    await asyncio.sleep(0)
    return dropped


def offer_frame(ws, frame):
    """Send an encoded frame to a WebSocket without waiting; tell whether it was sent."""
    if ws.closed:
        return False
    out = ws._out
    try:
        if not hasattr(out, "backlog"):
            return _offer_in_task(ws, out.awrite(frame) if out else ws.send(frame))
        if out.backlog() <= ws.max_backlog:
            out.write(frame)
            if out.backlog() and not out.draining:
                out.drainer = asyncio.create_task(_quietly(out.drain()))
            return True
    except OSError:
        pass
    ws.drop()
    return False


def _offer_in_task(ws, sending):
    # The bound is on what waits: how many, as nobody tells how much.
    if ws._offers is None:
        ws._offers = []
    if len(ws._offers) >= MAX_WAITING:
        sending.close()
        ws.drop()
        return False
    ws._offers.append(asyncio.create_task(_sent(ws, sending)))
    return True


async def _sent(ws, sending):
    await _quietly(sending)
    ws._offers.remove(asyncio.current_task())


async def _quietly(sending):
    try:
        await sending
    except (OSError, load("websocket_frames").WebSocketError):
        pass  # the handler is told when it sends or receives
