# A page, on CPython, on the unix firmware and on a board alike.

from microdot import Microdot

app = Microdot()

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hello</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; accent-color: #175; }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
input, button { box-sizing: border-box; max-width: 100%; min-height: 2.75rem; padding: 0 1rem; font: inherit; }
input, button { border: 1px solid GrayText; border-radius: .5rem; }
button { border-color: #175; background: #175; color: #fff; }
</style>
<h1>Hello from Microdot</h1>
<p>This page was served by a few lines of Python.</p>
</html>
"""


@app.get("/")
async def index(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


if __name__ == "__main__":
    # Every network of the machine, which is what a board needs; `make run` listens on 127.0.0.1 only.
    app.run(host="0.0.0.0", port=5000)
