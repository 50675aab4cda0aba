from collections.abc import Callable
from typing import Any, Protocol

from microdot.app import Microdot
from microdot.request import Request

class _Stream(Protocol):
    async def read(self, n: int = ..., /) -> bytes: ...

class Refused(Exception):
    status: int
    reason: str
    def __init__(self, status: int, reason: str) -> None: ...

class OTA:
    max_size: int
    max_head: int
    max_files: int
    max_seconds: int
    busy: bool
    key_file: str
    restart: Callable[[], object] | None
    def __init__(
        self,
        app: Microdot | None = None,
        key_file: str = "/ota.key",
        url_prefix: str = "/ota",
        restart: Callable[[], object] | None = None,
    ) -> None: ...
    def initialize(self, app: Microdot, url_prefix: str = "/ota") -> None: ...
    async def install(self, stream: _Stream, digest: str | None = None) -> str: ...
    def leave(self, request: Request) -> None: ...
    def state(self) -> dict[str, Any]: ...
