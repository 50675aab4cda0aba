from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, Generic, TypedDict

from typing_extensions import Self, TypeAlias, TypeVar

from microdot.app import Microdot
from microdot.dicts import NoCaseDict
from microdot.response import Response

_AppT = TypeVar("_AppT", bound=Microdot, default=Microdot)
_Body: TypeAlias = dict[Any, Any] | list[Any] | str | bytes | None
_Message: TypeAlias = str | bytes | None

class _Event(TypedDict):
    data: bytes
    data_json: Any
    event: str | None
    event_id: str | None
    retry: float | None

# Each attribute is None where it does not apply, which a test knows: Any spares it the question.
class TestResponse:
    __test__: bool
    status_code: int | Any
    reason: str | None
    headers: NoCaseDict[Any]
    body: bytes | Any
    text: str | Any
    json: Any
    events: list[_Event] | Any
    def __init__(self) -> None: ...
    @classmethod
    async def create(cls, res: Response) -> Self: ...

class TestClient(Generic[_AppT]):
    __test__: bool
    app: _AppT
    cookies: dict[str, str | tuple[str, str]]
    scheme: str | None
    host: str
    def __init__(
        self,
        app: _AppT,
        cookies: dict[str, str | tuple[str, str]] | None = None,
        scheme: str | None = None,
        host: str | None = None,
    ) -> None: ...
    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: _Body = None,
        sock: tuple[Any, Any] | None = None,
    ) -> TestResponse: ...
    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse: ...
    async def post(self, path: str, headers: Mapping[str, str] | None = None, body: _Body = None) -> TestResponse: ...
    async def put(self, path: str, headers: Mapping[str, str] | None = None, body: _Body = None) -> TestResponse: ...
    async def patch(self, path: str, headers: Mapping[str, str] | None = None, body: _Body = None) -> TestResponse: ...
    async def delete(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse: ...
    async def query(self, path: str, headers: Mapping[str, str] | None = None, body: _Body = None) -> TestResponse: ...
    async def websocket(
        self,
        path: str,
        client: Callable[[], Generator[_Message, Any, Any] | AsyncGenerator[_Message, Any]],
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse: ...
