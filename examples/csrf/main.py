# A switch that pages of other sites cannot press: their forms are answered with 403. Programs (curl, other devices) may.

from microdot import Microdot, redirect
from microdot.csrf import CSRF

app = Microdot()
csrf = CSRF(app)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A switch</title>
<h1>The lamp is {}</h1>
<form method="post" action="/switch"><button>Switch</button></form>
"""

lamp = {"on": False}


@app.get("/")
async def index(request):
    return PAGE.format("on" if lamp["on"] else "off"), {"Content-Type": "text/html; charset=UTF-8"}


@app.post("/switch")
async def switch(request):
    lamp["on"] = not lamp["on"]
    return redirect("/", 303)


@app.post("/report")
@csrf.exempt  # changes nothing that matters, and any page may call it
async def report(request):
    return "thank you"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
