# mypy: ignore-errors
# The smallest application: one route, one constant.  Usage: hello.py PORT
import sys

from microdot import Microdot

app = Microdot()


@app.route("/")
async def hello(request):
    return "Hello, world!"


app.run(host="127.0.0.1", port=int(sys.argv[1]))
