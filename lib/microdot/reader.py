# A request from a plain stream of lines, for `Request.create`. The server does not use it.
from microdot import heads
from microdot.body import Body
from microdot.http import ClientError


async def read_request(cls, app, reader, writer, client_addr, scheme):
    """Return the request that the stream holds, None when it ends at once; raise ``ValueError`` for a malformed one."""
    line = await _line(cls, reader)
    if not line:
        return None
    parts = line.split()
    if len(parts) != 3:
        raise ClientError("malformed request line")
    method, target, minor = heads.request_line(b" ".join(parts))
    lines = []
    line = await _line(cls, reader)
    while line:
        lines.append(line)
        if len(lines) > cls.max_fields:
            raise ClientError("more than %d header fields" % cls.max_fields, 431)
        line = await _line(cls, reader)
    fields = b"\r\n".join(lines)
    length, _ = heads.framing(fields, minor, cls, host_needed=False)
    request = _request(cls, app, client_addr, method, target, minor, fields)
    if scheme:
        request.scheme = scheme
    request.sock = reader, writer
    await _load_body(request, reader, length)
    return request


async def _line(cls, reader):
    line = await cls._safe_readline(reader)
    return line[:-2] if line[-2:] == b"\r\n" else line[:-1] if line[-1:] == b"\n" else line


def _request(cls, app, client_addr, method, target, minor, fields):
    request = cls.received(app, None, (0, method, target, minor, 0, 0, fields))
    request.client_addr = client_addr
    return request


async def _load_body(request, reader, length):
    if length > 0:
        request.content_length = length
    if 0 < length <= request.max_body_length:
        try:
            request.body = await reader.readexactly(length)
        except EOFError:
            raise OSError(104)  # ECONNRESET: the client left in the middle of its body
    elif length:
        request.stream = Body(_Source(reader), length, request.max_content_length)


class _Source:
    # What Body reads from, on a stream that has no more than `read` and `readline`.
    def __init__(self, reader):
        self.read = reader.read
        self.lines = reader.readline

    async def readline(self, limit):
        return (await self.lines())[:limit]
