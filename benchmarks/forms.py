"""What modules cost in each form they can have on a board: `python -m benchmarks.forms` prints a table of docs/memory.md.

Frozen into the firmware, compiled (.mpy) in the filesystem, or as source there. Measured with pointers of 32 bits, as boards
have them: the heap that stays in use after the import, and the smallest heap in which the import succeeds at all, asyncio and
the interpreter's own objects included.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .errors import BenchmarkError
from .modules import PROBE

_ROOT = Path(__file__).parent.parent
_HELLO = "microdot microdot.server"
_ROWS = (
    ("a server", _HELLO),
    *((f"… and `microdot.{name}`", f"{_HELLO} microdot.{name}") for name in ("static", "websocket", "sse", "multipart")),
    ("… and `microdot.utemplate`", f"{_HELLO} microdot.utemplate"),
    ("… and `microdot.login`", f"{_HELLO} microdot.login"),
    ("… and `microdot.tls`", f"{_HELLO} microdot.tls"),
)
_LARGEST = 4096  # KiB
# What is for CPython alone, and machine code, which differs from processor to processor: the framework works without.
_LEFT_OUT = (
    "__pycache__",
    "*.pyi",
    "_scan.py",
    "_unmask.py",
    "asgi*",
    "wsgi*",
    "mounted_*",
    "hosted.py",
    "jinja.py",
    "tls_host.py",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forms", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--micropython", default="build/unix32/micropython", help="our firmware in 32 bits")
    parser.add_argument("--mpy-cross", default="build/unix32/mpy-cross", help="its compiler")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            _print_table(Path(folder), Path(arguments.micropython).resolve(), Path(arguments.mpy_cross).resolve())
    except (BenchmarkError, OSError) as error:
        print(f"benchmarks.forms: {error}", file=sys.stderr)
        return 1
    return 0


def _print_table(folder: Path, micropython: Path, mpy_cross: Path) -> None:
    forms = {"frozen": folder / "frozen", "`.mpy`": folder / "mpy", "source": folder / "source"}
    forms["frozen"].mkdir()
    _copy(forms["source"])
    _copy(forms["`.mpy`"])
    _compile(forms["`.mpy`"], mpy_cross)
    titles = [f"heap kept, {form}" for form in forms] + [f"smallest heap, {form}" for form in forms]
    print(f"| 32-bit | {' | '.join(titles)} |\n|---|{'---:|' * len(titles)}")
    for title, names in _ROWS:
        kept = [_kept(micropython, place, names) for place in forms.values()]
        least = [_least(micropython, place, names) for place in forms.values()]
        print(f"| {title} | {' | '.join(f'{n:,}' for n in kept)} | {' | '.join(f'{n} KiB' for n in least)} |")


def _copy(folder: Path) -> None:
    for name in ("lib/microdot", "lib/utemplate", "lib/shims"):
        target = folder if name == "lib/shims" else folder / Path(name).name
        shutil.copytree(_ROOT / name, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)


def _compile(folder: Path, mpy_cross: Path) -> None:
    for path in folder.rglob("*.py"):
        command = [str(mpy_cross), "-O1", "-s", path.name, str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BenchmarkError(f"{path.name}: not compiled: {done.stderr.strip().splitlines()[-1]}")
        path.unlink()


def _run(micropython: Path, folder: Path, names: str, kibibytes: int) -> str | None:
    """Give what the probe printed in a heap of this size, None if that was too small."""
    command = [str(micropython), "-X", f"heapsize={kibibytes}k", "-c", PROBE.format(loaded="", names=names)]
    done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": f"{folder}:.frozen"}, capture_output=True, text=True)
    if done.returncode and "MemoryError" not in done.stdout + done.stderr and "heap" not in done.stdout + done.stderr:
        raise BenchmarkError(f"{names}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return None if done.returncode else done.stdout.strip()


def _kept(micropython: Path, folder: Path, names: str) -> int:
    printed = _run(micropython, folder, names, _LARGEST)
    if printed is None:
        raise BenchmarkError(f"{names}: more than {_LARGEST} KiB of heap")
    return int(printed)


def _least(micropython: Path, folder: Path, names: str) -> int:
    """Find the smallest heap, in KiB."""
    small, large = 1, _LARGEST
    while large - small > 1:
        middle = (small + large) // 2
        if _run(micropython, folder, names, middle) is None:
            small = middle
        else:
            large = middle
    return large


if __name__ == "__main__":
    sys.exit(main())
