# Microdot behind a WSGI server (PEP 3333). CPython only.
#
# Async handlers run on one event loop, which lives as long as the worker process (wsgi_loop.py). Bodies are streamed both ways.
# A chunked request is read to its end where the server marks that (`wsgi.input_terminated`), else refused with 411. WebSockets
# need the client's socket, which gunicorn's threads give (wsgi_websocket.py); other servers answer them with 501.
import asyncio
import os  # noqa: F401 - tests of applications put their own `kill` into it
from functools import partial

from microdot.helpers import load
from microdot.hosted import (
    FILE_BUFFER,
    HostedMicrodot,
    HostedRequest,
    digits,
    encoded_url,
    fields,
    header_pairs,
    kind_bytes,
    later,
    length_of,
)
from microdot.http import CHUNKED, ClientError
from microdot.microdot import *  # noqa: F403 - all names of the framework, as `microdot.wsgi.X`
from microdot.request_lazy import text_of
from microdot.response_head import status_line
from microdot.wsgi_loop import Worker

__getattr__ = later(globals(), {"WebSocket": "websocket", "websocket_upgrade": "websocket", "with_websocket": "websocket"})


class Microdot(HostedMicrodot):
    """A web application that is a WSGI application as well."""

    def __init__(self):
        super().__init__()
        self._worker = Worker()

    @property
    def loop(self):
        """The event loop of this worker process."""
        return self._worker.own().loop

    def __call__(self, environ, start_response):
        return self.wsgi_app(environ, start_response)

    def wsgi_app(self, environ, start_response):
        """Answer one request."""
        run = partial(self._worker.own().run, environ.get("wsgi.multithread"))
        request = WsgiRequest(self, environ)
        try:
            length = body_length(environ)
            res = run(_exchange(self, request, length))
        except ClientError as e:
            res = run(self.refuse(e.status_code, e.reason))
        if res is res.already_handled:
            return load("wsgi_websocket").finish(request)
        return respond(run, start_response, res)


# Requests


class WsgiRequest(HostedRequest):
    """The request of an ``environ``."""

    def __init__(self, app, environ):
        self.app = app
        self.environ = environ
        self.method = environ["REQUEST_METHOD"]
        self.path = _text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")) or "/"
        self.http_version = environ.get("SERVER_PROTOCOL", "HTTP/1.0")
        self.scheme = environ["wsgi.url_scheme"]
        query = environ.get("QUERY_STRING")
        if query:
            self.query_string = query

    VALUES = {
        "client_addr": lambda request: _client_addr(request.environ),
        "headers": lambda request: fields(_headers(request.environ)),
        "sock": lambda request: load("wsgi_websocket").sock(request),
        "websocket_class": lambda request: load("wsgi_websocket").WebSocket,
        "url": lambda request: encoded_url(request.path, request.query_string),
    }


def _text(path):
    # PEP 3333: text that stands for bytes.
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def _client_addr(environ):
    port = environ.get("REMOTE_PORT") or "0"
    return environ.get("REMOTE_ADDR", ""), int(port) if port.isdigit() else 0


def _headers(environ):
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            key = key[5:]
        elif key not in ("CONTENT_TYPE", "CONTENT_LENGTH") or not value:
            continue
        yield key.replace("_", "-").title(), text_of(value.encode("latin-1"))


def body_length(environ):
    """Return the length of a request's body, 0 for none, ``CHUNKED`` if its end will tell; raise ``ClientError``."""
    length = environ.get("CONTENT_LENGTH")
    if "HTTP_TRANSFER_ENCODING" not in environ or length:
        return digits(length) if length else 0
    if environ.get("wsgi.input_terminated"):
        return CHUNKED
    raise ClientError("length required", 411)


class Input:
    """The source of a request's body: reads in a thread of the executor, where waiting for the client stops nobody."""

    def __init__(self, stream):
        self.stream = stream

    async def read(self, n):
        return await asyncio.get_running_loop().run_in_executor(None, self.stream.read, n)


async def _exchange(app, request, length):
    if length:
        try:
            await request.load(Input(request.environ["wsgi.input"]), length)
        except OSError:
            raise ClientError("body ended early")
    return await app.dispatch_request(request)


# Replies


def respond(run, start_response, res):
    """Start a response; return the iterable of its body. ``run`` is what runs a coroutine to its end."""
    body = res.body
    if type(body) is bytes and not res._headers and res.status_code == 200 and not res.reason:
        headers = [("Content-Length", str(len(body))), ("Content-Type", kind_bytes(res).decode())]
        start_response("200 OK", headers)
        return () if res.is_head else (body,)
    length = length_of(res)
    headers = [(name, value.encode().decode("latin-1")) for name, value in header_pairs(res, length)]
    start_response(status_line(res, 1)[9:-2], headers)
    if res.is_head or not body or length is None:
        return Pieces(run, res, iter(()))
    return (body,) if isinstance(body, bytes) else Pieces(run, res, pieces_of(run, res))


class Pieces:
    """The body of a streamed reply, as an iterable that the server closes."""

    def __init__(self, run, res, pieces):
        self.run = run
        self.body = res.body
        self.pieces = pieces

    def __iter__(self):
        return self

    def __next__(self):
        piece = next(self.pieces)
        return piece.encode() if isinstance(piece, str) else piece

    def close(self):
        if hasattr(self.body, "aclose"):
            self.run(self.body.aclose())
        elif hasattr(self.body, "close"):
            result = self.body.close()
            if asyncio.iscoroutine(result):
                self.run(result)


def pieces_of(run, res):
    """Return an iterator over a body that is not in memory; what can be read without the event loop is."""
    body = res.body
    if hasattr(body, "readinto") and not asyncio.iscoroutinefunction(body.read):
        size = max(res.send_file_buffer_size, FILE_BUFFER)
        return iter(lambda: body.read(size), b"")
    if hasattr(body, "__next__") and not hasattr(body, "read"):
        return body
    return _drive(run, res.body_iter())


def _drive(run, pieces):
    async def next_piece():
        try:
            return await pieces.__anext__()
        except StopAsyncIteration:
            return None

    while True:
        piece = run(next_piece())
        if piece is None:
            return
        yield piece
