"""Fixtures of the host tests: the firmware, a checkout to break, an application that serves."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import ROOT, Start, run_tools, wait_for

# What these assert is told in as much detail as what the modules of tests assert.
pytest.register_assert_rewrite("hosted_cases", "wire")


@pytest.fixture(scope="session", autouse=True)
def outside_make() -> None:
    """Forget that it was make which started the tests, or the make that a test starts would act as its child."""
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def firmware() -> Path:
    """Give the unix firmware, up to date with the checkout."""
    done = run_tools("firmware")
    assert done.returncode == 0, done.stderr
    return ROOT / "build/unix/micropython"


@pytest.fixture(scope="session")
def tree() -> Path:
    """Give the MicroPython tree that the firmware is built from."""
    own = os.environ.get("MICROPYTHON")
    return Path(own).resolve() if own else Path(run_tools("fetch").stdout.strip())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what the firmware is made of into a new folder, where tests may change it."""
    copy = tmp_path / "checkout"
    for name in ("lib", "tools", "examples", "board", "benchmarks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manifest.py", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture
def port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serving(port: int) -> Iterator[Start]:
    """Give a function that starts a command and returns when the command listens on `port`."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        started.append(process)
        wait_for(process, port)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):  # nothing is left of its session
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
