# The WSGI application of another framework (PEP 3333) below a prefix of this one: as an ASGI application in a thread, for
# mounted_asgi.py. CPython only.
#
# A request has one thread of the executor from beginning to end, because frameworks keep things in the thread.
import asyncio
import io
import sys
from contextvars import copy_context

from microdot import mounted_asgi


def mount(app, url_prefix, wsgi_app):
    """Give a WSGI application the paths below a prefix; see ``Microdot.mount_wsgi``."""

    async def asgi_app(scope, receive, send):
        if scope["type"] == "http":  # of others WSGI knows nothing
            loop = asyncio.get_running_loop()
            call = Call(loop, scope, receive, send)
            await loop.run_in_executor(None, copy_context().run, call.run, wsgi_app)

    mounted_asgi.mount(app, url_prefix, asgi_app)


class Call:
    """One request to the application, in a thread."""

    start = None  # the head of the reply, until it is sent
    started = False  # the application has called start_response

    def __init__(self, loop, scope, receive, send):
        self.loop = loop
        self.receive = receive
        self.send = send
        self.environ = environ_of(scope, io.BufferedReader(Input(self)))

    def wait(self, coroutine):
        """Await a coroutine of the loop's from the thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def run(self, wsgi_app):
        pieces = wsgi_app(self.environ, self.start_response)
        try:
            for piece in pieces:
                self.write(piece)
            self.write(b"", True)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def start_response(self, status, headers, exc_info=None):
        """Take the head of the reply; it is sent with the first bytes of its body."""
        if exc_info and self.started and not self.start:
            raise exc_info[1].with_traceback(exc_info[2])
        if self.started and not exc_info:
            raise AssertionError("start_response called twice")
        self.started = True
        self.start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
        return self.write

    def write(self, piece, last=False):
        if not self.started:
            raise AssertionError("reply before start_response")
        if not piece and not last:
            return
        if self.start:
            start, self.start = self.start, None
            self.wait(self.send(start))
        self.wait(self.send({"type": "http.response.body", "body": piece, "more_body": not last}))


class Input(io.RawIOBase):
    """The request's body as a file: it ends where the body ends."""

    def __init__(self, call):
        self.call = call
        self.data = memoryview(b"")
        self.more = True

    def readable(self):
        return True

    def readinto(self, buf):
        while not self.data and self.more:
            event = self.call.wait(self.call.receive())
            self.data = memoryview(event.get("body", b""))
            self.more = event.get("more_body", False)
        n = min(len(buf), len(self.data))
        buf[:n] = self.data[:n]
        self.data = self.data[n:]
        return n


def environ_of(scope, body):
    """Return the environ of an http scope."""
    root = scope["root_path"]
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _bytes_as_text(root),
        "PATH_INFO": _bytes_as_text(scope["path"][len(root) :]),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue  # it would look like the header with a dash, which a proxy may vouch for
        _add_header(environ, name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1"))
    return environ


def _add_header(environ, name, value):
    key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name
    if key in environ and key.startswith("HTTP_"):
        value = environ[key] + ("; " if name == "COOKIE" else ",") + value
    environ[key] = value


def _bytes_as_text(path):
    # PEP 3333: text that stands for bytes.
    return path.encode().decode("latin-1")
