"""What the modules of an application take of a board's heap, measured where they run: on the unix firmware.

The built files are imported as the board does it, up to the moment when the application would serve.  With pointers of 32
bits (`make firmware BOARD=unix32`) the figures are a board's; with 64 bits they are up to twice as high.  What a board has
and this machine has not, as pins, is stood in for by objects that take everything.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from . import paths
from .assembly import Assembly
from .console import Failure

_MARK = "\x1e"
_SECONDS = 60  # for an application that neither serves nor ends
_FIRMWARES = (("unix32", 32), ("unix", 64))
_PROBE = Path(__file__).parent / "on_board/import_heap.py"


class Heap(NamedTuple):
    """The bytes that each module keeps in use, in the order of their import; nothing where they could not be measured."""

    total: int = 0
    modules: tuple[tuple[str, int], ...] = ()
    bits: int | None = None
    remarks: tuple[str, ...] = ()
    complete: bool = False
    """Whether the application came to the point of serving, or to its end."""


def measured(made: Assembly) -> Heap:
    """Import an application on the newest firmware that is here."""
    for name, bits in _FIRMWARES:
        image = paths.BUILD / name / "micropython"
        if image.is_file():
            return _measured(made, image, bits)
    return Heap(remarks=("not measured: no unix firmware here: make firmware BOARD=unix32 builds one",))


def check(heap: Heap, budget: int) -> None:
    """Raise Failure for an application over its budget, or one that cannot be held to it."""
    if not heap.complete:
        raise Failure(f"budget: heap: {heap.remarks[-1]}")
    if heap.total > budget:
        exact = "" if heap.bits == 32 else "; make firmware BOARD=unix32 measures as a board does"
        over = f"{heap.total} bytes of heap after its import with {heap.bits} bits, {heap.total - budget} over the budget"
        raise Failure(f"budget: heap: {over}: import less, or later{exact}")


def _measured(made: Assembly, image: Path, bits: int) -> Heap:
    with tempfile.TemporaryDirectory(prefix="mdot-") as folder:
        for path, piece in made.pieces.items():
            file = Path(folder, path[1:])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(piece.data)
        told = _run(image, folder)
    if isinstance(told, str):
        return Heap(bits=bits, remarks=(f"not measured: {told}",))
    remarks = [] if bits == 32 else ["with pointers of 64 bits: make firmware BOARD=unix32 measures as a board does"]
    if told["stand_ins"]:
        remarks.append(f"without the board's {', '.join(told['stand_ins'])}: stood in for")
    if told["error"]:
        remarks.append(f"measured up to main.py's end with {told['error']}")
    modules = tuple((name, int(taken)) for name, taken in told["modules"])
    return Heap(told["total"], modules, bits, tuple(remarks), not told["error"])


def _run(image: Path, folder: str) -> dict[str, Any] | str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MICROPY")}
    command = [str(image), "-X", "heapsize=32m", "-c", _PROBE.read_text(encoding="utf-8")]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return f"main.py neither serves nor ends in {_SECONDS} s"
    _, mark, told = done.stdout.rpartition(_MARK)
    if not mark:
        return f"the firmware ended with {done.returncode}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
    found: dict[str, Any] = json.loads(told)
    return found
