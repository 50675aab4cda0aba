# mypy: ignore-errors
# Runs another server with the collector off and tells on a second port how many bytes of heap are allocated.
# Every answer allocates the same, so a difference of differences leaves the requests alone. MicroPython only.
# Usage: heap_probe.py PORT PROBE_PORT MODULE [ARGUMENT ...]
import asyncio
import gc
import sys


async def tell(reader, writer):
    writer.write(b"%d\n" % gc.mem_alloc())
    await writer.drain()
    writer.close()
    await writer.wait_closed()


probe_port = int(sys.argv.pop(2))
module = sys.argv.pop(2)
asyncio.create_task(asyncio.start_server(tell, "127.0.0.1", probe_port))
gc.disable()
__import__(module)
