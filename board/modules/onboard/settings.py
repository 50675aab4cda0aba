# /config.json, the user's settings: read whatever its state, written in one step.  Nothing of it is ever printed: it holds
# passwords.

import json
import os

import onboard

MAX_BYTES = 4096

_PATH = "/config.json"
# What the board itself looks at, and of which type it is.  The rest is the application's.
_PARTS = {"hostname": str, "country": str, "networks": list, "ppp": dict, "portal": dict, "network": dict}


def read():
    """Return the settings as `load` does; print one line and return an empty dict if they can't be read."""
    try:
        return load()
    except (OSError, ValueError) as exc:
        print(f"onboard: config.json: {exc}: ignored")
        return {}


def load():
    """Return the settings as a dict without the parts that can't be right; print one line if there is such a part.

    Raise OSError, or ValueError when they are no JSON object of up to `MAX_BYTES` bytes.
    """
    found = _parsed()
    for part in [part for part in _PARTS if part in found and not _is_sound(part, found[part])]:
        print(f"onboard: config.json: {part}: not of the right form: ignored")
        del found[part]
    return found


def write(settings):
    """Replace the settings; raise OSError, or ValueError when they are too long."""
    text = json.dumps(settings).encode()
    if len(text) > MAX_BYTES:
        raise ValueError(f"over {MAX_BYTES} bytes")
    path = onboard.root + _PATH
    with open(path + ".new", "wb") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _parsed():
    path = onboard.root + _PATH
    size = os.stat(path)[6]
    if size > MAX_BYTES:
        raise ValueError(f"over {MAX_BYTES} bytes")
    with open(path, "rb") as file:
        text = file.read(size)  # no more than is there: what is free may be in pieces
    try:
        found = json.loads(text.decode()) if _is_whole(text) else None
    except ValueError:
        # Its own message quotes the text.
        found = None
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _is_whole(text):
    # MicroPython's parser takes the end of the text for the end of everything open, and one bracket for another.
    ends = []
    quoted = escaped = False
    for c in text:
        if quoted:
            quoted = escaped or c != 34
            escaped = c == 92 and not escaped
        elif c == 34:
            quoted = True
        elif c in b"{[":
            ends.append(c + 2)
        elif c in b"]}" and (not ends or ends.pop() != c):
            return False
    return not ends and not quoted


def _is_sound(part, value):
    if part == "networks":
        return isinstance(value, list) and all(isinstance(network, dict) for network in value)
    return isinstance(value, _PARTS[part])
