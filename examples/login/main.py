# Pages for users alone. Ann's password is "secret": a program of yours keeps no passwords but their hashes, and not here.

import hmac
import os

from microdot import Microdot, redirect
from microdot.csrf import CSRF
from microdot.login import Login
from microdot.session import Session

app = Microdot()
CSRF(app)  # no other site may log somebody in or out
Session(app, os.urandom(32), {"same_site": "Lax"})  # a new key with each start: it logs everybody out
login = Login()


class User:
    def __init__(self, id, name, password):
        self.id = id
        self.name = name
        self.password = password


USERS = {"1": User("1", "ann", b"secret")}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
HEAD = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Login</title>\n'
FORM = """<h1>Who are you?</h1>
<form method="post">
<p><label>Name <input name="name" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><label><input type="checkbox" name="remember" value="yes"> Remember me</label></p>
<p><button>Log in</button></p>
</form>
"""
HOME = """<h1>Hello, {}</h1>
<p><a href="/settings">Settings</a></p>
<form method="post" action="/logout"><button>Log out</button></form>
"""


@login.user_loader
async def load(user_id):
    return USERS.get(user_id)


@app.get("/login")
async def show_form(request):
    return HEAD + FORM, HTML


@app.post("/login")
async def enter(request):
    form = request.form or {}
    for user in USERS.values():
        given = form.get("password", "").encode()
        if user.name == form.get("name") and hmac.compare_digest(user.password, given):
            return await login.login_user(request, user, "remember" in form)
    return HEAD + FORM, 403, HTML


@app.post("/logout")
async def leave(request):
    await login.logout_user(request)
    return redirect("/login", 303)


@app.get("/")
@login
async def index(request):
    return HEAD + HOME.format(request.g.current_user.name), HTML


@app.get("/settings")
@login.fresh
async def settings(request):
    return HEAD + "<h1>For those who gave their password just now</h1>\n", HTML


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
