# Two kinds of authentication: a password for people (the browser asks for it), a token for programs.
#
#     curl -u ann:secret http://127.0.0.1:5000/
#     curl -H "Authorization: Bearer 1234" http://127.0.0.1:5000/api
#
# Both are readable on the way: use them over TLS.

import hmac

from microdot import Microdot
from microdot.auth import BasicAuth, TokenAuth

app = Microdot()
here, slash, _ = __file__.rpartition("/")  # the folder of this file, wherever the program was started
people = BasicAuth("The machine")
programs = TokenAuth()

PASSWORDS = {"ann": b"secret"}
TOKENS = {"thermostat": b"1234"}


@people.authenticate
async def check_password(request, username, password):
    # compare_digest takes as long for a password that is nearly right as for any other
    if hmac.compare_digest(PASSWORDS.get(username, b""), password.encode()) and username in PASSWORDS:
        return username


@programs.authenticate
async def check_token(request, token):
    for name, known in TOKENS.items():
        if hmac.compare_digest(known, token.encode()):
            return name


@app.get("/")
@people
async def index(request):
    with open(here + slash + "index.html") as page:
        text = page.read().replace("NAME", request.g.current_user)
    return text, {"Content-Type": "text/html; charset=UTF-8"}


@app.get("/api")
@programs
async def api(request):
    return {"user": request.g.current_user}


@app.get("/public")
@programs.optional
async def public(request):
    return {"user": request.g.current_user}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
