"""The one file of firmware and application: a board that gets it serves the application's page at its first start."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from network import LINK, linked
from ppp import BOARD

from tools import board_state, device, uf2

_FLASH_AT = 0x1000_0000
_MAIN = """
import pages
from microdot import Microdot

app = Microdot()

@app.get("/")
async def index(request):
    return pages.INDEX

if __name__ == "__main__":
    app.run(port=80)
"""
_LARGE = "".join(f"line {n}\n" for n in range(3000))


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lay out an application that brings its network up by itself; take its build away afterwards."""
    folder = tmp_path_factory.mktemp("image") / "first"
    folder.mkdir()
    (folder / "main.py").write_text(LINK + _MAIN)
    (folder / "pages.py").write_text("INDEX = 'served at the first start\\n'\n")
    (folder / "large.txt").write_text(_LARGE)
    yield folder
    shutil.rmtree(pico.ROOT / "build/first", ignore_errors=True)


def _made(application: Path, *more: str) -> Path:
    command = [sys.executable, "-m", "tools", "image", str(application), "--board", "RPI_PICO", *more]
    done = subprocess.run(command, cwd=pico.ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return pico.ROOT / "build" / application.name / "RPI_PICO" / f"{application.name}.uf2"


def _taken(file: Path, flash: Path) -> None:
    """Do as the boot ROM does with a file: write each block where it says; here onto a chip full of somebody's data."""
    content = bytearray(random.Random(7).randbytes(2 << 20))
    for block in uf2.decoded(file.read_bytes()):
        at = block.address - _FLASH_AT
        content[at : at + len(block.payload)] = block.payload
    flash.write_bytes(content)


@pytest.fixture(scope="module")
def flash(application: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a chip with the image in it that no board has started from."""
    path = tmp_path_factory.mktemp("chip") / "flash"
    _taken(_made(application), path)
    return path


@pytest.fixture(scope="module")
def served(flash: Path) -> Iterator[tuple[str, pico.Board]]:
    """Switch the board on for the first time; give its page, which nobody has asked it to serve."""
    with pico.started(None, flash=flash) as board, linked(board) as network:
        network.wait_until_up()
        yield network.curl("--retry", "20", "--retry-connrefused", "--retry-delay", "1", f"http://{BOARD}/"), board


def test_the_page_is_served_at_the_first_start(served: tuple[str, pico.Board]) -> None:
    assert served[0] == "served at the first start\n"


def test_the_board_knows_the_files_as_deployed(served: tuple[str, pico.Board]) -> None:
    with device.connected(f"socket://127.0.0.1:{served[1].usb}") as board:
        state = board_state.read(board)
        board.restart()
    record = json.loads((pico.ROOT / "build/first/RPI_PICO/manifest.json").read_text())
    assert (state.app, state.build) == ("first", record["build"])
    assert {path: owned.actual for path, owned in state.owned.items()} == {f["path"]: f["sha256"] for f in record["files"]}
    assert "/large.txt" in state.owned
    assert all(owned.actual == owned.sha256 for owned in state.owned.values())
    assert set(state.files) <= {"/.mdot/boots"}


_PPP = {"ppp": {"uart": 0, "tx": 0, "rx": 1, "baudrate": 115200}}


def test_an_example_needs_nothing_but_settings(tmp_path: Path) -> None:
    application = tmp_path / "first-example"
    shutil.copytree(pico.ROOT / "examples/hello", application, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "config.json").write_text(json.dumps(_PPP))
    try:
        _taken(_made(application, "--config", str(tmp_path / "config.json")), tmp_path / "flash")
    finally:
        shutil.rmtree(pico.ROOT / "build/first-example", ignore_errors=True)
    with pico.started(None, flash=tmp_path / "flash") as board, linked(board) as network:
        network.wait_until_up()
        page = network.curl("--retry", "20", "--retry-connrefused", "--retry-delay", "1", f"http://{BOARD}:5000/")
    assert "<h1>" in page
