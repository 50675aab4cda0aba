"""list the boards that are connected

Without --probe nothing is sent to any port: other devices than boards may be among those listed, and some hang when they are
spoken to.  A board that is asked has its application interrupted and started again.

  mdot devices
  mdot devices --probe
  mdot devices --probe --port socket://127.0.0.1:4000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from . import board_state, device, known_boards
from .console import Failure, say
from .deploying import restarted
from .device import Port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--probe", action="store_true", help="ask each what it is")
    parser.add_argument("--port", action="append", help="list this port in place of those on USB; may be given again")
    parser.add_argument("--json", action="store_true", help="report as JSON")


def do(arguments: argparse.Namespace) -> None:
    found = [Port(path, "", "", "") for path in arguments.port] if arguments.port else device.ports()
    names = {known.id: name for name, known in known_boards.read(Path.cwd()).items() if known.id}
    rows = [_row(port, names, arguments.probe) for port in found]
    if arguments.json:
        print(json.dumps(rows))
    elif rows:
        _show(rows)
    else:
        say("no board is connected: plug one in with a cable that carries data")


def _row(port: Port, names: dict[str, str], probe: bool) -> dict[str, str]:
    row = {"port": port.path, "usb": port.usb, "serial": port.serial, "device": port.name}
    row["name"] = names.get(port.serial.lower(), "")
    return {**row, **_asked(port.path, names)} if probe else row


def _asked(port: str, names: dict[str, str]) -> dict[str, str]:
    try:
        with device.connected(port) as board, restarted(board):
            state = board_state.read(board, recover=False)
    except Failure as failure:
        return {"board": str(failure)}
    about = state.about
    return {
        "name": names.get(about.id, ""),
        "id": about.id,
        "board": about.target,
        "micropython": about.version,
        "bytecode": str(about.loads),
        "free": f"{about.free * about.block // 1024} KiB",
        "application": state.app,
    }


def _show(rows: Sequence[dict[str, str]]) -> None:
    columns = [key for key in dict.fromkeys(key for row in rows for key in row) if any(row.get(key) for row in rows)]
    table = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in table) for place in range(len(columns))]
    for line in table:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
