# Microdot behind an ASGI 3.0 server: http, websocket and lifespan scopes. CPython only.
#
# A reply in memory leaves in two messages and costs no task. A handler that takes longer than a moment, or a streamed reply, is
# watched: when its client leaves, it is cancelled and its body closed. Request bodies are taken from the server as they are
# read, replies as fast as the server takes them. A failure in a streamed reply goes to the server, which cuts it, or answers
# 500 where nothing was sent yet.
# WebSockets are in asgi_websocket.py, the applications of others in mounted_asgi.py.
import asyncio
import os  # noqa: F401 - tests of applications put their own `kill` into it

from microdot.errors import is_gone
from microdot.helpers import load
from microdot.hosted import (
    HostedMicrodot,
    HostedRequest,
    digits,
    encoded_url,
    fields,
    header_pairs,
    kind_bytes,
    later,
    length_of,
)
from microdot.http import CHUNKED, ClientError
from microdot.microdot import *  # noqa: F403 - all names of the framework, as `microdot.asgi.X`
from microdot.request_lazy import text_of
from microdot.streaming import close

WATCH_AFTER = 0.1  # seconds after which a handler is watched

__getattr__ = later(globals(), {"WebSocket": "asgi_websocket", "websocket_upgrade": "websocket", "with_websocket": "websocket"})


