# A response: what a handler returned, as status, headers and body, and the text of its head.
#
# What most responses don't need is in modules loaded on first use: `response_lazy.py` (cookies, iteration, Microdot's own
# `write`), `response_head.py` (the text of a head with headers), `files.py`.
from microdot.helpers import borrow, fill

_dumps = None  # made of json_text when the first JSON leaves: importing it each time would cost more than it


class Response:
    """A response. ``body`` may be text, bytes, a dict or list (sent as JSON), a file, a generator or an async iterator."""

    types_map = {
        "css": "text/css",
        "gif": "image/gif",
        "html": "text/html",
        "jpg": "image/jpeg",
        "js": "application/javascript",
        "json": "application/json",
        "png": "image/png",
        "svg": "image/svg+xml",
        "txt": "text/plain",
    }
    send_file_buffer_size = 1024
    default_content_type = "text/plain"
    default_send_file_max_age = None
    already_handled = None  # a Response that says: nothing to write

    is_head = False
    reason = None
    status_code = 200
    _headers = None
    _type = None  # the Content-Type of a body made from a dict or list, until `headers` is asked for

    def __init__(self, body=b"", status_code=200, headers=None, reason=None):
        if body is None and status_code == 200:
            body = b""
            status_code = 204
        if status_code != 200:
            self.status_code = status_code
        if headers:
            self.headers.update(headers)
        if reason:
            self.reason = reason
        if isinstance(body, str):
            body = body.encode()
        elif isinstance(body, (dict, list)):
            body = self._json(body)
        self.body = body

    @property
    def headers(self):
        """The headers, a ``NoCaseDict``; a list as value gives one line an item."""
        headers = self._headers
        if headers is None:
            from microdot.dicts import NoCaseDict

            self._headers = headers = NoCaseDict()
            if self._type:
                headers["Content-Type"] = self._type
        return headers

    @headers.setter
    def headers(self, headers):
        self._headers = headers

    def _json(self, body):
        global _dumps
        if _dumps is None:
            from microdot.json_text import dumps as _dumps
        if self._headers is None:
            self._type = "application/json; charset=UTF-8"
        else:
            self._headers.setdefault("Content-Type", "application/json; charset=UTF-8")
        text = _dumps(body)
        return text.encode() if isinstance(text, str) else text

    def kind(self):
        """Return the ``Content-Type`` of a response whose headers have none."""
        if self._type:
            return self._type
        kind = self.default_content_type
        return kind if "charset=" in kind else kind + "; charset=UTF-8"

    @classmethod
    def redirect(cls, location, status_code=302):
        """Return a response that sends the client to another URL."""
        if "\r" in location or "\n" in location:
            raise ValueError("line break in redirect URL")
        return cls(status_code=status_code, headers={"Location": location})

    @classmethod
    def send_file(
        cls,
        filename,
        status_code=200,
        content_type=None,
        stream=None,
        max_age=None,
        compressed=False,
        file_extension="",
    ):
        """Return a response with a file as body.

        The name must be the application's own: see ``app.static`` for names that clients choose. ``stream`` is an open file
        to send instead, ``max_age`` in seconds goes into ``Cache-Control``, ``compressed`` says that the file is gzipped
        already (or names its coding), ``file_extension`` is added to the name when the file is opened. Raises ``OSError``.
        """
        from microdot.files import file_headers

        headers = file_headers(cls, filename, content_type, max_age, compressed)
        return cls(stream or open(filename + file_extension, "rb"), status_code, headers)

    def __getattr__(self, name):
        return borrow(self, name, "response_lazy")


fill(Response, "response_lazy")
Response.already_handled = Response(None, 101)
