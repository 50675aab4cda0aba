# The application: registration, hooks and the way of a request from route to response.
#
# `dispatch_request` is all that a front end needs: the server, ASGI, WSGI and the test client give it a request and send what
# it returns. It never raises for what a client or a handler does. What goes wrong, and what few applications call, is in
# `dispatch_lazy.py` and `app_lazy.py`.
import asyncio

from microdot.helpers import borrow, fill, invoke
from microdot.http import ClientError, HTTPException
from microdot.response import Response
from microdot.routing import Routes, URLPattern


class Microdot:
    """A web application: routes, hooks and error handlers, and the server that runs them.

    The class attributes bound what the server holds and waits for; an application may reassign them (times in seconds).
    """

    max_connections = 0  # 0: as many as suits the machine (see server.py)
    max_requests = 1000
    head_timeout = 10
    body_timeout = 20
    idle_timeout = 5
    write_timeout = 20
    shutdown_timeout = 5
    tls_heap = 40000  # bytes of free heap below which a board turns new TLS connections away

    ssl = False
    debug = False
    server = None  # asyncio's, once it serves
    _server = None  # ours

    def __init__(self):
        self.url_map = []
        self.before_request_handlers = []
        self.after_request_handlers = []
        self.after_error_request_handlers = []
        self.error_handlers = {}
        self._routes = Routes(self.url_map)

    # Registration

    def route(self, url_pattern, methods=None):
        """Decorate a handler ``f(request, **arguments)`` for a path and some methods (GET by default)."""

        def decorated(f):
            names = [method.upper() for method in methods or ["GET"]]
            self.url_map.append((names, URLPattern(url_pattern), f, "", None))
            return f

        return decorated

    def get(self, url_pattern):
        """Decorate a handler for GET."""
        return self.route(url_pattern)

    def post(self, url_pattern):
        """Decorate a handler for POST."""
        return self.route(url_pattern, ["POST"])

    def before_request(self, f):
        """Decorate ``f(request)`` to run before each handler; what it returns, if true, is the response instead."""
        self.before_request_handlers.append(f)
        return f

    def after_request(self, f):
        """Decorate ``f(request, response)`` to run after each handler; what it returns, if anything, is sent instead."""
        self.after_request_handlers.append(f)
        return f

    @staticmethod
    def abort(status_code, reason=None):
        """End the request with a status from anywhere in a handler."""
        raise HTTPException(status_code, reason)

    # Dispatch

    async def dispatch_request(self, req):
        """Return the response to a request; None stands for one that could not be parsed."""
        if not req:
            return await self.refuse(400, "Bad request")
        try:
            if req.content_length > req.max_content_length:
                raise ClientError("Payload too large", 413)
            route = self._routes.find(req)
            if route:
                req.route = f = route[2]
                if route[4]:
                    req.url_prefix = route[3]
                    req.subapp = route[4]
                if self.before_request_handlers or route[4]:
                    res = await self._handle_with_hooks(req, f)
                else:
                    res = await invoke(f, req, req._url_args)
                    if not isinstance(res, Response):
                        res = self.make_response(res) if isinstance(res, (tuple, int)) else Response(res)
                if self.after_request_handlers or route[4] or req._after:
                    res = await self._after_hooks(req, res)
            else:
                res = await self._no_route(req)
        except Exception as e:
            res = await self._failed(req, e)
        if req._g:
            self._add_vary(req, res)
        if req.method == "HEAD":
            res.is_head = True
        return res

    # Server

    async def start_server(self, host="0.0.0.0", port=5000, debug=False, ssl=None, start_serving=True):
        """Serve until ``shutdown`` is called. ``ssl`` is an ``SSLContext``: ``microdot.tls`` makes one.

        With ``start_serving=False`` return asyncio's ``Server`` at once, for its ``serve_forever`` (CPython only).
        Raises ``OSError`` if the address can't be had.
        """
        from microdot.server import Server

        self.debug = debug
        self.ssl = ssl
        return await Server(self).start(host, port, ssl, start_serving)

    def run(self, host="0.0.0.0", port=5000, debug=False, ssl=None):
        """Serve until ``shutdown`` is called; does not return before."""
        asyncio.run(self.start_server(host, port, debug, ssl))

    def shutdown(self):
        """Stop serving: accept no more, let the current requests finish within ``shutdown_timeout``, close.

        May be called from a handler, from another thread, twice, or when nothing is served.
        """
        if self._server:
            self._server.shutdown()

    def __getattr__(self, name):
        if name == "options_handler":
            return self.default_options_handler
        return borrow(self, name, "app_lazy" if name in _REGISTRATION else "dispatch_lazy")


# The methods that are in `app_lazy.py`; the others that an application does not have yet are in `dispatch_lazy.py`.
_REGISTRATION = "put", "patch", "delete", "query", "after_error_request", "errorhandler", "mount", "static"

fill(Microdot, "app_lazy")
fill(Microdot, "dispatch_lazy")
