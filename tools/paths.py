"""Where things are: the checkout, what is built in it, and the cache outside it.

Installed, the tools have no checkout.  What they read of one is then beside them in `shipped`, in the same folders
(pyproject.toml lists them), and what they make goes below the current folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .console import Failure

ROOT = Path(__file__).resolve().parent.parent
_SHIPPED = Path(__file__).resolve().parent / "shipped"
INSTALLED = _SHIPPED.is_dir()
SOURCES = _SHIPPED if INSTALLED else ROOT
BUILD = Path("build").absolute() if INSTALLED else ROOT / "build"


def cache() -> Path:
    """Find the folder that survives the checkout: MDOT_CACHE, else `mdot` among the user's caches."""
    own = os.environ.get("MDOT_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    users = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification wants a relative path ignored.
    base = Path(users) if os.path.isabs(users) else Path("~/.cache").expanduser()
    return base / "mdot"


def shown(path: Path) -> str:
    """Write a path as the user would: from here when it is below here."""
    here = Path.cwd()
    return str(path.relative_to(here) if here in path.parents else path)


def fit_for_make(path: Path) -> Path:
    """Give the path back; raise Failure when MicroPython's makefiles would split or expand it."""
    if not re.fullmatch(r"[\w./+@~-]+", str(path)):
        raise Failure(f"{path}: make cannot build in a path with blanks or special characters: choose another")
    return path
