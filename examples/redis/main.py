# A notice board on any number of workers: WebSocket and event stream clients see every notice, whichever worker they are at.
# Run it as ../deploy does, with Redis at REDIS_URL; it needs `pip install redis`.

import asyncio
import json
import os

from microdot.asgi import Microdot
from microdot.sse import with_sse
from microdot.websocket import broadcast, with_websocket
from relay import Relay

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notices</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
input, button { min-height: 2.75rem; max-width: 100%; box-sizing: border-box; padding: 0 1rem; font: inherit; }
</style>
<h1>Notices</h1>
<ul id="notices"></ul>
<form><input id="text" aria-label="Notice" maxlength="300" autocomplete="off" autofocus> <button>Pin</button></form>
<script>
new EventSource("/events").onmessage = (event) => {
  const item = document.createElement("li");
  item.textContent = JSON.parse(event.data).notice;
  document.getElementById("notices").append(item);
};
document.querySelector("form").onsubmit = async (event) => {
  event.preventDefault();
  const text = document.getElementById("text");
  const reply = await fetch("/notices", { method: "POST", body: text.value });
  if (reply.ok) event.target.reset(); else alert(await reply.text());
};
</script>
</html>
"""
LONGEST = 300  # characters of a notice
TRY_LATER = "the board is closed for a moment, try again"

sockets = set()
streams = set()


async def deliver(text):
    await broadcast(sockets | streams, text)  # waits for nobody: who takes nothing is given up


async def pin(text):
    """Show a notice to everyone; return why not, None if it was sent."""
    if not 0 < len(text) <= LONGEST:
        return f"a notice has 1 to {LONGEST} characters"
    try:
        await relay.publish(json.dumps({"notice": text}))
    except OSError:
        return TRY_LATER


relay = Relay(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"), "notices", deliver)
app = Microdot(relay.start, relay.stop)


def stopping():
    """End the streams, for ``../deploy/worker.py``, or they would go on for ever. uvicorn closes WebSockets itself."""
    for sse in list(streams):
        sse.hang_up()


@app.get("/")
async def index(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


@app.post("/notices")
async def notices(request):
    error = await pin(request.body.decode("utf-8", "replace"))
    if error == TRY_LATER:
        return error, 503, {"Retry-After": "5"}
    return (error, 400) if error else ("", 202)


@app.get("/events")
@with_sse(heartbeat=20, max_queue=64)
async def events(request, sse):
    streams.add(sse)
    try:
        await sse.send(f"worker {os.getpid()}", comment=True)
        await asyncio.Event().wait()  # until the client leaves
    finally:
        streams.discard(sse)


@app.get("/socket")
@with_websocket(max_message_length=4 * LONGEST)
async def socket(request, ws):
    sockets.add(ws)
    try:
        await ws.send(json.dumps({"worker": os.getpid()}))
        async for text in ws:
            error = await pin(text if isinstance(text, str) else "")
            if error:
                await ws.send(json.dumps({"error": error}))
    finally:
        sockets.discard(ws)
