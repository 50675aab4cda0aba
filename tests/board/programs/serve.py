# Run on the board: PPP over UART0, and an application that the tests fetch from.
import network
from machine import UART, Pin
from microdot import Microdot

app = Microdot()


@app.get("/")
async def hello(request):
    return "hello\n"


@app.get("/greet/<name>")
async def greet(request, name):
    return {"hello": name}


@app.post("/sum")
async def total(request):
    return {"sum": sum(request.json)}


@app.get("/big")
async def big(request):
    return "".join(f"line {n}\n" for n in range(1000))


uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=4096, txbuf=4096)
ppp = network.PPP(uart)
ppp.connect()
app.run(port=80)