class Microdot(HostedMicrodot):
    """A web application that is an ASGI application as well.

    ``lifespan_startup`` and ``lifespan_shutdown`` are async functions; each gets the scope when the server starts and ends.
    """

    _mounts = ()  # applications of others, see mounted_asgi.py

    def __init__(self, lifespan_startup=None, lifespan_shutdown=None):
        super().__init__()
        self.lifespan_startup = lifespan_startup
        self.lifespan_shutdown = lifespan_shutdown
        self._watch = Watch()

    async def __call__(self, scope, receive, send):
        await self.asgi_app(scope, receive, send)

    async def asgi_app(self, scope, receive, send):
        """Serve one scope; those of unknown protocols end without a reply."""
        if scope["type"] != "http":
            return await self._other(scope, receive, send)
        request = AsgiRequest(self, scope, receive, send)
        watch = self._watch
        task, outer = watch.begin(receive)
        try:
            try:
                length = body_length(scope)
                if length:
                    await request.load(watch.exchange(task, True), length)
            except ClientError as e:
                res = await self.refuse(e.status_code, e.reason)
            else:
                res = await self.dispatch_request(request)
            body = res.body
            if type(body) is bytes and not res._headers and res.status_code == 200:
                headers = [(b"content-length", b"%d" % len(body)), (b"content-type", kind_bytes(res))]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"" if res.is_head else body})
            elif res is not res.already_handled:
                await respond(send, res, watch.exchange(task))
        except asyncio.CancelledError:
            if not watch.exchange(task).departed:
                raise
        except OSError as e:
            if not is_gone(e):
                raise
        finally:
            exchange = watch.end(task, outer)
            if exchange is not receive:
                await exchange.release()

    async def _other(self, scope, receive, send):
        if scope["type"] == "websocket":
            from microdot.asgi_websocket import serve

            await serve(self, AsgiRequest(self, scope, receive, send), scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.handle_lifespan(scope, receive, send)

    async def handle_lifespan(self, scope, receive, send):
        """Tell the application, and those mounted in it, that the server starts and that it ends."""
        from microdot.asgi_lifespan import serve

        await serve(self, scope, receive, send)


# Requests


class AsgiRequest(HostedRequest):
    """The request of an http or websocket scope, which is its ``asgi_scope``."""

    http_version = "HTTP/1.1"

    def __init__(self, app, scope, receive, send):
        self.app = app
        self.asgi_scope = scope
        self.sock = receive, send
        self.method = scope.get("method", "GET")
        self.path = scope["path"]
        version = scope.get("http_version", "1.1")
        if version != "1.1":
            self.http_version = "HTTP/" + version
        scheme = scope.get("scheme", "http")
        if scheme != "http":
            self.scheme = scheme
        query = scope.get("query_string")
        if query:
            self.query_string = query.decode("latin-1")
        root = scope.get("root_path")
        if root:
            self.path = relative_path(self.path, root)

    VALUES = {
        "client_addr": lambda request: request.asgi_scope.get("client") and tuple(request.asgi_scope["client"]),
        "headers": lambda request: fields(
            [(text_of(name).title(), text_of(value)) for name, value in request.asgi_scope["headers"]]
        ),
        "websocket_class": lambda request: load("asgi_websocket").WebSocket,
        "url": lambda request: encoded_url(request.asgi_scope["path"], request.query_string),
    }


def relative_path(path, root):
    """Return the path below the place where a server or another application has this one; some leave that place away."""
    root = root.rstrip("/")
    if path == root:
        return "/"
    return path[len(root) :] if path.startswith(root + "/") else path


def body_length(scope):
    """Return the length of a request's body, 0 for none, ``CHUNKED`` if only its end will tell; raise ``ClientError``."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return digits(value)
        if name == b"transfer-encoding":
            return CHUNKED
    return 0 if scope.get("http_version", "1.1")[0] == "1" else CHUNKED  # HTTP/2 and 3 need neither header


# Replies


async def respond(send, res, exchange=None):
    """Send a response as messages of an http scope; watch over the client while it is streamed."""
    body = res.body
    length = length_of(res)
    headers = [(name.lower().encode(), value.encode()) for name, value in header_pairs(res, length)]
    start = {"type": "http.response.start", "status": res.status_code, "headers": headers}
    try:
        if isinstance(body, (bytes, type(None))) or length is None or res.is_head:
            await send(start)
        else:
            if exchange:
                exchange.watch()
            await _send_pieces(send, res, start)
            body = b""
        empty = length is None or res.is_head or body is None
        await send({"type": "http.response.body", "body": b"" if empty else body})
    finally:
        await close(res.body)


async def _send_pieces(send, res, start):
    # The head waits for the first piece, as in streaming.py: a body that fails before leaves the server free to answer 500.
    if hasattr(res.body, "hang_up"):
        await send(start)
        start = None
    async for piece in res.body_iter():
        if start:
            await send(start)
            start = None
        if isinstance(piece, str):
            piece = piece.encode()
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)  # servers return at once while the system takes everything, and when the client has left
    if start:
        await send(start)


# Clients that leave


class Exchange:
    """One request and its reply: the source of the request's body, and the watch over the client."""

    data = b""  # of the body, from `at` on not yet read
    at = 0
    monitor = None
    departed = False

    def __init__(self, task, receive, more):
        self.task = task
        self.receive = receive
        self.more = more  # the server has more of the body

    async def read(self, n):
        """Return up to ``n`` bytes of the request's body, b"" at its end; raise ``OSError`` when the client has left."""
        while self.at == len(self.data) and self.more:
            event = await self.receive()
            if not event or event["type"] != "http.request":
                raise OSError(104)
            self.data = event.get("body", b"")
            self.at = 0
            self.more = event.get("more_body", False)
        start = self.at
        self.at = min(start + n, len(self.data))
        return self.data[start : self.at]

    def watch(self):
        """Cancel the task when the client leaves. Before the body is read its end shows that."""
        if not self.monitor and not self.more:
            self.monitor = asyncio.create_task(self._wait_for_departure())

    async def _wait_for_departure(self):
        event = await self.receive()
        while event and event["type"] != "http.disconnect":
            event = await self.receive()
        self.departed = True
        self.task.cancel()

    async def release(self):
        """End the watch."""
        if self.departed and hasattr(self.task, "uncancel"):
            self.task.uncancel()
        if self.monitor:
            self.monitor.cancel()
            await asyncio.wait([self.monitor])


class Watch:
    """Finds the exchanges that take longer than a moment: one timer for all of them, none for each.

    Most are over before, and cost an entry in a dictionary: the task and its ``receive``, or its ``Exchange`` once it has one.
    """

    def __init__(self):
        self.running = {}
        self.seen = ()  # what was running at the last look
        self.loop = None  # whose timer is set

    def begin(self, receive):
        """Note that the present task begins an exchange; return the task, and what it was at if a handler calls us."""
        task = asyncio.current_task()
        outer = self.running.get(task)
        self.running[task] = receive
        loop = task.get_loop()
        if self.loop is not loop:
            self.loop = loop
            loop.call_later(WATCH_AFTER, self.look)
        return task, outer

    def end(self, task, outer):
        """Note that the exchange is over; return it, or its ``receive``."""
        exchange = self.running.pop(task)
        if outer is not None:
            self.running[task] = outer
        return exchange

    def exchange(self, task, more=False):
        """Return the ``Exchange`` of a task; ``more`` says that the request has a body."""
        exchange = self.running[task]
        if not isinstance(exchange, Exchange):
            self.running[task] = exchange = Exchange(task, exchange, more)
        return exchange

    def look(self):
        self.loop = loop = asyncio.get_running_loop()
        for task, receive in self.seen:
            if task.get_loop() is loop and self.running.get(task) is receive:
                self.exchange(task).watch()
        self.seen = tuple(self.running.items())
        if self.seen:
            loop.call_later(WATCH_AFTER, self.look)
        else:
            self.loop = None
