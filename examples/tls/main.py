# A page over HTTPS, on CPython, on the unix firmware and on boards. First make a certificate, for the names in URLs:
#
#     mdot cert examples/tls --host localhost --ip 127.0.0.1
#
# Then `make run APP=examples/tls PORT=5001`, or run main.py in this folder; for a board, say its own names and `mdot deploy`.
# lib/microdot/tls.py says how openssl makes the same files.

from microdot import Microdot
from microdot.tls import server_context

app = Microdot()

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Over TLS</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; accent-color: #175; }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
input, button { box-sizing: border-box; max-width: 100%; min-height: 2.75rem; padding: 0 1rem; font: inherit; }
input, button { border: 1px solid GrayText; border-radius: .5rem; }
button { border-color: #175; background: #175; color: #fff; }
</style>
"""
PAGE = """<h1>Hello over {}</h1>
<p>Nobody on the way can read this page or change it. Whether it is this device that sent it, the certificate tells.</p>
</html>
"""


@app.get("/")
async def index(request):
    return HEAD + PAGE.format(request.scheme), {"Content-Type": "text/html; charset=UTF-8"}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5001, ssl=server_context("cert.der", "key.der"))
