"""What applications do with the extensions."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from typing import Any

from microdot import Microdot, Request, Response
from microdot.auth import BasicAuth, TokenAuth
from microdot.broadcast import broadcast
from microdot.cors import CORS
from microdot.csrf import CSRF
from microdot.login import Login
from microdot.microdot import MultiDict
from microdot.multipart import FileUpload, FormDataIter, with_form_data
from microdot.session import Session, SessionDict, with_session
from microdot.sse import SSE, sse_response, with_sse
from microdot.test_client import TestClient
from microdot.utemplate import Template
from microdot.websocket import WebSocket, WebSocketError, websocket_upgrade, with_websocket
from typing_extensions import assert_type
from utemplate import compiled, escape, recompile


class Application(Microdot):
    name = "mine"


class User:
    def __init__(self, id: str) -> None:
        self.id = id


app = Application()
cors = CORS(app, allowed_origins=["https://example.org"], allow_credentials=True)
csrf = CSRF(app, cors)
sessions = Session(app, b"0" * 32, {"same_site": "Lax"}, max_age=3600)
login: Login[User] = Login()
people = BasicAuth("The machine")
programs = TokenAuth(header="X-Token")

# Sessions and users


@app.get("/session")
@with_session
async def visit(request: Request, session: SessionDict) -> str:
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    return str(session["visits"])


@app.get("/session/<int:number>")
@with_session
def numbered(request: Request, session: SessionDict, number: int) -> dict[str, int]:
    return {"number": number}


@login.user_loader
async def load(user_id: str) -> User | None:
    return User(user_id)


@app.post("/login")
@csrf.exempt
async def enter(request: Request) -> Response:
    return await login.login_user(request, User("1"), remember=30)


@app.get("/login")
async def form(request: Request) -> str:
    return "who?"


@app.get("/user")
@login
async def user(request: Request) -> str:
    found = await login.get_current_user(request)
    assert_type(found, "User | None")
    return found.id if found else ""


@app.get("/fresh/<int:number>")
@login.fresh
def fresh(request: Request, number: int) -> int:
    return number


@people.authenticate
async def check_password(request: Request, username: str, password: str) -> User | None:
    return User(username) if password == "secret" else None


@programs.authenticate
def check_token(request: Request, token: str) -> bool:
    return token == "1234"


@programs.errorhandler
async def refuse(request: Request) -> tuple[str, int]:
    return "no", 403


@app.get("/people")
@people
async def for_people(request: Request) -> str:
    return str(request.g.current_user.id)


@app.get("/programs/<name>")
@programs.optional
async def for_programs(request: Request, name: str) -> dict[str, Any]:
    return {"name": name, "user": request.g.current_user}


# Forms and templates


@app.post("/upload")
async def upload(request: Request) -> str:
    sizes = 0
    async for _name, value in FormDataIter(request):
        if isinstance(value, FileUpload):
            sizes += await value.save("upload.bin")
        else:
            assert_type(value, str)
    return str(sizes)


@app.post("/form")
@with_form_data
async def whole(request: Request) -> dict[str, int]:
    assert_type(request.form, "MultiDict[str] | None")
    form = request.form or MultiDict()
    assert_type(form.get("name"), "str | None")
    if request.files is None:
        return {}
    return {file.filename: len(await file.read()) for file in request.files.getlist("file")}


@app.get("/page")
async def page(request: Request) -> tuple[Iterator[str], dict[str, str]]:
    Template.initialize("templates", loader_class=recompile.Loader, autoescape=True)
    return Template("index.html").generate(1, name="ann"), {"Content-Type": "text/html"}


def ready() -> str:
    Template.initialize(loader_class=compiled.Loader)
    return Template("index.html").render(escape.markup("<b>"))


# Events and WebSockets


@app.get("/events")
@with_sse
async def events(request: Request, sse: SSE) -> None:
    await sse.send({"a": 1}, event="news", event_id=1, retry=0.5)


@app.get("/more-events/<name>")
@with_sse(heartbeat=10)
async def more_events(request: Request, sse: SSE, name: str) -> None:
    await sse.send(name)


async def send_some(request: Request, sse: SSE, count: int) -> None:
    for number in range(count):
        await sse.send(number)


@app.get("/some-events")
async def some_events(request: Request) -> Any:
    return sse_response(request, send_some, 3)


clients: set[WebSocket] = set()


@app.get("/echo")
@with_websocket
async def echo(request: Request, ws: WebSocket) -> None:
    while True:
        message = await ws.receive(timeout=10)
        assert_type(message, "str | bytes")
        await ws.send(message)


@app.get("/room/<name>")
@with_websocket(ping_interval=20, max_message_length=1000, protocols=["chat"])
async def room(request: Request, ws: WebSocket, name: str) -> None:
    async for message in ws:
        assert_type(await broadcast(clients, message), list[WebSocket])


@app.get("/upgrade")
async def upgraded(request: Request) -> None:
    ws = await websocket_upgrade(request, compress=True)
    try:
        await ws.close(1000, "enough")
    except WebSocketError as error:
        assert_type(error.code, "int | None")


# The test client

FORM = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--x--\r\n'


def talk() -> Generator[str, str | bytes | None, None]:
    yield "one"


def speak() -> Any:
    answered = yield "one"
    assert answered == "one"


async def main() -> None:
    client = TestClient(app)
    assert_type(client.app, Application)
    await client.websocket("/echo", speak)
    await client.websocket("/room/blue", talk)
    reply = await client.post("/login", headers={"X-Name": "value"}, body={"name": "ann"})
    assert reply.headers["Location"] == "/"
    credentials = {"Authorization": "Basic YW5uOnNlY3JldA==", "X-Token": "1234"}
    for path in ("/session", "/session/5", "/user", "/fresh/200", "/people", "/programs/thermostat", "/events", "/some-events"):
        reply = await client.get(path, credentials)
        assert reply.status_code == 200, (path, reply.text)
    reply = await client.post("/form", {"Content-Type": "multipart/form-data; boundary=x"}, FORM)
    assert reply.json == {"a.txt": 4}, reply.text


if __name__ == "__main__":
    asyncio.run(main())
