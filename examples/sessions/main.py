# A visitor's own counter. The session is in a cookie that the client can read but not change.

import os
from binascii import hexlify

from microdot import Microdot, redirect
from microdot.session import Session, with_session

app = Microdot()
here, slash, _ = __file__.rpartition("/")  # the folder of this file, wherever the program was started


def secret_key():
    """Return the key of this device, made when it is first needed."""
    try:
        with open("secret.key") as file:
            return file.read()
    except OSError:
        with open("secret.key", "w") as file:
            file.write(hexlify(os.urandom(32)).decode())
        return secret_key()


# Strict: no other site's link or form brings the cookie along. Over TLS, say secure=True as well.
Session(app, secret_key(), {"same_site": "Strict"})


@app.get("/")
@with_session
async def index(request, session):
    session["visits"] = session.get("visits", 0) + 1
    session.save()
    with open(here + slash + "index.html") as page:
        text = page.read().replace("NUMBER", str(session["visits"]))
    return text, {"Content-Type": "text/html; charset=UTF-8"}


@app.post("/forget")
@with_session
async def forget(request, session):
    session.delete()
    return redirect("/", 303)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
