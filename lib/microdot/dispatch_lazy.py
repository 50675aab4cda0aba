# The ways of a request that do not lead straight from its route to a response: hooks, OPTIONS, errors. Methods of Microdot (see
# helpers.py).
from microdot.errors import is_gone, mro, print_exception
from microdot.helpers import invoke_handler, load
from microdot.http import ClientError, HTTPException
from microdot.request import Request
from microdot.response import Response

METHODS = (
    "find_route",
    "default_options_handler",
    "get_request_handlers",
    "make_response",
    "refuse",
    "error_response",
    "_handle_with_hooks",
    "_after_hooks",
    "_no_route",
    "_failed",
    "_finish_error",
    "_exception_response",
    "_add_vary",
    "handle_request",
)


# Routes


def find_route(self, req):
    """Return ``(handler, url_prefix, subapp)``; the handler is a status, or headers for OPTIONS, if there is no route."""
    method = req.method.upper()
    if method == "OPTIONS" and self.options_handler:
        return self.options_handler(req), "", None
    route, args = self._routes.search(req.path, "GET" if method == "HEAD" else method)
    if not route:
        return 404, "", None
    if args is None:
        return 405, route[3], route[4]
    if args:
        req._url_args = args
    return route[2:]


def default_options_handler(self, req):
    """Return the headers that answer OPTIONS: the methods of the path."""
    methods = self._routes.methods(req.path)
    if "GET" in methods:
        methods.append("HEAD")
    if "OPTIONS" not in methods:
        methods.append("OPTIONS")
    return {"Allow": ", ".join(methods)}


async def _no_route(self, req):
    # OPTIONS, HEAD, a method in lower case, 404 or 405.
    f, req.url_prefix, req.subapp = self.find_route(req)
    if isinstance(f, dict):
        return await self._finish_error(req, Response(headers=f))
    if isinstance(f, int):
        raise HTTPException(f, "Not found")
    req.route = f
    return await self._after_hooks(req, await self._handle_with_hooks(req, f))


# Hooks


def get_request_handlers(self, req, attr, local_first=True):
    """Return the handlers in ``attr`` of the application and of the request's own sub-application, in order."""
    handlers = getattr(self, attr)
    local = getattr(req.subapp, attr) if req and req.subapp else None
    if not local:
        return handlers
    return local + handlers if local_first else handlers + local


async def _handle_with_hooks(self, req, f):
    # Run the hooks, then the handler unless one of them had something to say.
    result = None
    for hook in self.get_request_handlers(req, "before_request_handlers", False):
        result = await invoke_handler(hook, req)
        if result:
            break
    if result is None:
        result = await invoke_handler(f, req, **(req._url_args or {}))
    return self.make_response(result)


async def _after_hooks(self, req, res):
    try:
        for hooks in (self.get_request_handlers(req, "after_request_handlers"), req._after or ()):
            for hook in hooks:
                given = res.body
                res = self.make_response(await invoke_handler(hook, req, res) or res)
                if given is not res.body and hasattr(given, "hang_up") and isinstance(res.body, bytes):
                    given.hang_up()  # nobody takes its events any more
    except BaseException:
        # Nobody sends this response: close its file, end its events.
        await load("streaming").close(res.body)
        raise
    return _unsoiled(res)


def _unsoiled(res):
    # Headers for a response that is never sent, as session cookies on a WebSocket, must not gather in the one object for all.
    if res is Response.already_handled:
        res._headers = None
    return res


def make_response(self, result):
    """Return the response of what a handler returned.

    That is a body, ``(body, status)``, ``(body, headers)``, ``(body, status, headers)``, a status or ``(status, headers)``.
    """
    if isinstance(result, Response):
        return result
    if isinstance(result, int):
        return Response("", result)
    if not isinstance(result, tuple):
        return Response(result)
    if isinstance(result[0], int):
        return Response("", *result)
    body, status = result[:2]
    headers = result[2] if len(result) > 2 else None
    if isinstance(status, dict):
        status, headers = 200, status
    return Response(body, status, headers)


def vary(req, name):
    """Note that the response depends on a header of the request."""
    names = getattr(req.g, "_vary", None)
    if names is None:
        req.g._vary = names = set()
    names.add(name)


def _add_vary(self, req, res):
    # Merge the names in `g._vary` into the Vary header: those already there first, each once.
    names = getattr(req._g, "_vary", None)
    if not names or res is Response.already_handled:
        return
    given = res.headers.get("Vary", "")
    if isinstance(given, list):
        given = ",".join(given)
    merged = [name.strip() for name in given.split(",") if name.strip()]
    known = [name.lower() for name in merged]
    merged += [name for name in names if name.lower() not in known]
    res.headers["Vary"] = ", ".join(merged)


# Errors


async def refuse(self, status_code, reason):
    """Return the response to what never became a request."""
    return await self._finish_error(None, await self.error_response(None, status_code, reason))


async def _failed(self, req, exc):
    # Return the response to a request that an exception ended, whoever raised it.
    if isinstance(exc, (HTTPException, ClientError)):
        res = await self.error_response(req, exc.status_code, exc.reason)
        for name, value in (getattr(exc, "headers", None) or {}).items():
            res.headers[name] = value
    else:
        res = await self._exception_response(req, exc)
    if res.status_code == 405 and "Allow" not in res.headers:
        res.headers.update(self.default_options_handler(req))  # RFC 9110 15.5.6
    res = await self._finish_error(req, res)
    return Response.already_handled if req.upgraded else res


async def _finish_error(self, req, res):
    for hook in self.get_request_handlers(req, "after_error_request_handlers"):
        try:
            res = self.make_response(await invoke_handler(hook, req, res) or res)
        except Exception as e:
            print_exception(e)
    return res


async def error_response(self, req, status_code, reason=None):
    """Return the response for a status: that of its error handler, else the reason as text."""
    for owner in (req and req.subapp, self):
        f = owner and owner.error_handlers.get(status_code)
        if f:
            try:
                return self.make_response(await invoke_handler(f, req))
            except Exception as e:
                print_exception(e)
                return Response("Internal server error", 500)
    return Response(reason, status_code)


async def _exception_response(self, req, exc):
    # Print an exception of the application, and find the handler of its class or of the nearest base.
    if not (isinstance(exc, OSError) and req._connection and req._connection.departed):
        print_exception(exc)
    for cls in mro(type(exc)):
        for owner in (req.subapp, self):
            f = owner and owner.error_handlers.get(cls)
            if f:
                try:
                    result = await invoke_handler(f, req, exc)
                    if result is not None:
                        return self.make_response(result)
                except Exception as e:
                    print_exception(e)
                return await self.error_response(req, 500, "Internal server error")
    if isinstance(exc, MemoryError):
        return await self.error_response(req, 503, "Out of memory")
    return await self.error_response(req, 500, "Internal server error")


# Without the server


async def handle_request(self, reader, writer):
    """Answer one HTTP/1.0 request on streams with ``readline``, ``readexactly``, ``awrite`` and ``aclose``; close them."""
    try:
        try:
            res = await self.dispatch_request(await _created(self, reader, writer))
            if res is not Response.already_handled:
                await res.write(writer)
        finally:
            await writer.aclose()
    except OSError as e:
        if not is_gone(e):
            raise


async def _created(app, reader, writer):
    # Return the request, None for one that is malformed.
    try:
        return await Request.create(app, reader, writer, writer.get_extra_info("peername"))
    except ValueError:
        return None
