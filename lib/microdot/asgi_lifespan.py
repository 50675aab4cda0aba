# The lifespan protocol of ASGI, for an application and for those that are mounted in it (mounted_asgi.py).
from microdot.errors import print_exception


async def serve(app, scope, receive, send):
    """Answer the messages of a lifespan scope until the one that ends it."""
    while True:
        event = await receive()
        kind = event["type"]
        if kind == "lifespan.startup":
            if not await _tell(_start, app, scope, kind, send):
                return
        elif kind == "lifespan.shutdown":
            await _tell(_end, app, scope, kind, send)
            return


async def _tell(function, app, scope, kind, send):
    # Run a function of the application and report how it went.
    try:
        await function(app, scope)
    except Exception as e:
        print_exception(e)
        await send({"type": kind + ".failed", "message": repr(e)})
        return False
    await send({"type": kind + ".complete"})
    return True


async def _start(app, scope):
    for mount in app._mounts:
        await mount.start(scope)
    if app.lifespan_startup:
        await app.lifespan_startup(scope)


async def _end(app, scope):
    try:
        if app.lifespan_shutdown:
            await app.lifespan_shutdown(scope)
    finally:
        for mount in reversed(app._mounts):
            await mount.end()
