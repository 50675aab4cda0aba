"""make .venv, with what the tests and checks need, when it is missing or out of date

A stamp, written last, says what the environment was made for: one that was not finished never counts.  Verbs that need
packages make it as well, with these alone.

  mdot environment
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .console import Failure, say
from .files import digest, locked, write
from .paths import BUILD, INSTALLED, ROOT, shown

_VENV = ROOT / ".venv"
_STAMP = _VENV / "complete.json"
_PYTHON = _VENV / "bin/python"
_GROUPS = ROOT / "pyproject.toml"
_REQUIREMENTS = ROOT / "tools/requirements.txt"

# What builds the wheels, as the build-system of pyproject.toml has it.
_WHEELS = "setuptools>=77"
_PARTS: dict[str, list[str]] = {"tools": [_WHEELS], "dev": ["--group", f"{_GROUPS}:dev", _WHEELS]}


def do(arguments: argparse.Namespace) -> None:
    complete("tests and checks", "dev")


def enter() -> None:
    """Go on in .venv, with the packages of the tools; return if this is it, or if there is no checkout around."""
    if INSTALLED or Path(sys.prefix) == _VENV:
        return
    complete("the tools", "tools")
    os.execv(_PYTHON, [str(_PYTHON), "-m", "tools", *sys.argv[1:]])


def complete(purpose: str, part: str) -> None:
    """Install what a part needs, `tools` or `dev`, unless it is there."""
    with locked(BUILD):
        interpreter = {"version": sys.version, "place": str(_VENV)}
        wanted = {"interpreter": interpreter, "requirements": [digest(file) for file in (_GROUPS, _REQUIREMENTS)]}
        found = _found()
        parts = found.pop("parts", []) if found.get("requirements") == wanted["requirements"] else []
        # All of `tools` is in `dev`.
        if found == wanted and (part in parts or "dev" in parts):
            return
        say(f"installing what {purpose} need into .venv …")
        if found.get("interpreter") != interpreter:
            _create()
        _STAMP.unlink(missing_ok=True)
        _install(part)
        write(_STAMP, json.dumps({**wanted, "parts": [*parts, part]}))


def _found() -> dict[str, Any]:
    try:
        found = json.loads(_STAMP.read_text())
        return found if isinstance(found, dict) and _PYTHON.exists() else {}
    except (OSError, ValueError):
        return {}


def _create() -> None:
    shutil.rmtree(_VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(_VENV)], capture_output=True, text=True, close_fds=False)
    if done.returncode:
        shutil.rmtree(_VENV, ignore_errors=True)
        if "ensurepip" in done.stdout + done.stderr or "No module named venv" in done.stderr:
            raise Failure("python3 has no venv: install it with `apt-get install python3-venv`")
        raise Failure(f".venv: {_last_line(done.stderr or done.stdout)}: remove it and try again")


def _install(part: str) -> None:
    log = BUILD / "environment.log"
    with log.open("w") as output:
        # The pip that comes with older Pythons does not know dependency groups.
        for what in (["pip>=25.1"], ["-r", str(_REQUIREMENTS), *_PARTS[part]]):
            _pip(what, log, output.fileno())


def _pip(what: Sequence[str], log: Path, output: int) -> None:
    command = [str(_PYTHON), "-m", "pip", "install", "--no-input", "--quiet", *what]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, close_fds=False)
    if done.returncode:
        errors = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("ERROR")]
        reason = _last_line("\n".join(errors) or log.read_text(errors="replace"))
        advice = "check the network, the room on the disk and pip's index"
        raise Failure(f"pip: {reason}: {advice}; its whole output is in {shown(log)}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].replace("ERROR: ", "", 1) if lines else "it failed without a reason"
