# A dashboard's server, as people write one for Microdot: a JSON API for pages of another origin, token authentication, live
# readings as server-sent events, a remote control over a WebSocket, tables made as they are sent, uploads read as they arrive.

import asyncio
import json

from microdot import Microdot, Request, Response, URLPattern, abort
from microdot.auth import TokenAuth
from microdot.cors import CORS
from microdot.sse import with_sse
from microdot.websocket import with_websocket

URLPattern.register_type("sensor", "[0-9]+", lambda text: sensors.get(int(text)))
Request.max_content_length = 1024 * 1024
Request.max_body_length = 4 * 1024

tokens = {"t0ken": "ann", "guest": None}
sensors = {}
counters = {"errors": 0, "seen": 0, "left": 0}


class SensorError(Exception):
    pass


class SensorOffline(SensorError):
    pass


class Sensor:
    def __init__(self, id, name, readings=()):
        self.id = id
        self.name = name
        self.readings = list(readings)

    def read(self):
        if not self.readings:
            raise SensorOffline(self.name)
        return self.readings[-1]

    def json(self):
        return {"id": self.id, "name": self.name, "count": len(self.readings)}


def reset():
    sensors.clear()
    sensors[1] = Sensor(1, "kitchen", [20.5, 21, 21.5])
    sensors[2] = Sensor(2, "cellar")
    for name in counters:
        counters[name] = 0


# --- the API --------------------------------------------------------------------------------------

api = Microdot()
auth = TokenAuth()


@auth.authenticate
async def check_token(request, token):
    return tokens.get(token)


@auth.errorhandler
async def no_token(request):
    return {"error": "token needed"}, 401, {"WWW-Authenticate": "Bearer"}


@api.errorhandler(SensorError)
async def sensor_error(request, exc):
    return {"error": type(exc).__name__, "sensor": exc.args[0]}, 503


@api.errorhandler(404)
async def api_not_found(request):
    return {"error": "not found", "path": request.path}, 404


@api.get("/sensors")
@auth.optional
async def list_sensors(request):
    names = request.args.getlist("name")
    found = [sensor.json() for sensor in sensors.values() if not names or sensor.name in names]
    found.sort(key=lambda sensor: sensor["id"])
    return {"user": request.g.current_user, "sensors": found}


@api.post("/sensors")
@auth
async def add_sensor(request):
    if not isinstance(request.json, dict) or "name" not in request.json:
        abort(400, "a sensor needs a name")
    sensor = Sensor(max(sensors) + 1, request.json["name"])
    sensors[sensor.id] = sensor
    return Response(sensor.json(), 201, {"Location": "/api/sensors/%d" % sensor.id}, "Created")


@api.get("/sensors/<sensor:sensor>")
def get_sensor(request, sensor):
    return sensor.json()


@api.route("/sensors/<sensor:sensor>", methods=["PUT", "PATCH"])
@auth
async def rename_sensor(request, sensor):
    sensor.name = request.json["name"]
    return sensor.json()


@api.delete("/sensors/<sensor:sensor>")
@auth
async def remove_sensor(request, sensor):
    del sensors[sensor.id]


@api.get("/sensors/<sensor:sensor>/value")
async def value(request, sensor):
    return [sensor.read(), request.args.get("unit", "C")]


@api.get("/sensors/<sensor:sensor>/<int:first>/<int:count>")
async def some_readings(request, sensor, first, count):
    if count < 1:
        abort(416, "no readings asked for")
    return sensor.readings[first : first + count] if first >= 0 else sensor.readings[first:][:count]


@api.get("/sensors/<sensor:sensor>/table.csv")
async def table(request, sensor):
    def rows():
        yield "number,value\n"
        for number, reading in enumerate(sensor.readings):
            yield "%d,%s\n" % (number, reading)

    return rows(), {"Content-Type": "text/csv"}


class Countdown:
    """A body that takes its time; boards have no async generators."""

    def __init__(self, count):
        self.count = count

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.count:
            raise StopAsyncIteration
        await asyncio.sleep(0)
        self.count -= 1
        return b"%d " % self.count


@api.get("/countdown/<int:count>")
async def countdown(request, count):
    return Countdown(count), 200, {"Content-Type": "text/plain"}


@api.get("/<re:v[12]:version>/info")
def info(request, version):
    return {"version": version, "ip": request.client_addr[0], "prefix": request.url_prefix}


@api.post("/logs/<path:name>")
@auth
async def upload_log(request, name):
    lines = size = 0
    while True:
        piece = await request.stream.read(1024)
        if not piece:
            break
        lines += piece.count(b"\n")
        size += len(piece)
    return {"name": name, "lines": lines, "size": size, "in_memory": len(request.body)}


# --- live -----------------------------------------------------------------------------------------

live = Microdot()


@live.get("/events/<sensor:sensor>")
@with_sse
async def events(request, sse, sensor):
    first = int(request.headers.get("Last-Event-ID", -1)) + 1
    await sse.send("readings follow", comment=True)
    for number in range(first, len(sensor.readings)):
        await sse.send({"value": sensor.readings[number]}, event="reading", event_id=str(number), retry=2)
        await asyncio.sleep(0)
    await sse.send("done")


@live.get("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@live.get("/control/<int:channel>")
@with_websocket
async def control(request, ws, channel):
    try:
        while True:
            command = json.loads(await ws.receive())
            if command["do"] == "stop":
                await ws.send(json.dumps({"channel": channel, "stopped": True}))
                break
            sensors[command["sensor"]].readings.append(command["value"])
            await ws.send(json.dumps({"channel": channel, "count": len(sensors[command["sensor"]].readings)}))
    finally:
        counters["left"] += 1


# --- the application ------------------------------------------------------------------------------

app = Microdot()
CORS(
    app,
    allowed_origins=["https://panel.example"],
    allow_credentials=True,
    allowed_methods=["GET", "POST", "PUT"],
    allowed_headers=["Authorization", "Content-Type"],
    expose_headers=["Location"],
    max_age=600,
)
app.mount(api, url_prefix="/api", local=True)
app.mount(live, url_prefix="/live")


@app.before_request
async def maintenance(request):
    counters["seen"] += 1
    if request.headers.get("X-Maintenance"):
        return {"error": "down for maintenance"}, 503


@app.after_error_request
async def count_errors(request, response):
    if response.status_code >= 400:
        counters["errors"] += 1


@app.errorhandler(400)
async def bad_request(request):
    return {"error": "bad request"}, 400


@app.errorhandler(ZeroDivisionError)
def division(request, exc):
    return {"error": "division"}, 500


@app.get("/average")
async def average(request):
    readings = [reading for sensor in sensors.values() for reading in sensor.readings if reading > int(request.args["above"])]
    return {"average": sum(readings) / len(readings)}


if __name__ == "__main__":
    reset()
    app.run(port=80)
