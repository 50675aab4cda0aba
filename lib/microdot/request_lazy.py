# What a request holds besides its head, each value made when a handler first asks for it. `Request.__getattr__` calls the
# function of the value's name and keeps what it returns.
#
# A client's mistake (a bad escape, malformed JSON) is a ClientError here, so that it is answered with 400.
from microdot.grammar import find_field
from microdot.http import ClientError


def field(request, name):
    """Return the text of one header field (``name`` in lower-case bytes), None without it; makes no dictionary."""
    if not request._fields:
        return request.headers.get(name.decode())
    value = find_field(request._fields, name)
    return None if value is None else text_of(value)


def text_of(value):
    # Field values are ASCII by the RFC, UTF-8 by custom and anything in practice.
    try:
        return str(value, "utf-8")
    except ValueError:
        return "".join([chr(c) for c in value])


def headers(request):
    from microdot.dicts import NoCaseDict

    headers = NoCaseDict()
    for line in request._fields.split(b"\r\n") if request._fields else ():
        colon = line.find(b":")
        name = str(line[:colon], "utf-8")
        value = text_of(line[colon + 1 :].strip(b" \t"))
        if name.lower() == "cookie" and name in headers:
            value = headers[name] + "; " + value  # RFC 9113 8.2.3: HTTP/2 splits it, and proxies pass it on so
        headers[name] = value
    return headers


def args(request):
    return _pairs(request.query_string or "")


def _pairs(text):
    from microdot.text import parse_pairs

    try:
        return parse_pairs(text)
    except ValueError as e:
        raise ClientError(str(e) or "malformed utf-8")


def cookies(request):
    cookies = {}
    if request._fields.lower().count(b"cookie:") > 1:  # the dictionary joins several lines
        header = request.headers.get("Cookie")
    else:
        header = field(request, b"cookie")
    for cookie in header.split(";") if header else ():
        name, _, value = cookie.strip().partition("=")
        cookies[name] = value
    return cookies


def _media_type(request):
    return (request.content_type or "").split(";")[0].strip().lower()


def json(request):
    if _media_type(request) != "application/json":
        return None
    from microdot.json_text import loads

    try:
        return loads(request.body)
    except ValueError:
        raise ClientError("malformed json")


def form(request):
    if _media_type(request) != "application/x-www-form-urlencoded":
        return None
    return _pairs(request.body)


def stream(request):
    from microdot.body import AsyncBytesIO

    return AsyncBytesIO(request.body)


def _g(request):
    request._g = request.G()
    return request._g


def _after(request):
    request._after = []
    return request._after


def _url_args(request):
    if request._url_args is None:
        request._url_args = {}
    return request._url_args


def _after_request(request):
    def after_request(f):
        request.after_request_handlers.append(f)
        return f

    return after_request


def _client_addr(request):
    connection = request._connection
    if hasattr(connection, "get_extra_info"):  # the client's stream, once the reply has left
        from microdot.connection_lazy import address_of

        return address_of(connection)
    return connection and connection.client_addr()


def _sock(request):
    connection = request._connection
    return connection.sock() if hasattr(connection, "sock") else None


VALUES = {
    "after_request": _after_request,
    "after_request_handlers": _after,
    "args": args,
    "client_addr": _client_addr,
    "content_type": lambda request: field(request, b"content-type"),
    "cookies": cookies,
    "form": form,
    "g": _g,
    "headers": headers,
    "json": json,
    "sock": _sock,
    "stream": stream,
    "url_args": _url_args,
}
