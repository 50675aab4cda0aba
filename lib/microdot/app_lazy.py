# Registration that few applications need: methods of Microdot (see helpers.py).
from microdot.routing import URLPattern

METHODS = (
    "put",
    "patch",
    "delete",
    "query",
    "after_error_request",
    "errorhandler",
    "mount",
    "mount_asgi",
    "mount_wsgi",
    "static",
)


def put(self, url_pattern):
    """Decorate a handler for PUT."""
    return self.route(url_pattern, ["PUT"])


def patch(self, url_pattern):
    """Decorate a handler for PATCH."""
    return self.route(url_pattern, ["PATCH"])


def delete(self, url_pattern):
    """Decorate a handler for DELETE."""
    return self.route(url_pattern, ["DELETE"])


def query(self, url_pattern):
    """Decorate a handler for QUERY."""
    return self.route(url_pattern, ["QUERY"])


def after_error_request(self, f):
    """Decorate ``f(request, response)`` to run when a request ended in an error; the request may be None."""
    self.after_error_request_handlers.append(f)
    return f


def errorhandler(self, status_code_or_exception_class):
    """Decorate ``f(request)`` for a status, or ``f(request, exception)`` for a class of exceptions."""

    def decorated(f):
        self.error_handlers[status_code_or_exception_class] = f
        return f

    return decorated


def mount(self, subapp, url_prefix="", local=False):
    """Add the routes that another application has now below a prefix.

    With ``local`` its hooks and error handlers apply to its own routes only; else they move to this application.
    """
    for methods, pattern, f, prefix, owner in subapp.url_map:
        pattern = URLPattern(url_prefix + pattern.url_pattern)
        self.url_map.append((methods, pattern, f, url_prefix + prefix, owner or subapp))
    if local:
        return
    for mine, theirs in (
        (self.before_request_handlers, subapp.before_request_handlers),
        (self.after_request_handlers, subapp.after_request_handlers),
        (self.after_error_request_handlers, subapp.after_error_request_handlers),
    ):
        mine += theirs
        theirs.clear()
    self.error_handlers.update(subapp.error_handlers)
    subapp.error_handlers.clear()


def mount_asgi(self, url_prefix, asgi_app):
    """Give the paths below a prefix that have no route here to the ASGI application of another framework. CPython only.

    It finds the prefix in ``root_path``. Under an ASGI server WebSockets and lifespan events are passed on too.
    """
    from microdot.mounted_asgi import mount

    mount(self, url_prefix, asgi_app)


def mount_wsgi(self, url_prefix, wsgi_app):
    """Give the paths below a prefix that have no route here to the WSGI application of another framework. CPython only.

    It finds the prefix in ``SCRIPT_NAME``, and runs in the threads of the event loop's executor.
    """
    from microdot.mounted_wsgi import mount

    mount(self, url_prefix, wsgi_app)


def static(self, url_prefix, directory, max_age=None, gzip=True, index="index.html", hidden=False):
    """Serve the files below a directory at the paths below a prefix.

    Clients may keep a file for ``max_age`` seconds (default: ``Response.default_send_file_max_age``), else they ask each time
    whether it has changed. With ``gzip`` they get the sibling ``NAME.gz`` of a file, if there is one and they take it.
    ``index`` is what a directory stands for, None to have none; ``hidden`` serves names that begin with a dot too. A prefix of
    "/" matches every path: register it after the other routes. Raises ``ValueError`` if there is no such directory.
    """
    from microdot.static import Folder

    serve = Folder(directory, max_age, gzip, index, hidden).serve
    prefix = url_prefix.strip("/")
    prefix = prefix and "/" + prefix
    for path in (prefix, prefix + "/", prefix + "/<path:path>"):
        if path:
            self.get(path)(serve)
