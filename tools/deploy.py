"""bring an application to a board

Builds the application for the board, uploads what the board does not have yet, checks it there, and commits to it in one
step: an interruption leaves the old application or the new one.  Only what a deploy brought is replaced or removed.

  mdot deploy examples/hello
  mdot deploy . --port socket://127.0.0.1:4000 --dry-run
  mdot deploy . --all --keep-previous        # and later: mdot rollback
  mdot deploy . --host pico.local --key pico.key
"""

from __future__ import annotations

import argparse
import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import deploy_host, deploy_toml, device, known_boards, monitor
from .console import Failure, Misuse, say
from .deploy_report import Reporter, as_json, as_text, failure_as_json
from .deploying import Done, Options, deployed
from .known_boards import Target
from .plan import Rules
from .tracebacks import Mapper
from .transfer import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", type=Path, metavar="APP", help="the application's folder, with its main.py")
    parser.add_argument(
        "--port",
        action="append",
        help="the board: a path, a URL as in socket://127.0.0.1:4000, id:SERIAL or a name of boards.toml\n"
        "(default: the only one connected); several deploy to several",
    )
    parser.add_argument("--all", action="store_true", help="deploy to every board that is connected")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument(
        "--force", action="store_true", help="replace and remove what was changed on the board since its deploy"
    )
    parser.add_argument("--adopt", action="store_true", help="replace and remove what is in the way and was not deployed")
    parser.add_argument("--keep-previous", action="store_true", help="keep what is replaced: `rollback` brings it back")
    parser.add_argument("--source", action="store_true", help="ship modules as source, which every board runs")
    parser.add_argument("--yes", action="store_true", help="do not ask before --adopt removes something")
    parser.add_argument("--then", choices=["monitor"], help="afterwards show what the application prints (see `monitor`)")
    parser.add_argument("--json", action="store_true", help="report as JSON, a line for each board")
    deploy_host.add_arguments(parser)


def do(arguments: argparse.Namespace) -> None:
    if arguments.host:
        with Reporter() as reporter:
            deploy_host.do(arguments, reporter.bar)
        return
    if arguments.key or arguments.cert:
        raise Misuse("--key and --cert are for a deploy over the network: add --host NAME")
    settings = deploy_toml.read(arguments.app)
    targets = _targets(arguments, settings.board)
    if arguments.then and len(targets) > 1:
        raise Misuse("--then monitor shows one board only: name it with --port")
    rules = Rules(settings.protect, arguments.adopt, arguments.force, arguments.keep_previous)
    options = Options(rules, arguments.source, arguments.dry_run, arguments.yes)
    outcomes = _outcomes(arguments.app, targets, options)
    for target, outcome in zip(targets, outcomes):
        if isinstance(outcome, Done):
            print(as_json(outcome) if arguments.json else _text(arguments.app, outcome))
        elif arguments.json:
            print(failure_as_json(target.port, outcome))
    failures = [outcome if isinstance(outcome, Failure) else _not_started(outcome) for outcome in outcomes if _failed(outcome)]
    _raise_for(failures, len(targets))
    if arguments.then and not arguments.dry_run and isinstance(outcomes[0], Done):
        _monitor(arguments.app, outcomes[0])


def _text(app: Path, done: Done) -> str:
    """Write a deploy's outcome, with the files of this machine in the traceback that there may be."""
    mapper = Mapper(app)
    return mapper.passed(as_text(done)) + mapper.rest()


def _targets(arguments: argparse.Namespace, pinned: dict[str, str]) -> list[Target]:
    here = Path.cwd()
    if not arguments.all:
        return [known_boards.target(port, pinned, here) for port in arguments.port or [None]]
    if arguments.port:
        raise Misuse("--all and --port exclude each other: give one of them")
    found = device.ports()
    if not found:
        raise Failure("no board is connected: plug one in with a cable that carries data")
    return [known_boards.target(port.path, pinned, here) for port in found]


def _outcomes(app: Path, targets: Sequence[Target], options: Options) -> list[Done | Failure]:
    """Deploy to all boards at once; what goes wrong with one is not the others' business."""
    stop = threading.Event()
    with Reporter() as reporter, ThreadPoolExecutor(len(targets)) as pool:
        bars = [_until(stop, target, reporter.bar(target.port)) for target in targets]
        running = [pool.submit(_outcome, app, target, options, bar) for target, bar in zip(targets, bars)]
        try:
            return [each.result() for each in running]
        except BaseException:  # Ctrl-C, or a polite kill; the pool waits for its threads in any case
            stop.set()
            say("stopping: a board that has all the files already gets the new application, any other keeps its own …")
            raise


def _outcome(app: Path, target: Target, options: Options, progress: Progress) -> Done | Failure:
    try:
        return deployed(app, target, options, progress)
    except Failure as failure:
        return failure


def _until(stop: threading.Event, target: Target, progress: Progress) -> Progress:
    """Let a deploy end at its next piece once it is to stop: a signal reaches the main thread alone, and no commit is cut."""

    def moved(done: int, of: int) -> None:
        if stop.is_set():
            raise Failure(f"{target.port}: stopped: the old application runs")
        progress(done, of)

    return moved


def _failed(outcome: Done | Failure) -> bool:
    return isinstance(outcome, Failure) or bool(outcome.failed)


def _not_started(done: Done) -> Failure:
    back = ", or go back with `rollback`" if done.plan.keeps else ""
    return Failure(f"{done.target.port}: deployed, but the application ended at its start: {done.failed}: correct it{back}")


def _raise_for(failures: Sequence[Failure], boards: int) -> None:
    if boards == 1 and failures:
        raise failures[0]
    for failure in failures:
        say(f"mdot: deploy: {failure}")
    if failures:
        raise Failure(f"{len(failures)} of {boards} boards do not run the application: see above")


def _monitor(app: Path, done: Done) -> None:
    """Show what the application has said since its start, and then what it goes on to say."""
    mapper = Mapper(app)
    with contextlib.closing(monitor.Line(done.target.port)) as line:
        monitor.write(mapper.passed(done.said))
        monitor.show(line, mapper)
