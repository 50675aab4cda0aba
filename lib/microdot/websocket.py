# WebSocket (RFC 6455): `with_websocket` for routes, `WebSocket` for what they are given, `broadcast` for many of them.
#
# Frames are read in the connection's own buffer and unmasked where they lie; one that does not fit there gets memory of its
# size, once, within `max_message_length`. Refused, with the close code that says why: frames without mask, reserved bits and
# opcodes, broken control frames and fragments (1002), text that is not UTF-8 (1007), messages that are too long (1009).
# Cost: an object of 250 bytes a connection. The handshake, pings and compression are in modules that few connections need.
import asyncio
import time

from microdot.errors import is_gone, print_exception
from microdot.helpers import load, wraps
from microdot.response import Response
from microdot.server import MICROPYTHON, read_into
from microdot.utf8 import decode_utf8
from microdot.websocket_frames import (
    BINARY,
    CLOSE,
    COMPRESSED,
    FIN,
    TEXT,
    WebSocketError,
    encode,
    parse_close,
    parse_head,
    short_frame,
    unmask,
)

_CLOSED = "Websocket connection closed"


class WebSocket:
    """One WebSocket connection. The class attributes are defaults; an application may reassign them.

    ``max_message_length`` bounds a message in bytes, fragments and compression included; -1 stands for the request's
    ``max_body_length``, 0 for no limit. ``max_backlog`` bytes may wait to be sent before ``broadcast`` gives a client up.
    With ``ping_interval`` the client is asked for a sign of life after so many seconds, and is given up ``ping_timeout``
    seconds later. ``close_timeout`` is the time for the client's answer to our close.
    ``protocols`` are the subprotocols, the best one first; ``subprotocol`` is the one chosen or None. ``origins`` are the
    values of ``Origin`` that may connect, with None among them also clients that send none; None lets everyone connect.
    ``compress`` offers permessage-deflate (RFC 7692). ``closed`` says that nothing can be sent any more; ``close_code`` and
    ``close_reason`` are the client's: 1005 for a close without code, 1006 if it left without any, None before.
    """

    CONT = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10

    max_message_length = -1
    max_backlog = 4096 if MICROPYTHON else 1024 * 1024
    close_timeout = 2
    ping_interval = None
    ping_timeout = 20
    protocols = ()
    origins = None
    compress = False

    closed = False
    close_code = None
    close_reason = ""
    subprotocol = None

    _in = None  # a connection, or what looks like one: buf, start, end, skip(), fill(), reader and task
    _out = None  # what has a coroutine `awrite`: a Wire, or the application's own
    _reserved = 0x70  # bits that no frame may have set
    _first = 0  # the first byte of the message in fragments
    _message = None  # the fragments so far
    _large = 0  # the first byte of the frame in _payload
    _payload = None  # mask and payload of a frame that does not fit in the buffer
    _got = 0  # bytes of it
    _kept = None  # a message that nobody was given yet
    _receiver = None  # the task that receives
    _heard = 0  # reads that brought something
    _deflate = None
    _keeper = None  # the task that sends pings
    _offers = None  # tasks that send messages of `broadcast` through streams that are not ours

    def __init__(self, request, **options):
        self.request = request
        for name in options:
            if name not in _OPTIONS:
                raise TypeError("no such option: " + name)
            setattr(self, name, options[name])

    async def handshake(self):
        """Accept the connection; end the request with 400, 403 or 426 if it is none that can be accepted."""
        await load("websocket_handshake").handshake(self)

    # Receiving

    async def receive(self, timeout=None):
        """Return the next message, text or bytes. Pings are answered meanwhile.

        Raises ``WebSocketError`` when the client has closed the connection or made it impossible to go on, ``OSError`` if
        the connection broke, ``asyncio.TimeoutError`` if nothing at all arrives within ``timeout`` seconds. May be cancelled:
        what has arrived is kept for the next call.
        """
        while self._receiver:  # in another task
            await asyncio.sleep(0.01)
        if self.closed:
            raise WebSocketError(_CLOSED)
        self._receiver = asyncio.current_task()
        try:
            while True:
                step = self._next()
                if step is None:
                    await self._more(timeout)
                elif step[0]:
                    await self._out.awrite(encode(FIN | step[0], step[1]))
                elif step[1] is not None:
                    if MICROPYTHON and self._in.task is not self._receiver:
                        self._kept = step
                        await _overdue()
                        self._kept = None
                    return step[1]
        except WebSocketError as e:
            await self._end(e.code)
            raise
        except OSError as e:
            if e.args:  # else asyncio.TimeoutError, which is one on CPython
                self._lost()
            raise
        except MemoryError:
            await self._end(1009)
            raise WebSocketError("Message too large", 1009)
        finally:
            self._receiver = None

    def __aiter__(self):
        """Iterate over the messages, until the client closes the connection or leaves."""
        return self

    async def __anext__(self):
        try:
            return await self.receive()
        except WebSocketError as e:
            if e.code and self.close_code is None:  # the client was at fault
                raise
        except OSError as e:
            if not is_gone(e):
                raise
        raise StopAsyncIteration

    async def _more(self, timeout=None):
        # Read on, into the buffer or the large frame.
        source = self._in
        if timeout is not None:
            await asyncio.wait_for(self._more(), timeout)
        elif source.reader is None:
            self._came(0)  # the connection has ended since
        elif self._payload is None:
            self._came(await source.fill())
        else:
            self._came(await read_into(source.reader, memoryview(self._payload)[self._got :]))

    def _came(self, n):
        # Count the bytes that a read brought, 0 at the end, None if it woke up for nothing.
        if n:
            self._heard += 1
            if self._payload is None:
                self._in.end += n
            else:
                self._got += n
        elif n == 0:
            self._lost()
            raise WebSocketError(_CLOSED)

    def _next(self):
        # Take the next frame if it has arrived, and say what follows from it: as _process_websocket_frame does.
        if self._kept is not None:
            return self._kept
        payload = self._payload
        if payload is not None:
            if self._got < len(payload):
                return None
            self._payload = None
            unmask(payload, 0, 4, len(payload))
            return self._frame(self._large, memoryview(payload)[4:])
        source = self._in
        buf = source.buf
        start = source.start
        if start == source.end:
            return None
        if short_frame and self._message is None:
            n = short_frame(buf, start, source.end)
            if n >= 0:
                return self._short(n, start)
        head = parse_head(buf, start, source.end, self._reserved)
        if head is None:
            return None
        first = buf[start]
        size, n = head
        if first & 15 < 3:
            self._check(first, n)
        start += size
        if start + n <= source.end:
            unmask(buf, start - 4, start, start + n)
            source.skip(size + n)
            return self._frame(first, memoryview(buf)[start : start + n])
        if size + n > len(buf):
            self._begin(first, n, start - 4)
        return None

    def _short(self, n, start):
        # Take a frame that is a whole message of up to 125 bytes, unmasked by now; 128 in `n` says that it is not ASCII.
        source = self._in
        buf = source.buf
        text = buf[start] == FIN | TEXT
        start += 6
        ascii = n < 128
        n &= 127
        limit = self.max_message_length
        if limit < 0:
            limit = self.request.max_body_length
        if 0 < limit < n:
            raise WebSocketError("Message too large", 1009)
        source.skip(6 + n)
        data = buf[start : start + n]
        if text and ascii:
            return None, str(data, "utf-8")
        return self._process_websocket_frame(TEXT if text else BINARY, data)

    def _begin(self, first, n, start):
        # Give a large frame memory of its own.
        source = self._in
        payload = bytearray(4 + n)
        self._got = source.end - start
        payload[: self._got] = memoryview(source.buf)[start : source.end]
        source.skip(source.end - source.start)
        self._large = first
        self._payload = payload

    def _check(self, first, n):
        # Refuse a fragment out of order, and what would make a message too long.
        message = self._message
        if (message is None) == (first & 15 == 0):
            raise WebSocketError("fragment out of order", 1002)
        limit = self._limit()
        if limit and n + len(message or b"") > limit:
            raise WebSocketError("Message too large", 1009)

    def _limit(self):
        limit = self.max_message_length
        return self.request.max_body_length if limit < 0 else limit

    def _frame(self, first, payload):
        opcode = first & 15
        if opcode < 3:
            if first < FIN or not opcode:
                if opcode:
                    self._first = first
                    self._message = bytearray()
                self._message += payload
                if first < FIN:
                    return None, None
                payload = self._message
                self._message = None
                first = self._first
            if first & COMPRESSED:
                payload = self._deflate.inflate(payload, self._limit())
        return self._process_websocket_frame(first & 15, payload)

    def _process_websocket_frame(self, opcode, payload):
        # Return (None, message), (opcode, payload) of a frame to answer, or (None, None).
        if opcode == self.TEXT:
            try:
                return None, decode_utf8(payload)
            except ValueError:
                raise WebSocketError("malformed utf-8", 1007)
        if opcode == self.BINARY:
            return None, bytes(payload)
        if opcode == self.PING:
            return self.PONG, bytes(payload)
        if opcode == self.CLOSE:
            self.close_code, self.close_reason = parse_close(payload)
            raise WebSocketError(_CLOSED, self.close_code)
        return None, None

    @classmethod
    def _parse_frame_header(cls, header):
        n = header[1] & 127
        n = -2 if n == 126 else -8 if n == 127 else n
        return header[0] >= FIN, header[0] & 15, header[1] >= 128, n

    @classmethod
    def _encode_websocket_frame(cls, opcode, payload):
        return cls.encode(payload, opcode)

    # Sending

    async def send(self, data, opcode=None):
        """Send text or bytes as a message, or with an opcode of its own; several tasks may.

        Raises ``WebSocketError`` when the connection is closed, ``OSError`` if it broke.
        """
        if self.closed:
            raise WebSocketError(_CLOSED)
        try:
            if self._deflate and opcode is None:
                await self._out.awrite(self._deflate.encode(data))
            else:
                await self._out.awrite(_framed(data, opcode))
        except OSError:
            self._lost()
            raise

    @staticmethod
    def encode(data, opcode=None):
        """Return the frame of a message."""
        return _framed(data, opcode)

    def offer(self, frame):
        """Send an encoded frame without waiting; give up the client if too much waits already. Tell whether it was sent."""
        return load("broadcast").offer_frame(self, frame)

    # Ending

    async def close(self, code=1000, reason=""):
        """Close the connection, with a code (RFC 6455 7.4) and up to 123 bytes of text; only the first call says it."""
        if not self.closed:
            if not 1000 <= code < 5000 or len(reason.encode()) > 123:
                raise ValueError("close code out of range or reason over 123 bytes")
            await self._end(code, reason)

    async def _end(self, code, reason=""):
        if self.closed or not self._out:
            return
        self.closed = True
        try:
            await self._out.awrite(_close_frame(code, reason))
        except OSError as e:
            self._lost()
            if not is_gone(e):
                raise

    def hang_up(self):
        """Say that the server goes away, without waiting."""
        if not self.closed:
            self.closed = True
            try:
                self._out.write(_close_frame(1001, ""))
            except OSError:
                self._lost()

    def _lost(self):
        # Nothing can be sent or received any more.
        self.closed = True
        if self.close_code is None:
            self.close_code = 1006
        if self._in:
            self._in.departed = True

    def drop(self):
        """Give the client up: its handler is cancelled shortly."""
        self._lost()
        if hasattr(self._out, "cut"):
            self._out.cut()

    async def leave(self, code):
        """Close the connection if it is open, and wait for the client's answer for ``close_timeout`` seconds."""
        if self._keeper:
            self._keeper.cancel()
        if self._receiver:  # a task that the handler left behind
            self._receiver.cancel()
            for _ in range(8):  # no two tasks may read, and a wait within a wait takes its turns to end
                if self._receiver:
                    await asyncio.sleep(0)
        await self.close(code)
        if self._in and self.close_code is None:
            await load("websocket_handshake").goodbye(self)


