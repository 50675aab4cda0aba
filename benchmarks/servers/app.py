# mypy: ignore-errors
# The other applications that are measured, written against the API that ours and the published microdot
# share. Only what a row needs is registered.  Usage: app.py PORT KIND [ARGUMENT]
import sys

from microdot import Microdot, send_file

_CHUNK = bytes(range(256)) * 4
_HEADERS = {"Content-Type": "application/octet-stream"}

app = Microdot()


def add_json(_):
    @app.route("/items/<int:id>")
    async def item(request, id):
        return {"item": [id, "lamp"]}


def add_file(path):
    @app.route("/file")
    async def file(request):
        return send_file(path)


def add_generator(_):
    def chunks():
        for _ in range(1024):
            yield _CHUNK

    @app.route("/generator")
    async def generator(request):
        return chunks(), 200, _HEADERS


def add_websocket(_):
    from microdot.websocket import with_websocket

    @app.route("/echo")
    @with_websocket
    async def echo(request, ws):
        while True:
            await ws.send(await ws.receive())


def add_events(count):
    from microdot.sse import with_sse

    @app.route("/events")
    @with_sse
    async def events(request, sse):
        for _ in range(int(count)):
            await sse.send("21.5")


# The request always asks for the last route, /route99, alone or behind ninety-nine others.
def add_static(count):
    async def answer(request):
        return "Hello, world!"

    for n in range(100 - int(count), 100):
        app.route("/route%d" % n)(answer)


def add_dynamic(count):
    async def answer(request, id):
        return "Hello, world!"

    for n in range(100 - int(count), 100):
        app.route("/route%d/<int:id>" % n)(answer)


KINDS = {
    "json": add_json,
    "file": add_file,
    "generator": add_generator,
    "websocket": add_websocket,
    "events": add_events,
    "static": add_static,
    "dynamic": add_dynamic,
}
KINDS[sys.argv[2]](sys.argv[3] if len(sys.argv) > 3 else None)
app.run(host="127.0.0.1", port=int(sys.argv[1]))
