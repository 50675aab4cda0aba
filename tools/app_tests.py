"""An application's own tests, run where the application runs: what they did, and running them on this machine.

Each module of tests gets a process and a copy of the application's folder of its own, and works in that folder, as the
application does: a crash, or a file that is left behind, is that module's alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import on_board, paths
from .console import Failure

FOLDER = "tests"
_SECONDS = 300  # for the tests of one module
_LEFT_OUT = ("__pycache__", ".git", ".venv", "node_modules")
_MARK = "\x1e"
_PRINTED_LINES = 30  # of what a test printed before it failed


@dataclass
class Outcome:
    """What the tests of one module did on one platform."""

    platform: str
    module: str
    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def ran(self) -> bool:
        return bool(self.passed or self.failed or self.skipped)


def modules(app: Path) -> list[str]:
    """List the modules with tests; raise Failure if there are none."""
    found = sorted(path.stem for path in (app / FOLDER).glob("test_*.py"))
    if not found:
        raise Failure(f"{app / FOLDER}: no test_*.py there: write one, with unittest, as docs/tools.md shows")
    return found


def unittest_for_micropython() -> Path:
    """Find the unittest module for MicroPython, which has none of its own."""
    path = paths.SOURCES / "tests/portable/shims/unittest.py"
    if not path.is_file():
        raise Failure("no unittest for MicroPython here: run the tools in a checkout of mdot, or test on cpython alone")
    return path


class Platform(NamedTuple):
    """An interpreter on this machine, and where it finds the framework and the tests."""

    name: str
    command: list[str]
    environment: dict[str, str]
    path: list[str]


def cpython() -> Platform:
    """Describe this CPython, with our framework."""
    # What was printed before a crash counts, and the application's folder stays as it is.
    more = {"PYTHONPATH": str(paths.SOURCES / "lib"), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return Platform("cpython", [sys.executable], {**_environment(), **more}, [FOLDER])


def unix(image: Path) -> Platform:
    """Describe the unix firmware, which has the framework frozen in."""
    path = ["", FOLDER, str(unittest_for_micropython().parent)]
    return Platform("unix", [str(image), "-X", "heapsize=8m"], _environment(), path)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MICROPY", "PYTHON"))}


def run(platform: Platform, app: Path, module: str, filters: Sequence[str]) -> Outcome:
    """Run a module's tests that have one of the filters in their names, in a copy of the application's folder."""
    program = on_board.program("run_tests", module, list(filters), platform.path)
    with tempfile.TemporaryDirectory(prefix="mdot-") as folder:
        copy = Path(folder, app.resolve().name or "app")
        _copy(app, copy)
        # As a file it would put its own folder on the path.
        output, status = _ended([*platform.command, "-c", program], copy, platform.environment)
    # Where the copy lay is of no use in a traceback.
    return read(platform.name, module, output.decode("utf-8", "replace").replace(f"{copy}/", ""), status)


def _ended(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[bytes, str]:
    """Run a program to its end, or to the end of its time; give what it printed and how it ended."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=_SECONDS)[0], f"ended with {process.returncode}"
    except subprocess.TimeoutExpired:
        _kill(process)
        return process.communicate()[0], f"were ended after {_SECONDS} s"
    finally:
        _kill(process)


def _copy(app: Path, copy: Path) -> None:
    try:
        shutil.copytree(app, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT), ignore_dangling_symlinks=True)
    except (shutil.Error, RecursionError) as error:
        first = (
            error.args[0][0] if isinstance(error, shutil.Error) and isinstance(error.args[0], list) else (app, app, "a loop")
        )
        raise Failure(f"{first[0]}: cannot be copied to test in: {str(first[2]).lower()}: remove it") from None


def _kill(process: subprocess.Popen[bytes]) -> None:
    # With what the tests have started.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def read(platform: str, module: str, output: str, status: str) -> Outcome:
    """Understand what a run of `on_board/run_tests.py` printed; without an end, `status` tells how it ended."""
    outcome = Outcome(platform, module)
    running, printed, complete = "", list[str](), False
    for line in output.split("\n"):
        record = _record(line.rstrip("\r"))
        if record is None:
            printed += [line] if line.strip() else []
            continue
        event, test, text = record
        if event == "start":
            running, printed = test, []
        elif event == "end":
            complete = True
        else:
            _take(outcome, event, test, text, printed)
    if not complete:
        place = running or "its import"
        outcome.failed[running or module] = "\n".join([f"the tests {status} in {place}", *printed[-_PRINTED_LINES:]])
    outcome.passed = [test for test in outcome.passed if test not in outcome.failed]
    return outcome


def _record(line: str) -> tuple[str, str, str] | None:
    if not line.startswith(_MARK):
        return None
    try:
        event, test, text = json.loads(line[1:])
    except ValueError:  # cut by a crash
        return None
    return event, test, text


def _take(outcome: Outcome, event: str, test: str, text: str, printed: Sequence[str]) -> None:
    if event == "passed":
        outcome.passed.append(test)
    elif event == "skipped":
        outcome.skipped[test] = text
    elif event == "failed":
        more = ["printed:", *printed[-_PRINTED_LINES:]] if printed else []
        known = [outcome.failed[test]] if test in outcome.failed else []
        outcome.failed[test] = "\n".join([*known, text.rstrip(), *more])
