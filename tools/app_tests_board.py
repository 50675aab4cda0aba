"""An application's own tests on a board.

The application is compiled for the board as in a build, its main module as an ordinary one; that, the tests and unittest
are uploaded to a folder of their own in the board's flash, which is removed when the tests have run, or before the next ones
when they were cut off.  What is deployed there stays as it is, and is started again.  Each module of tests finds the
board's heap as after a start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from . import app_tests, application, assembly, board_state, bytecode, deploy_toml, on_board, scratch
from .app_tests import Outcome
from .board_state import About
from .console import say
from .deploying import restarted_if_failed
from .device import connected
from .known_boards import Target

_PLACE = "/.mdot-test"
_SECONDS = 300.0  # that a module's tests may be silent


def outcomes(target: Target, app: Path, modules: Sequence[str], filters: Sequence[str]) -> Iterator[Outcome]:
    """Run modules of tests on the board at a port, one after the other."""
    with connected(target.port) as board:
        with restarted_if_failed(board):
            state = board_state.read(board, target.id, recover=False)
            files = _files(app, state.about)
        say(f"bringing {len(files)} files to {target.port} …")
        with scratch.lying(board, _PLACE, files, state, "application and tests need {} bytes"):
            for module in modules:
                board.enter()
                program = "import os\nos.chdir({!r})\n{}".format(
                    _PLACE, on_board.program("run_tests", module, list(filters), ["", app_tests.FOLDER])
                )
                yield app_tests.read("board", module, board.run(program, _SECONDS), "ended")


def _files(app: Path, about: About) -> dict[str, bytes]:
    """Make all that the tests need, by paths in their folder."""
    settings = deploy_toml.read(app)
    made = assembly.assembled(app, settings, about.loads)
    files = {path[1:]: piece.data for path, piece in made.pieces.items() if path not in ("/main.py", "/_main.mpy")}
    # Not made to serve when it is imported.
    files["main.mpy"] = bytecode.compiled((app / "main.py").read_bytes(), "main.py", about.loads)
    for name, path in application.listed(app / app_tests.FOLDER).items():
        place = f"{app_tests.FOLDER}/{name}"
        if name.endswith(".py"):
            files[place.removesuffix(".py") + ".mpy"] = bytecode.compiled(path.read_bytes(), place, about.loads)
        else:
            files[place] = path.read_bytes()
    shim = app_tests.unittest_for_micropython()
    files[f"{app_tests.FOLDER}/unittest.mpy"] = bytecode.compiled(shim.read_bytes(), "unittest.py", about.loads)
    return files
