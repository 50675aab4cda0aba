"""The wheels: of the framework, and of these tools.

setuptools makes them, from a copy of what they need: it leaves its own files beside what it reads, and takes over the modes of
files, which differ from one checkout to the next.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import paths
from .console import Failure

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py[co]", "*.egg-info", "build", ".*")
_TOOLS = (
    *("pyproject.toml", "README.md", "LICENSE", "tools"),
    *("lib/microdot", "lib/utemplate", "board/modules/onboard", "tests/portable/shims"),
)
_FRAMEWORK = ("lib/pyproject.toml", "lib/README.md", "lib/microdot", "lib/utemplate")


def made(folder: Path, epoch: int) -> None:
    """Put both wheels into a folder; what is in them is dated `epoch`, in seconds since 1970."""
    with _copied(_TOOLS) as project:
        _wheel(project, folder, epoch)
    with _copied(_FRAMEWORK) as project:
        shutil.copy(paths.ROOT / "LICENSE", project / "lib")
        _wheel(project / "lib", folder, epoch)


@contextmanager
def _copied(names: Sequence[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mdot-") as folder:
        for name in names:
            source, copy = paths.ROOT / name, Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=_LEFT_OUT)
            else:
                shutil.copy(source, copy)
        for path in Path(folder).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield Path(folder)


def _wheel(project: Path, folder: Path, epoch: int) -> None:
    # What it needs is in .venv, so nothing is fetched, and the user's settings of pip say nothing about it.
    command = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    fixed = {"PIP_CONFIG_FILE": os.devnull, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(project)],
        cwd=folder,
        env={**kept, **fixed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        umask=0o022,
    )
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
        reason = (lines or ["it gave no reason"])[-1].removeprefix("ERROR: ")
        raise Failure(f"wheels: pip: {reason}: `make environment` completes .venv")
