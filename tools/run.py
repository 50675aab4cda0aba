"""serve an application on this machine with the unix firmware, or try it on a board

Runs the application's main.py as the main program.  Here it listens on 127.0.0.1 and on --port, whatever main.py says of
either; all else, TLS too, is as main.py has it.  Where main.py does not serve its `app`, that is done for it.

On a board it lies in a folder of its own while it runs, and is gone afterwards: what is deployed there stays, and starts again.

  mdot run examples/hello --port 5001
  mdot run examples/hello --on board --port /dev/ttyACM0
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
from pathlib import Path

from . import boards, environment, firmware
from .console import Failure, Misuse

_HOST, _PORT = "127.0.0.1", 5000
# After Ctrl-C it lingers: make gets the signal too, and trips over a child that has ended before make has noticed.
_PROGRAM = """
import sys
from microdot import Microdot
start_server = Microdot.start_server
served = []
def start_here(app, host=None, port={port}, debug=False, ssl=None, *more, **named):
    if not served:
        port = {port}
        scheme = "https" if ssl else "http"
        print("serving", {shown!r}, "on", scheme + "://{host}:{port} (Ctrl-C ends it)", file=sys.stderr)
    served.append(app)
    return start_server(app, {host!r}, port, debug, ssl, *more, **named)
Microdot.start_server = start_here
program = {{"__name__": "__main__", "__file__": "main.py"}}
try:
    with open("main.py") as file:
        code = compile(file.read(), "main.py", "exec")
    exec(code, program)
    if not served and isinstance(program.get("app"), Microdot):
        program["app"].run()
except KeyboardInterrupt:
    import time
    time.sleep_ms(200)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", metavar="APP", help="the application's folder, with its main.py")
    parser.add_argument("--app", type=Path, default=Path("examples/hello"), help="the same (default: examples/hello)")
    parser.add_argument("--on", choices=["unix", "board"], default="unix", help="where to run it (default: unix)")
    parser.add_argument("--port", help="the TCP port (default: 5000); with --on board the board's (default: the only one)")
    firmware.add_micropython(parser)


def do(arguments: argparse.Namespace) -> None:
    app = arguments.folder or arguments.app
    if not (app / "main.py").is_file():
        raise Failure(f"{app}: no main.py there: give the folder of an application, as in APP=examples/hello")
    if arguments.on == "board":
        environment.enter()
        from . import run_board

        run_board.run(app, arguments.port)
    else:
        _run_here(app, _number(arguments.port), arguments.micropython)


def _run_here(app: Path, port: int, micropython: str | None) -> None:
    image = firmware.built(boards.named("unix"), micropython)
    _check_port(port)
    program = _PROGRAM.format(host=_HOST, port=port, shown=str(app))
    os.chdir(app)
    # The firmware takes this process over, so that Ctrl-C and signals reach it and nothing stays behind.
    os.execve(image, [str(image), "-c", program], _environment())


def _environment() -> dict[str, str]:
    # MICROPYPATH would take the frozen modules off the firmware's path.
    return {name: value for name, value in os.environ.items() if not name.startswith("MICROPY")}


def _number(port: str | None) -> int:
    if port is None:
        return _PORT
    if not (port.isascii() and port.isdigit()):
        raise Misuse(f"port {port} is no number: give one of TCP, as in --port 5001, or a board's with --on board")
    if not 0 < int(port) < 1 << 16:
        raise Misuse(f"port {port}: out of range: give one of 1 to 65535, as in PORT=5001")
    return int(port)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            reason = "in use" if error.errno == errno.EADDRINUSE else "not for you to open"
            raise Failure(f"port {port} is {reason}: choose another, as in PORT=5001") from None
