import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, overload

from typing_extensions import Concatenate, ParamSpec, Self

from microdot._types import AsyncHandler
from microdot.request import Request

_P = ParamSpec("_P")

class SSE:
    max_queue: int
    heartbeat: float | None
    request: Request | None
    running: bool
    silent: bool
    room: asyncio.Event | None
    task: asyncio.Task[None] | None
    event: asyncio.Event
    queue: list[bytes]
    def __init__(self) -> None: ...
    @property
    def last_event_id(self) -> str | None: ...
    # What is neither text, bytes, dict nor list is sent as `str` of it.
    async def send(
        self,
        data: object,
        event: str | None = None,
        event_id: str | int | None = None,
        retry: float | None = None,
        comment: bool = False,
    ) -> None: ...
    @staticmethod
    def encode(
        data: object,
        event: str | None = None,
        event_id: str | int | None = None,
        retry: float | None = None,
        comment: bool = False,
    ) -> bytes: ...
    def offer(self, event: bytes) -> bool: ...
    def hang_up(self) -> None: ...
    def end(self) -> None: ...

class Events:
    error: Exception | None
    beat: asyncio.Task[None] | None
    sse: SSE
    hang_up: Callable[[], None]
    def __init__(
        self, sse: SSE, f: Callable[..., Awaitable[object]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None: ...
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> bytes: ...
    async def aclose(self) -> None: ...

def sse_response(
    request: Request,
    event_function: Callable[Concatenate[Request, SSE, _P], Awaitable[object]],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> tuple[Events, int, dict[str, str]]: ...
@overload
def with_sse(
    f: Callable[Concatenate[Request, SSE, _P], Awaitable[object]],
    heartbeat: float | None = None,
    max_queue: int | None = None,
) -> AsyncHandler[_P]: ...
@overload
def with_sse(
    f: None = None, heartbeat: float | None = None, max_queue: int | None = None
) -> Callable[[Callable[Concatenate[Request, SSE, _P], Awaitable[object]]], AsyncHandler[_P]]: ...
async def broadcast(
    clients: Iterable[SSE],
    data: object,
    *,
    event: str | None = None,
    event_id: str | int | None = None,
    retry: float | None = None,
    comment: bool = False,
) -> list[SSE]: ...
