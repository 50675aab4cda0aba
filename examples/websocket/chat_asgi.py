# The chat behind an ASGI server: uvicorn chat_asgi:app

from main import app as chat
from microdot.asgi import Microdot

app = Microdot()
app.mount(chat)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
