"""What the host tests share beside fixtures: running the tools, waiting for a server, reading a filesystem with MicroPython."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent

# How a program for MicroPython begins that reads a filesystem: `walked("/x")` yields the files of what is mounted there, each
# as its path and its bytes in hexadecimal.
WALKED = """
import binascii, os

def walked(folder, below=""):
    for name, kind, *_ in os.ilistdir(folder + below):
        path = below + "/" + name
        if kind & 0x4000:
            for item in walked(folder, path):
                yield item
        else:
            assert os.stat(folder + path)[0] == 0x8000
            with open(folder + path, "rb") as file:
                yield path, binascii.hexlify(file.read()).decode()
"""

Start = Callable[..., "subprocess.Popen[str]"]


def run_tools(*arguments: str, root: Path = ROOT, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python3 -m tools …` in a checkout, with `env` added to the environment."""
    command = [sys.executable, "-m", "tools", *arguments]
    variables = {**os.environ, **(env or {})}
    return subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, timeout=600)


def one_line(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """Check that the tools failed as they should, and give their only line about it."""
    complaints = [line for line in done.stderr.splitlines() if not line.endswith("…")]
    assert done.returncode == status, done.stderr
    assert len(complaints) == 1, done.stderr
    assert complaints[0].startswith("mdot: ")
    return complaints[0]


def wait_for(process: subprocess.Popen[str], port: int) -> None:
    """Return when something listens on the port; fail with the process's output when it ends before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")
