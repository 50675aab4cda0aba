from collections.abc import Callable
from typing import Any, Generic, Protocol

from typing_extensions import Concatenate, ParamSpec, TypeVar

from microdot._types import AsyncHandler, Maybe, ReplyT
from microdot.request import Request
from microdot.response import Response

class _User(Protocol):
    @property
    def id(self) -> Any: ...

_P = ParamSpec("_P")
_UserT = TypeVar("_UserT", bound=_User, default=Any)
_LoaderT = TypeVar("_LoaderT", bound=Callable[[Any], Any])

# `login: "Login[User]" = Login()` says what a user is; the quotes keep the interpreter from looking for it.
class Login(Generic[_UserT]):
    login_url: str
    user_loader_callback: Callable[[Any], Maybe[_UserT | None]] | None
    def __init__(self, login_url: str = "/login") -> None: ...
    def user_loader(self, f: _LoaderT) -> _LoaderT: ...
    async def login_user(
        self, request: Request, user: _UserT, remember: bool | float = False, redirect_url: str = "/"
    ) -> Response: ...
    async def logout_user(self, request: Request) -> None: ...
    async def get_current_user(self, request: Request) -> _UserT | None: ...
    def __call__(self, f: Callable[Concatenate[Request, _P], ReplyT]) -> AsyncHandler[_P]: ...
    def fresh(self, f: Callable[Concatenate[Request, _P], ReplyT]) -> AsyncHandler[_P]: ...
