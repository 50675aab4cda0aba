# WebSockets of an ASGI server: the server frames messages, this hands them on. A request that is not upgraded is refused with
# the application's own response where the server can send one (its `websocket.http.response` extension), else with a 403.
# The decorator and the upgrade are those of websocket.py, which ask a request for its class.
import asyncio

from microdot import websocket
from microdot.asgi import respond
from microdot.errors import is_gone, print_exception
from microdot.http import HTTPException
from microdot.response import Response

_NORMAL, _INTERNAL_ERROR, _TRY_LATER = 1000, 1011, 1013  # RFC 6455 7.4.1


class WebSocket(websocket.WebSocket):
    """A WebSocket connection of an ASGI server. Pings and compression are the server's business: those options do nothing."""

    session = None
    _asked = None  # the server's next event, when it is waited for in a task

    async def handshake(self):
        """Accept the connection; end the request with 400 if it is none for a WebSocket, 403 for a wrong origin."""
        request = self.request
        self.session = getattr(request, "asgi_session", None)
        if not self.session or not await self.session.connect():
            raise HTTPException(400)
        if self.origins is not None and request.headers.get("Origin") not in self.origins:
            raise HTTPException(403, "origin not allowed")
        offered = request.asgi_scope.get("subprotocols") or ()
        self.subprotocol = next((name for name in self.protocols if name in offered), None)
        event = {"type": "websocket.accept"}
        await self.session.send({**event, "subprotocol": self.subprotocol} if self.subprotocol else event)

    async def receive(self, timeout=None):
        """Return the next message, text or bytes.

        Raises ``OSError`` when the client has left, ``asyncio.TimeoutError`` if nothing arrives within ``timeout`` seconds.
        """
        event = await (self._event(timeout) if timeout is not None or self._asked else self.session.receive())
        if event["type"] != "websocket.receive":
            self.close_code = event.get("code", 1005)
            self.close_reason = event.get("reason") or ""
            self.closed = True
            raise OSError(32, "Websocket connection closed")
        data = event.get("text")
        if data is None:
            data = event.get("bytes") or b""
        limit = self._limit()
        if limit and (len(data) > limit or (isinstance(data, str) and len(data.encode()) > limit)):
            await self._end(1009)
            raise websocket.WebSocketError("Message too large", 1009)
        return data

    async def _event(self, timeout):
        # A server may lose what it was about to give to a `receive` that is cancelled: it goes on, for the next call.
        if not self._asked:
            self._asked = asyncio.ensure_future(self.session.receive())
        try:
            await asyncio.wait_for(asyncio.shield(self._asked), timeout)
        except asyncio.TimeoutError:
            if not self._asked.done():
                raise
        asked, self._asked = self._asked, None
        return asked.result()

    async def send(self, data, opcode=None):
        """Send text or bytes as a message, or as the opcode says."""
        if opcode is None:
            opcode = self.TEXT if isinstance(data, str) else self.BINARY
        if opcode == self.TEXT:
            event = {"type": "websocket.send", "text": data if isinstance(data, str) else str(data, "utf-8")}
        elif opcode == self.BINARY:
            event = {"type": "websocket.send", "bytes": data.encode() if isinstance(data, str) else bytes(data)}
        else:
            return
        if self.closed or self.session.ended:
            raise OSError(32, "Websocket connection closed")
        await self.session.send(event)

    def offer(self, frame):
        """Send an encoded frame without waiting; give up the client if too much waits already. Tell whether it was sent."""
        if self.closed or self.session.ended:
            return False
        if self.session.backlog + len(frame) > self.max_backlog:
            self.drop()
            return False
        start = {126: 4, 127: 10}.get(frame[1], 2)  # of the payload: the server frames it again
        self.session.send_later(self.send(frame[start:], frame[0] & 15), len(frame))
        return True

    async def _end(self, code, reason=""):
        self.closed = True
        await self.session.close(code, reason)

    def hang_up(self):
        """Say nothing more; the session is closed when the handler has ended."""
        self.closed = True

    def drop(self):
        """Give the client up: its handler is cancelled."""
        self._lost()
        self.session.drop()

    async def leave(self, code):
        """Close the connection if it is open."""
        if self._asked:
            self._asked.cancel()
        await self.close(code)


class Session:
    """A websocket scope: what of its protocol has happened so far."""

    connected = accepted = ended = dropped = False
    backlog = 0  # bytes that wait in `sending`

    def __init__(self, scope, receive, send):
        self.scope = scope
        self.task = asyncio.current_task()
        self.sending = set()  # tasks
        self._receive = receive
        self._send = send

    async def receive(self):
        """Return the next event; one that ends the connection is the last."""
        if self.ended:
            return {"type": "websocket.disconnect", "code": 1006}
        event = await self._receive() or {"type": "websocket.disconnect"}
        self.connected = self.connected or event["type"] == "websocket.connect"
        self.ended = event["type"] == "websocket.disconnect"
        return event

    async def send(self, event):
        kind = event["type"]
        self.accepted = self.accepted or kind == "websocket.accept"
        self.ended = self.ended or kind in ("websocket.close", "websocket.http.response.start")
        await self._send(event)

    async def connect(self):
        """Take the first event; tell whether it is the one that must be."""
        if not self.connected:
            await self.receive()
        return self.connected

    def send_later(self, sending, size):
        """Await a coroutine that sends, in a task."""

        def sent(task):
            self.backlog -= size
            self.sending.discard(task)
            if not task.cancelled() and task.exception() and not isinstance(task.exception(), OSError):
                print_exception(task.exception())

        self.backlog += size
        task = asyncio.create_task(sending)
        self.sending.add(task)
        task.add_done_callback(sent)

    def drop(self):
        """End the handler: its client takes nothing any more."""
        self.dropped = True
        for task in [self.task, *self.sending]:
            task.cancel()

    async def close(self, code, reason=""):
        """Close an open connection, or refuse one that waits."""
        if not self.ended:
            event = {"type": "websocket.close", "code": code}
            try:
                await self.send({**event, "reason": reason} if reason else event)
            except OSError:
                raise
            except Exception:
                await self._send({"type": "websocket.close"})  # daphne takes no code between 1000 and 3000

    async def refuse(self, res):
        """Answer a request that was not accepted."""
        if self.ended or not await self.connect():
            return
        if "websocket.http.response" in (self.scope.get("extensions") or {}):

            async def send(event):
                await self.send({**event, "type": "websocket." + event["type"]})

            await respond(send, res)
        else:
            await self.close(_NORMAL)


async def serve(app, request, scope, receive, send):
    """Give a websocket scope to the route of its path, and end the connection when that has not."""
    request.asgi_session = session = Session(scope, receive, send)
    try:
        res = await app.dispatch_request(request)
        if session.accepted:
            await session.close(_NORMAL if res is Response.already_handled else _INTERNAL_ERROR)
        elif res is not Response.already_handled:
            await session.refuse(res)
    except asyncio.CancelledError:
        if not session.dropped:
            raise
        if hasattr(session.task, "uncancel"):
            session.task.uncancel()
        await session.close(_TRY_LATER)
    except OSError as e:
        if not is_gone(e):
            raise
