# An API that scripts of one other site may use: here, of pages from http://localhost:8000.

from microdot import Microdot
from microdot.cors import CORS

app = Microdot()
cors = CORS(
    app,
    allowed_origins=["http://localhost:8000"],
    allowed_methods=["GET", "PUT"],
    allowed_headers=["Content-Type"],
    max_age=600,  # seconds for which browsers need not ask again
)

lamp = {"on": False}


@app.get("/lamp")
async def show(request):
    return lamp


@app.put("/lamp")
async def switch(request):
    lamp["on"] = bool((request.json or {}).get("on"))
    return lamp


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
