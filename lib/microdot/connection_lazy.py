# Replies with headers of their own, and every way to end badly: methods of Connection (see helpers.py).
import asyncio

from microdot.errors import is_gone, print_exception
from microdot.response import Response
from microdot.server import BUSY, HANDLING, LINGERING, MICROPYTHON, SENDING, WAITING, pending, read_into, say, unread

METHODS = (
    "reply",
    "write",
    "send_at_once",
    "answer_error",
    "linger",
    "ended_by",
    "client_addr",
    "sock",
)
MAX_UNREAD = 65536  # bytes of a body that nobody read which are skipped to keep, or to close, a connection in good order
LINGER = 2  # seconds for which a connection that is over is read on
_TIMEOUT = b"HTTP/1.1 408 N/A\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


# Replying


async def reply(self, res, minor, keep, body):
    """Send any response, deal with a body that was not read; tell whether the connection goes on."""
    if res is Response.already_handled:
        return False
    unread = body is not None and not body.ended()
    # A client that was not told to go on may or may not send its body (RFC 9110 10.1.1).
    if unread and (body.chunked or self.expects or body.left > MAX_UNREAD):
        keep = False
    if keep and res._headers and "close" in str(res._headers.get("Connection", "")).lower():
        keep = False
    self.idle = not unread
    try:
        from microdot.sender import send_response

        keep = await send_response(self, res, minor, keep)
    except BaseException:
        if hasattr(res.body, "hang_up"):  # without memory for the reply: its handler must not wait for ever
            res.body.hang_up()
        raise
    if unread and keep:
        self.deadline = self.server.now + self.server.ticks(self.server.app.body_timeout)
        await body.skip()
    elif unread:
        await self.linger()
    return keep


async def write(self, data):
    """Write, and wait until it is written."""
    self.writer.write(data)
    if pending(self.writer):
        await self.flush()


def send_at_once(self, on):
    """Have the system send each piece as it is written, or gather small ones until the client confirms (TCP_NODELAY)."""
    if MICROPYTHON and on != self.at_once:  # asyncio's own sockets always do
        self.at_once = on
        try:
            self.writer.s.setsockopt(6, 1, int(on))
        except (AttributeError, OSError):  # TLS, or a port without it
            pass


# Ending


async def answer_error(self, error):
    """Answer what is no valid request, and read on until the client has seen it; tell whether that was possible."""
    app = self.server.app
    try:
        if error.status_code == 400:
            res = await app.dispatch_request(None)
        else:
            res = await app.refuse(error.status_code, error.reason)
        self.phase = SENDING
        from microdot.sender import send_response

        await send_response(self, res, 1, False)
        await self.linger()
        return True
    except BaseException as e:
        self.ended_by(e)
        return False


async def linger(self):
    """Read on for a while: a socket closed with unread bytes resets the connection and takes the reply with it."""
    # RFC 9112 9.6
    self.deadline = self.server.now + self.server.ticks(LINGER)
    self.phase = LINGERING  # may be ended to make room for another
    self.start = self.end = 0
    room = MAX_UNREAD
    if MICROPYTHON:  # can't close one direction, so that the client may wait for the end: go on while data keeps coming
        silent = 0
        while room > 0 and silent < 4:
            n = self.reader.s.readinto(self.buf)
            if n == 0:
                break
            silent = 0 if n else silent + 1
            room -= n or 0
            await asyncio.sleep(0 if n else 0.05)
        return
    if self.writer.can_write_eof():
        self.writer.write_eof()
    n = 1
    while n and room > 0:
        n = await read_into(self.reader, self.buf)
        room -= n


def ended_by(self, error):
    """Take the exception that ended the connection: tell the client what can be told, print what is the application's fault."""
    if isinstance(error, OSError):
        if not is_gone(error):
            print_exception(error)
    elif isinstance(error, Exception):
        print_exception(error)
    elif not self.expired:
        raise error
    elif self.phase == HANDLING or (self.phase == WAITING and self.start < self.end):
        say(self.writer, BUSY if self.server.stopping else _TIMEOUT)
    elif self.phase == WAITING and not self.server.ssl and unread(self.writer):
        say(self.writer, BUSY)  # ended to make room for another when its request was on the way


def client_addr(self):
    """Return the client's ``(host, port)``."""
    return address_of(self.writer)


def address_of(writer):
    """Return the ``(host, port)`` of the client behind a stream."""
    address = writer.get_extra_info("peername")
    if isinstance(address, (bytes, bytearray)):  # the unix port gives the system's own structure
        import socket

        _, host, port = socket.sockaddr(address)[:3]
        address = ".".join([str(n) for n in host]), port
    return address


def sock(self):
    """Return the connection as ``(reader, writer)`` for protocols that take it over."""
    from microdot.wire import Wire

    self.guest = wire = Wire(self)
    return wire, wire
