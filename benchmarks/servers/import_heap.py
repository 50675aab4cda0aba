# mypy: ignore-errors
# Prints how many bytes of heap stay in use after the import of the framework's core. asyncio, which every
# server has, is imported before. MicroPython only.
import asyncio
import gc

# They come on first use: have them in memory before, whoever uses them.
_LOADED = (asyncio.start_server, asyncio.Event, asyncio.Lock, asyncio.wait_for)

gc.collect()
before = gc.mem_alloc()
from microdot import Microdot, Request, Response, abort, redirect, send_file  # noqa: E402, F401

gc.collect()
print(gc.mem_alloc() - before)
