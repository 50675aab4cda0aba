"""README.md's way onto a Pico, its commands word for word, on the emulated one.

The board has the firmware from the start: what `make flash` does to it is in tests/tools/test_flash.py, whose last test lets
the emulated board go into its boot loader and take the same image.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pico
from network import linked
from ppp import BOARD


def _commands() -> list[str]:
    section = (pico.ROOT / "README.md").read_text().split("\n## On a Pico\n")[1].split("\n## ")[0]
    return [line.partition(" #")[0].strip() for line in re.findall(r"^    (make .*)$", section, re.MULTILINE)]


def _run(command: str, board: pico.Board) -> str:
    # Which of several boards is meant: in the tests there is always that of another test as well.
    port = f"socket://127.0.0.1:{board.usb}"
    environment = {**os.environ, "PORT": port, "DEVICE": port}
    done = subprocess.run(
        command,
        shell=True,
        cwd=pico.ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def test_from_the_firmware_to_a_page(board: pico.Board) -> None:
    flash, wifi, deploy, monitor = _commands()
    assert flash == "make flash BOARD=RPI_PICO"
    assert monitor.startswith("make monitor ")
    with linked(board) as network:
        _run(wifi, board)
        network.wait_until_up()
        _run(deploy, board)
        network.wait_until_up()
        again = ["--retry", "60", "--retry-connrefused", "--retry-delay", "1"]
        page = network.curl(*again, f"http://{BOARD}:5000/", seconds=100)
        assert page == Path(pico.ROOT / "examples/remote/static/index.html").read_text()
        assert "the board had it all" in _run(deploy, board)
