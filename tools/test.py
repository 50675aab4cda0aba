"""run an application's own tests

The tests are in the application's folder `tests`: modules test_*.py with unittest, whose names, with a part of unittest that
MicroPython has room for, are the same everywhere.  They run where the application runs: on CPython, on the unix firmware
and on a board.  Each module gets a fresh copy of the application's folder to work in, on the board in its flash, removed
afterwards; importing the application's main module does not serve it.

  mdot test .
  mdot test . --on cpython -k test_pages
  mdot test . --on unix,board --port /dev/ttyACM0
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import app_tests, app_tests_board, boards, deploy_toml, firmware, known_boards, paths
from .app_tests import Outcome
from .console import Failure, Misuse, say

_PLATFORMS = ("cpython", "unix", "board")
_Run = Callable[[str], Outcome]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", type=Path, metavar="APP", help="the application's folder")
    text = "only tests with this in their name, module.Class.test; may be given again"
    parser.add_argument("-k", action="append", default=[], dest="filters", metavar="NAME", help=text)
    # Installed, the tools have no firmware that they could build.
    default = "cpython" if paths.INSTALLED else "cpython,unix"
    parser.add_argument("--on", default=default, metavar="WHERE", help=f"some of {', '.join(_PLATFORMS)} (default: {default})")
    parser.add_argument("--port", help="the board's port, with --on board (default: the only board there is)")
    parser.add_argument("--json", action="store_true", help="report as JSON")


def do(arguments: argparse.Namespace) -> None:
    app, platforms = arguments.app, _platforms(arguments.on)
    if not (app / "main.py").is_file():
        raise Failure(f"{app}: no main.py there: give the folder of an application, as in examples/hello")
    modules = _chosen(app_tests.modules(app), arguments.filters)
    outcomes = []
    for platform in platforms:
        for outcome in _outcomes(platform, app, modules, arguments):
            outcomes.append(outcome)
            if not arguments.json:
                print(_as_text(outcome), end="", flush=True)
    if arguments.json:
        print(json.dumps([{**vars(outcome)} for outcome in outcomes], indent=2))
    _judge(outcomes, arguments.filters)


def _platforms(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in _PLATFORMS:
            raise Misuse(f"--on {name}: no such platform: give some of {', '.join(_PLATFORMS)}")
    return [name for name in _PLATFORMS if name in names]


def _chosen(modules: Sequence[str], filters: Sequence[str]) -> list[str]:
    """Leave out modules that cannot hold what the filters name."""
    words = [text.partition(".")[0] for text in filters]
    fitting = [module for module in modules if any(word in module for word in words)]
    # A word that is in no module's name is a part of a test's.
    parts = any(not any(word in module for module in modules) for word in words)
    return list(modules) if parts or not words else fitting


def _outcomes(platform: str, app: Path, modules: Sequence[str], arguments: argparse.Namespace) -> Iterator[Outcome]:
    filters = arguments.filters
    if platform == "board":
        target = known_boards.target(arguments.port, deploy_toml.read(app).board, Path.cwd())
        yield from app_tests_board.outcomes(target, app, modules, filters)
        return
    here = app_tests.cpython() if platform == "cpython" else app_tests.unix(_firmware())
    for module in modules:
        yield app_tests.run(here, app, module, filters)


def _firmware() -> Path:
    return firmware.built(boards.named("unix"), os.environ.get("MICROPYTHON"))


def _as_text(outcome: Outcome) -> str:
    if not outcome.ran:
        return ""
    counts = [(len(outcome.passed), "passed"), (len(outcome.failed), "failed"), (len(outcome.skipped), "skipped")]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    lines = [f"{outcome.platform:<8} {outcome.module:<24} {said}"]
    lines += [f"  skipped {test}: {reason}" for test, reason in outcome.skipped.items()]
    for test, text in outcome.failed.items():
        lines += [f"  FAILED {test}", *("    " + line for line in text.splitlines())]
    return "\n".join(lines) + "\n"


def _judge(outcomes: Sequence[Outcome], filters: Sequence[str]) -> None:
    passed, failed = sum(len(outcome.passed) for outcome in outcomes), sum(len(outcome.failed) for outcome in outcomes)
    if failed:
        raise Failure(f"{failed} of {passed + failed} tests failed: what they said is above")
    if not any(outcome.ran for outcome in outcomes):
        named = f" is named {' or '.join(filters)}" if filters else " is in the modules"
        raise Failure(f"no test{named}: a test is a method test_… of a unittest.TestCase")
    say(f"{passed} tests passed")
