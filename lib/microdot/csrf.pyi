from collections.abc import Callable
from typing import Any, ClassVar

from microdot._types import HandlerT
from microdot.app import Microdot
from microdot.cors import CORS

class CSRF:
    SAFE_METHODS: ClassVar[list[str]]
    cors: CORS | None
    protect_all: bool
    allow_subdomains: bool
    exempt_routes: list[Callable[..., Any]]
    protected_routes: list[Callable[..., Any]]
    def __init__(
        self, app: Microdot | None = None, cors: CORS | None = None, protect_all: bool = True, allow_subdomains: bool = False
    ) -> None: ...
    def initialize(self, app: Microdot, cors: CORS | None = None) -> None: ...
    def exempt(self, f: HandlerT) -> HandlerT: ...
    def protect(self, f: HandlerT) -> HandlerT: ...
