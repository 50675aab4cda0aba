# What the stubs share. There is no such module at run time: import it below `if TYPE_CHECKING:`, to which an application that
# runs on boards gives the value False by itself (`TYPE_CHECKING = False`), since there is no `typing` there.
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, MutableMapping
from typing import Any, Protocol, TypeVar

from typing_extensions import Concatenate, ParamSpec, TypeAlias

from microdot.request import Request
from microdot.response import Response

_P = ParamSpec("_P")
_T = TypeVar("_T")

class Readable(Protocol):
    """A file, or what reads like one, synchronously or not."""

    def read(self, n: int, /) -> str | bytes | Awaitable[str | bytes]: ...

# Any value: what is not a list, which gives a line for each item, is sent as `str` of it.
Headers: TypeAlias = dict[str, Any]

# A mapping is sent as JSON. It must be a dict, but to the type system a TypedDict is no more than a Mapping.
Body: TypeAlias = (
    str
    | bytes
    | Mapping[str, object]
    | dict[Any, Any]
    | list[Any]
    | Readable
    | Iterator[str | bytes]
    | AsyncIterator[str | bytes]
    | None
)

# What a handler may return.
Reply: TypeAlias = (
    Response | Body | int | tuple[Body, int] | tuple[Body, Headers] | tuple[Body, int, Headers] | tuple[int, Headers]
)

# The result of a function that may be `def` or `async def`.
Maybe: TypeAlias = _T | Awaitable[_T]

# What a handler returns, as the extensions' decorators take it: a variable keeps the long union out of messages.
ReplyT = TypeVar("ReplyT", bound=Reply | Awaitable[Reply])

# A handler that keeps its type.
HandlerT = TypeVar("HandlerT", bound=Callable[Concatenate[Request, ...], Reply | Awaitable[Reply]])

# What those decorators make of a handler with path arguments P.
AsyncHandler: TypeAlias = Callable[Concatenate[Request, _P], Coroutine[Any, Any, Reply]]

# ASGI 3.0, as Starlette and uvicorn have it.
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
