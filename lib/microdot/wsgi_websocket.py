# WebSockets behind a WSGI server that lends the client's socket (gunicorn, one thread for each connection; werkzeug). Behind
# others, and where the socket is encrypted, the handshake is answered with 501.
import asyncio
import ssl

from microdot import websocket
from microdot.http import HTTPException

_LENT = "gunicorn.socket", "werkzeug.socket"  # in the environ


class WebSocket(websocket.WebSocket):
    """A WebSocket connection of a WSGI server."""

    async def handshake(self):
        """Accept the connection; end the request with 400, 403 or 426 if it cannot be, with 501 if the server cannot."""
        if self.request.sock[1] is None:
            raise HTTPException(501, "No WebSocket here")
        await super().handshake()


class Stream:
    """A copy of the client's socket as a stream."""

    def __init__(self, sock):
        self.sock = sock.dup()
        self.sock.setblocking(False)
        self.sending = asyncio.Lock()

    def get_extra_info(self, name, default=None):
        return self.sock.getpeername() if name == "peername" else default

    async def read(self, n):
        return await asyncio.get_running_loop().sock_recv(self.sock, n)

    async def awrite(self, data):
        async with self.sending:
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    def write(self, data):
        """Write without waiting what the system takes at once."""
        self.sock.send(data)

    async def drain(self):
        pass

    async def aclose(self):
        self.sock.close()


def sock(request):
    """Return the client's socket as ``(reader, writer)``, None for both if the server does not lend it."""
    for name in _LENT:
        lent = request.environ.get(name)
        if lent and not isinstance(lent, ssl.SSLSocket) and not request.content_length:
            stream = Stream(lent)
            return stream, stream
    return None, None


def finish(request):
    """End a request whose handler has spoken with the client itself: the server has nothing to add."""
    stream = vars(request).get("sock", (None,))[0]
    if not stream:
        raise RuntimeError("handler returned already_handled, but the server did not lend the socket")
    stream.sock.close()
    if "gunicorn.socket" in request.environ:
        raise StopIteration  # gunicorn's way to hear that
    return ()
