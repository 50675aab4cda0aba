"""What a build takes of a board: flash by the size of its files, heap as it was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import paths
from .assembly import Assembly
from .heap import Heap

if TYPE_CHECKING:
    from .build import Build, File

_BLOCK = 4096  # what littlefs gives a file at least, unless it is tiny


def as_text(build: Build, made: Assembly, heap: Heap) -> str:
    """Write the report for people."""
    rows = [f"{'source':>9} {'flash':>9}  file"]
    rows += [f"{_source_size(made, file):>9,} {file.size:>9,}  {file.path}" for file in build.files]
    rows += [f"{'':>9} {build.size:>9,}  in all; in blocks of {_BLOCK} at most {_in_blocks(build):,}{_of(made.settings.flash)}"]
    rows += ["", f"{'heap':>9}  module"]
    rows += [f"{taken:>9,}  {name}" for name, taken in heap.modules]
    rows += [f"{heap.total:>9,}  in all, with what they import{_of(made.settings.heap)}"] if heap.modules else []
    rows += [f"{'':>9}  {remark}" for remark in heap.remarks]
    return "\n".join([*rows, "", f"{paths.shown(build.folder)} is ready, for bytecode {build.mpy}"])


def as_json(build: Build, made: Assembly, heap: Heap) -> str:
    """Write the report for programs."""
    listed: list[dict[str, Any]] = [{**file._asdict(), "source_size": _source_size(made, file)} for file in build.files]
    flash = {"bytes": build.size, "in_blocks": _in_blocks(build), "budget": made.settings.flash}
    measured = {"bytes": heap.total, "modules": dict(heap.modules), "bits": heap.bits, "budget": made.settings.heap}
    content = {"app": build.app, "board": build.board, "build": build.build, "mpy": build.mpy, "folder": str(build.folder)}
    return json.dumps({**content, "files": listed, "flash": flash, "heap": {**measured, "remarks": heap.remarks}}, indent=2)


def _source_size(made: Assembly, file: File) -> int:
    return (made.app / file.source).stat().st_size


def _in_blocks(build: Build) -> int:
    return sum(-(-file.size // _BLOCK) * _BLOCK for file in build.files)


def _of(budget: int | None) -> str:
    return f", of a budget of {budget:,}" if budget is not None else ""
