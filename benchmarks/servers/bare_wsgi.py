# mypy: ignore-errors
# The floor behind a WSGI server: the application that does nothing but answer.
_HEADERS = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", "13")]


def app(environ, start_response):
    start_response("200 OK", list(_HEADERS))
    return [b"Hello, world!"]
