# What the tests with independent clients drive, on either interpreter: uploads, sessions, logins.
#
#     forms_application.py PORT
#
# Prints nothing: whatever it prints is a complaint.

import hashlib
import sys
from binascii import hexlify

from microdot import Microdot, Request
from microdot.login import Login
from microdot.multipart import FileUpload, FormDataIter, with_form_data
from microdot.session import Session, with_session

KEY = "a key of the tests, and of nobody else"
Request.max_content_length = 16 * 1024 * 1024
Request.max_body_length = 512  # so that most uploads are streamed

app = Microdot()
Session(app, KEY, {"same_site": "Lax"})
login = Login()


class User:
    def __init__(self, id):
        self.id = id


@app.get("/")
async def index(request):
    return "index"


@app.post("/parts")
async def parts(request):
    """Return what came: [name, text] of fields, [name, file name, type, size, digest] of files."""
    found = []
    async for name, value in FormDataIter(request):
        if isinstance(value, FileUpload):
            found.append([name, value.filename, value.content_type] + await digest(value))
        else:
            found.append([name, value])
    return found


async def digest(upload):
    buf = bytearray(700)  # no divisor of anything
    total = 0
    grown = hashlib.sha256()
    n = await upload.readinto(buf)
    while n:
        grown.update(memoryview(buf)[:n])
        total += n
        n = await upload.readinto(buf)
    return [total, hexlify(grown.digest()).decode()]


@app.post("/gather")
@with_form_data
async def gather(request):
    return {"form": request.form, "files": [[name, file.filename] for name, file in (request.files or {}).items()]}


@app.post("/save")
async def save(request):
    total = 0
    async for _, value in FormDataIter(request):
        total += await value.save("saved")
    return str(total)


@app.get("/visits")
@with_session
async def visits(request, session):
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    return str(session["visits"])


@app.get("/forget")
@with_session
async def forget(request, session):
    session.delete()
    return ""


@login.user_loader
async def load(user_id):
    return User(user_id)


@app.post("/login")
async def enter(request):
    return await login.login_user(request, User(request.form["name"]), request.form.get("remember") == "yes")


@app.post("/logout")
async def leave(request):
    await login.logout_user(request)
    return ""


@app.get("/private")
@login
async def private(request):
    return "private " + request.g.current_user.id


@app.get("/fresh")
@login.fresh
async def fresh(request):
    return "fresh " + request.g.current_user.id


app.run("127.0.0.1", int(sys.argv[1]))
