# A chat for everyone who has the page open: WebSockets, and one message for many.

from microdot import Microdot
from microdot.websocket import broadcast, with_websocket

app = Microdot()
clients = set()

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Chat</title>
<ul id="messages"></ul>
<form><input id="text" aria-label="Message" autocomplete="off" autofocus><button>Send</button></form>
<script>
const socket = new WebSocket(location.href.replace(/^http/, "ws") + "chat");
socket.onmessage = (event) => {
  const item = document.createElement("li");
  item.textContent = event.data;
  document.getElementById("messages").append(item);
};
document.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(document.getElementById("text").value);
  event.target.reset();
};
</script>
</html>
"""


@app.get("/")
async def index(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


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
