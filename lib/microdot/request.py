# A request as handlers see it. What is cheap is set when it is made; everything else (headers, arguments, cookies, form, JSON)
# is parsed when it is first asked for, by `request_lazy.py`, because most handlers ask for none of it.
from microdot import http


class Request:
    """One request. The class attributes bound what a client may send; an application may reassign them.

    ``max_content_length`` bytes of body are accepted at all, others get 413; up to ``max_body_length`` of them are loaded
    before the handler runs, longer bodies are read from ``stream``. Request line and header lines have ``max_readline`` bytes
    (414, 431), all of them ``max_head`` bytes and ``max_fields`` fields (431).
    """

    max_readline = 2048
    max_head = 8192
    max_fields = 64
    max_content_length = 16 * 1024
    max_body_length = 16 * 1024

    class G:
        """A place for what the application wants to keep with a request."""

    scheme = "http"
    query_string = None
    path_decoded = False  # by another server that received it, see hosted.py
    http_version = "1.1"
    content_length = 0
    body = b""
    files = None
    body_used = False
    url_prefix = ""
    subapp = None
    route = None
    upgraded = False  # the connection speaks another protocol since: no response can be sent
    _fields = b""  # the header section, as received
    _connection = None
    _g = _after = _url_args = None  # g, after_request_handlers and url_args, when there are any

    def __init__(
        self,
        app,
        client_addr,
        method,
        url,
        http_version,
        headers,
        body=None,
        stream=None,
        sock=None,
        url_prefix="",
        subapp=None,
        scheme=None,
        route=None,
    ):
        from microdot.dicts import NoCaseDict

        self.app = app
        self.client_addr = client_addr
        self._head(method, url, http_version)
        self.headers = headers if isinstance(headers, NoCaseDict) else NoCaseDict(headers)
        self.content_length = int(self.headers.get("Content-Length", 0))
        self.sock = sock
        self.url_prefix = url_prefix
        self.subapp = subapp
        self.route = route
        if body:
            self.body = body
        if stream:
            self.stream = stream
        if scheme:
            self.scheme = scheme

    def _head(self, method, url, http_version):
        self.method = method
        self.url = url
        at = url.find("?")
        if at < 0:
            self.path = url
        else:
            self.path = url[:at]
            self.query_string = url[at + 1 :]
        if http_version != "1.1":
            self.http_version = http_version

    @classmethod
    def received(cls, app, connection, head):
        """Make the request of a head that ``http.parse_head`` took off a connection; its fields are parsed when asked for."""
        self = object.__new__(cls)
        self.app = app
        self._connection = connection
        self._head(head[1], head[2], "1.1" if head[3] else "1.0")
        self._fields = head[6]
        if head[4] > 0:
            self.content_length = head[4]
        return self

    @staticmethod
    async def create(app, client_reader, client_writer, client_addr, scheme=None):
        """Read a request from a stream with coroutines ``readline`` and ``readexactly``; None if it ends at once.

        Lines may end in CRLF or LF. Raises ``ValueError`` for a request that is malformed or over the limits of the head.
        """
        from microdot.reader import read_request

        return await read_request(Request, app, client_reader, client_writer, client_addr, scheme)

    @staticmethod
    async def _safe_readline(stream):
        line = await stream.readline()
        if len(line) > Request.max_readline:
            raise http.ClientError("line over %d bytes" % Request.max_readline)
        return line

    def __getattr__(self, name):
        # What a request does not have yet is made by the function of its name, and kept.
        from microdot.request_lazy import VALUES

        if name not in VALUES:
            raise AttributeError(name)
        value = VALUES[name](self)
        setattr(self, name, value)
        return value


http.limits = Request
