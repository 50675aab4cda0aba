# The application that the wire tests drive, on either interpreter, and its server on a free port.
#
#     application.py [NAME=NUMBER…]      NAME: a limit or deadline of Microdot or Request
#
# Prints `port N` when it listens. Whatever it prints after that is a complaint.

import asyncio
import gc
import json
import sys

from microdot import Microdot, send_file

from wire.faults import BROKEN, HOARD
from wire.kinds import EMPTY, FAULTY, KINDS, LARGE, Pieces
from wire.on_a_free_port import configure, serve

MICROPYTHON = sys.implementation.name == "micropython"
LARGE_SIZE = 1000000

app = Microdot()


@app.get("/")
async def index(request):
    return "hello"


@app.post("/echo")
async def echo(request):
    return await request.stream.read()


@app.post("/ignore")
async def ignore(request):
    return "ignored"


@app.post("/json")
async def accept_json(request):
    return "parsed" if request.json is not None else ("", 415)


@app.post("/form")
async def accept_form(request):
    return request.form.get("a", "no a")


@app.get("/arguments")
async def arguments(request):
    return request.args.get("a", "no a")


@app.route("/any/<path:rest>", ["GET", "POST"])
async def anything(request, rest):
    return await understood(request)


@app.errorhandler(405)
async def other_method(request):
    return await understood(request) if request.path.startswith("/any/") else ("not allowed", 405)


async def understood(request):
    """Return all that the request was taken for: a line of JSON, then the body."""
    seen = {
        "method": request.method,
        "path": request.path,
        "query": request.query_string,
        "version": request.http_version,
        "arguments": {name: request.args.getlist(name) for name in request.args},
        "headers": {name.lower(): value for name, value in request.headers.items()},
    }
    return json.dumps(seen).encode() + b"\n" + await request.stream.read()


@app.get("/kinds/<kind>")
async def reply(request, kind):
    return KINDS[kind][0]()


@app.get("/faulty/<kind>")
async def faulty(request, kind):
    return FAULTY[kind][0]()


@app.get("/broken/<kind>")
async def broken(request, kind):
    return BROKEN[kind]()


@app.get("/hoard/<how>")
async def hoard(request, how):
    return HOARD[how]()


@app.get("/long/bytes")
async def long_bytes(request):
    return b"0123456789" * (LARGE_SIZE // 100)  # what fits into a small heap


@app.get("/long/generator")
async def long_generator(request):
    return (b"0123456789" * 100 for _ in range(LARGE_SIZE // 1000))


@app.get("/long/iterator")
async def long_iterator(request):
    return Pieces(*[b"0123456789" * 100] * (LARGE_SIZE // 1000))


@app.get("/long/file")
async def long_file(request):
    return send_file(LARGE)


@app.get("/open")
async def open_iterators(request):
    return str(Pieces.open)


@app.get("/slow")
async def slow(request):
    await asyncio.sleep(0.1)
    return "slow"


@app.get("/drip")
async def drip(request):
    return Drip(10)


class Drip(Pieces):
    """A body that takes a while: one piece each 20 ms."""

    def __init__(self, count):
        super().__init__(*[b"drop"] * count)

    async def __anext__(self):
        await asyncio.sleep(0.02)
        return await super().__anext__()


@app.get("/heap")
async def heap(request):
    """Return what is kept: bytes of MicroPython's heap, CPython's number of objects."""
    gc.collect()
    return str(gc.mem_alloc() if MICROPYTHON else len(gc.get_objects()))


@app.get("/stop")
async def stop(request):
    app.shutdown()
    return "stopping"


def make_files():
    for name, size in ((EMPTY, 0), (LARGE, LARGE_SIZE)):
        with open(name, "wb") as file:
            for _ in range(size // 1000):
                file.write(b"0123456789" * 100)


if __name__ == "__main__":
    configure(app, sys.argv[1:])
    make_files()
    asyncio.run(serve(app))
