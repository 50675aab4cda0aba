"""Running an application on a board for once: what is deployed there waits meanwhile."""

from __future__ import annotations

import codecs
from contextlib import suppress
from pathlib import Path

from . import board_state, build, deploy_toml, known_boards, monitor, scratch
from .console import Failure, say
from .deploying import restarted_if_failed
from .device import Device, connected
from .tracebacks import Mapper

_PLACE = "/.mdot-run"
_END = b"\x04"
# A start from the REPL leaves out what main.py in the firmware does: the network.
_PROGRAM = f"""
import os
os.chdir({_PLACE!r})
try:
    from onboard import network, settings
    os.stat("/config.json")
    network.start(settings.read())
except (ImportError, OSError):
    pass
import _main
"""


def run(app: Path, port: str | None) -> None:
    """Bring an application to a board, show what it prints until it ends or Ctrl-C does it, and take it away again."""
    target = known_boards.target(port, deploy_toml.read(app).board, Path.cwd())
    with connected(target.port) as board:
        with restarted_if_failed(board):
            state = board_state.read(board, target.id, recover=False)
            made = build.built(app, state.about.target, state.about.loads)
            files = {file.path[1:]: made.local(file).read_bytes() for file in made.files}
        with scratch.lying(board, _PLACE, files, state):
            board.enter()
            say(f"{target.port}: running {app} (Ctrl-C ends it)")
            board.start(_PROGRAM)
            failed = _followed(board, Mapper(app))
    if failed:
        raise Failure(f"{target.port}: the application failed: {failed}: see its traceback above")


def _followed(board: Device, mapper: Mapper) -> str:
    """Show a program's output, and then its exception; give that one's last line, or nothing when there was none."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    ends, complaint = 0, b""
    with suppress(KeyboardInterrupt):
        while ends < 2:
            said = board.output(0.1)
            for number, part in enumerate(said.split(_END)):
                ends += number > 0
                complaint += part if ends == 1 else b""
                if part and ends < 2:
                    monitor.write(mapper.passed(decoder.decode(part)))
            if not said or ends == 2:
                monitor.write(mapper.rest())
        return (complaint.decode("utf-8", "replace").splitlines() or [""])[-1]
    return ""
