"""serve an application on this machine with the unix firmware

The application is a folder whose main.py has a Microdot object named `app`.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
from pathlib import Path

from . import boards, firmware
from .console import Failure, say

_HOST = "127.0.0.1"
# After Ctrl-C it lingers: make gets the signal too, and trips over a child that has ended before make has noticed.
_PROGRAM = """
try:
    from main import app
    app.run(host={host!r}, port={port})
except KeyboardInterrupt:
    import time
    time.sleep_ms(200)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", type=Path, default=Path("examples/hello"), help="the folder (default: examples/hello)")
    parser.add_argument("--port", type=int, default=5000, help="the TCP port (default: 5000)")
    firmware.add_micropython(parser)


def do(arguments: argparse.Namespace) -> None:
    if not (arguments.app / "main.py").is_file():
        raise Failure(f"{arguments.app}: no main.py there: give the folder of an application, as in APP=examples/hello")
    image = firmware.built(boards.named("unix"), arguments.micropython)
    _check_port(arguments.port)
    say(f"serving {arguments.app} on http://{_HOST}:{arguments.port} (Ctrl-C ends it)")
    os.chdir(arguments.app)
    # The firmware takes this process over, so that Ctrl-C and signals reach it and nothing stays behind.
    program = _PROGRAM.format(host=_HOST, port=arguments.port)
    os.execve(image, [str(image), "-c", program], _environment())


def _environment() -> dict[str, str]:
    # MICROPYPATH would take the frozen modules off the firmware's path.
    return {name: value for name, value in os.environ.items() if not name.startswith("MICROPY")}


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            used = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "in use" if used else "not for you to open"
            raise Failure(f"port {port} is {reason}: choose another, as in PORT=5001") from None
