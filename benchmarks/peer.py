"""The published microdot, installed into a folder of the benchmark's own. It is run, never imported here."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from .contenders import Contender
from .errors import BenchmarkError
from .process import last_line

_REQUIREMENT = "microdot>=2.6,<3"


def published(cache: Path) -> Contender:
    """The published package as a contender; installs it when the cache has none."""
    folder = cache / "microdot"
    if not folder.is_dir():
        _install(folder)
    version = next(found.version for found in distributions(path=[str(folder)]) if found.name == "microdot")
    return Contender(f"microdot {version}", str(folder))


def _install(folder: Path) -> None:
    """Install beside the folder and rename: an install that was cut short never counts."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        target = Path(temporary) / folder.name
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), _REQUIREMENT]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            reason = last_line(done.stderr)
            raise BenchmarkError(f"microdot: not installed: {reason}; `--no-peer` measures without it")
        target.rename(folder)
