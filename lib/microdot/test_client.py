# A client for tests: gives requests to the application's dispatch, without a socket, and keeps cookies as a browser would.
from microdot.json_text import dumps, loads
from microdot.microdot import NoCaseDict, Request, Response
from microdot.text import decode_utf8


class TestResponse:
    """What came back: ``status_code, reason, headers, body, text, json, events``, each None where it does not apply."""

    __test__ = False  # a name that pytest would collect

    def __init__(self):
        self.status_code = None
        self.reason = None
        self.headers = {}
        self.body = None
        self.text = None
        self.json = None
        self.events = None

    @classmethod
    async def create(cls, res):
        """Take over a response, its body read to the end; an exception of the body is raised here."""
        self = cls()
        self.status_code = res.status_code
        self.reason = res.reason
        self.headers = res.headers
        if not res.is_head:
            await self._read(res)
            self._interpret()
        return self

    async def _read(self, res):
        parts = []
        chunks = res.body_iter()
        try:
            async for chunk in chunks:
                parts.append(chunk.encode() if isinstance(chunk, str) else chunk)
        finally:
            if hasattr(chunks, "aclose"):
                await chunks.aclose()
        self.body = b"".join(parts)

    def _interpret(self):
        try:
            self.text = decode_utf8(self.body)
        except ValueError:
            return
        kind = self.headers.get("Content-Type", "").split(";")[0]
        if kind == "application/json":
            self.json = loads(self.body)
        elif kind == "text/event-stream":
            self.events = _events(self.text)


def _events(text):
    # Parse server-sent events; comments and events without data are left out.
    events = [_event(block.split("\n")) for block in text.split("\n\n")]
    return [event for event in events if event["data"]]


def _event(lines):
    event = {"data": b"", "data_json": None, "event": None, "event_id": None, "retry": None}
    data = []
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "data":
            data.append(value)
        elif name == "event":
            event["event"] = value
        elif name == "id":
            event["event_id"] = value
        elif name == "retry":
            event["retry"] = int(value) / 1000
    event["data"] = "\n".join(data).encode()
    try:
        event["data_json"] = loads(event["data"])
    except ValueError:
        pass
    return event


class TestClient:
    """Sends requests to an application. ``cookies`` maps names to a value or to ``(value, path)``."""

    __test__ = False

    def __init__(self, app, cookies=None, scheme=None, host=None):
        self.app = app
        self.cookies = cookies or {}
        self.scheme = scheme
        self.host = host or "example.com:1234"

    async def request(self, method, path, headers=None, body=None, sock=None):
        """Send a request and return its ``TestResponse``; a dict or list as body is sent as JSON."""
        req = self._request(method, path, headers or {}, body, sock)
        res = await self.app.dispatch_request(req)
        if res is Response.already_handled:
            return TestResponse()
        res.complete()
        self._keep_cookies(res)
        return await TestResponse.create(res)

    def _request(self, method, path, headers, body, sock):
        fields = NoCaseDict(headers)
        body = _encode(body, fields)
        if body and "Content-Length" not in fields:
            fields["Content-Length"] = str(len(body))
        if "Host" not in fields:
            fields["Host"] = self.host
        cookies = self._cookie_header(path.split("?")[0])
        if cookies:
            given = fields.get("Cookie")
            fields["Cookie"] = given + "; " + cookies if given else cookies
        req = Request(self.app, ("127.0.0.1", 1234), method, path, "1.0", fields, sock=sock, scheme=self.scheme)
        _give_body(req, body)
        return req

    def _cookie_header(self, path):
        pairs = []
        for name, cookie in self.cookies.items():
            value, prefix = cookie if isinstance(cookie, tuple) else (cookie, "/")
            if path.startswith(prefix):
                pairs.append(name + "=" + value)
        return "; ".join(pairs)

    def _keep_cookies(self, res):
        lines = res.headers.get("Set-Cookie", [])
        for line in [lines] if isinstance(lines, str) else lines:
            self._keep_cookie(line)

    def _keep_cookie(self, line):
        parts = line.split(";")
        name, _, value = parts[0].strip().partition("=")
        path = "/"
        expired = False
        for part in parts[1:]:
            option, _, text = part.strip().partition("=")
            option = option.lower()
            if option == "path":
                path = text
            elif option == "max-age":
                expired = expired or int(text) <= 0
            elif option == "expires":
                expired = expired or ", 01 Jan 1970 " in text
        if not expired:
            self.cookies[name] = value if path == "/" else (value, path)
        elif name in self.cookies and self._path_of(name) == path:
            del self.cookies[name]

    def _path_of(self, name):
        cookie = self.cookies[name]
        return cookie[1] if isinstance(cookie, tuple) else "/"

    async def get(self, path, headers=None):
        """Send a GET request."""
        return await self.request("GET", path, headers)

    async def post(self, path, headers=None, body=None):
        """Send a POST request."""
        return await self.request("POST", path, headers, body)

    async def put(self, path, headers=None, body=None):
        """Send a PUT request."""
        return await self.request("PUT", path, headers, body)

    async def patch(self, path, headers=None, body=None):
        """Send a PATCH request."""
        return await self.request("PATCH", path, headers, body)

    async def delete(self, path, headers=None):
        """Send a DELETE request."""
        return await self.request("DELETE", path, headers)

    async def query(self, path, headers=None, body=None):
        """Send a QUERY request."""
        return await self.request("QUERY", path, headers, body)

    async def websocket(self, path, client, headers=None):
        """Open a WebSocket, and have the generator function ``client``, ``def`` or ``async def``, talk to its handler.

        Each text or bytes that it yields is sent, and the value of its ``yield`` is the handler's next message. When it ends,
        the handler's ``receive`` raises ``OSError``.
        """
        from microdot.test_client_websocket import HEADERS, Wire

        fields = dict(HEADERS)
        fields.update(headers or {})
        wire = Wire(client())
        return await self.request("GET", path, fields, sock=(wire, wire))


def _encode(body, fields):
    if isinstance(body, (dict, list)):
        body = dumps(body)
        fields.setdefault("Content-Type", "application/json")
    return body.encode() if isinstance(body, str) else body


def _give_body(req, body):
    # As the server does: small bodies in memory, longer ones as a stream, and those that are refused not at all.
    if not body:
        return
    if len(body) <= req.max_body_length:
        req.body = body
    else:
        from microdot.body import AsyncBytesIO

        req.stream = AsyncBytesIO(body)
