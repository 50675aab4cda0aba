# The ASGI application of another framework below a prefix of this one. CPython only.
#
# Requests whose path has no route here go to the application with the longest prefix that fits. Its reply becomes a Response,
# so that hooks apply and every server of this application can send it; request and reply are streamed with back pressure.
# Under an ASGI server its websocket and lifespan scopes are passed on as well.
import asyncio
from urllib.parse import unquote

from microdot.errors import print_exception
from microdot.http import HTTPException
from microdot.request_lazy import text_of
from microdot.response import Response

_READ = 65536  # bytes of a request's body that are passed on at once


class Mount:
    """An ASGI application and the place it has."""

    def __init__(self, prefix, asgi_app):
        self.prefix = prefix
        self.asgi_app = asgi_app
        self.lifespan = None

    def fits(self, path):
        return path == self.prefix or path.startswith(self.prefix + "/")

    async def handle(self, request):
        """Have the application answer a request."""
        scope = self._place(request)
        if hasattr(request, "asgi_session"):
            await self._websocket(scope, request.asgi_session)
            return Response.already_handled
        call = Call(request)
        return await call.response(self.asgi_app(scope, call.receive, call.send))

    async def _websocket(self, scope, session):
        try:
            await self.asgi_app(scope, session.receive, session.send)
        except Exception as e:
            print_exception(e)
            if session.accepted:
                await session.close(1011)
            else:
                raise HTTPException(501, "No WebSocket here")
        if not session.accepted and not session.ended:
            raise HTTPException(404, "Not found")

    def _place(self, request):
        scope = request.asgi_scope if hasattr(request, "asgi_scope") else scope_of(request)
        root = scope.get("root_path", "").rstrip("/")
        # Some servers leave the root out of the path; the specification has it in.
        path = scope["path"] if scope["path"].startswith(root + "/") else root + scope["path"]
        return {**scope, "root_path": root + self.prefix, "path": path}

    async def start(self, scope):
        """Begin the application's lifespan; raise ``RuntimeError`` if it refuses to start."""
        self.lifespan = Lifespan(self.asgi_app, scope)
        await self.lifespan.tell("startup")

    async def end(self):
        if self.lifespan:
            await self.lifespan.tell("shutdown")


class Mounts:
    """The mounted applications of one application, in the place of its ``find_route``."""

    def __init__(self, app):
        self.app = app
        self.search = app.find_route
        app.find_route = self.find_route
        app._mounts = []

    def find_route(self, req):
        found = self.search(req)
        if found[0] != 404 and (not isinstance(found[0], dict) or self.app._routes.methods(req.path)):
            return found
        fitting = [mount for mount in self.app._mounts if mount.fits(req.path)]
        if not fitting:
            return found
        return max(fitting, key=lambda mount: len(mount.prefix)).handle, "", None


def mount(app, url_prefix, asgi_app):
    """Give an ASGI application the paths below a prefix; see ``Microdot.mount_asgi``."""
    prefix = url_prefix.strip("/")
    if not app.__dict__.get("_mounts"):
        Mounts(app)
    app._mounts.append(Mount(prefix and "/" + prefix, asgi_app))


def scope_of(request):
    """Return the http scope of a request that came in another way."""
    path = request.path
    decoded = path if request.path_decoded else unquote(path)
    headers = [
        (name.lower().encode("latin-1"), value.encode())
        for name, value in request.headers.items()
        if name.lower() != "transfer-encoding"
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.http_version.rpartition("/")[2],
        "method": request.method,
        "scheme": request.scheme,
        "path": decoded,
        "raw_path": request.url.split("?")[0].encode(),
        "query_string": (request.query_string or "").encode(),
        "root_path": "",
        "headers": headers,
        "client": request.client_addr,
        "server": None,
        "extensions": {},
    }


class Call:
    """One request to the application, which runs in a task of its own; also the body of the reply, if that is streamed."""

    last = None  # the event that was taken last
    taken = False  # as a piece of the reply
    unread = True  # of the request's body

    def __init__(self, request):
        self.request = request
        self.events = asyncio.Queue(1)  # from the application; its exception, or None, after them
        self.gone = asyncio.Event()  # nobody takes any more: the reply is complete, or the client has left

    async def response(self, coroutine):
        """Run the application until its reply has begun, and return that."""
        self.task = asyncio.create_task(self._run(coroutine))
        try:
            start = await self._next("http.response.start")
            await self._next("http.response.body")
            body = self
            if not self.last.get("more_body") and self.request.method != "HEAD":
                body = bytes(self.last.get("body", b""))
            return Response(body, start["status"], _headers(start))
        except BaseException:
            await self.aclose()
            raise

    async def _run(self, coroutine):
        error = None
        try:
            await coroutine
        except Exception as e:
            error = e
        if not self.gone.is_set():
            await self.events.put(error)
        elif error and not isinstance(error, OSError):
            print_exception(error)  # after its reply, when there is nobody to tell

    async def _next(self, kind):
        event = await self.events.get()
        if isinstance(event, Exception):
            raise event
        if not event or event["type"] != kind:
            raise RuntimeError("mounted application did not send " + kind)
        self.last = event
        if kind == "http.response.body" and not event.get("more_body"):
            self._end()
        return event

    def _end(self):
        # The application may go on after its reply: somebody must remember the task.
        self.gone.set()
        _running.add(self.task)
        self.task.add_done_callback(_running.discard)

    # What the application calls

    async def receive(self):
        """Return the application's next event."""
        if self.unread:
            data = await self.request.stream.read(_READ)
            self.unread = bool(data)
            return {"type": "http.request", "body": data, "more_body": self.unread}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event):
        """Take an event from the application, when the one before has been passed on."""
        if self.gone.is_set():
            raise OSError(104, "client has left")
        await self.events.put(event)

    # The body of the reply

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.taken:
            if not self.last.get("more_body"):
                raise StopAsyncIteration
            await self._next("http.response.body")
        self.taken = True
        return bytes(self.last.get("body", b""))

    async def aclose(self):
        """Stop the application if its reply is not complete."""
        if not self.gone.is_set():
            self.gone.set()
            if not self.events.empty():
                self.events.get_nowait()  # lets a `send` in another thread end
            self.task.cancel()
            await asyncio.wait([self.task])


_running = set()


def _headers(start):
    headers = {}
    for name, value in start.get("headers") or ():
        headers.setdefault(text_of(name).title(), []).append(text_of(value))
    return {name: values if len(values) > 1 else values[0] for name, values in headers.items()}


class Lifespan:
    """The lifespan of a mounted application. One that knows no lifespan ends, or fails, before it answers: no harm done."""

    def __init__(self, asgi_app, scope):
        self.to_app = asyncio.Queue()
        self.from_app = asyncio.Queue()
        self.task = asyncio.create_task(asgi_app({**scope, "root_path": ""}, self.to_app.get, self.from_app.put))

    async def tell(self, what):
        """Send ``startup`` or ``shutdown`` and wait for the answer; raise ``RuntimeError`` if that is a failure."""
        await self.to_app.put({"type": "lifespan." + what})
        answer = asyncio.ensure_future(self.from_app.get())
        await asyncio.wait([answer, self.task], return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self.task.exception()  # it has been seen
            return
        if answer.result()["type"] == "lifespan.%s.failed" % what:
            raise RuntimeError(answer.result().get("message") or what + " of mounted application failed")
