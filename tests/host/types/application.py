"""Every form of a handler and of what it may return; the test runs all of it as well."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from microdot import Microdot, Request, Response, URLPattern, abort, redirect, send_file
from microdot.microdot import HTTPException, MultiDict, NoCaseDict, invoke_handler, urldecode, urlencode
from microdot.test_client import TestClient
from typing_extensions import assert_type

if TYPE_CHECKING:
    from microdot._types import Reply

app = Microdot()
inner = Microdot()


class Lamp(TypedDict):
    on: bool


# What a handler may return


@app.get("/text")
def text(request: Request) -> str:
    return "text"


@app.get("/bytes")
async def octets(request: Request) -> bytes:
    return b"bytes"


@app.get("/dict")
async def dictionary(request: Request) -> dict[str, bool]:
    return {"on": True}


@app.get("/typed-dict")
async def typed_dictionary(request: Request) -> Lamp:
    return {"on": True}


@app.get("/list")
async def listing(request: Request) -> list[Lamp]:
    return [{"on": True}]


@app.get("/none")
async def nothing(request: Request) -> None:
    pass


@app.get("/status")
async def status(request: Request) -> int:
    return 202


@app.get("/body-and-status")
async def body_and_status(request: Request) -> tuple[Lamp, int]:
    return {"on": True}, 201


@app.get("/body-and-headers")
async def body_and_headers(request: Request) -> tuple[str, dict[str, str]]:
    return "<p>", {"Content-Type": "text/html"}


@app.get("/all-three")
async def all_three(request: Request) -> tuple[str, int, dict[str, list[str]]]:
    return "text", 201, {"Set-Cookie": ["a=1", "b=2"]}


@app.get("/status-and-headers")
async def status_and_headers(request: Request) -> tuple[int, dict[str, str]]:
    return 302, {"Location": "/"}


@app.get("/generator")
def generator(request: Request) -> Iterator[str]:
    yield "one"
    yield "two"


@app.get("/async-generator")
async def async_generator(request: Request) -> AsyncIterator[bytes]:
    yield b"one"


@app.get("/file")
async def file(request: Request) -> io.BytesIO:
    return io.BytesIO(b"file")


@app.get("/stream")
async def stream(request: Request) -> tuple[Iterator[str], int, dict[str, str]]:
    return iter(["one", "two"]), 200, {"Content-Type": "text/event-stream"}


@app.get("/response")
async def response(request: Request) -> Response:
    made = Response("text", 200, {"X-Name": "value"})
    made.headers["X-Number"] = 5
    made.set_cookie("name", "value", expires=datetime(2030, 1, 1), same_site="Lax", http_only=True)
    made.delete_cookie("other", path="/")
    return made


@app.get("/redirect")
async def elsewhere(request: Request) -> Response:
    return redirect("/text")


@app.get("/send-file")
async def sent(request: Request) -> Response:
    return send_file("icon.svg", max_age=60, stream=io.BytesIO(b"<svg/>"))


@app.get("/anything")
async def anything(request: Request) -> Reply:
    return "one of them", {"X-List": ["a", "b"], "X-Text": "c"}


@app.get("/untyped")
async def untyped(request):  # type: ignore[no-untyped-def]
    return "text"


@app.get("/abort")
async def aborted(request: Request) -> str:
    if request.method == "GET":
        abort(403, "no")
    return "never for GET"


@app.get("/never")
async def never(request: Request) -> str:
    abort(404)  # and nothing is missing behind it


# Arguments and requests


@app.route("/users/<int:number>/<path:rest>", methods=["GET", "post"])
async def with_arguments(request: Request, number: int, rest: str) -> str:
    return f"{number} {rest}"


@app.post("/request")
async def read(request: Request) -> dict[str, Any]:
    assert_type(request.method, str)
    assert_type(request.headers["Host"], str)
    assert_type(request.headers.get("Origin"), "str | None")
    assert_type(request.headers.get("Origin", ""), str)
    assert_type(request.args.get("page", 1, type=int), int)
    assert_type(request.args.get("page", type=int), "int | None")
    assert_type(request.args.getlist("tag"), list[str])
    assert_type(request.args.getlist("tag", int), list[int])
    assert_type(request.cookies.get("name"), "str | None")
    assert_type(request.query_string, "str | None")
    assert_type(request.client_addr[0], str)
    assert_type(await request.stream.read(10), bytes)
    request.g.user = "ann"
    name = request.form.get("name", "nobody") if request.form else ""
    host: str = request.url_args.get("host", "")

    @request.after_request
    async def add_header(request: Request, response: Response) -> None:
        response.headers["X-User"] = request.g.user

    return {"json": request.json, "name": name, "host": host}


# Hooks, errors and parts


@app.before_request
async def check(request: Request) -> Response | None:
    return Response("no", 403) if request.path == "/forbidden" else None


@app.after_request
def add_length(request: Request, response: Response) -> Response:
    response.headers["X-Kind"] = response.kind()
    return response


@app.after_request
@app.after_error_request
async def log(request: Request | None, response: Response) -> None:
    print(request.path if request else "-", response.status_code)


@app.errorhandler(404)
async def not_found(request: Request) -> tuple[str, int]:
    return "nothing at " + request.path, 404


@app.errorhandler(400)
async def bad_request(request: Request | None) -> tuple[str, int]:
    return "bad", 400


@app.errorhandler(ZeroDivisionError)
async def divided(request: Request, error: ZeroDivisionError) -> tuple[dict[str, str], int]:
    return {"error": str(error)}, 500


@app.errorhandler(KeyError)
@app.errorhandler(ValueError)
def failed(request: Request, error: Exception) -> tuple[str, int]:
    return str(error), 500


@inner.get("/")
async def index(request: Request) -> str:
    return request.url_prefix + urlencode("a b") + urldecode(b"c+d")


async def answer(status: int, *, text: str = "") -> str:
    return text * status


async def helpers() -> None:
    assert_type(await invoke_handler(answer, 2, text="a"), str)
    assert_type(await invoke_handler(len, "text"), int)
    assert_type(URLPattern("/<name>").match("/ann"), "dict[str, Any] | None")
    assert_type(HTTPException(404).reason, str)
    assert_type(MultiDict({"a": "1"})["a"], str)
    assert_type(list(MultiDict({"a": "1"}).values()), list[list[str]])
    assert_type(NoCaseDict({"a": 1})["A"], int)


async def main() -> None:
    client = TestClient(app)
    paths = [pattern.url_pattern for methods, pattern, *_ in app.url_map if "GET" in methods]
    for path in paths:
        reply = await client.get(path.replace("<int:number>", "5").replace("<path:rest>", "a/b"))
        expected = {"/abort": 403, "/never": 404, "/redirect": 302, "/status-and-headers": 302}.get(path, 200)
        assert reply.status_code in (expected, 201, 202, 204), (path, reply.text)
    reply = await client.post("/request?tag=1&tag=2&page=5", {"Content-Type": "application/x-www-form-urlencoded"}, "name=ann")
    assert reply.json == {"json": None, "name": "ann", "host": ""}, reply.text
    await helpers()


app.mount(inner, url_prefix="/inner", local=True)
app.max_connections = 4
Request.max_content_length = 1024 * 1024
Response.types_map["ico"] = "image/x-icon"
Response.default_content_type = "text/html"
URLPattern.register_type("upper", "[A-Z]+", parser=str.lower)

if __name__ == "__main__":
    asyncio.run(main())
