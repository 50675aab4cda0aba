from collections.abc import Callable, Iterable
from typing import Literal

from microdot.app import Microdot
from microdot.request import Request
from microdot.response import Response

class CORS:
    allowed_origins: list[str] | Literal["*"] | None
    allow_credentials: bool
    allowed_methods: list[str] | None
    expose_headers: list[str] | None
    allowed_headers: list[str] | None
    max_age: int | None
    default_options_handler: Callable[[Request], dict[str, str]] | None
    def __init__(
        self,
        app: Microdot | None = None,
        allowed_origins: list[str] | Literal["*"] | None = None,
        allow_credentials: bool = False,
        allowed_methods: list[str] | None = None,
        expose_headers: list[str] | None = None,
        allowed_headers: Iterable[str] | None = None,
        max_age: int | None = None,
        handle_cors: bool = True,
    ) -> None: ...
    def initialize(self, app: Microdot, handle_cors: bool = True) -> None: ...
    def options_handler(self, request: Request) -> dict[str, str]: ...
    def get_cors_headers(self, request: Request) -> dict[str, str]: ...
    async def after_request(self, request: Request | None, response: Response) -> None: ...
