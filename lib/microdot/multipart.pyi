from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar, TypeVar

from _typeshed import StrPath, SupportsWrite
from typing_extensions import Concatenate, ParamSpec, Self

from microdot._types import AsyncHandler, ReplyT
from microdot.request import Request

_P = ParamSpec("_P")
_V = TypeVar("_V")

class FileUpload:
    max_memory_size: ClassVar[int]
    filename: str
    content_type: str | None
    def __init__(
        self,
        filename: str,
        content_type: str | None,
        read: Callable[[int], Awaitable[bytes]],
        readinto: Callable[[bytearray | memoryview], Awaitable[int]] | None = None,
    ) -> None: ...
    async def read(self, n: int = -1) -> bytes: ...
    async def readinto(self, buf: bytearray | memoryview) -> int: ...
    async def save(self, path_or_file: StrPath | SupportsWrite[bytes]) -> int: ...
    async def copy(self, max_memory_size: int | None = None) -> Self: ...
    async def close(self) -> None: ...

class FormDataIter:
    buffer_size: ClassVar[int]
    max_part_head: ClassVar[int]
    max_parts: ClassVar[int]
    max_fields_size: ClassVar[int]
    def __init__(self, request: Request) -> None: ...
    def __aiter__(self) -> AsyncIterator[tuple[str, str | FileUpload]]: ...
    async def __anext__(self) -> tuple[str, str | FileUpload]: ...

class _Last(dict[str, _V]):
    def __init__(self) -> None: ...
    def add(self, name: str, value: _V) -> None: ...
    def getlist(self, name: str) -> list[_V]: ...

def with_form_data(f: Callable[Concatenate[Request, _P], ReplyT]) -> AsyncHandler[_P]: ...
