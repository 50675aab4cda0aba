# An application that a user might deploy: the tests copy it, with its compiled template, onto the board, and fetch from it.
import asyncio
import gc

import network
from machine import UART, Pin
from microdot import Microdot, Request
from microdot.multipart import FileUpload, FormDataIter
from microdot.sse import with_sse
from microdot.tls import server_context
from microdot.utemplate import Template
from microdot.websocket import with_websocket
from utemplate.compiled import Loader

MAX_UPLOAD = 64 * 1024
Request.max_content_length = MAX_UPLOAD
Template.initialize("templates", loader_class=Loader, autoescape=True)

app = Microdot()
app.max_connections = 3  # fewer than the clients of the tests
app.head_timeout = app.body_timeout = app.write_timeout = 3
app.idle_timeout = 15

secure = Microdot()
secure.max_connections = 1


@app.get("/")
async def hello(request):
    return "hello\n"


@app.get("/page")
async def page(request):
    return Template("page.html").generate(request.args.getlist("name")), {"Content-Type": "text/html; charset=UTF-8"}


@app.get("/echo")
@with_websocket(ping_interval=2)
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.get("/events")
@with_sse
async def events(request, sse):
    for number in range(int(request.args["count"])):
        await sse.send({"number": number}, event_id=number)
        await asyncio.sleep(0.05)


@app.post("/upload")
async def upload(request):
    async for _, value in FormDataIter(request):
        if isinstance(value, FileUpload):
            return {"name": value.filename, "size": await value.save("upload.bin")}
    return "no file\n", 400


@app.get("/uploaded")
async def uploaded(request):
    from microdot import send_file

    return send_file("upload.bin")


@app.get("/endless")
async def endless(request):
    async def lines():
        while True:
            yield "line " * 100

    return lines()


@app.get("/heap")
async def heap(request):
    gc.collect()
    return {"used": gc.mem_alloc(), "free": gc.mem_free(), "connections": len(app._server.connections)}


app.static("/static", "static")


@secure.get("/")
async def over_tls(request):
    return request.scheme + "\n"


async def main():
    ssl = server_context("cert.der", "key.der")
    await asyncio.gather(app.start_server(port=80), secure.start_server(port=443, ssl=ssl))


uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=4096, txbuf=4096)
ppp = network.PPP(uart)
ppp.connect()
asyncio.run(main())
