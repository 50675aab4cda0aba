from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, ClassVar, TypeVar

from _typeshed.wsgi import WSGIEnvironment

from microdot._types import Maybe
from microdot.app import Microdot
from microdot.body import _Stream
from microdot.dicts import MultiDict, NoCaseDict
from microdot.multipart import FileUpload, _Last
from microdot.response import Response

_AfterT = TypeVar("_AfterT", bound=Callable[[Request, Response], Maybe[Response | None]])

class Request:
    max_readline: ClassVar[int]
    max_head: ClassVar[int]
    max_fields: ClassVar[int]
    max_content_length: ClassVar[int]
    max_body_length: ClassVar[int]

    class G:
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    app: Microdot
    subapp: Microdot | None
    url_prefix: str
    route: Callable[..., Any] | None
    g: G

    client_addr: tuple[str, int]
    scheme: str
    method: str
    url: str
    path: str
    query_string: str | None
    http_version: str
    headers: NoCaseDict[str]
    cookies: dict[str, str]
    args: MultiDict[str]
    url_args: dict[str, Any]

    content_length: int
    content_type: str | None
    body: bytes
    body_used: bool
    stream: _Stream
    json: Any
    # With `with_form_data` these hold the last value of each name.
    form: MultiDict[str] | None
    files: _Last[FileUpload] | None

    # Reader and writer; what they are depends on the server.
    sock: tuple[Any, Any]
    upgraded: bool
    after_request_handlers: list[Callable[[Request, Response], Maybe[Response | None]]]

    # Whether another server received the request, and has decoded the path.
    path_decoded: bool

    # Behind an ASGI, or a WSGI server alone.
    asgi_scope: MutableMapping[str, Any]
    environ: WSGIEnvironment

    def __init__(
        self,
        app: Microdot,
        client_addr: tuple[str, int],
        method: str,
        url: str,
        http_version: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        stream: _Stream | None = None,
        sock: tuple[Any, Any] | None = None,
        url_prefix: str = "",
        subapp: Microdot | None = None,
        scheme: str | None = None,
        route: Callable[..., Any] | None = None,
    ) -> None: ...
    @staticmethod
    async def create(
        app: Microdot, client_reader: Any, client_writer: Any, client_addr: tuple[str, int], scheme: str | None = None
    ) -> Request | None: ...
    def after_request(self, f: _AfterT) -> _AfterT: ...
