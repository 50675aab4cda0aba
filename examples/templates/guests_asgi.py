# The guest book behind an ASGI server, in this folder: uvicorn guests_asgi:app

from main import app as guests
from microdot.asgi import Microdot

app = Microdot()
app.mount(guests)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
