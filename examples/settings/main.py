# A device's own settings: who may change them, its name and its networks, how it does, and a new application over the air.
#
# The first visitor chooses the password.  Sessions outlive a restart, as their key is kept; a new password ends them all.
# Settings, passwords of networks among them, are the /config.json of docs/boards.md, which the next start reads.
#
# With cert.der and key.der beside it (`mdot cert`) it serves https, which is the way to send passwords and updates.
#
# On CPython what a board runs first is to be on the path: PYTHONPATH=lib:board/modules python3 examples/settings/main.py

import asyncio
import os

import account
import device
from microdot import Microdot, Request, abort, send_file
from microdot.csrf import CSRF
from microdot.login import Login
from microdot.ota import OTA, Refused
from microdot.session import Session
from onboard import settings

GUESS_SECONDS = 1  # that a wrong password costs

app = Microdot()
CSRF(app)  # what comes from no browser, as other tools' updates, it lets through
session = Session(app, account.session_key(), {"same_site": "Strict"})
login = Login()
ota = OTA(app)
Request.max_body_length = 4096  # an update is a stream anyway
login_lock = asyncio.Lock()  # one guess at a time, whoever makes it


@login.user_loader
async def load(user_id):
    return account.User if user_id == account.User.id else None


def told(f):
    """Decorate a route whose refusals the page is told."""

    async def handler(request):
        try:
            return await f(request)
        except Refused as e:
            return {"error": e.reason}, e.status

    return handler


def owner(f):
    """Decorate a route for who knows the password; others get 401, as a script can't follow a redirect to a page."""

    async def handler(request):
        if not await login.get_current_user(request):
            abort(401)
        return await told(f)(request)

    return handler


@app.errorhandler(401)
@told
async def unknown(request):
    return {"error": "log in first", "chosen": account.is_chosen()}, 401


@app.post("/login")
@told
async def enter(request):
    password = text_of(request, "password", 8, 64)
    async with login_lock:
        if not account.is_chosen():
            account.choose(password)
            session.secret_key = account.session_key()
        elif not account.knows(password):
            await asyncio.sleep(GUESS_SECONDS)
            raise Refused(403, "That is not the password.")
    await login.login_user(request, account.User)
    return {}


@app.post("/logout")
@owner
async def leave(request):
    await login.logout_user(request)
    return {}


@app.put("/password")
@owner
async def change_password(request):
    new = text_of(request, "new", 8, 64)
    async with login_lock:
        if not account.knows(text_of(request, "password", 8, 64)):
            await asyncio.sleep(GUESS_SECONDS)
            raise Refused(403, "That is not the password.")
        account.choose(new)
        session.secret_key = account.session_key()
    await login.login_user(request, account.User)
    return {}


@app.get("/status")
@owner
async def status(request):
    return dict(ota.state(), device=device.status(), settings=device.shown(device.settings())), {"Cache-Control": "no-store"}


@app.put("/settings")
@owner
async def change(request):
    found = device.settings()
    try:
        device.change(found, request.json)
        settings.write(found)
    except ValueError as e:
        raise Refused(400, str(e))  # noqa: B904 (MicroPython warns of `raise from`)
    return device.shown(found)


@app.post("/update")
@owner
async def update(request):
    build = await ota.install(request.stream)
    ota.leave(request)
    return {"build": build}, {"Connection": "close"}


@app.post("/restart")
@owner
async def restart(request):
    ota.leave(request)
    return {}, {"Connection": "close"}


@app.get("/")
async def index(request):
    return send_file(device.FOLDER + "static/index.html")


app.static("/static", device.FOLDER + "static")


def text_of(request, name, least, most):
    """Return a text of the request's JSON; refuse what is none, or not of that many bytes."""
    value = request.json.get(name) if isinstance(request.json, dict) else None
    try:
        if isinstance(value, str) and least <= len(value.encode()) <= most:
            return value
    except ValueError:
        pass  # half a surrogate pair is no text
    raise Refused(400, f"A password has {least} to {most} bytes.")


def certificate():
    """Return the context for https, None without a certificate."""
    try:
        os.stat(device.FOLDER + "cert.der")
    except OSError:
        return None
    from microdot.tls import server_context

    session.cookie_options["secure"] = True  # over plain http others could read it, and it opens all of this
    return server_context(device.FOLDER + "cert.der", device.FOLDER + "key.der")


if __name__ == "__main__":
    secure = certificate()
    if not secure:
        print("no cert.der: serving plain http, which others on the network can read")
    app.run(host="0.0.0.0", port=device.port(bool(secure)), ssl=secure)
