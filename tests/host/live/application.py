# WebSockets and event streams for the tests of the wire, on CPython and on the firmware. Prints `port NUMBER`, then nothing.
# Usage: application.py [NAME=NUMBER…], attributes of the application.
import asyncio
import sys

from microdot import Microdot
from microdot.sse import with_sse
from microdot.websocket import broadcast, with_websocket
from wire.on_a_free_port import configure, serve

app = Microdot()
members = []


async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


for path, options in (
    ("/echo", {"max_message_length": 1000}),
    ("/large", {"max_message_length": 0}),
    ("/deflate", {"max_message_length": 100000, "compress": True}),
    ("/protocols", {"protocols": ["second", "first"], "origins": ["http://localhost", None]}),
    ("/pings", {"ping_interval": 0.1, "ping_timeout": 2}),
):
    app.get(path)(with_websocket(**options)(echo))


@app.get("/close/<int:code>")
@with_websocket
async def close(request, ws, code):
    await ws.close(code, "because")


@app.get("/fails")
@with_websocket
async def fails(request, ws):
    await ws.receive()
    raise ValueError("on purpose")


@app.get("/members")
@with_websocket
async def member(request, ws):
    members.append(ws)
    try:
        async for message in ws:
            await broadcast(members, message)
    finally:
        members.remove(ws)


@app.get("/count")
async def count(request):
    return str(len(members))


@app.get("/stop")
async def stop(request):
    request.app.shutdown()
    return "stopping"


@app.get("/events")
@with_sse
async def events(request, sse):
    first = int(sse.last_event_id or -1) + 1
    await sse.send("welcome", comment=True)
    for n in range(first, first + 3):
        await sse.send({"n": n}, event="number", event_id=n, retry=1.5)
    await sse.send("lines\nand\r\nlines\rand é")


@app.get("/many/<int:n>")
@with_sse
async def many(request, sse, n):
    for i in range(n):
        await sse.send(str(i))


@app.get("/silent")
@with_sse
async def silent(request, sse):
    members.append(sse)
    try:
        await sse.send("hello")
        await asyncio.sleep(1000)
    finally:
        members.remove(sse)


configure(app, sys.argv[1:])
asyncio.run(serve(app))
