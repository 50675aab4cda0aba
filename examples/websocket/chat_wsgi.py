# The chat behind a WSGI server that lends the client's socket: gunicorn --threads 8 chat_wsgi:app

from main import app as chat
from microdot.wsgi import Microdot

app = Microdot()
app.mount(chat)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
