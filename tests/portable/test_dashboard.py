# examples/dashboard: its history, its alarm, and what it tells a page.

import json
import os
import sys
import unittest

from microdot.test_client import TestClient
from served import Served
from support import run

EXAMPLE = (__file__.rpartition("/")[0] or ".") + "/../../examples/dashboard"
sys.path.insert(0, EXAMPLE)
import main  # noqa: E402
from alarm import Alarm  # noqa: E402
from history import History  # noqa: E402

sys.path.remove(EXAMPLE)

# (limits as JSON, a part of the complaint)
BAD_LIMITS = [
    ("null", "must be numbers"),
    ("[]", "must be numbers"),
    ("{}", "must be numbers"),
    ('{"low": "1", "high": 2}', "must be numbers"),
    ('{"low": true, "high": 9}', "must be numbers"),
    ('{"low": -41, "high": 9}', "from -40 to 125"),
    ('{"low": 0, "high": 126}', "from -40 to 125"),
    ('{"low": 0, "high": 1e999}', "from -40 to 125"),
    ('{"low": 9, "high": 9.5}', "at least 1 degree above"),
    ('{"low": 10, "high": 9}', "at least 1 degree above"),
]


def remove_files():
    for name in os.listdir("."):
        os.remove(name)


async def next_event(client):
    name, data = (await client._until(b"\n\n")).decode().strip().split("\n")
    return name.split(": ", 1)[1], json.loads(data.split(": ", 1)[1])


class TestHistory(unittest.TestCase):
    def test_it_keeps_the_last_samples(self):
        history = History(4)
        self.assertEqual((history.start, history.end, history.part(0, 9)), (0, 0, (0, [])))
        for n in range(3):
            history.append(n)
        self.assertEqual(history.part(0, 9), (0, [0, 100, 200]))
        for n in range(3, 11):
            history.append(n)
        self.assertEqual((history.start, history.end), (7, 11))
        self.assertEqual(history.part(0, 9), (7, [700, 800, 900, 1000]))
        self.assertEqual(history.part(8, 2), (8, [800, 900]))
        self.assertEqual(history.part(11, 2), (11, []))

    def test_what_does_not_fit_becomes_the_nearest_that_does(self):
        history = History(4)
        for degrees in (1000, -1000, -12.344, 0.006):
            history.append(degrees)
        self.assertEqual(history.part(0, 4), (0, [32767, -32768, -1234, 1]))


class TestAlarm(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_files)

    def test_an_alarm_does_not_flutter_at_its_limit(self):
        alarm = Alarm()
        alarm.set_limits({"low": 10, "high": 20})
        states = []
        for degrees in (15, 20, 20.1, 19.9, 19.6, 19.5, 10, 9.9, 10.4, 10.5):
            alarm.judge(degrees)
            states.append(alarm.state)
        self.assertEqual(states, ["ok", "ok", "high", "high", "high", "ok", "ok", "low", "low", "ok"])

    def test_limits_outlive_a_restart(self):
        Alarm().set_limits({"low": -2.5, "high": 31})
        again = Alarm()
        self.assertEqual((again.low, again.high), (-2.5, 31))
        self.assertEqual(os.listdir("."), ["alarm.json"])

    def test_a_broken_file_means_the_defaults(self):
        for text in ("", "[]", '{"low": 5', '{"low": 9, "high": 1}'):
            with open("alarm.json", "w") as file:
                file.write(text)
            self.assertEqual((Alarm().low, Alarm().high), (15, 30))

    def test_bad_limits_change_nothing(self):
        alarm = Alarm()
        for text, complaint in BAD_LIMITS:
            with self.subTest(text=text):
                try:
                    alarm.set_limits(json.loads(text))
                except ValueError as e:
                    self.assertIn(complaint, str(e))
                else:
                    self.fail("no complaint")
        self.assertEqual((alarm.low, alarm.high, os.listdir(".")), (15, 30, []))


