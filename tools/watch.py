"""deploy an application whenever one of its files changes, and show what it prints

A change is built and deployed as by `deploy`: only what is new is sent, then the board starts again.  A build or deploy that
fails is told, and the next change tries again.  Keys go to the board, as in `monitor`; Ctrl-] ends it.

  mdot watch examples/hello
  mdot watch . --port /dev/ttyACM0
"""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

from . import application, build, deploy_toml, deploying, device, known_boards, monitor
from .board_state import About
from .console import Failure, say
from .deploying import Options
from .known_boards import Target
from .plan import Rules
from .tracebacks import Mapper

# Seconds between two looks at the files, and for which they must be quiet: an editor writes in more than one go.
_LOOK = 0.2

# Of each file, by its path, what a change of it changes.
Snapshot = dict[str, tuple[int, int, int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", type=Path, metavar="APP", help="the application's folder, with its main.py")
    device.add_port(parser)
    parser.add_argument("--source", action="store_true", help="ship modules as source, which every board runs")
    parser.add_argument("--adopt", action="store_true", help="replace and remove what is in the way and was not deployed")
    parser.add_argument("--force", action="store_true", help="replace and remove what was changed on the board")


def do(arguments: argparse.Namespace) -> None:
    app: Path = arguments.app
    if not (app / "main.py").is_file():
        raise Failure(f"{app}: no main.py there: give the folder of an application, as in examples/hello")
    target = known_boards.target(arguments.port, deploy_toml.read(app).board, Path.cwd())
    watched = Watched(app)
    # A wrong port is no reason to wait for a change.
    monitor.Line(target.port).close()
    deployer = _Deployer(arguments, target)
    with contextlib.suppress(KeyboardInterrupt):
        while _shown(target, watched, deployer.deployed()):
            pass


class _Deployer:
    """Deploys an application again and again to one board."""

    def __init__(self, arguments: argparse.Namespace, target: Target) -> None:
        self._app, self._target, self._arguments = arguments.app, target, arguments
        self._about: About | None = None

    def deployed(self) -> str:
        """Deploy what is there now; give the application's first words."""
        try:
            settings = deploy_toml.read(self._app)
            if self._about:
                # A mistake that the build finds is no reason to interrupt what runs.
                build.built(self._app, self._about.target, self._about.loads, self._arguments.source)
            rules = Rules(settings.protect, self._arguments.adopt, self._arguments.force, False)
            # Who gives --adopt has said yes to it.
            done = deploying.deployed(self._app, self._target, Options(rules, self._arguments.source, False, True))
        except (Failure, OSError) as failure:  # a file may go while it is read
            say(f"mdot: watch: {failure}")
            return ""
        self._about = done.state.about
        counts = [(len(done.plan.of(what)), what) for what in ("add", "replace", "remove")]
        changes = ", ".join(f"{count} {what}" for count, what in counts if count) or "the board had it all"
        say(f"{self._target.port}: {done.build.app}: {changes}; {done.seconds:.1f} s")
        return done.said


def _shown(target: Target, watched: Watched, said: str) -> bool:
    """Show what the board says until a file changes; tell whether one did, or the user has had enough."""
    mapper = Mapper(watched.app)
    monitor.write(mapper.passed(said))
    try:
        line = monitor.Line(target.port)
    except Failure as failure:
        say(f"{failure}; the next change tries again")
        while not watched.changed():
            time.sleep(_LOOK / 4)
        return True
    with contextlib.closing(line):
        return monitor.show(line, mapper, watched.changed)


class Watched:
    """An application's files, and whether they have changed and come to rest."""

    def __init__(self, app: Path) -> None:
        self.app = app
        self._deployed = self._last = self._snapshot()
        self._looked = time.monotonic()

    def changed(self) -> bool:
        """Tell whether the files differ from those of the last time that they did, and have done so for a while."""
        if time.monotonic() - self._looked < _LOOK:
            return False
        now, before = self._snapshot(), self._last
        self._last, self._looked = now, time.monotonic()
        if now == self._deployed or now != before:
            return False
        self._deployed = now
        return True

    def _snapshot(self) -> Snapshot:
        try:
            names = list(application.listed(self.app, deploy_toml.read(self.app).exclude).values())
        except (Failure, OSError):
            names = []  # the build says it better
        settings = self.app / deploy_toml.NAME
        return {str(path): state for path in [*names, settings] if (state := _state(path))}


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
