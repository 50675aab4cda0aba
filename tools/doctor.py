"""examine one board

Tells versions, memory, the filesystem, what is deployed, which modules hide others and what became of the last starts.  It
changes nothing; the application is interrupted and started again.  Of /config.json the names are shown, no secret.

  mdot doctor
  mdot doctor --port socket://127.0.0.1:4000 --json
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import board_state, device, known_boards, on_board, shadows
from .board_state import State
from .console import Failure
from .deploying import restarted
from .known_boards import Target

# What a TLS connection takes of a board's heap: docs/limits.md.
_TLS_HEAP = 40 * 1024
_STRIKES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    device.add_port(parser)
    parser.add_argument("--json", action="store_true", help="report as JSON")


def do(arguments: argparse.Namespace) -> None:
    state, found, frozen = examined(known_boards.target(arguments.port, {}, Path.cwd()))
    findings = _findings(state, found, frozen)
    print(json.dumps(findings) if arguments.json else _as_text(findings))


def examined(target: Target) -> tuple[State, dict[str, Any], set[str]]:
    """Ask a board for its state, for what `on_board/examine.py` tells, and for the modules of its firmware."""
    with device.connected(target.port) as board, restarted(board):
        state = board_state.read(board, target.id, recover=False)
        first, _, modules = board.run(on_board.program("examine")).partition("\n")
        try:
            found = ast.literal_eval(first)
        except (SyntaxError, ValueError):
            raise Failure(f"{target.port}: the board's answer makes no sense: reset it and try again") from None
        return state, found, shadows.frozen_modules(modules)


def _findings(state: State, found: dict[str, Any], frozen: set[str]) -> dict[str, Any]:
    about = state.about
    free, size = about.free * about.block, about.blocks * about.block
    return {
        "board": about.machine or about.target,
        "id": about.id or "not told",
        "micropython": found["version"],
        "bytecode": str(about.loads),
        "frequency": f"{found['frequency'] / 1e6:g} MHz" if found["frequency"] else "not told",
        "memory": f"{about.heap // 1024} KiB free at the start, {found['largest'] // 1024} in one piece",
        "flash": f"{free // 1024} of {size // 1024} KiB free",
        "filesystem": ", ".join(f"{kind} on {place}" for kind, place in found["filesystems"]) or "not told",
        "romfs": {None: "none", 0: "none"}.get(found["rom"], f"{found['rom']} partition(s)"),
        "tls": _tls(found["tls"], found["largest"]),
        "last reset": found["cause"] or "not told",
        "application": f"{state.app}, {len(state.owned)} files, build {state.build[:12]}" if state.app else "none deployed",
        "guard": _guard(state, found["boots"]),
        "settings": "none" if found["settings"] is None else found["settings"],
        "notes": list(_notes(state, found, frozen)),
    }


def _tls(ciphers: int | None, largest: int) -> str:
    if ciphers is None:
        return "none in this firmware"
    return f"{ciphers} ciphers" if largest >= _TLS_HEAP else f"{ciphers} ciphers, but too little memory for a connection"


def _guard(state: State, boots: str | None) -> str:
    if not state.about.guard:
        return "none in this firmware"
    count = int(boots) if boots and boots.isdigit() and len(boots) < 4 else 0
    parts = [f"{count} start(s) in a row that nothing confirmed" if count else "all starts confirmed"]
    parts += ["a deploy on trial"] if "trial" in state.marks else []
    parts += ["a deploy before that `rollback` brings back"] if "undo" in state.marks else []
    return ", ".join(parts)


def _notes(state: State, found: dict[str, Any], frozen: set[str]) -> Iterator[str]:
    """Find what is worth a look."""
    if state.about.pending:
        yield "a deploy was interrupted: the next start or deploy carries it on"
    if state.about.guard and (found["boots"] or "").strip().isdigit() and int(found["boots"]) >= _STRIKES:
        yield "the guard starts no application any more: deploy again, or see what `monitor` shows"
    for path, owned in state.owned.items():
        if owned.actual is None:
            yield f"{path} is gone from the board: deploy again"
        elif owned.actual != owned.sha256:
            yield f"{path} was changed on the board since its deploy"
    files = [*state.files, *(path for path, owned in state.owned.items() if owned.actual)]
    for shadow in shadows.found(found["path"], files, frozen):
        # Our frozen main.py runs that of the filesystem.
        if shadow.name != "main" or not state.about.guard:
            yield f"import {shadow.name} finds {shadow.winner}, not {' or '.join(shadow.losers)}"
    for name in ("/main.mpy", "/boot.mpy"):
        if name in files:
            yield f"{name} is never run: a start looks for {name[1:-4]}.py only"
    if state.waiting:
        yield f"{len(state.waiting)} uploaded files of an unfinished deploy wait in /.mdot/new for the next one"


def _as_text(findings: dict[str, Any]) -> str:
    lines = []
    for key, value in findings.items():
        if key != "notes":
            lines.append(f"{key:12} {value if isinstance(value, str) else json.dumps(value)}")
    return "\n".join([*lines, *(f"! {note}" for note in findings["notes"])])
