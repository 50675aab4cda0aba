# mypy: ignore-errors
# The smallest application, behind WSGI servers.
from microdot.wsgi import Microdot

app = Microdot()


@app.route("/")
async def hello(request):
    return "Hello, world!"
