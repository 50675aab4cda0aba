# An API that scripts of one other site may use: here, of pages from http://localhost:8000.
#
# To see it, serve this folder twice, on ports 5000 and 8000. The page http://localhost:8000/?api=http://localhost:5000 switches
# the lamp of the other; http://127.0.0.1:8000/?api=http://localhost:5000 has another origin, and may not.

from microdot import Microdot, send_file
from microdot.cors import CORS

app = Microdot()
cors = CORS(
    app,
    allowed_origins=["http://localhost:8000"],
    allowed_methods=["GET", "PUT"],
    allowed_headers=["Content-Type"],
    max_age=600,  # seconds for which browsers need not ask again
)
here, slash, _ = __file__.rpartition("/")  # the folder of this file, wherever the program was started
lamp = {"on": False}


@app.get("/")
async def index(request):
    return send_file(here + slash + "index.html")


@app.get("/lamp")
async def show(request):
    return lamp


@app.put("/lamp")
async def switch(request):
    wanted = request.json
    if not isinstance(wanted, dict) or wanted.get("on") not in (True, False):
        return {"error": 'send {"on": true} or {"on": false}'}, 400
    lamp["on"] = wanted["on"]
    return lamp


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
