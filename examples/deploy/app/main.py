# What a deployment has to carry, in one page: a session, who the client is, a stream, events and a WebSocket.
# nginx serves the files in static/ itself. ../worker.py runs this; any number of workers serve one site.

import asyncio
import os

from microdot.asgi import Microdot
from microdot.session import Session, with_session
from microdot.sse import with_sse
from microdot.websocket import with_websocket

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Deployed</title>
<link rel="stylesheet" href="/static/style.css">
<h1>Visit number {visits}</h1>
<p>You are {client}, over {scheme}; worker {worker} answers. Its clock says <output id="tick">-</output>.</p>
<script>
new EventSource("/events").onmessage = (event) => document.getElementById("tick").textContent = event.data;
</script>
</html>
"""


def secret_key():
    """Return the key of the sessions: every worker reads the same one, so that each takes the others' cookies."""
    path = os.environ.get("MDOT_SECRET", "secret.key")
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        raise SystemExit(
            f"{path}: not readable: make it once with `openssl rand -hex 32`, for the workers' user only"
        ) from None


app = Microdot()
Session(app, secret_key(), {"same_site": "Strict", "secure": True})
streams = set()


def stopping():
    """End the streams, for ``../worker.py``, or they would go on for ever; browsers open them again, at another worker."""
    for sse in list(streams):
        sse.hang_up()


@app.get("/")
@with_session
async def index(request, session):
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    page = PAGE.format(visits=session["visits"], client=request.client_addr[0], scheme=request.scheme, worker=os.getpid())
    return page, {"Content-Type": "text/html; charset=UTF-8"}


@app.get("/client")
async def client(request):
    address = request.client_addr[0] if request.client_addr else None
    return {"client": address, "scheme": request.scheme, "host": request.headers.get("Host"), "worker": os.getpid()}


@app.post("/echo")
async def echo(request):
    return request.body


@app.get("/count/<int:number>")
async def count(request, number):
    async def lines():
        for i in range(number):
            yield f"{i}\n"
            await asyncio.sleep(0.1)

    return lines()


@app.get("/events")
@with_sse(heartbeat=20)
async def events(request, sse):
    last = sse.last_event_id or ""
    number = int(last) + 1 if last.isdecimal() and len(last) < 10 else 0
    streams.add(sse)
    try:
        while True:
            await sse.send(number, event_id=number)
            number += 1
            await asyncio.sleep(1)
    finally:
        streams.discard(sse)


@app.get("/socket")
@with_websocket
async def socket(request, ws):
    async for message in ws:
        await ws.send(f"{os.getpid()} {message}")
