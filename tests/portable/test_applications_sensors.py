# An application of realistic size, the server of a dashboard: every feature together, as its pages use it.

import json
import unittest

import applications_sensors as server_module
from applications_sensors import app, counters, sensors
from client import request
from microdot.test_client import TestClient
from served import Served
from support import Complaints, run
from ws_client import BINARY, close, connect, frame, text

TOKEN = {"Authorization": "Bearer t0ken"}
ORIGIN = "https://panel.example"
LOG = b"a line of the log\n" * 1000


class SensorsCase(unittest.TestCase):
    def setUp(self):
        server_module.reset()
        self.client = TestClient(app)

    def ask(self, method, path, body=None, headers=None):
        return run(self.client.request(method, path, headers=headers, body=body))

    def get(self, path, headers=None):
        return self.ask("GET", path, headers=headers)


class TestApi(SensorsCase):
    def test_list(self):
        self.assertEqual([sensor["name"] for sensor in self.get("/api/sensors").json["sensors"]], ["kitchen", "cellar"])
        some = self.get("/api/sensors?name=cellar&name=attic", TOKEN).json
        self.assertEqual(some, {"user": "ann", "sensors": [{"id": 2, "name": "cellar", "count": 0}]})
        self.assertIs(self.get("/api/sensors", {"Authorization": "bearer wrong"}).json["user"], None)

    def test_life_of_a_sensor(self):
        made = self.ask("POST", "/api/sensors", {"name": "attic"}, TOKEN)
        self.assertEqual((made.status_code, made.reason, made.headers["Location"]), (201, "Created", "/api/sensors/3"))
        path = made.headers["Location"]
        self.assertEqual(self.get(path).json, {"id": 3, "name": "attic", "count": 0})
        for method, name in (("PUT", "loft"), ("PATCH", "roof")):
            self.assertEqual(self.ask(method, path, {"name": name}, TOKEN).json["name"], name)
        gone = self.ask("DELETE", path, headers=TOKEN)
        self.assertEqual((gone.status_code, gone.body), (204, b""))
        self.assertEqual(self.get(path).status_code, 404)

    def test_tokens(self):
        for headers in (
            None,
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic t0ken"},
            {"Authorization": "Bearer guest"},
        ):
            with self.subTest(headers=headers):
                refused = self.ask("DELETE", "/api/sensors/1", headers=headers)
                self.assertEqual((refused.status_code, refused.json), (401, {"error": "token needed"}))
                self.assertEqual(refused.headers["WWW-Authenticate"], "Bearer")
        self.assertIn(1, sensors)

    def test_converters(self):
        for path, expected in (
            ("/api/sensors/1/0/2", [20.5, 21]),
            ("/api/sensors/1/-1/5", [21.5]),
            ("/api/sensors/2/0/9", []),
            ("/api/v2/info", {"version": "v2", "ip": "127.0.0.1", "prefix": "/api"}),
        ):
            with self.subTest(path=path):
                self.assertEqual(self.get(path).json, expected)
        for path in ("/api/sensors/9", "/api/sensors/x", "/api/v3/info", "/api/sensors/1/a/2", "/api/sensors/"):
            with self.subTest(path=path):
                self.assertEqual(self.get(path).status_code, 404)

    def test_aborts(self):
        refused = self.get("/api/sensors/1/0/0")
        self.assertEqual((refused.status_code, refused.text), (416, "no readings asked for"))
        for body in ({"title": "x"}, ["name"]):
            bad = self.ask("POST", "/api/sensors", body, TOKEN)
            self.assertEqual((bad.status_code, bad.json), (400, {"error": "bad request"}))
        self.assertEqual(counters["errors"], 3)

    def test_exceptions(self):
        self.assertEqual(self.get("/api/sensors/1/value?unit=F").json, [21.5, "F"])
        with Complaints() as printed:
            offline = self.get("/api/sensors/2/value")
            sensors[1].readings.clear()
            division = self.get("/average?above=0")
        self.assertEqual((offline.status_code, offline.json), (503, {"error": "SensorOffline", "sensor": "cellar"}))
        self.assertEqual((division.status_code, division.json), (500, {"error": "division"}))
        self.assertEqual([type(exc) for exc in printed], [server_module.SensorOffline, ZeroDivisionError])

    def test_unexpected_exception(self):
        with Complaints() as printed:
            response = self.get("/average")
        self.assertEqual((response.status_code, response.text), (500, "Internal server error"))
        self.assertEqual(([type(exc) for exc in printed], counters["errors"]), ([KeyError], 1))
        self.assertEqual(self.get("/average?above=20").json, {"average": 21})

    def test_before_request(self):
        down = self.get("/api/sensors", {"X-Maintenance": "1"})
        self.assertEqual((down.status_code, down.json), (503, {"error": "down for maintenance"}))
        self.assertEqual((counters["seen"], counters["errors"]), (1, 0))

    def test_bodies_made_as_they_are_sent(self):
        table = self.get("/api/sensors/1/table.csv")
        self.assertEqual((table.text, table.headers["Content-Type"]), ("number,value\n0,20.5\n1,21\n2,21.5\n", "text/csv"))
        self.assertEqual(self.get("/api/countdown/4").text, "3 2 1 0 ")
        self.assertEqual(self.get("/api/countdown/0").body, b"")

    def test_upload_that_is_streamed(self):
        for body, in_memory in ((LOG, 0), (LOG[:36], 36)):
            response = self.ask("POST", "/api/logs/2026/may.txt", body, TOKEN)
            expected = {"name": "2026/may.txt", "lines": len(body) // 18, "size": len(body), "in_memory": in_memory}
            self.assertEqual(response.json, expected)


class TestOrigins(SensorsCase):
    def test_preflight(self):
        fields = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization, x-other",
        }
        answer = self.ask("OPTIONS", "/api/sensors/1", headers=fields)
        self.assertEqual((answer.status_code, answer.headers["Access-Control-Allow-Origin"]), (200, ORIGIN))
        self.assertEqual(answer.headers["Access-Control-Allow-Methods"], "PUT")
        self.assertEqual(answer.headers["Access-Control-Allow-Headers"], "authorization")
        self.assertEqual((answer.headers["Access-Control-Max-Age"], counters["seen"]), ("600", 0))

    def test_replies(self):
        for path, status in (("/api/sensors", 200), ("/api/nothing", 404), ("/nothing", 404)):
            with self.subTest(path=path):
                answer = self.get(path, {"Origin": ORIGIN})
                self.assertEqual((answer.status_code, answer.headers["Access-Control-Allow-Origin"]), (status, ORIGIN))
                self.assertEqual(answer.headers["Access-Control-Expose-Headers"], "Location")
                self.assertEqual(
                    (answer.headers["Access-Control-Allow-Credentials"], answer.headers["Vary"]), ("true", "Origin")
                )
        other = self.get("/api/sensors", {"Origin": "https://evil.example"})
        self.assertNotIn("Access-Control-Allow-Origin", other.headers)


