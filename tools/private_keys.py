"""Private keys: recognising one, and whether git keeps it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_LARGEST_DER = 16 * 1024  # bytes: RSA with 16384 bits has less


def is_private_key(data: bytes) -> bool:
    """Tell whether a file holds a private key, in PEM or DER."""
    if _PEM.search(data):
        return True
    # DER begins with a sequence.
    if data[:1] != b"0" or len(data) > _LARGEST_DER:
        return False
    try:
        load_der_private_key(data, None)
    except TypeError:  # encrypted
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def is_tracked(path: Path) -> bool:
    """Tell whether git keeps a file."""
    command = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
