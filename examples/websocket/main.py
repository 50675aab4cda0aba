# A chat for everyone who has the page open: WebSockets, and one message for many.

from microdot import Microdot, send_file
from microdot.websocket import broadcast, with_websocket

app = Microdot()
here, slash, _ = __file__.rpartition("/")  # the folder of this file, wherever the program was started
clients = set()


@app.get("/")
async def index(request):
    return send_file(here + slash + "index.html")


@app.get("/chat")
@with_websocket(max_message_length=1000, ping_interval=20)
async def chat(request, ws):
    clients.add(ws)
    try:
        async for message in ws:
            await broadcast(clients, message)
    finally:
        clients.discard(ws)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
