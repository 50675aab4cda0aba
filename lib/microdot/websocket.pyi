from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import ClassVar, TypeVar, overload

from typing_extensions import Concatenate, ParamSpec, Self

from microdot._types import AsyncHandler
from microdot.request import Request

_P = ParamSpec("_P")
_WebSocketT = TypeVar("_WebSocketT", bound=WebSocket)

class WebSocketError(Exception):
    code: int | None
    def __init__(self, reason: str, code: int | None = None) -> None: ...

class WebSocket:
    CONT: ClassVar[int]
    TEXT: ClassVar[int]
    BINARY: ClassVar[int]
    CLOSE: ClassVar[int]
    PING: ClassVar[int]
    PONG: ClassVar[int]

    max_message_length: int
    max_backlog: int
    close_timeout: float
    ping_interval: float | None
    ping_timeout: float
    protocols: Sequence[str]
    origins: Sequence[str | None] | None
    compress: bool

    request: Request
    closed: bool
    close_code: int | None
    close_reason: str
    subprotocol: str | None

    def __init__(
        self,
        request: Request,
        *,
        protocols: Sequence[str] = (),
        origins: Sequence[str | None] | None = None,
        ping_interval: float | None = None,
        ping_timeout: float = 20,
        max_message_length: int = -1,
        compress: bool = False,
    ) -> None: ...
    async def handshake(self) -> None: ...
    async def receive(self, timeout: float | None = None) -> str | bytes: ...
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> str | bytes: ...
    async def send(self, data: str | bytes, opcode: int | None = None) -> None: ...
    @staticmethod
    def encode(data: str | bytes, opcode: int | None = None) -> bytes: ...
    def offer(self, frame: bytes) -> bool: ...
    async def close(self, code: int = 1000, reason: str = "") -> None: ...
    def hang_up(self) -> None: ...
    def drop(self) -> None: ...
    async def leave(self, code: int) -> None: ...

async def websocket_upgrade(
    request: Request,
    *,
    protocols: Sequence[str] = (),
    origins: Sequence[str | None] | None = None,
    ping_interval: float | None = None,
    ping_timeout: float = 20,
    max_message_length: int = -1,
    compress: bool = False,
) -> WebSocket: ...
def websocket_wrapper(
    f: Callable[Concatenate[Request, _WebSocketT, _P], Awaitable[object]],
    upgrade_function: Callable[[Request], Awaitable[_WebSocketT]],
) -> AsyncHandler[_P]: ...
@overload
def with_websocket(f: Callable[Concatenate[Request, WebSocket, _P], Awaitable[object]]) -> AsyncHandler[_P]: ...
@overload
def with_websocket(
    f: None = None,
    *,
    protocols: Sequence[str] = (),
    origins: Sequence[str | None] | None = None,
    ping_interval: float | None = None,
    ping_timeout: float = 20,
    max_message_length: int = -1,
    compress: bool = False,
) -> Callable[[Callable[Concatenate[Request, WebSocket, _P], Awaitable[object]]], AsyncHandler[_P]]: ...
async def broadcast(clients: Iterable[_WebSocketT], data: str | bytes, *, opcode: int | None = None) -> list[_WebSocketT]: ...
