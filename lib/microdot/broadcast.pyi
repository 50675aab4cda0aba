from collections.abc import Iterable
from typing import Any, TypeVar

from microdot.sse import SSE
from microdot.websocket import WebSocket

MAX_WAITING: int

_ClientT = TypeVar("_ClientT", bound=WebSocket | SSE)

async def broadcast(clients: Iterable[_ClientT], data: Any, **options: Any) -> list[_ClientT]: ...
