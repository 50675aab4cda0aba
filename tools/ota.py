"""make the key for updates over the air, and bring it to a board

Writes a new key of 256 bits to FILE, for its owner's eyes alone; with --port, or --install for the only board connected, it
also goes to the board, over the cable: it never travels through the network.  A key that is there already is used as it is.

  mdot ota key ~/keys/pico.key --install
  mdot ota key ~/keys/pico.key --port id:E6614103E7452D2F
  mdot deploy examples/settings --host pico.local --key ~/keys/pico.key
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
from pathlib import Path

from . import device, known_boards, private_keys
from .console import Failure, say
from .deploying import restarted
from .known_boards import Target

ON_BOARD = "/ota.key"
_BYTES = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["key"], help="what to make")
    parser.add_argument("file", type=Path, metavar="FILE", help="the key's file on this machine")
    parser.add_argument("--install", action="store_true", help="bring it to the board, over the cable")
    device.add_port(parser)


def do(arguments: argparse.Namespace) -> None:
    file: Path = arguments.file
    if file.exists():
        key = read_key(file)
        say(f"{file}: there already: used as it is")
    else:
        key = _new(file)
        print(f"{file}: a new key: keep it secret")
    if arguments.install or arguments.port:
        target = known_boards.target(arguments.port, {}, Path.cwd())
        _install(target, key)
        print(f"{target.port}: {ON_BOARD} written")


def read_key(file: Path) -> bytes:
    """Read a key; raise Failure for what is none, and for one that git keeps."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise Failure(f"{file}: no such file: make a key with mdot ota key {file}") from None
    except UnicodeDecodeError:
        text = ""
    if not re.fullmatch(r"([0-9a-f]{2}){32,96}", text):
        raise Failure(f"{file}: not a key of ours, which has 64 hexadecimal digits: make one with mdot ota key")
    if private_keys.is_tracked(file):
        raise Failure(f"{file}: a key that git keeps: make a new one, and take this one out with `git rm --cached`")
    return bytes.fromhex(text)


def _new(file: Path) -> bytes:
    key = secrets.token_bytes(_BYTES)
    made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(made, "w", encoding="ascii") as output:
            output.write(key.hex() + "\n")
    except BaseException:
        file.unlink()  # half a key would be taken for one of another kind
        raise
    return key


def _install(target: Target, key: bytes) -> None:
    with device.connected(target.port) as board, restarted(board):
        known_boards.check(board, target.id)
        board.run(f"with open({ON_BOARD!r}, 'w') as file: file.write({key.hex()!r})\n")
