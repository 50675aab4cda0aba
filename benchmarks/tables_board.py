"""The table of a board: an emulated Pico, whose clock counts cycles, so that its figures repeat exactly."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

from .cases import Bench
from .errors import Unavailable
from .report import Table, number

_ROOT = Path(__file__).resolve().parent.parent
_TESTS = _ROOT / "tests/board"
_IMAGE = _ROOT / "build/RPI_PICO/firmware.bin"
_ROWS = {"import": "import of the core and its server", "hello": "hello", "browser": "browser head"}

_NOTE = """\
The image of `make firmware BOARD=RPI_PICO` by the clock of the emulated RP2040 at 125 MHz, the network's own cost left out; the
same on every run and machine. The heap of the import is kept, that of a request is garbage when the reply is sent."""


def board(bench: Bench) -> Table:
    """What the frozen framework costs the RP2040 at 125 MHz, without the network's own cost; `bench` is not asked."""
    table = Table("Emulated Pico", ["microseconds", "heap, bytes"])
    with table.noting():
        costs = _costs()
        for key, name in _ROWS.items():
            table.add("board", name, [number(costs[f"{key}_us"]), number(costs[f"{key}_bytes"])])
    table.notes.append(_NOTE)
    return table


def _costs() -> dict[str, int]:
    if not shutil.which("node"):
        raise Unavailable("no node for the emulated board: `apt-get install nodejs npm`")
    if not _IMAGE.exists():
        raise Unavailable("no image of the board: `make firmware BOARD=RPI_PICO`")
    try:
        measured: dict[str, int] = _emulator().measured(_IMAGE, _TESTS / "programs/hello_cost.py")
    except (AssertionError, OSError) as error:
        raise Unavailable(f"the emulated board: {str(error).strip().splitlines()[0]}") from error
    return measured


def _emulator() -> Any:
    """Give the module of the board's tests that runs a program by the emulator's clock; it belongs to no package."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    return importlib.import_module("pico")
