from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps as wraps
from inspect import iscoroutine as iscoroutine
from typing import Any, TypeVar, overload

from typing_extensions import ParamSpec

_P = ParamSpec("_P")
_T = TypeVar("_T")

@overload
def invoke_handler(handler: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> Coroutine[Any, Any, _T]: ...
@overload
def invoke_handler(handler: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Coroutine[Any, Any, _T]: ...
