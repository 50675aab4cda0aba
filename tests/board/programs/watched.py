# Run on the board as main.py: an application whose event loop feeds the watchdog, so that a handler that never gives the loop
# back gets the board reset.
import asyncio

import machine
import network
from machine import UART, WDT, Pin
from microdot import Microdot

WATCHDOG_MS = 3000

app = Microdot()


@app.get("/")
async def cause(request):
    return "watchdog" if machine.reset_cause() == machine.WDT_RESET else "power"


@app.get("/slow")
async def slow(request):
    await asyncio.sleep_ms(2 * WATCHDOG_MS)
    return "done"


@app.get("/hang")
async def hang(request):
    while True:
        pass


async def feed(watchdog):
    while True:
        watchdog.feed()
        await asyncio.sleep_ms(WATCHDOG_MS // 10)


async def main():
    feeder = asyncio.create_task(feed(WDT(timeout=WATCHDOG_MS)))
    await app.start_server(port=80)
    await feeder


uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=4096, txbuf=4096)
ppp = network.PPP(uart)
ppp.connect()
asyncio.run(main())
