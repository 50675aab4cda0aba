# mypy: ignore-errors
# Usage: uwebserver_hello.py PORT
import asyncio
import sys

from uwebserver import WebServer

app = WebServer(host="127.0.0.1", port=int(sys.argv[1]))


@app.route("/")
def hello(request, response):
    return "Hello, world!"


asyncio.run(app.run())