def _framed(data, opcode):
    if isinstance(data, str):
        data = data.encode()
        opcode = opcode or TEXT
    elif opcode is None:
        opcode = BINARY
    if opcode & 8 and len(data) > 125:
        raise ValueError("control frame over 125 bytes")
    return encode(FIN | opcode, data)


_OPTIONS = "protocols", "origins", "ping_interval", "ping_timeout", "max_message_length", "compress"


if MICROPYTHON:

    async def _overdue():
        # Let a time run out that is about to: MicroPython's wait_for loses what its task returns in that very moment. A loop
        # that is never idle hides it, so that `timeout` of `receive` is the safer way there.
        for _ in range(5):
            await asyncio.sleep(0)
            task = asyncio.core._task_queue.peek()
            if not task or time.ticks_diff(task.ph_key, time.ticks_ms()) > 2:
                break
            await asyncio.sleep_ms(1)


def _close_frame(code, reason):
    # RFC 6455 7.1.5: a close without code is answered without
    payload = b"" if code == 1005 else code.to_bytes(2, "big") + reason.encode()
    return encode(FIN | CLOSE, payload)


async def websocket_upgrade(request, **options):
    """Make a request's connection a WebSocket and return it; options are ``WebSocket``'s attributes."""
    ws = getattr(request, "websocket_class", WebSocket)(request, **options)  # other servers frame messages themselves
    await ws.handshake()

    @request.after_request
    async def after_request(request, response):
        return Response.already_handled

    return ws


