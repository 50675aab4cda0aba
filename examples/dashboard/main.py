# A dashboard for a temperature: the last minutes as a chart that moves, and an alarm with limits that the page can set.
#
# Each page gets events from /events: what it has not seen of the history, then each new sample, and the alarm whenever it
# changes. The history is the queue, so a page that was away or is slow costs no memory: it says where it was and gets the rest.

import asyncio
import os
from binascii import hexlify

import sensor
from alarm import Alarm
from history import History
from microdot import Microdot
from microdot.sse import with_sse

PERIOD = 1  # seconds between two samples
SAMPLES = 300  # that are kept: 5 minutes, 600 bytes
PIECE = 50  # samples in one event, some 300 bytes

boot = hexlify(os.urandom(4)).decode()  # tells a page that the board has restarted
history = History(SAMPLES)
alarm = Alarm()
waiting = set()  # an event of each page that has seen all there is


class Dashboard(Microdot):
    """Measures as long as it serves."""

    async def start_server(self, *args, **kwargs):
        measuring = asyncio.create_task(measure())
        try:
            return await Microdot.start_server(self, *args, **kwargs)
        finally:
            measuring.cancel()


app = Dashboard()


async def measure():
    while True:
        try:
            record(sensor.read())
        except OSError as e:  # a sensor that does not answer may do so next time; pages see that nothing comes
            print("sensor:", e)
        await asyncio.sleep(PERIOD)


def record(degrees):
    """Keep a sample, judge it, and wake who waits for news."""
    history.append(degrees)
    alarm.judge(degrees)
    tell()


def tell():
    for event in waiting:
        event.set()


async def news():
    event = asyncio.Event()
    waiting.add(event)
    try:
        await event.wait()
    finally:
        waiting.discard(event)


def alarm_now():
    return {"state": alarm.state, "low": alarm.low, "high": alarm.high}


def place_after(seen):
    """Return the number of the first sample for a page that has seen ``BOOT-NUMBER``: 0 if that was another start, or none."""
    name, _, number = seen.partition("-")
    return min(int(number), history.end) if name == boot and number.encode().isdigit() and len(number) < 10 else 0


@app.get("/events")
@with_sse
async def events(request, sse):
    place = place_after(request.args.get("after", ""))
    told = None
    await sse.send({"boot": boot, "period": PERIOD, "samples": SAMPLES, "simulated": sensor.SIMULATED}, "hello")
    while True:
        if told != alarm_now():
            told = alarm_now()
            await sse.send(told, "alarm")
        if place == history.end:
            await news()
            continue
        first, values = history.part(place, PIECE)
        place = first + len(values)
        await sse.send({"first": first, "values": values}, "samples")


@app.put("/limits")
async def set_limits(request):
    try:
        alarm.set_limits(request.json)
    except ValueError as e:
        return {"error": str(e)}, 400
    except OSError:
        return {"error": "the limits could not be written: is the file system full?"}, 500
    if history.end:
        alarm.judge(history.part(history.end - 1, 1)[1][0] / 100)
    tell()
    return alarm_now()


# The folder beside this file, wherever the program was started. After the other routes: a prefix of "/" matches every path.
here, slash, _ = __file__.rpartition("/")
app.static("/", here + slash + "static")

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
