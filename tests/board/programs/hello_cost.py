# Run on the board by the emulator's clock: what importing the framework keeps of the heap, and what a request costs in
# microseconds and heap from the bytes that arrive to the bytes that leave. The network's own cost is left out.
import gc
import json
import time


def heap():
    gc.collect()
    return gc.mem_alloc()


import asyncio  # noqa: E402

asyncio.StreamReader  # noqa: B018 - loads the module behind it, which any server needs
before = heap()
began = time.ticks_us()
from microdot import Microdot  # noqa: E402
from microdot.server import Server  # noqa: E402

costs = {"import_us": time.ticks_diff(time.ticks_us(), began), "import_bytes": heap() - before}

BROWSER = (
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    b"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    b"Cookie: theme=dark; session=abcdef0123456789\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\nPriority: u=0, i\r\n"
)
FEW, MANY = 10, 60  # requests; all that they leave behind fits the heap
HEADS = {
    "hello": b"GET / HTTP/1.1\r\nHost: 10.0.2.15\r\n\r\n",
    "browser": b"GET / HTTP/1.1\r\nHost: 10.0.2.15\r\n" + BROWSER + b"\r\n",
}


class Client:
    """Both ends of a connection: asks the same thing a number of times, and takes what is written."""

    out_buf = b""
    at = 0  # in the head, which may be longer than the buffer
    replies = 0

    def __init__(self, head, times):
        self.head = head
        self.times = times

    async def readinto(self, buf):
        if self.replies == self.times:
            return 0
        n = min(len(buf), len(self.head) - self.at)
        buf[:n] = memoryview(self.head)[self.at : self.at + n]
        self.at = (self.at + n) % len(self.head)
        return n

    def write(self, data):
        assert data.startswith(b"HTTP/1.1 200 ")
        assert data.endswith(b"\r\n\r\nHello, World!")
        self.replies += 1

    def end(self):
        pass


async def serve(server, head, times):
    client = Client(head, times)
    await server.accept(client, client)
    assert client.replies == times


async def costs_of(server, head):
    await serve(server, head, FEW)  # what is made once is there from here on
    gc.collect()
    gc.disable()
    readings = []
    for times in (0, FEW, MANY):
        if times:
            await serve(server, head, times)
        readings.append((time.ticks_us(), gc.mem_alloc()))
    gc.enable()
    # What a connection costs is in both, and goes in the difference.
    first, second, third = readings
    return [((c - b) - (b - a)) / (MANY - FEW) for a, b, c in zip(first, second, third)]


app = Microdot()


@app.get("/")
async def index(request):
    return "Hello, World!"


async def main():
    server = Server(app)
    for name, head in HEADS.items():
        costs[name + "_us"], costs[name + "_bytes"] = map(round, await costs_of(server, head))


asyncio.run(main())
print(json.dumps(costs))
