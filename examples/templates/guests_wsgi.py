# The guest book behind a WSGI server, in this folder: gunicorn guests_wsgi:app

from main import app as guests
from microdot.wsgi import Microdot

app = Microdot()
app.mount(guests)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
