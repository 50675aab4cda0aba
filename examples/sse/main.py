# A clock in the page, moved by server-sent events; a page that was away goes on counting where it stopped.

import asyncio
import time

from microdot import Microdot, send_file
from microdot.sse import with_sse

app = Microdot()
here, slash, _ = __file__.rpartition("/")  # the folder of this file, wherever the program was started
started = time.time()


@app.get("/")
async def index(request):
    return send_file(here + slash + "index.html")


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
