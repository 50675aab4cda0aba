from collections.abc import Callable
from typing import Any, TypeVar

from typing_extensions import Concatenate, ParamSpec

from microdot._types import AsyncHandler, Maybe, Reply, ReplyT
from microdot.request import Request

_P = ParamSpec("_P")
_CallbackT = TypeVar("_CallbackT", bound=Callable[Concatenate[Request, ...], Any])
_BasicT = TypeVar("_BasicT", bound=Callable[[Request, str, str], Any])
_TokenT = TypeVar("_TokenT", bound=Callable[[Request, str], Any])
_ErrorT = TypeVar("_ErrorT", bound=Callable[[Request], Maybe[Reply]])

class BaseAuth:
    auth_callback: Callable[..., Any] | None
    error_callback: Callable[[Request], Maybe[Reply]] | None
    # What it returns is the user, and none if it is false.
    def authenticate(self, f: _CallbackT) -> _CallbackT: ...
    def errorhandler(self, f: _ErrorT) -> _ErrorT: ...
    def __call__(self, f: Callable[Concatenate[Request, _P], ReplyT]) -> AsyncHandler[_P]: ...
    def optional(self, f: Callable[Concatenate[Request, _P], ReplyT]) -> AsyncHandler[_P]: ...

class BasicAuth(BaseAuth):
    realm: str
    charset: str
    scheme: str
    error_status: int
    def __init__(
        self, realm: str = "Please login", charset: str = "UTF-8", scheme: str = "Basic", error_status: int = 401
    ) -> None: ...
    def authenticate(self, f: _BasicT) -> _BasicT: ...

class TokenAuth(BaseAuth):
    realm: str
    header: str
    scheme: str
    error_status: int
    def __init__(self, header: str = "Authorization", scheme: str = "Bearer", error_status: int = 401) -> None: ...
    def authenticate(self, f: _TokenT) -> _TokenT: ...
