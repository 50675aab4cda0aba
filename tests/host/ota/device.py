# A device for the tests of updates over the air: its flash is a folder, or on MicroPython a filesystem in RAM, and a start is
# what the boot guard does before main.py.  Arguments: port, folder, size of the filesystem in blocks of 512 bytes or 0, and a
# certificate and its key or nothing.
#
# The reset is what a supervisor makes of the end of the process: the tests start it again.  The application is not what was
# deployed, but this one: whether that starts is tested on a board.

import os
import sys

import onboard
from microdot import Microdot, Request
from microdot.ota import OTA
from onboard import guard, journal

port, folder, blocks = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


class Disk:
    """A block device in RAM."""

    def __init__(self, count):
        self.data = bytearray(512 * count)

    def readblocks(self, number, buffer, offset=0):
        at = 512 * number + offset
        buffer[:] = memoryview(self.data)[at : at + len(buffer)]

    def writeblocks(self, number, buffer, offset=0):
        at = 512 * number + offset
        self.data[at : at + len(buffer)] = buffer

    def ioctl(self, operation, value):
        return {4: len(self.data) // 512, 5: 512, 6: 0}.get(operation, 0)


def mounted():
    disk = Disk(blocks)
    os.VfsLfs2.mkfs(disk)
    os.mount(os.VfsLfs2(disk), "/flash")
    with open(folder + "/ota.key", "rb") as source, open("/flash/ota.key", "wb") as target:
        target.write(source.read())
    return "/flash"


onboard.root = journal.root = mounted() if blocks else folder
guard.seconds = 0.5
Request.max_body_length = 1024  # even a small update is a stream then


async def confirm():
    import asyncio

    await asyncio.sleep(guard.seconds)
    if not onboard.there("/unwell"):
        guard.confirm()


async def main():
    import asyncio

    if onboard.there("/.mdot"):
        guard.begin()
        confirming = asyncio.create_task(confirm())  # noqa: F841, RUF006
    app = Microdot()
    app.body_timeout = 8
    OTA(app)

    @app.get("/")
    async def index(request):
        return "on"

    ssl = None
    if len(sys.argv) > 4:
        from microdot.tls import server_context

        ssl = server_context(sys.argv[4], sys.argv[5])
    await app.start_server("127.0.0.1", port, ssl=ssl)


import asyncio  # noqa: E402

asyncio.run(main())
