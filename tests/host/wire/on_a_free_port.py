# Serving an application on a free port until somebody stops it, on either interpreter.

import asyncio
import os

from microdot import Request

# Below the ports that the system gives to clients, so that no outgoing connection takes ours.
FIRST_PORT, PORTS = 20000, 12000


def configure(app, settings):
    """Set limits and deadlines of the application or of Request, each written `NAME=NUMBER`."""
    for setting in settings:
        name, value = setting.split("=")
        owner = Request if hasattr(Request, name) else app
        setattr(owner, name, float(value) if "." in value else int(value))


async def serve(app):
    """Serve, and print `port N` when the application listens."""
    while True:
        port = FIRST_PORT + int.from_bytes(os.urandom(2), "big") % PORTS
        serving = asyncio.create_task(app.start_server("127.0.0.1", port))
        while app.server is None and not serving.done():
            await asyncio.sleep(0)
        if app.server is not None:
            print("port", port)
            await serving
            return
        try:  # noqa: SIM105 - MicroPython has no contextlib.suppress
            await serving
        except OSError:
            pass  # taken: try another
