"""bring the deploy before back, if it was kept

Undoes the last `deploy --keep-previous` in one step, as a deploy is done; data that the application wrote stays.

  mdot rollback
  mdot rollback --port socket://127.0.0.1:4000
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

from . import board_state, device, known_boards, on_board
from .board_state import State
from .console import Failure
from .deploying import first_words, restarted
from .known_boards import Target


class Undone(NamedTuple):
    """A rollback: the states before and after it."""

    target: Target
    before: State
    after: State
    said: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    device.add_port(parser)
    parser.add_argument("--json", action="store_true", help="report as JSON")


def do(arguments: argparse.Namespace) -> None:
    done = undone(known_boards.target(arguments.port, {}, Path.cwd()))
    print(_as_json(done) if arguments.json else _as_text(done))


def undone(target: Target) -> Undone:
    """Undo a board's last deploy; raise Failure when what was before it is not there."""
    with device.connected(target.port) as board:
        with restarted(board):
            before = board_state.read(board, target.id)
            if "undo" not in before.marks:
                raise Failure(f"{target.port}: nothing to go back to: the last deploy was made without --keep-previous")
            board.run(on_board.program("undo", on_board.journal(before.about.guard)))
            after = board_state.read(board, target.id)
        return Undone(target, before, after, first_words(board))


def _named(state: State) -> str:
    return f"{state.app} ({state.build[:8]})" if state.app else "what was there before any deploy"


def _as_text(done: Undone) -> str:
    return f"{done.target.port}: back from {_named(done.before)} to {_named(done.after)}"


def _as_json(done: Undone) -> str:
    before, after = ({"app": state.app, "build": state.build} for state in (done.before, done.after))
    return json.dumps({"port": done.target.port, "before": before, "after": after})