def websocket_wrapper(f, upgrade_function):
    """Return the handler that makes a WebSocket with a coroutine and gives it to the coroutine ``f(request, ws)``."""

    @wraps(f)
    async def wrapper(request, *args, **kwargs):
        ws = await upgrade_function(request)
        code = 1011
        try:
            await f(request, ws, *args, **kwargs)
            code = 1000
        except WebSocketError:
            code = 1000
        except OSError as e:
            if not is_gone(e):
                raise
        except Exception as e:
            print_exception(e)
        except BaseException:  # cancelled
            code = 0
            ws.hang_up()
            raise
        finally:
            if code:
                await ws.leave(code)
        return Response.already_handled

    return wrapper


def with_websocket(f=None, **options):
    """Decorate a WebSocket handler ``f(request, ws, **arguments)``, a coroutine; may be given options as ``WebSocket`` has.

    When the handler returns, the connection is closed; when the client leaves, ``receive`` and ``send`` raise
    ``WebSocketError`` or ``OSError``, which the handler need not catch. Other exceptions are printed, and the client is told
    1011. A client that is given up (see ``ping_interval``) or that the server ends cancels the handler.
    """
    if f is None:
        return lambda f: with_websocket(f, **options)
    return websocket_wrapper(f, lambda request: websocket_upgrade(request, **options))


async def broadcast(clients, data, **options):
    """Send a message to many clients, encoded once; see ``microdot.broadcast``."""
    return await load("broadcast").broadcast(clients, data, **options)
