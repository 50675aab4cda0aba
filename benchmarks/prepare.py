"""From the options of a run to what it measures with; fails here, before anything is measured."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from .cases import Bench
from .contenders import FROZEN, Contender, CPython, MicroPython, micropython
from .errors import BenchmarkError
from .peer import published

_ROOT = Path(__file__).resolve().parent.parent
_UNIX = _ROOT / "build/unix"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say what is measured."""

    def add(name: str, description: str, default: Path | None = None) -> None:
        parser.add_argument(name, type=Path, metavar="PATH", default=default, help=description)

    add("--micropython", "our firmware (default: build/unix/micropython)", _UNIX / "micropython")
    add("--micropython32", "our firmware in 32 bits (default: build/unix32/micropython, if there)")
    add("--mpy-cross", "its compiler (default: build/unix/mpy-cross, if there, or the one on the PATH)")
    add("--source", "measure the framework in this folder, not the frozen one")
    parser.add_argument(
        "--no-peer", action="store_true", help="measure without the published microdot and all other frameworks"
    )


def bench(options: argparse.Namespace, folder: Path) -> Bench:
    """The interpreters, copied into `folder`, and the contenders."""
    program = micropython(options.micropython, folder)
    cache = None if options.no_peer or options.check else _ROOT / "build/bench"
    program32 = _first_there(options.micropython32, _ROOT / "build/unix32/micropython")
    return Bench(
        program=program,
        program32=micropython(program32, folder) if program32 else None,
        cpython=CPython(sys.executable),
        mpy_cross=_first_there(options.mpy_cross, _UNIX / "mpy-cross", shutil.which("mpy-cross")),
        ours=_ours(options, program),
        source=(options.source or _ROOT / "lib").resolve(),
        peer=published(cache) if cache else None,
        cache=cache,
    )


def _first_there(given: Path | None, *defaults: Path | str | None) -> Path | None:
    """The path that was given, be it there or not, else the first default that is."""
    return given or next((Path(path) for path in defaults if path and Path(path).exists()), None)


def _ours(options: argparse.Namespace, program: MicroPython) -> Contender:
    if options.source:
        return Contender("ours", str(options.source.resolve()))
    if not program.has_frozen("microdot"):
        raise BenchmarkError(f"{options.micropython}: has no frozen microdot: `make firmware`, or `--source lib`")
    return Contender("ours", FROZEN)
