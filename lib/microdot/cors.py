# Cross-origin resource sharing (Fetch Standard 3.2): which other origins' scripts may read responses. A preflight (OPTIONS) is
# answered here and never reaches a handler. `"*"` with credentials lets every site on the web act as the user: don't.
from microdot.dispatch_lazy import vary


class CORS:
    """Allows other origins to use an application.

    ``allowed_origins`` is a list, or ``"*"`` for all; ``allowed_methods`` and ``allowed_headers`` are lists, None for all. The
    attributes have the arguments' names and may be changed at any time.
    """

    def __init__(
        self,
        app=None,
        allowed_origins=None,
        allow_credentials=False,
        allowed_methods=None,
        expose_headers=None,
        allowed_headers=None,
        max_age=None,
        handle_cors=True,
    ):
        self.allowed_origins = allowed_origins
        self.allow_credentials = allow_credentials
        self.allowed_methods = allowed_methods
        self.expose_headers = expose_headers
        self.allowed_headers = None if allowed_headers is None else [name.lower() for name in allowed_headers]
        self.max_age = max_age
        if app is not None:
            self.initialize(app, handle_cors)

    def initialize(self, app, handle_cors=True):
        """Add the headers to an application's responses and answer its OPTIONS requests, unless ``handle_cors`` is false."""
        self.default_options_handler = app.options_handler
        if handle_cors:
            app.options_handler = self.options_handler
            app.after_request(self.after_request)
            app.after_error_request(self.after_request)

    def options_handler(self, request):
        """Return the headers that answer an OPTIONS request."""
        headers = self.default_options_handler(request) if self.default_options_handler else {}
        headers.update(self.get_cors_headers(request))
        return headers

    def get_cors_headers(self, request):
        """Return the headers that the response to a request needs."""
        headers = {}
        origin = request.headers.get("Origin")
        if origin and (self.allowed_origins == "*" or origin in (self.allowed_origins or ())):
            headers["Access-Control-Allow-Origin"] = origin
            vary(request, "Origin")
        elif not origin and self.allowed_origins == "*":
            headers["Access-Control-Allow-Origin"] = "*"
        if self.allow_credentials and headers:
            headers["Access-Control-Allow-Credentials"] = "true"
        if self.expose_headers:
            headers["Access-Control-Expose-Headers"] = ", ".join(self.expose_headers)
        if request.method == "OPTIONS":
            self._add_preflight(request, headers)
        return headers

    def _add_preflight(self, request, headers):
        method = request.headers.get("Access-Control-Request-Method")
        names = request.headers.get("Access-Control-Request-Headers")
        if self.max_age is not None:
            headers["Access-Control-Max-Age"] = str(self.max_age)
        if method and (self.allowed_methods is None or method in self.allowed_methods):
            headers["Access-Control-Allow-Methods"] = method
        if names and self.allowed_headers is not None:
            names = [name.strip() for name in names.split(",")]
            names = ", ".join([name for name in names if name.lower() in self.allowed_headers])
        if names:
            headers["Access-Control-Allow-Headers"] = names

    async def after_request(self, request, response):
        """Add the headers to a response; the request is None when it could not be parsed."""
        if request:
            response.headers.update(self.get_cors_headers(request))
