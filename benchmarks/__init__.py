"""Speed and memory, against a bare asyncio server and the published microdot: `python -m benchmarks`."""
