"""The tutorial's application, taken from the page, on the emulated Pico: deployed, reached over PPP, and then over HTTPS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from network import Network, linked
from ppp import BOARD

# What reads the pages is beside the tests that run on this machine.
sys.path.append(str(pico.ROOT / "tests/host"))
from documents import Block, blocks

_PAGE = "docs/tutorial.md"
_LOGIN = [
    "--location",
    "--cookie-jar",
    "jar",
    "--cookie",
    "jar",
    "-d",
    "name=ann",
    "--data-urlencode",
    "password=correct horse",
]


def _programs() -> list[Block]:
    return [block for block in blocks(_PAGE) if block.is_program]


def _tools(*words: str) -> str:
    command = [sys.executable, "-m", "tools", *words]
    done = subprocess.run(command, cwd=pico.ROOT, capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of the page, and the last main.py of it that serves plain HTTP."""
    folder = tmp_path_factory.mktemp("tutorial") / "garden"
    for block in blocks(_PAGE):
        if block.is_file:
            path = folder / block.kind
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    _tools("cert", str(folder), "--host", "localhost", "--host", "garden.local", "--ca", str(folder.parent / "authority"))
    (folder / "main.py").write_text(_programs()[-2].text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def network(board: pico.Board, garden: Path) -> Iterator[Network]:
    with linked(board) as network:
        _tools("deploy", str(garden), "--port", _port(board))
        board.mpremote("cp", str(garden / "config.json"), ":config.json")
        board.mpremote("reset")
        network.wait_until_up()
        yield network


def _port(board: pico.Board) -> str:
    return f"socket://127.0.0.1:{board.usb}"


def _curl(network: Network, folder: Path, *arguments: str) -> str:
    again = ["--retry", "60", "--retry-connrefused", "--retry-delay", "1"]
    jar = [word if word != "jar" else str(folder.parent / "jar") for word in arguments]
    return network.curl(*again, *jar, seconds=100)


def test_it_is_served_and_the_next_deploy_brings_https_and_keeps_who_is_logged_in(
    network: Network, board: pico.Board, garden: Path
) -> None:
    url = f"http://{BOARD}:5000"
    assert "Who are you?" in _curl(network, garden, f"{url}/login")
    assert "Log ann out" in _curl(network, garden, *_LOGIN, f"{url}/login")
    assert "system-ui" in _curl(network, garden, f"{url}/static/style.css")

    (garden / "main.py").write_text(_programs()[-1].text, encoding="utf-8")
    _tools("deploy", str(garden), "--port", _port(board), "--keep-previous")
    network.wait_until_up()
    trusted = ["--cacert", str(garden.parent / "authority/ca.pem"), "--resolve", f"garden.local:5001:{BOARD}"]
    session = (garden.parent / "jar").read_text().split()[-1]
    page = _curl(network, garden, *trusted, "--cookie", f"session={session}", "https://garden.local:5001/")
    assert "Log ann out" in page