class TestLive(SensorsCase):
    def test_events(self):
        events = self.get("/live/events/1", {"Last-Event-ID": "0"}).events
        self.assertEqual([event["data_json"] for event in events[:-1]], [{"value": 21}, {"value": 21.5}])
        self.assertEqual([event["event_id"] for event in events], ["1", "2", None])
        self.assertEqual((events[0]["event"], events[0]["retry"], events[-1]["data"]), ("reading", 2, b"done"))
        self.assertEqual(self.get("/live/events/9").status_code, 404)

    def test_echo(self):
        received = []

        def client():
            received.append((yield "hello"))
            received.append((yield b"\x00\xff"))

        run(self.client.websocket("/live/echo", client))
        self.assertEqual(received, ["hello", b"\x00\xff"])

    def test_control(self):
        received = []

        def client():
            received.append(json.loads((yield json.dumps({"do": "add", "sensor": 2, "value": 4.5}))))
            received.append(json.loads((yield json.dumps({"do": "stop"}))))

        run(self.client.websocket("/live/control/7", client))
        self.assertEqual(received, [{"channel": 7, "count": 1}, {"channel": 7, "stopped": True}])
        self.assertEqual((sensors[2].read(), counters["left"]), (4.5, 1))

    def test_no_websocket(self):
        self.assertEqual(self.get("/live/echo").json, {"error": "bad request"})


class TestSensorsServed(SensorsCase):
    def serve(self, *tests):
        async def served():
            async with Served(app) as server:
                for test in tests:
                    await test(server)

        run(served())

    def test_everything_at_once(self):
        self.serve(self.api, self.control, self.echo)

    async def api(self, server):
        client = await server.connect()
        token = "Authorization: Bearer t0ken"
        await client.send(request("POST", "/api/sensors", token, "Content-Type: application/json", body=b'{"name": "attic"}'))
        self.assertEqual((await client.reply()).headers["location"], "/api/sensors/3")
        await client.send(request("POST", "/api/logs/x.txt", token, body=LOG))
        self.assertEqual(json.loads((await client.reply()).text)["size"], len(LOG))
        self.assertEqual((await client.get("/api/sensors/1/table.csv")).text, "number,value\n0,20.5\n1,21\n2,21.5\n")
        self.assertEqual((await client.get("/api/countdown/3", "Origin: " + ORIGIN)).text, "2 1 0 ")
        self.assertEqual((await client.get("/api/nothing")).status, 404)
        events = (await server.get("/live/events/1")).text
        self.assertIn('retry: 2000\nevent: reading\nid: 2\ndata: {"value": 21.5}\n\n', events)
        self.assertTrue(events.endswith("data: done\n\n"))

    async def control(self, server):
        ws = await connect(server, "/live/control/3")
        await ws.send(text('{"do": "add", "sensor": 2, "value": 1}'))
        self.assertEqual(json.loads(await ws.message()), {"channel": 3, "count": 1})
        await ws.send(text('{"do": "stop"}'))
        self.assertEqual(json.loads(await ws.message()), {"channel": 3, "stopped": True})
        await ws.close_code()
        self.assertEqual(counters["left"], 1)

    async def echo(self, server):
        ws = await connect(server, "/live/echo")
        for message, sent in (("grüße", text("grüße")), (b"\x00" * 200, frame(BINARY, b"\x00" * 200))):
            await ws.send(sent)
            self.assertEqual(await ws.message(), message)
        await ws.send(close(1000))
        self.assertEqual(await ws.close_code(), 1000)


if __name__ == "__main__":
    unittest.main()
