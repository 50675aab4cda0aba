"""tell a board its wireless network, and its other settings

Asks for the network and its password, which is not shown, and writes them to /config.json on the board: there alone, and as
they are, so whoever has the board can read them.  What else is in the file stays.  Then the board starts again.

  mdot wifi                                     asks
  mdot wifi --hostname pico --country DE        asks nothing
  mdot wifi --show                              without passwords
  mdot wifi --forget 'the old network'
  mdot wifi --stdin < settings.json             for scripts: {"networks": [{"ssid": "…", "password": "…"}], "hostname": "…"}
"""

from __future__ import annotations

import argparse
import ast
import getpass
import json
import re
import sys
from pathlib import Path
from typing import Any

from . import device, known_boards, on_board
from .console import Failure, say
from .deploying import restarted
from .device import Device

# What a board reads: board/modules/onboard/settings.py.
_MOST = 4096  # bytes
_PARTS = {"hostname": str, "country": str, "networks": list, "network": dict, "ppp": dict, "portal": dict}
_NAMES_OF_SECRETS = re.compile(r"password|passphrase|secret|token|key", re.IGNORECASE)
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_COUNTRY = re.compile(r"[A-Z]{2}")

Settings = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    device.add_port(parser)
    parser.add_argument("--hostname", metavar="NAME", help="the board's name in the network")
    parser.add_argument("--country", metavar="CODE", help="two letters: which radio channels are allowed, as in DE")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--stdin", action="store_true", help="take settings from stdin, as JSON; null removes a part")
    what.add_argument("--show", action="store_true", help="show the settings, without passwords")
    what.add_argument("--forget", metavar="SSID", help="remove a network")
    parser.add_argument("--anew", action="store_true", help="begin with empty settings, as when they are damaged")


def do(arguments: argparse.Namespace) -> None:
    target = known_boards.target(arguments.port, {}, Path.cwd())
    wanted = _wanted(arguments)
    with device.connected(target.port) as board, restarted(board):
        known_boards.check(board, target.id)
        settings = {} if arguments.anew else _read(board)
        if arguments.show:
            print(json.dumps(_redacted(settings), indent=2, ensure_ascii=False))
            return
        changed = _forgotten(settings, arguments.forget) if arguments.forget else settings
        _write(board, _merged(changed, wanted))
    print(f"{target.port}: settings written; the board starts again with them")


# What the user wants


def _wanted(arguments: argparse.Namespace) -> Settings:
    wanted: Settings = {}
    if arguments.stdin:
        wanted = _from_stdin()
    for name in ("hostname", "country"):
        if getattr(arguments, name) is not None:
            wanted[name] = getattr(arguments, name)
    if not wanted and not (arguments.show or arguments.forget or arguments.stdin):
        wanted = _asked()
    _check(wanted)
    return wanted


def _asked() -> Settings:
    if not sys.stdin.isatty():
        raise Failure("nobody can be asked for the network: give the settings as JSON, with --stdin")
    say("Name of the network (SSID):")
    ssid = sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password (empty when there is none): ")
    return {"networks": [{"ssid": ssid, "password": password} if password else {"ssid": ssid}]}


def _from_stdin() -> Settings:
    text = sys.stdin.buffer.read(_MOST + 1)
    try:
        wanted = json.loads(text) if len(text) <= _MOST else None
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict):
        raise Failure(f'stdin: not a JSON object of at most {_MOST} bytes: write {{"networks": [{{"ssid": "…"}}]}}')
    return wanted


def _check(wanted: Settings) -> None:
    """Refuse what the board would ignore; no value is shown, for what is in the wrong place may be a secret."""
    try:
        _encoded(wanted)
    except UnicodeEncodeError:
        raise Failure("a setting that is no valid text: write it in UTF-8") from None
    except ValueError:
        raise Failure("a number that JSON does not have, as NaN: a board would ignore all settings: correct it") from None
    for name, kind in _PARTS.items():
        if wanted.get(name) is not None and not isinstance(wanted[name], kind):
            raise Failure(f"{name}: not of the right form: `wifi --help` has an example")
    if wanted.get("hostname") is not None and not _HOSTNAME.fullmatch(wanted["hostname"]):
        raise Failure("hostname: not a name: it has 1 to 32 letters, digits and dashes, no dash at its ends")
    if wanted.get("country") is not None and not _COUNTRY.fullmatch(wanted["country"]):
        raise Failure("country: not a code: it has two capital letters, as in DE")
    for network in wanted.get("networks") or ():
        _check_network(network)


def _check_network(network: object) -> None:
    ssid = network.get("ssid") if isinstance(network, dict) else None
    if not isinstance(network, dict) or not isinstance(ssid, str) or not 0 < len(ssid.encode()) <= 32:
        raise Failure("networks: one without a name of 1 to 32 bytes: each is an object with `ssid` and mostly `password`")
    password = network.get("password")
    if password is None:
        return
    if not isinstance(password, str) or not (8 <= len(password.encode()) <= 63 or re.fullmatch("[0-9a-fA-F]{64}", password)):
        raise Failure(f"{ssid!a}: the password is not one of WPA: it has 8 to 63 characters, or 64 hexadecimal digits")


# What the board has


def _read(board: Device) -> Settings:
    said = board.run(on_board.program("settings", _MOST + 1, None))
    try:
        text = ast.literal_eval(said.strip())
        settings = json.loads(text) if text is not None and len(text) <= _MOST else None if text else {}
        _encoded(settings or {})
    except (SyntaxError, ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict) or _broken(settings):
        raise Failure(f"{board.port}: its /config.json is damaged, and the board ignores it: --anew begins a new one")
    return settings


def _broken(settings: Settings) -> bool:
    networks = settings.get("networks", [])
    return not isinstance(networks, list) or not all(isinstance(network, dict) for network in networks)


def _write(board: Device, settings: Settings) -> None:
    text = _encoded(settings)
    if len(text) > _MOST:
        raise Failure(f"the settings would have {len(text)} bytes, and a board reads {_MOST}: --forget a network")
    board.run(on_board.program("settings", _MOST, text))


def _encoded(settings: Settings) -> bytes:
    # MicroPython joins no pairs of \u escapes, and every byte counts.
    return json.dumps(settings, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _merged(settings: Settings, wanted: Settings) -> Settings:
    """Lay what is wanted over what is there: networks by their names, the new ones first; other parts as a whole."""
    merged = {name: value for name, value in {**settings, **wanted}.items() if value is not None}
    if wanted.get("networks"):
        new = {network["ssid"] for network in wanted["networks"]}
        kept = [network for network in settings.get("networks", []) if network.get("ssid") not in new]
        merged["networks"] = [*wanted["networks"], *kept]
    return merged


def _forgotten(settings: Settings, ssid: str) -> Settings:
    kept = [network for network in settings.get("networks", []) if network.get("ssid") != ssid]
    if len(kept) == len(settings.get("networks", [])):
        known = ", ".join(repr(network.get("ssid")) for network in kept) or "none"
        raise Failure(f"{ssid!r}: the board knows no such network: it knows {known}")
    return {**settings, "networks": kept}


def _redacted(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _redacted(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, name) for item in value]
    return "(hidden)" if _NAMES_OF_SECRETS.search(name) and value else value
