# The one account: a password that is kept as its hash only, and the key that signs sessions.  Both are in /config.json, which a
# deploy never touches.

import binascii
import hashlib
import os
from hmac import compare_digest

import device
from microdot.ota import Refused
from onboard import settings

ROUNDS = 500  # of SHA-256, which a board does in a moment; who has its flash has a faster machine for guessing
_PART = "account"


class User:
    id = "owner"


def is_chosen():
    """Tell whether somebody has chosen a password."""
    return "hash" in _kept()


def choose(password):
    """Keep a new password, and end all sessions."""
    found = device.settings()
    salt = _hex(os.urandom(16))
    found[_PART] = {"salt": salt, "hash": _hash(password, salt), "key": _hex(os.urandom(32))}
    settings.write(found)


def knows(password):
    """Tell whether that is the password."""
    kept = _kept()
    return "hash" in kept and compare_digest(_hash(password, kept["salt"]), kept["hash"])


def session_key():
    """Return the key that signs sessions; before there is a password, and while it can't be read, one that is forgotten."""
    try:
        return binascii.unhexlify(_kept()["key"])
    except (KeyError, Refused):
        return os.urandom(32)


def _kept():
    kept = device.settings().get(_PART)
    parts = ("salt", "hash", "key")
    return kept if isinstance(kept, dict) and all(isinstance(kept.get(part), str) for part in parts) else {}


def _hash(password, salt):
    digest = binascii.unhexlify(salt)
    for _ in range(ROUNDS):
        digest = hashlib.sha256(digest + password.encode()).digest()
    return _hex(digest)


def _hex(data):
    return binascii.hexlify(data).decode()