class TestPages(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_files)
        for module, name in ((main, "PERIOD"), (main.sensor, "read")):
            self.addCleanup(setattr, module, name, getattr(module, name))
        main.PERIOD = 3600  # so that nothing is measured but one sample at the start
        main.sensor.read = lambda: 20
        main.history = History(120)
        main.alarm = Alarm()
        self.client = TestClient(main.app)

    def put(self, text):
        return run(self.client.put("/limits", {"Content-Type": "application/json"}, text))

    def listen(self, after, *steps):
        """Serve, connect as a page that has seen so much, and return the events up to the last step, each `(name, data)`.

        A step is a function and the number of events after which it is called; None stands for the end.
        """

        async def listening():
            async with Served(main.app) as server:
                client = await server.connect()
                await client.send(b"GET /events?after=%s HTTP/1.0\r\n\r\n" % after.encode())
                await client._until(b"\r\n\r\n")
                seen = []
                for count, step in steps:
                    while len(seen) < count:
                        seen.append(await next_event(client))
                    if step:
                        step()
            return seen

        return run(listening())

    def test_a_page_gets_the_history_then_what_is_new_and_alarms_as_they_change(self):
        for n in range(130):
            main.record(n / 10)
        seen = self.listen("", (5, lambda: main.record(31)), (7, lambda: main.record(32)), (8, None))
        hello, alarm, *pieces, high, first, second = seen
        self.assertEqual(hello, ("hello", {"boot": main.boot, "period": main.PERIOD, "samples": 300, "simulated": True}))
        self.assertEqual(alarm, ("alarm", {"state": "ok", "low": 15, "high": 30}))
        self.assertEqual([data["first"] for _, data in pieces], [11, 61, 111])
        values = [value for _, data in pieces for value in data["values"]]
        self.assertEqual(values, [n * 10 for n in range(11, 130)] + [2000])
        self.assertEqual(high, ("alarm", {"state": "high", "low": 15, "high": 30}))
        self.assertEqual(first, ("samples", {"first": 131, "values": [3100]}))
        self.assertEqual(second, ("samples", {"first": 132, "values": [3200]}))

    def test_a_page_that_was_away_gets_what_it_missed(self):
        for n in range(9):
            main.record(20 + n)
        seen = self.listen(main.boot + "-7", (3, None))
        self.assertEqual(seen[2], ("samples", {"first": 7, "values": [2700, 2800, 2000]}))
        self.assertEqual(main.waiting, set())

    def test_new_limits_are_told_at_once(self):
        seen = self.listen("", (3, lambda: main.alarm.set_limits({"low": 1, "high": 9}) or main.tell()), (4, None))
        self.assertEqual(seen[3], ("alarm", {"state": "ok", "low": 1, "high": 9}))

    def test_a_sensor_that_fails_does_not_end_the_measuring(self):
        main.PERIOD = 0.001
        failures = [OSError(5), OSError(5)]

        def read():
            if failures:
                raise failures.pop()
            return 25

        main.sensor.read = read
        seen = self.listen("", (3, None))
        self.assertEqual((seen[2][1]["first"], seen[2][1]["values"][0]), (0, 2500))

    def test_limits(self):
        self.assertEqual(self.put('{"low": 1, "high": 2}').json, {"state": "ok", "low": 1, "high": 2})
        main.record(20)
        self.assertEqual(self.put('{"low": 3, "high": 4}').json, {"state": "high", "low": 3, "high": 4})
        for text, complaint in BAD_LIMITS:
            with self.subTest(text=text):
                res = self.put(text)
                self.assertEqual(res.status_code, 400)
                self.assertIn(complaint, res.json["error"])
        self.assertEqual(run(self.client.put("/limits", body="low=1")).status_code, 400)
        self.assertEqual(main.alarm_now(), {"state": "high", "low": 3, "high": 4})

    def test_limits_that_can_not_be_written_are_not_taken(self):
        os.mkdir("alarm.json.new")  # nobody can open it as a file, whoever runs the tests
        try:
            res = self.put('{"low": 1, "high": 2}')
        finally:
            os.rmdir("alarm.json.new")
        self.assertEqual(res.status_code, 500)
        self.assertIn("could not be written", res.json["error"])
        self.assertEqual(main.alarm_now(), {"state": "ok", "low": 15, "high": 30})

    def test_the_place_of_a_page(self):
        for n in range(7):
            main.record(n)
        for seen, place in (
            ("", 0),
            ("null-0", 0),
            (main.boot, 0),
            (main.boot + "-", 0),
            (main.boot + "-5", 5),
            (main.boot + "-7", 7),
            (main.boot + "-8", 7),
            (main.boot + "--1", 0),
            (main.boot + "-+1", 0),
            (main.boot + "-²", 0),
            (main.boot + "-" + "9" * 100, 0),
            ("0" + main.boot + "-5", 0),
        ):
            with self.subTest(seen=seen):
                self.assertEqual(main.place_after(seen), place)

    def test_files(self):
        for path, kind in (("/", "text/html"), ("/app.mjs", "application/javascript"), ("/style.css", "text/css")):
            res = run(self.client.get(path))
            self.assertEqual((res.status_code, res.headers["Content-Type"].split(";")[0]), (200, kind))
        self.assertEqual(run(self.client.get("/main.py")).status_code, 404)
