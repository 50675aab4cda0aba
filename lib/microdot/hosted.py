# What the front ends for other servers (asgi.py, wsgi.py) share: the way to stop, requests that the server has parsed, bodies
# that it streams, and header fields for it to write. CPython only.
#
# A path comes decoded from those servers, and is neither cut at an escaped question mark nor decoded again; `url` is encoded.
import os
import signal
from urllib.parse import quote

from microdot.app import Microdot
from microdot.body import Body
from microdot.dicts import NoCaseDict
from microdot.errors import print_exception
from microdot.helpers import load
from microdot.http import CHUNKED, ClientError
from microdot.request import Request
from microdot.response_head import header_lines

FILE_BUFFER = 65536  # bytes of a file that are read at once: a turn through another server costs more than memory does here

# The server's own to say (RFC 9110 7.6.1, PEP 3333); Content-Length is told apart.
_HOP_BY_HOP = (
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
)
_types = {}  # values of the Content-Type header, as bytes


def later(namespace, homes):
    """Return the ``__getattr__`` of a module that takes some of its names from other modules when they are asked for."""

    def get(name):
        if name not in homes:
            raise AttributeError(name)
        namespace[name] = value = getattr(load(homes[name]), name)
        return value

    return get


def encoded_url(path, query):
    """Return the ``url`` of a request whose path was decoded."""
    url = quote(path, "/:@!$&'()*+,;=~")
    return url if query is None else url + "?" + query


class HostedMicrodot(Microdot):
    """A web application that another server may serve."""

    embedded_server = False

    def run(self, host="0.0.0.0", port=5000, debug=False, **options):
        """Serve with the built-in server, without the other one, until ``shutdown`` is called."""
        self.embedded_server = True
        super().run(host, port, debug, **options)

    def shutdown(self):
        """Stop the built-in server if it is the one that serves, else ask the process of the other one to end."""
        if self.embedded_server or self._server:
            super().shutdown()
        else:
            os.kill(os.getpgrp() or os.getpid(), signal.SIGTERM)


class HostedRequest(Request):
    """A request that another server received. ``VALUES`` makes what is not needed each time, as in request_lazy.py."""

    VALUES = {}
    path_decoded = True

    def __getattr__(self, name):
        make = self.VALUES.get(name)
        if make is None:
            return super().__getattr__(name)
        value = make(self)
        setattr(self, name, value)
        return value

    async def load(self, source, length):
        """Take the body from a source with a coroutine ``read(n)``: into memory when it is small, else as a stream."""
        if length > 0:
            self.content_length = length
        if length > self.max_content_length:
            return  # dispatch refuses it
        body = Unsized(source, self.max_content_length) if length == CHUNKED else Body(source, length)
        if length <= self.max_body_length:
            self.body = await body.fetch(self.max_body_length)
        if not body.ended() or body.ahead:
            self.stream = body


class Unsized(Body):
    """A body whose length nobody tells: it ends where its source does, at the latest after ``limit`` bytes."""

    over = False

    def __init__(self, source, limit):
        super().__init__(source, 0, limit)

    def ended(self):
        return self.over

    async def _available(self, n):
        return 0 if self.over else n

    def _took(self, n):
        self.over = not n
        self.limit -= n
        if self.limit < 0:
            raise ClientError("body too large", 413)
        return n


def digits(text):
    """Return the number that a Content-Length gives; raise ``ClientError`` if it is none."""
    if not text.isdigit() or not text.isascii() or len(text) > 15:
        raise ClientError("malformed content length")
    return int(text)


def fields(pairs):
    """Return the ``headers`` of a request from names and values as text."""
    headers = NoCaseDict()
    for name, value in pairs:
        if name == "Cookie" and name in headers:
            value = headers[name] + "; " + value  # RFC 9113 8.2.3: HTTP/2 splits it
        headers[name] = value
    return headers


def header_pairs(res, length):
    """Return the response's header fields as a list of two strings each; ``length`` as in ``response_head.head``.

    A response with a header that must not be sent is the application's fault: it becomes a 500 without any.
    """
    try:
        return _pairs(res, length)
    except ValueError as e:
        print_exception(e)
        res.headers.clear()
        res.reason = None
        res.status_code = 500
        return _pairs(res, length)


def _pairs(res, length):
    headers = res._headers
    pairs = []
    if headers:
        lines = []
        header_lines(res, lines, _HOP_BY_HOP)
        pairs = [tuple(line[:-2].split(": ", 1)) for line in lines]
    if length is None:
        return [pair for pair in pairs if pair[0].lower() != "content-type"]
    if length != CHUNKED:
        pairs.append(("Content-Length", str(length)))
    if not headers or "Content-Type" not in headers:
        pairs.append(("Content-Type", res.kind()))
    return pairs


def kind_bytes(res):
    """Return the default Content-Type of a response as bytes."""
    kind = res.kind()
    value = _types.get(kind)
    if value is None:
        value = kind.encode()
        if len(_types) < 32:
            _types[kind] = value
    return value


def length_of(res):
    """Return the length that the response's Content-Length tells, ``CHUNKED`` to tell none, None for a reply without a body."""
    if res.status_code < 200 or res.status_code in (204, 304):
        return None
    body = res.body
    if body is None:
        return 0
    if isinstance(body, bytes):
        return len(body)
    from microdot import streaming

    if hasattr(body, "readinto"):
        res.send_file_buffer_size = max(res.send_file_buffer_size, FILE_BUFFER)
    return streaming.length_of(res)
