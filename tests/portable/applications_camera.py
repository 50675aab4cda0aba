# A camera's server in one file, as people write one for Microdot: pictures that arrive as forms and leave as a stream that a
# browser shows as a film, a gallery, a live view, an administrator with a password; decorators where they fit, calls elsewhere.

import asyncio
import os

from microdot.auth import BasicAuth
from microdot.csrf import CSRF
from microdot.microdot import MUTED_SOCKET_ERRORS, Microdot, Request, Response, redirect, send_file
from microdot.multipart import FileUpload, FormDataIter
from microdot.sse import sse_response
from microdot.utemplate import Template
from microdot.websocket import websocket_upgrade

Request.max_content_length = 256 * 1024
Request.max_body_length = 1024
Response.default_send_file_max_age = 60
if 5 not in MUTED_SOCKET_ERRORS:
    MUTED_SOCKET_ERRORS.append(5)

titles = {}
films = []

app = Microdot()
csrf = CSRF(app, protect_all=False)
auth = BasicAuth(realm="camera")


class Film:
    """The pictures one after the other, until the viewer has left."""

    def __init__(self):
        self.number = 0
        self.open = True
        films.append(self)

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        self.number = self.number % len(titles) + 1
        with open(path_of(self.number), "rb") as file:
            return b"Content-Type: image/jpeg\r\n\r\n" + file.read() + b"\r\n--frame\r\n"

    async def aclose(self):
        self.open = False


def path_of(number):
    return "uploads/%d.jpg" % number


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@auth.authenticate
async def check_user(request, username, password):
    if username == "admin" and password == "pass:word":
        return username


@app.get("/")
async def gallery(request):
    return Template("gallery.html").generate_async(escape, titles), {"Content-Type": "text/html"}


@app.get("/count")
async def count(request):
    return await Template("count.txt").render_async(len(titles))


@app.route("/pictures", methods=["post"])
@auth
async def add_pictures(request):
    title = "untitled"
    async for name, value in FormDataIter(request):
        if isinstance(value, FileUpload):
            number = len(titles) + 1
            await value.save(path_of(number))
            titles[number] = title
        elif name == "title":
            title = value
    request.g.added = title
    return redirect("/")


@app.query("/pictures")
async def search(request):
    return [number for number in sorted(titles) if request.json["title"] in titles[number]]


@app.get("/pictures/<int:number>")
def picture(request, number):
    if number not in titles:
        return 404
    return send_file(path_of(number))


@app.delete("/pictures/<int:number>")
@csrf.protect
@auth
async def remove_picture(request, number):
    os.remove(path_of(number))
    return {"removed": titles.pop(number), "by": request.g.current_user}


@app.get("/film")
async def film(request):
    return Film(), 200, {"Content-Type": "multipart/x-mixed-replace; boundary=frame"}


@app.get("/news")
async def news(request):
    async def tell(request, sse, first):
        for number in range(first, len(titles) + 1):
            await sse.send(titles[number], event_id=number)

    return sse_response(request, tell, request.args.get("first", 1, type=int))


@app.get("/view")
async def view(request):
    ws = await websocket_upgrade(request)
    number = int(await ws.receive())
    with open(path_of(number), "rb") as file:
        await ws.send(file.read())
    await ws.close()
    return ""


@app.get("/shutdown")
@auth
def shutdown(request):
    request.app.shutdown()
    return "The camera is shutting down"


if __name__ == "__main__":
    app.run(debug=True)
