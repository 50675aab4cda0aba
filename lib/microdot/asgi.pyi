from collections.abc import Awaitable, Callable
from ssl import SSLContext

from microdot import app
from microdot._types import Receive, Scope, Send
from microdot.microdot import MUTED_SOCKET_ERRORS as MUTED_SOCKET_ERRORS
from microdot.microdot import AsyncBytesIO as AsyncBytesIO
from microdot.microdot import HTTPException as HTTPException
from microdot.microdot import MultiDict as MultiDict
from microdot.microdot import NoCaseDict as NoCaseDict
from microdot.microdot import Request as Request
from microdot.microdot import Response as Response
from microdot.microdot import URLPattern as URLPattern
from microdot.microdot import abort as abort
from microdot.microdot import invoke_handler as invoke_handler
from microdot.microdot import iscoroutine as iscoroutine
from microdot.microdot import mro as mro
from microdot.microdot import print_exception as print_exception
from microdot.microdot import redirect as redirect
from microdot.microdot import send_file as send_file
from microdot.microdot import urldecode as urldecode
from microdot.microdot import urlencode as urlencode
from microdot.websocket import WebSocket as WebSocket
from microdot.websocket import websocket_upgrade as websocket_upgrade
from microdot.websocket import with_websocket as with_websocket

class Microdot(app.Microdot):
    embedded_server: bool
    lifespan_startup: Callable[[Scope], Awaitable[object]] | None
    lifespan_shutdown: Callable[[Scope], Awaitable[object]] | None
    def __init__(
        self,
        lifespan_startup: Callable[[Scope], Awaitable[object]] | None = None,
        lifespan_shutdown: Callable[[Scope], Awaitable[object]] | None = None,
    ) -> None: ...
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    async def asgi_app(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    async def handle_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    def run(  # type: ignore[override]  # what follows `debug` is given by name
        self, host: str = "0.0.0.0", port: int = 5000, debug: bool = False, *, ssl: SSLContext | None = None
    ) -> None: ...
    def shutdown(self) -> None: ...
