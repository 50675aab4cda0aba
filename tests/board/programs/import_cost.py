# Run on the board by the emulator's clock: what importing an application keeps of the heap, and how long it takes, from
# ROMFS where there is one and else from the filesystem. It does not serve.
import asyncio
import gc
import json
import os
import time

asyncio.StreamReader  # noqa: B018 - loads the module behind it, which any server needs
if "rom" in os.listdir("/"):
    os.chdir("/rom")


def heap():
    gc.collect()
    return gc.mem_alloc()


before = heap()
began = time.ticks_us()
import microdot  # noqa: E402

microdot.Microdot.run = lambda *arguments, **options: None
import _main  # noqa: E402, F401
import microdot.server  # noqa: E402 - which run would have loaded

took = time.ticks_diff(time.ticks_us(), began)
kept = heap() - before
print(
    json.dumps(
        {
            "import_us": took,
            "import_bytes": kept,
            "from_rom": int(os.getcwd() == "/rom"),
            "frozen": int(microdot.__file__.endswith(".py")),
        }
    )
)
