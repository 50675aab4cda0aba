# mypy: ignore-errors
# The smallest application, behind ASGI servers.
from microdot.asgi import Microdot

app = Microdot()


@app.route("/")
async def hello(request):
    return "Hello, world!"
