"""A deploy to one board, from its state to the application's first words."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import board_state, build, bytecode, device, plan
from .board_state import State
from .console import Failure, say
from .device import Device, Lost
from .known_boards import Target
from .transfer import Progress, carried_out

# Seconds that an application has to say something, or to fail, before it counts as started.
FIRST_WORDS = 2.0
_PROMPT = b">>> "
_asking = threading.Lock()


class Options(NamedTuple):
    """How to deploy."""

    rules: plan.Rules = plan.Rules()
    as_source: bool = False
    dry_run: bool = False
    yes: bool = False


class Done(NamedTuple):
    """What a deploy did, or in a dry run would have done."""

    target: Target
    state: State
    """The board before."""
    build: build.Build
    plan: plan.Plan
    dry: bool
    exchanges: int
    sent: int
    uploading: float
    """Seconds that the upload took; 0 when there was none."""
    seconds: float
    """Seconds of all, with the build and the application's start."""
    said: str
    """What the board said after its start."""

    @property
    def failed(self) -> str:
        """The exception that ended the application at once, or nothing."""
        lines = self.said.split("Traceback (most recent call last):")[-1].splitlines()
        frames = [line for line in lines[1:] if line.strip() and not line.startswith((" ", "MicroPython", "Type", ">>>"))]
        return frames[0] if "Traceback (most" in self.said and frames else ""


def deployed(app: Path, target: Target, options: Options, progress: Progress = lambda done, of: None) -> Done:
    """Deploy an application to one board and start it there; raise Failure, with the old application running again."""
    began, uploading, said = time.monotonic(), 0.0, ""
    with device.connected(target.port) as board:
        with restarted(board):
            state = board_state.read(board, target.id, recover=not options.dry_run)
            made = build.built(app, state.about.target, state.about.loads, options.as_source)
            _check_bytecode(made, state)
            todo = plan.made(made.app, made.build, made.files, state, options.rules)
            if not options.dry_run:
                _check(todo, state, options, target.port)
                uploading = carried_out(board, todo, state, made.tree, progress) if todo.journal else _unstruck(board, state)
        if not options.dry_run:
            said = first_words(board)
        spent = board.exchanges, board.sent, uploading, time.monotonic() - began
        return Done(target, state, made, todo, options.dry_run, *spent, said)


def _unstruck(board: Device, state: State) -> float:
    """Let the guard start the application again, as after any deploy: that there was nothing to change is no reason not to."""
    if "boots" in state.marks:
        board.run("import os\nos.remove('/.mdot/boots')\n")
    return 0.0


@contextlib.contextmanager
def restarted(board: Device) -> Iterator[None]:
    """Start the board's programs again at the end of the block, however it ends, if the board still answers."""
    with restarted_if_failed(board):
        yield
    board.restart()


@contextlib.contextmanager
def restarted_if_failed(board: Device) -> Iterator[None]:
    """Start the board's programs again when the block fails, if the board still answers."""
    try:
        yield
    except Lost:
        raise
    except BaseException:
        with contextlib.suppress(Failure):
            board.abandon()
            board.restart()
        raise


def first_words(board: Device) -> str:
    """Listen until the board has ended what it started, or has run it for a while."""
    said, deadline = b"", time.monotonic() + FIRST_WORDS
    while not said.endswith(_PROMPT) and (left := deadline - time.monotonic()) > 0:
        said += board.output(left)
    return said.decode("utf-8", "replace").replace("\r\n", "\n")


def _check_bytecode(made: build.Build, state: State) -> None:
    """Refuse compiled files that the board would not load."""
    for file in made.files:
        if file.path.endswith(".mpy"):
            needs = bytecode.needs(made.local(file).read_bytes(), file.path)
            if reason := bytecode.mismatch(needs, state.about.loads):
                raise Failure(f"{file.source}: {reason}: compile it for {state.about.loads}, or take it out of the application")


def _check(todo: plan.Plan, state: State, options: Options, port: str) -> None:
    if todo.refusals:
        more = f" (and {len(todo.refusals) - 1} more, which --dry-run lists)" if len(todo.refusals) > 1 else ""
        raise Failure(f"{port}: {todo.refusals[0]}{more}")
    available = state.about.free * state.about.block
    if todo.needed > available:
        raise Failure(
            f"{port}: no room: the deploy needs {todo.needed // 1024} KiB of flash and {available // 1024} are free: "
            "remove files from the board, or from the application (deploy.toml: exclude)"
        )
    adopted = [change.path for change in todo.changes if change.adopted]
    if adopted and not options.yes:
        _ask(f"{port}: {', '.join(adopted)} will be gone from the board")


def _ask(question: str) -> None:
    with _asking:
        if not sys.stdin.isatty():
            raise Failure(f"{question}: nobody can be asked: add --yes if that is right")
        say(f"{question}. Go on? [y/N] ")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Failure("stopped: nothing was changed")
