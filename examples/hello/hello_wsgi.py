# The page behind a WSGI server: gunicorn --threads 8 hello_wsgi:app

from main import PAGE
from microdot.wsgi import Microdot

app = Microdot()


@app.get("/")
async def index(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
