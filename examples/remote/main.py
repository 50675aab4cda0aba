# A remote control for everybody who has the page open: what one changes, all see at once.
#
# Over /control go JSON texts. A page begins with {"token": "…"}, is told {"outputs": […]}, and sends {"name": …, "value": …}:
# all pages get the same back when it is done, the sender alone {"error": …} when it can't be. A page that wonders whether the
# board is still there sends {} and gets {} back.

import asyncio
import hmac
import json

import outputs
import settings
from microdot import Microdot, abort
from microdot.websocket import broadcast, with_websocket

TOKEN_SECONDS = 10  # for a page to say its token
GUESS_SECONDS = 1  # that a wrong token costs
WRONG_TOKEN = 4001  # the code that the connection is closed with then

app = Microdot()
clients = set()


@app.get("/control")
async def control(request):
    # Other sites' scripts may open a WebSocket to anywhere; browsers say from where. A client that does not is no browser.
    origin = request.headers.get("Origin")
    if origin and origin.partition("://")[2] != request.headers.get("Host"):
        abort(403)
    return await talk(request)


@with_websocket(max_message_length=200, ping_interval=20)
async def talk(request, ws):
    if not await is_admitted(ws):
        return
    clients.add(ws)
    try:
        await ws.send(json.dumps({"outputs": outputs.described(), "simulated": outputs.SIMULATED}))
        async for text in ws:
            await answer(ws, text)
    finally:
        clients.discard(ws)


async def is_admitted(ws):
    """Tell whether the client knows the token; close the connection if it does not."""
    try:
        token = parsed(await ws.receive(timeout=TOKEN_SECONDS)).get("token")
        if isinstance(token, str) and (not settings.TOKEN or hmac.compare_digest(token.encode(), settings.TOKEN.encode())):
            return True
    except (asyncio.TimeoutError, ValueError):
        pass  # none in time, or one that is no text
    await asyncio.sleep(GUESS_SECONDS)
    await ws.close(WRONG_TOKEN, "wrong token")
    return False


async def answer(ws, text):
    try:
        message = parsed(text)
        if message:
            outputs.change(message.get("name"), message.get("value"))
    except ValueError as e:
        await ws.send(json.dumps({"error": str(e)}))
        return
    if message:
        await broadcast(clients, json.dumps({"name": message["name"], "value": message["value"]}))
    else:
        await ws.send("{}")


def parsed(text):
    try:
        message = json.loads(text)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise ValueError("a message must be a JSON object")
    return message


# The folder beside this file, wherever the program was started. After the other routes: a prefix of "/" matches every path.
here, slash, _ = __file__.rpartition("/")
app.static("/", here + slash + "static")

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
