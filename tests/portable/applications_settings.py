# The settings page of a device, as people write one for Microdot: modules of their own for accounts (mounted into the
# application) and networks (mounted local), logins that are remembered, forms, templates, files up and down, cookies.

import hashlib

from microdot import Microdot, Request, Response, abort, redirect, send_file
from microdot.csrf import CSRF
from microdot.login import Login
from microdot.multipart import with_form_data
from microdot.session import Session, with_session
from microdot.utemplate import Template

Response.default_content_type = "text/html"
Response.types_map["bin"] = "application/x-firmware"
Request.max_content_length = 64 * 1024
Template.initialize("templates")

device = {"name": "lamp", "interval": 60, "features": [], "reboots": 0}
networks = {"attic": "secret"}
log = []


class User:
    def __init__(self, id, name, password):
        self.id = id
        self.name = name
        self.password_hash = self.hash(password)

    @staticmethod
    def hash(password):
        return hashlib.sha256(b"pepper" + password.encode()).digest()


users = {"1": User("1", "ann", "letmein"), "2": User("2", "bob", "hunter2")}


def escape(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def theme(request):
    return request.cookies.get("theme", "light") if request else "light"


def error_page(request, status, reason):
    return Template("error.html").render(theme(request), status, reason), status


# --- accounts -------------------------------------------------------------------------------------

accounts = Microdot()
login = Login("/account/login")


@login.user_loader
async def load_user(user_id):
    return users.get(user_id)


@accounts.before_request
def count_requests(request):
    request.g.number = len(log) + 1
    log.append((request.method, request.path))


@accounts.errorhandler(403)
async def forbidden(request):
    return error_page(request, 403, "Not from here")


@accounts.route("/login", methods=["GET", "POST"])
async def log_in(request):
    if request.method != "POST":
        return Template("login.html").render(theme(request), None)
    for user in users.values():
        if user.name == request.form.get("user") and user.password_hash == User.hash(request.form.get("password", "")):
            return await login.login_user(request, user, remember=bool(request.form.get("remember")))
    return Template("login.html").render(theme(request), "Wrong name or password"), 401


@accounts.post("/logout")
async def log_out(request):
    await login.logout_user(request)
    return redirect("/")


# --- networks -------------------------------------------------------------------------------------

wifi = Microdot()


@wifi.before_request
async def need_user(request):
    if await login.get_current_user(request) is None:
        return redirect("/account/login?next=/wifi/")


@wifi.after_request
async def keep_out_of_caches(request, response):
    response.headers["Cache-Control"] = "no-store"


@wifi.errorhandler(404)
def no_such_network(request):
    return {"error": "no such network"}, 404


@wifi.errorhandler(KeyError)
async def missing_field(request, exc):
    return {"error": "missing " + exc.args[0], "app": request.subapp is wifi}, 422


@wifi.get("/")
async def list_networks(request):
    return Template("wifi.html").generate(theme(request), escape, networks)


@wifi.post("/")
async def add_network(request):
    networks[request.form["ssid"]] = request.form["password"]
    return redirect(request.url_prefix + "/", 303)


@wifi.delete("/<ssid>")
async def forget_network(request, ssid):
    if networks.pop(ssid, None) is None:
        abort(404)


# --- the device -----------------------------------------------------------------------------------

app = Microdot()
Session(app, secret_key="not the key of a real device 0123456789", cookie_options={"max_age": 3600})
csrf = CSRF(app)
app.mount(accounts, url_prefix="/account")
app.mount(wifi, url_prefix="/wifi", local=True)


@app.after_request
@app.after_error_request
def name_device(request, response):
    response.headers["X-Device"] = "lamp-1"
    return response


@app.errorhandler(404)
async def not_found(request):
    return error_page(request, 404, "No such page: " + escape(request.path))


@app.errorhandler(413)
async def too_large(request):
    return error_page(request, 413, "Too large")


@app.errorhandler(ValueError)
async def not_a_number(request, exc):
    return error_page(request, 422, "Not a number")


@app.get("/")
@login
@with_session
async def index(request, session):
    flash = session.pop("flash", None)
    if flash:
        session.save()
    return Template("index.html").render(theme(request), escape, request.g.current_user, device, flash)


@app.post("/device")
@login
@with_session
async def change_device(request, session):
    device["interval"] = request.form.get("interval", 60, type=int)
    device["name"] = request.form["name"]
    device["features"] = request.form.getlist("feature")
    session["flash"] = "Saved <{}>".format(device["name"])
    session.save()
    return redirect("/")


@app.post("/theme/<re:light|dark:name>")
async def choose_theme(request, name):
    @request.after_request
    async def remember_theme(request, response):
        response.set_cookie("theme", name, path="/", max_age=365 * 24 * 3600)
        return response

    return redirect(request.headers.get("Referer", "/"))


@app.delete("/theme")
async def forget_theme(request):
    response = Response(None)
    response.delete_cookie("theme", path="/")
    return response


@app.post("/firmware")
@login.fresh
@with_form_data
async def upload_firmware(request):
    image = (request.files or {}).get("image")
    if image is None or not image.filename.endswith(".bin"):
        abort(400, "not a firmware image")
    await image.save("uploads/firmware.bin")
    return {"version": request.form["version"], "type": image.content_type}, 201


@app.get("/firmware")
@login
def download_firmware(request):
    return send_file("uploads/firmware.bin")


@app.post("/reboot")
@csrf.exempt
async def reboot(request):
    device["reboots"] += 1
    return "rebooting", 202, {"Refresh": "5; url=/"}


@app.get("/static/<path:path>")
async def static(request, path):
    if ".." in path:
        return "Not found", 404
    return send_file("static/" + path, max_age=86400)


@app.get("/app.js")
async def script(request):
    return send_file("static/app.js", compressed=True, file_extension=".gz")


if __name__ == "__main__":
    app.run(debug=True)
