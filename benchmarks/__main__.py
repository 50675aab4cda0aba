"""Measure speed and memory, and print tables with each goal beside its figure.

Figures are compared with a bare asyncio server ("the floor") and with the published microdot, which is
installed into build/bench. Nothing else is written, unless --output or --document names a file for the tables.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from . import prepare, tables_board, tables_exact, tables_hosted, tables_peers, tables_speed
from .cases import Bench
from .contenders import FROZEN
from .document import document
from .errors import BenchmarkError
from .report import Table, lost, summary

_EXACT = (
    tables_exact.instructions,
    tables_exact.system_calls,
    tables_exact.routes,
    tables_exact.heap_per_request,
    tables_exact.import_heap,
    tables_exact.smallest_heap,
    tables_board.board,
)
_BESIDE_OTHERS = (
    tables_peers.others,
    tables_speed.throughput,
    tables_speed.streams,
    tables_speed.live,
    tables_speed.cpython,
    tables_hosted.hosted,
    tables_hosted.hosted_memory,
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(options)
    except (BenchmarkError, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(signal_number: int, frame: object) -> None:
    """End as Ctrl-C does, so that the servers are ended too."""
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.split("\n\n")[0])
    what = parser.add_mutually_exclusive_group()
    names = [table.__name__ for table in (*_EXACT, *_BESIDE_OTHERS)]
    what.add_argument("--only", metavar="TABLE", choices=names, help=f"one table: {', '.join(names)}")
    what.add_argument("--check", action="store_true", help="only exact figures of ours; exit 1 when a held goal is lost")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the tables there too, as Markdown")
    parser.add_argument("--document", type=Path, metavar="FILE", help="replace the tables between the markers of this document")
    prepare.add_arguments(parser)
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.output:
        _check_writable(options.output)
    if options.document:
        _check_document(options)
    with TemporaryDirectory() as folder:
        return _report(options, prepare.bench(options, Path(folder)))


def _check_document(options: argparse.Namespace) -> None:
    if options.check or options.no_peer or options.source:
        raise BenchmarkError(
            "--document: its figures are the frozen framework's beside others: leave --check, --no-peer, --source out"
        )
    document(options.document)


def _check_writable(path: Path) -> None:
    """Fail before the measurements, not after them."""
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise BenchmarkError(f"{path}: --output cannot be written there")


def _report(options: argparse.Namespace, bench: Bench) -> int:
    print(_heading(bench), end="\n\n")
    tables = [_measured(table, bench) for table in _chosen(options)]
    print(summary(tables))
    if options.output:
        text = "\n\n".join(["# Benchmarks", _heading(bench), *map(str, tables), summary(tables)])
        options.output.write_text(text + "\n")
    if options.document:
        _write_document(options, _heading(bench), tables)
    return _judged(tables) if options.check else 0


def _write_document(options: argparse.Namespace, heading: str, tables: list[Table]) -> None:
    """Read the document again: its author may have worked on it meanwhile."""
    for title in document(options.document).write(heading, tables, whole=not options.only):
        print(f"{options.document}: keeps its last figures: {title}: not all was measured", file=sys.stderr)


def _heading(bench: Bench) -> str:
    programs = [bench.program, *([bench.program32] if bench.program32 else [])]
    parts = [
        *(f"MicroPython {program.version()}, {program.bits()}-bit" for program in programs),
        f"CPython {platform.python_version()}",
        f"ours {'frozen' if bench.ours.path == FROZEN else 'from source'} on MicroPython",
        *([f"{bench.peer.name} from source"] if bench.peer else []),
    ]
    return "Measured: " + "; ".join(parts) + "."


def _chosen(options: argparse.Namespace) -> list[Callable[[Bench], Table]]:
    if options.check:
        return list(_EXACT)
    return [table for table in (*_EXACT, *_BESIDE_OTHERS) if options.only in (None, table.__name__)]


def _measured(table: Callable[[Bench], Table], bench: Bench) -> Table:
    print(f"measuring {table.__name__.replace('_', ' ')} ...", file=sys.stderr, flush=True)
    result = table(bench)
    print(result, end="\n\n", flush=True)
    return result


def _judged(tables: list[Table]) -> int:
    for key in lost(tables):
        print(f"benchmarks: {key}: a held goal is missed, or was not measured", file=sys.stderr)
    return 1 if lost(tables) else 0


if __name__ == "__main__":
    sys.exit(main())
