"""Mistakes that a type checker must find, each with the code that mypy gives it."""

from __future__ import annotations

from pathlib import Path

from microdot import Microdot, Request, Response, abort, redirect, send_file
from microdot.asgi import Microdot as AsgiMicrodot
from microdot.auth import BasicAuth, TokenAuth
from microdot.cors import CORS
from microdot.csrf import CSRF
from microdot.login import Login
from microdot.session import Session, SessionDict, with_session
from microdot.sse import SSE, with_sse
from microdot.test_client import TestClient
from microdot.tls import server_context
from microdot.utemplate import Template
from microdot.websocket import WebSocket, with_websocket

app = Microdot()
login = Login()


class Nameless:
    name = "ann"


# Handlers and what they return


async def no_request() -> str:
    return "text"


async def wrong_request(request: str) -> str:
    return request


async def number(request: Request) -> float:
    return 23.7


async def bare(request: Request) -> tuple[str]:
    return ("text",)


async def reversed_pair(request: Request) -> tuple[int, str]:
    return 200, "text"


async def strings(request: Request) -> tuple[str, str]:
    return "text", "text/html"


async def own_object(request: Request) -> Nameless:
    return Nameless()


async def text(request: Request) -> str:
    return "text"


app.get("/")(no_request)  # error: type-var
app.get("/")(wrong_request)  # error: type-var
app.get("/")(number)  # error: type-var
app.post("/")(bare)  # error: type-var
app.put("/")(reversed_pair)  # error: type-var
app.patch("/")(strings)  # error: type-var
app.route("/", ["GET"])(own_object)  # error: type-var
app.get(text)  # error: arg-type
app.get("/", ["POST"])  # error: call-arg
app.route("/", methods="GET")  # error: arg-type

# Requests and responses


async def read(request: Request) -> str:
    request.path + request.query_string  # error: operator
    request.form.get("name")  # error: union-attr
    request.headers["Host"] = 5  # error: assignment
    request.args.get("page", type="int")  # error: call-overload
    request.args.getlist("page", int)[0] + "0"  # error: operator
    request.max_body_length = 5  # error: misc
    print(request.arguments)  # error: attr-defined
    request.body()  # error: operator
    if not await request.stream.read("all"):  # error: arg-type
        abort("404")  # error: arg-type
    response = Response("text", "404")  # error: arg-type
    response.set_cookie("name", 5)  # error: arg-type
    response.set_cookie("name", "value", same_site="lax")  # error: arg-type
    response.delete_cookie("name", maxage=5)  # error: call-arg
    response.headers = {}  # error: assignment
    redirect(302, "/")  # error: arg-type, arg-type
    return send_file(Path("a.svg"))  # error: arg-type, return-value


# Hooks and errors


async def one(request: Request) -> None: ...


async def two(request: Request, response: Response) -> None: ...


async def two_texts(request: Request, response: Response) -> str:
    return "text"


app.after_request(one)  # error: type-var
app.after_request(two_texts)  # error: type-var
app.before_request(two)  # error: type-var
app.after_error_request(two)  # error: type-var
app.errorhandler(404)(two)  # error: type-var
app.errorhandler(400)(text)  # error: type-var
app.errorhandler(ValueError)(text)  # error: type-var
app.errorhandler("404")  # error: call-overload
app.mount("/inner", Microdot())  # error: arg-type, arg-type

# Extensions


async def of_session(request: Request, session: SessionDict) -> str:
    return "text"


async def of_socket(request: Request, ws: WebSocket) -> None:
    await ws.send({"a": 1})  # error: arg-type
    (await ws.receive()).encode()  # error: union-attr


async def of_events(request: Request, sse: SSE) -> None:
    sse.send("text")  # error: unused-coroutine
    await sse.send("text", id=1)  # error: call-arg


def sync_socket(request: Request, ws: WebSocket) -> None: ...


with_session(text)  # error: arg-type
app.get("/")(with_session(of_events))  # error: arg-type
with_websocket(of_events)  # error: arg-type
with_websocket(sync_socket)  # error: arg-type
with_websocket(ping=10)  # error: call-overload
with_sse(of_socket)  # error: arg-type
BasicAuth().authenticate(text)  # error: type-var
TokenAuth().authenticate(two)  # error: type-var
BasicAuth()(number)  # error: type-var
login.login_user(text, Nameless())  # error: unused-coroutine, arg-type
people: Login[Nameless] = Login()  # error: type-var
CORS(app, allowed_origins="https://example.org")  # error: arg-type
CSRF(CORS())  # error: arg-type
Session(app, 5)  # error: arg-type
Template.initialize(loader_class=Template)  # error: arg-type
server_context(Path("cert.pem"))  # error: arg-type
TestClient("app")  # error: type-var
app.run("127.0.0.1", "5000")  # error: arg-type
AsgiMicrodot().run("127.0.0.1", 5000, False, None)  # error: call-arg
AsgiMicrodot(start=print)  # error: call-arg
app.static("/", b"site")  # error: arg-type
