# A switch that pages of other sites cannot press: their forms are answered with 403. Programs (curl, other devices) may.

from microdot import Microdot, redirect
from microdot.csrf import CSRF

app = Microdot()
csrf = CSRF(app)

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A switch</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; accent-color: #175; }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
input, button { box-sizing: border-box; max-width: 100%; min-height: 2.75rem; padding: 0 1rem; font: inherit; }
input, button { border: 1px solid GrayText; border-radius: .5rem; }
button { border-color: #175; background: #175; color: #fff; }
</style>
"""
PAGE = """<h1>The lamp is {}</h1>
<p>This button works; the same form on a page of another site gets 403.</p>
<form method="post" action="/switch"><button>Switch</button></form>
</html>
"""

lamp = {"on": False}


@app.get("/")
async def index(request):
    return HEAD + PAGE.format("on" if lamp["on"] else "off"), {"Content-Type": "text/html; charset=UTF-8"}


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
