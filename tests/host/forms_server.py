"""The application of the form tests as a process, on CPython and on the firmware."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from helpers import ROOT, Start

APPLICATION = Path(__file__).resolve().parent / "forms_application.py"
INTERPRETERS = ("cpython", "micropython")


def start(serving: Start, interpreter: str, firmware: Path, port: int, folder: Path) -> str:
    """Start the application in a folder; return its URL."""
    command = [str(firmware)] if interpreter == "micropython" else [sys.executable, "-B"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MICROPY"))}
    env["PYTHONPATH"] = str(ROOT / "lib")
    serving(*command, str(APPLICATION), str(port), cwd=folder, env=env)
    return f"http://127.0.0.1:{port}"
