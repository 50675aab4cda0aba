# The methods of a response that few requests need (see helpers.py), among them Microdot's HTTP/1.0 `write`.
from microdot.errors import is_gone
from microdot.helpers import iscoroutine
from microdot.response_head import header_lines, status_line

METHODS = "set_cookie", "delete_cookie", "complete", "write", "body_iter"


def set_cookie(
    self,
    cookie,
    value,
    path=None,
    domain=None,
    expires=None,
    max_age=None,
    secure=False,
    http_only=False,
    partitioned=False,
    same_site=None,
):
    """Add a ``Set-Cookie`` header (RFC 6265).

    ``max_age`` is in seconds, ``expires`` text or a ``datetime`` in UTC, ``same_site`` ``"Strict"``, ``"Lax"`` or
    ``"None"``. Raises ``ValueError`` for text that would end the value or the header.
    """
    from microdot.cookies import format_cookie

    options = path, domain, expires, max_age, secure, http_only, partitioned, same_site
    line = format_cookie(cookie, value, *options)
    given = self.headers.get("Set-Cookie", [])
    # In a new list: the one that is there may be a constant of the application's, for every response.
    self.headers["Set-Cookie"] = (given if isinstance(given, list) else [given]) + [line]


def delete_cookie(self, cookie, **kwargs):
    """Add a ``Set-Cookie`` header that makes the client forget the cookie; takes the options it was set with."""
    kwargs.update(expires="Thu, 01 Jan 1970 00:00:01 GMT", max_age=0)
    self.set_cookie(cookie, "", **kwargs)


def complete(self):
    """Add the ``Content-Length`` of a body in memory and the default ``Content-Type`` where they are missing."""
    headers = self.headers
    if isinstance(self.body, bytes) and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(self.body))
    if "Content-Type" not in headers:
        headers["Content-Type"] = self.kind()


async def write(self, stream):
    """Write the response in HTTP/1.0 to a stream with a coroutine ``awrite``."""
    self.complete()
    head = [status_line(self, 0)]
    header_lines(self, head)
    head.append("\r\n")
    chunks = self.body_iter()
    try:
        await stream.awrite("".join(head).encode())
        if not self.is_head:
            async for chunk in chunks:
                await stream.awrite(chunk.encode() if isinstance(chunk, str) else chunk)
    except OSError as e:
        if not is_gone(e):
            raise
    finally:
        if hasattr(chunks, "aclose"):
            await chunks.aclose()


def body_iter(self):
    """Return an async iterator over the chunks of the body, each bytes or text."""
    if hasattr(self.body, "__anext__"):
        return self.body
    return _Chunks(self.body, self.send_file_buffer_size)


class _Chunks:
    # Iterates over a body of any kind, sync or async.
    def __init__(self, body, size):
        self.body = body
        self.size = size
        self.ended = not isinstance(body, int) and (body is None or body == b"")

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.ended:
            raise StopAsyncIteration
        if hasattr(self.body, "read"):
            chunk = self.body.read(self.size)
            if iscoroutine(chunk):
                chunk = await chunk
            self.ended = len(chunk) < self.size
            if not chunk:
                raise StopAsyncIteration
            return chunk
        if hasattr(self.body, "__next__"):
            for chunk in self.body:
                return chunk
            raise StopAsyncIteration
        self.ended = True
        return self.body

    async def aclose(self):
        if hasattr(self.body, "close"):
            result = self.body.close()
            if iscoroutine(result):
                await result
