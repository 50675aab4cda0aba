# Pages for users alone, who say their name and password first.

import os

from microdot import Microdot, redirect
from microdot.csrf import CSRF
from microdot.login import Login
from microdot.session import Session
from pages import FORM, HEAD, HOME, SETTINGS, WRONG
from users import USERS, known

app = Microdot()
CSRF(app)  # no other site may log somebody in or out
Session(app, os.urandom(32), {"same_site": "Lax"})  # a new key with each start: it logs everybody out
login = Login()
HTML = {"Content-Type": "text/html; charset=UTF-8"}


@login.user_loader
async def load(user_id):
    return USERS.get(user_id)


@app.get("/login")
async def show_form(request):
    return HEAD + FORM.format(""), HTML


@app.post("/login")
async def enter(request):
    form = request.form or {}
    user = known(form.get("name"), form.get("password", ""))
    if user:
        return await login.login_user(request, user, "remember" in form)
    return HEAD + FORM.format(WRONG), 403, HTML


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
    return HEAD + SETTINGS, HTML


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
