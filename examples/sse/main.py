# A clock in the page, moved by server-sent events; a page that was away goes on counting where it stopped.

import asyncio
import time

from microdot import Microdot
from microdot.sse import with_sse

app = Microdot()

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Uptime</title>
<p>Event <output id="id">-</output>: the server has been up for <output id="seconds">-</output> seconds.</p>
<script>
new EventSource("/events").addEventListener("uptime", (event) => {
  document.getElementById("id").textContent = event.lastEventId;
  document.getElementById("seconds").textContent = JSON.parse(event.data).seconds;
});
</script>
</html>
"""
started = time.time()


@app.get("/")
async def index(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


@app.get("/events")
@with_sse
async def events(request, sse):
    last = sse.last_event_id or ""
    number = int(last) + 1 if last.isdigit() else 0
    while True:  # until the client leaves: then this coroutine is cancelled
        await sse.send({"seconds": int(time.time() - started)}, event="uptime", event_id=number)
        number += 1
        await asyncio.sleep(1)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
