# Replies that need more than the head that the server knows by heart: headers, other statuses, HTTP/1.0, long bodies.
from microdot.errors import print_exception
from microdot.http import CHUNKED
from microdot.response import Response
from microdot.response_head import head
from microdot.server import MICROPYTHON, SMALL

_PIECE = 4096 if MICROPYTHON else 65536  # bytes of a long body in memory that are written at once


async def send_response(connection, res, minor, keep):
    """Send a response; tell whether the connection can go on."""
    status = res.status_code
    body = res.body
    bodiless = status < 200 or status == 204 or status == 304
    if bodiless or body is None:
        await connection.write(head_of(connection, res, minor, None if bodiless else 0, keep))
        if hasattr(body, "close") or hasattr(body, "aclose"):
            from microdot.streaming import close

            await close(body)
    elif isinstance(body, bytes):
        await _send_bytes(connection, head_of(connection, res, minor, len(body), keep), b"" if res.is_head else body)
    else:
        from microdot.streaming import Stream, length_of

        length = length_of(res)
        if length == CHUNKED and not minor:
            keep = False
        text = head_of(connection, res, minor, length, keep)
        if not await Stream(connection, res, text, length, length == CHUNKED and minor).send():
            return await send_response(connection, Response("Internal server error", 500), minor, keep)
    return keep


def head_of(connection, res, minor, length, keep):
    """Return the head of a response; of an error if the application's must not be sent."""
    try:
        return head(res, minor, length, not keep, connection.server.date_line())
    except ValueError as e:
        # A header that must not be sent is the application's fault: send none of them.
        print_exception(e)
        res.headers.clear()
        res.reason = None
        res.status_code = 500
        return head(res, minor, length or 0, not keep, "")


async def _send_bytes(connection, text, body):
    if len(body) <= SMALL:
        await connection.write(text + body)
        return
    connection.send_at_once(False)
    await connection.write(text)
    for i in range(0, len(body), _PIECE):
        if i + _PIECE >= len(body):
            connection.send_at_once(True)  # the last piece must not wait for word of those before
        await connection.write(memoryview(body)[i : i + _PIECE])
