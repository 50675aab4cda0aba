"""What each module of the product costs: `python -m benchmarks.modules` prints the tables of docs/memory.md.

Bytecode is the size of the .mpy file, close to what the frozen module takes of the flash. Heap is what stays in use after the
import, whatever the module brings along included; of an extension, beside a server that is up.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from .contenders import FLOOR, MicroPython
from .errors import BenchmarkError

_ROOT = Path(__file__).parent.parent
_CORE = ("microdot", "microdot.server")
_LATER = (
    ("the first error, hook or OPTIONS", "microdot.dispatch_lazy"),
    ("the first reply with headers", "microdot.connection_lazy microdot.sender"),
    ("the first request body", "microdot.connection_body"),
    ("the first dynamic route", "microdot.routing_lazy"),
    ("headers, arguments, cookies, form, JSON of a request", "microdot.request_lazy microdot.dicts microdot.text"),
    ("the first file, generator or event stream", "microdot.streaming microdot.files"),
    ("the first unusual request head", "microdot.heads"),
)
_EXTENSIONS = (
    *("static", "websocket", "sse", "multipart", "utemplate", "session", "login", "auth", "cors", "csrf", "tls"),
    "test_client",
)
PROBE = """
import asyncio, gc, re, time, json
asyncio.start_server, asyncio.Event, asyncio.Lock, asyncio.wait_for
for name in {loaded!r}.split():
    __import__(name)
gc.collect()
before = gc.mem_alloc()
for name in {names!r}.split():
    __import__(name)
gc.collect()
print(gc.mem_alloc() - before)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.modules", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--micropython", default="build/unix/micropython", help="our firmware")
    parser.add_argument("--micropython32", default="build/unix32/micropython", help="our firmware in 32 bits")
    parser.add_argument("--mpy-cross", default="build/unix/mpy-cross", help="its compiler")
    arguments = parser.parse_args()
    try:
        _print_tables([MicroPython(arguments.micropython), MicroPython(arguments.micropython32)], arguments.mpy_cross)
    except (BenchmarkError, OSError) as error:
        print(f"benchmarks.modules: {error}", file=sys.stderr)
        return 1
    return 0


def _print_tables(programs: list[MicroPython], mpy_cross: str) -> None:
    everything = " ".join((*_CORE, *(names for _, names in _LATER)))
    rows = [("import microdot", "", "microdot"), ("… and serving", "microdot", "microdot.server")]
    rows += [(f"… with {when}", " ".join(_CORE), names) for when, names in _LATER]
    _print_table("the core", rows, programs, mpy_cross)
    rows = [(f"`microdot.{name}`", everything, f"microdot.{name}") for name in _EXTENSIONS]
    _print_table("extension", rows, programs, mpy_cross)


def _print_table(title: str, rows: list[tuple[str, str, str]], programs: list[MicroPython], mpy_cross: str) -> None:
    print(f"| {title} | bytecode of its modules | heap, 32-bit | heap, 64-bit |\n|---|---:|---:|---:|")
    for title, loaded, names in rows:
        wide, narrow = (int(program.evaluate(FLOOR, PROBE.format(loaded=loaded, names=names))) for program in programs)
        print(f"| {title} | {_bytecode(names, loaded, programs[0], mpy_cross):,} | {narrow:,} | {wide:,} |")
    print()


def _bytecode(names: str, loaded: str, program: MicroPython, mpy_cross: str) -> int:
    """Sum up the sizes of all modules of ours that the imports bring into memory."""
    listing = (
        f"import sys\nfor name in {loaded!r}.split():\n __import__(name)\nbefore = set(sys.modules)\n"
        f"for name in {names!r}.split():\n __import__(name)\nprint(*(set(sys.modules) - before))"
    )
    sources = [_source(name) for name in program.evaluate(FLOOR, listing).split()]
    return sum(_size(path, mpy_cross) for path in sources if path)


def _source(name: str) -> Path | None:
    stem = name.replace(".", "/")
    for path in (f"lib/{stem}.py", f"lib/{stem}/__init__.py", f"lib/shims/{stem}.py"):
        if (_ROOT / path).is_file():
            return _ROOT / path
    return None


def _size(path: Path, mpy_cross: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "module.mpy"
        command = [mpy_cross, "-O1", "-march=x64", "-s", path.name, "-o", str(target), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BenchmarkError(f"{path.name}: not compiled: {done.stderr.strip().splitlines()[-1]}")
        return target.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
