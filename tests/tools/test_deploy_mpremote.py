"""The tools with the oldest mpremote that tools/requirements.txt allows, and with the newest, which is what .venv has."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
from pathlib import Path

import pytest
from app_folders import ROOT, run_verb
from bridge import Bridge
from deploys import app


def oldest() -> str:
    found = re.search(r"^mpremote>=([\d.]+)", (ROOT / "tools/requirements.txt").read_text(), re.MULTILINE)
    assert found
    return found[1] + ".0" * (2 - found[1].count("."))


def installed(version: str) -> Path:
    """Give a folder with that release alone, which is kept for the next run."""
    folder = ROOT / "build" / f"mpremote-{version}"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / ".mpremote.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "mpremote").is_dir():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
            subprocess.run([*command, f"mpremote=={version}"], check=True, timeout=200)
    return folder


@pytest.mark.parametrize("release", ["oldest", "newest"])
def test_a_board_is_deployed_to_examined_and_brought_back(board: Bridge, tmp_path: Path, tested: Path, release: str) -> None:
    version = oldest()
    path = [str(installed(version)), str(ROOT)] if release == "oldest" else [str(ROOT)]
    env = {"PYTHONPATH": ":".join(path)}
    command = [sys.executable, "-c", "from importlib.metadata import version; print(version('mpremote'))"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()
    assert (said == version) == (release == "oldest")
    for name in ("one", "two"):
        folder = app(tested, name, {"page.txt": name * 3000})
        done = run_verb("deploy", folder, "--port", board.port, "--keep-previous", env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        board.wait_for(f"started {name} {name}".encode())
    assert "tested-by-pytest, 4 files" in run_verb("doctor", "--port", board.port, env=env, cwd=tmp_path).stdout
    back = run_verb("rollback", "--port", board.port, env=env, cwd=tmp_path)
    assert back.stdout.startswith(f"{board.port}: back from tested-by-pytest (")
    board.power_off()
    silent = run_verb("doctor", "--port", "/dev/no-such-port", env=env, cwd=tmp_path)
    assert silent.stderr == "mdot: doctor: /dev/no-such-port: no such port: `devices` lists those there are\n"
