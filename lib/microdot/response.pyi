from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from typing_extensions import Self

from microdot._types import Body, Readable
from microdot.dicts import NoCaseDict

class _Writer(Protocol):
    async def awrite(self, data: bytes, /) -> object: ...

class Response:
    types_map: ClassVar[dict[str, str]]
    send_file_buffer_size: int
    default_content_type: ClassVar[str]
    default_send_file_max_age: ClassVar[int | None]
    already_handled: ClassVar[Response]

    status_code: int
    reason: str | None
    # Text and JSON are bytes here; hooks may add to them, or put any other body in their place.
    body: Any
    is_head: bool

    def __init__(
        self,
        body: Body = b"",
        status_code: int = 200,
        headers: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> None: ...
    @property
    def headers(self) -> NoCaseDict[Any]: ...
    @headers.setter
    def headers(self, headers: NoCaseDict[Any]) -> None: ...
    def kind(self) -> str: ...
    @classmethod
    def redirect(cls, location: str, status_code: int = 302) -> Self: ...
    @classmethod
    def send_file(
        cls,
        filename: str,
        status_code: int = 200,
        content_type: str | None = None,
        stream: Readable | None = None,
        max_age: int | None = None,
        compressed: bool | str = False,
        file_extension: str = "",
    ) -> Self: ...
    def set_cookie(
        self,
        cookie: str,
        value: str,
        path: str | None = None,
        domain: str | None = None,
        expires: str | datetime | None = None,
        max_age: int | None = None,
        secure: bool = False,
        http_only: bool = False,
        partitioned: bool = False,
        same_site: Literal["Strict", "Lax", "None"] | None = None,
    ) -> None: ...
    def delete_cookie(
        self,
        cookie: str,
        *,
        path: str | None = None,
        domain: str | None = None,
        expires: str | datetime | None = None,
        max_age: int | None = None,
        secure: bool = False,
        http_only: bool = False,
        partitioned: bool = False,
        same_site: Literal["Strict", "Lax", "None"] | None = None,
    ) -> None: ...
    def complete(self) -> None: ...
    async def write(self, stream: _Writer) -> None: ...
    def body_iter(self) -> AsyncIterator[str | bytes]: ...
