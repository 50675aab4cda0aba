import asyncio
from collections.abc import Awaitable, Callable
from ssl import SSLContext
from typing import Any, Literal, NoReturn, TypeVar, overload

from _typeshed import StrPath
from _typeshed.wsgi import WSGIApplication

from microdot._types import HandlerT, Maybe, Reply
from microdot.request import Request
from microdot.response import Response
from microdot.routing import URLPattern

# Hooks and error handlers keep their types, as routes do. A request that could not be parsed is None to them.
_BeforeT = TypeVar("_BeforeT", bound=Callable[[Request], Maybe[Reply]])
_AfterT = TypeVar("_AfterT", bound=Callable[[Request, Response], Maybe[Response | None]])
_AfterErrorT = TypeVar("_AfterErrorT", bound=Callable[[Request | None, Response], Maybe[Response | None]])
_StatusT = TypeVar("_StatusT", bound=Callable[[Request], Maybe[Reply]])
_UnparsedT = TypeVar("_UnparsedT", bound=Callable[[Request | None], Maybe[Reply]])
_ErrorT = TypeVar("_ErrorT", bound=Callable[[Request, Any], Maybe[Reply]])

class Microdot:
    max_connections: int
    max_requests: int
    head_timeout: float
    body_timeout: float
    idle_timeout: float
    write_timeout: float
    shutdown_timeout: float
    tls_heap: int

    ssl: SSLContext | Literal[False] | None
    debug: bool
    server: asyncio.Server | None

    url_map: list[tuple[list[str], URLPattern, Callable[..., Any], str, Microdot | None]]
    before_request_handlers: list[Callable[[Request], Maybe[Reply]]]
    after_request_handlers: list[Callable[[Request, Response], Maybe[Response | None]]]
    after_error_request_handlers: list[Callable[[Request | None, Response], Maybe[Response | None]]]
    error_handlers: dict[int | type[Exception], Callable[..., Maybe[Reply]]]
    options_handler: Callable[[Request], dict[str, str]] | None

    def __init__(self) -> None: ...

    # Registration

    def route(self, url_pattern: str, methods: list[str] | tuple[str, ...] | None = None) -> Callable[[HandlerT], HandlerT]: ...
    def get(self, url_pattern: str) -> Callable[[HandlerT], HandlerT]: ...
    def post(self, url_pattern: str) -> Callable[[HandlerT], HandlerT]: ...
    def put(self, url_pattern: str) -> Callable[[HandlerT], HandlerT]: ...
    def patch(self, url_pattern: str) -> Callable[[HandlerT], HandlerT]: ...
    def delete(self, url_pattern: str) -> Callable[[HandlerT], HandlerT]: ...
    def query(self, url_pattern: str) -> Callable[[HandlerT], HandlerT]: ...
    def before_request(self, f: _BeforeT) -> _BeforeT: ...
    def after_request(self, f: _AfterT) -> _AfterT: ...
    def after_error_request(self, f: _AfterErrorT) -> _AfterErrorT: ...
    # These are the statuses of what never became a request.
    @overload
    def errorhandler(  # type: ignore[overload-overlap]
        self, status_code_or_exception_class: Literal[400, 411, 413, 414, 417, 431, 501, 505]
    ) -> Callable[[_UnparsedT], _UnparsedT]: ...
    @overload
    def errorhandler(self, status_code_or_exception_class: int) -> Callable[[_StatusT], _StatusT]: ...
    @overload
    def errorhandler(self, status_code_or_exception_class: type[Exception]) -> Callable[[_ErrorT], _ErrorT]: ...
    def mount(self, subapp: Microdot, url_prefix: str = "", local: bool = False) -> None: ...
    # The packages that describe ASGI's types differ, and none is a subtype of another.
    def mount_asgi(self, url_prefix: str, asgi_app: Callable[[Any, Any, Any], Awaitable[None]]) -> None: ...
    def mount_wsgi(self, url_prefix: str, wsgi_app: WSGIApplication) -> None: ...
    def static(
        self,
        url_prefix: str,
        directory: StrPath,
        max_age: int | None = None,
        gzip: bool = True,
        index: str | None = "index.html",
        hidden: bool = False,
    ) -> None: ...
    @staticmethod
    def abort(status_code: int, reason: str | None = None) -> NoReturn: ...

    # Dispatch

    async def dispatch_request(self, req: Request | None) -> Response: ...
    def find_route(self, req: Request) -> tuple[Callable[..., Any] | int | dict[str, str], str, Microdot | None]: ...
    def default_options_handler(self, req: Request) -> dict[str, str]: ...
    def get_request_handlers(self, req: Request | None, attr: str, local_first: bool = True) -> list[Callable[..., Any]]: ...
    def make_response(self, result: Reply) -> Response: ...
    async def refuse(self, status_code: int, reason: str) -> Response: ...
    async def error_response(self, req: Request | None, status_code: int, reason: str | None = None) -> Response: ...
    async def handle_request(self, reader: Any, writer: Any) -> None: ...

    # Server

    @overload
    async def start_server(
        self,
        host: str = "0.0.0.0",
        port: int = 5000,
        debug: bool = False,
        ssl: SSLContext | None = None,
        start_serving: Literal[True] = True,
    ) -> None: ...
    @overload
    async def start_server(
        self,
        host: str = "0.0.0.0",
        port: int = 5000,
        debug: bool = False,
        ssl: SSLContext | None = None,
        *,
        start_serving: Literal[False],
    ) -> asyncio.Server: ...
    def run(self, host: str = "0.0.0.0", port: int = 5000, debug: bool = False, ssl: SSLContext | None = None) -> None: ...
    def shutdown(self) -> None: ...
