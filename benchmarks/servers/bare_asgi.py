# mypy: ignore-errors
# The floor behind an ASGI server: the application that does nothing but answer.
_HEADERS = [(b"content-type", b"text/plain; charset=UTF-8"), (b"content-length", b"13")]


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b"Hello, world!"})
