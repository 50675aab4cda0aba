# A page, on CPython, on the unix firmware and on a board alike.

from microdot import Microdot

app = Microdot()

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Hello</title>
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
