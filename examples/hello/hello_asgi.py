# The page behind an ASGI server: uvicorn hello_asgi:app

from main import PAGE
from microdot.asgi import Microdot

app = Microdot()


@app.get("/")
async def index(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
