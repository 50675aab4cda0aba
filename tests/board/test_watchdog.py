"""The watchdog of the emulated Pico, fed by the event loop that serves: it tells a handler that hangs from one that waits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pico
from network import linked
from ppp import BOARD

_URL = f"http://{BOARD}"


def test_a_handler_that_hangs_gets_the_board_reset_and_it_serves_again(image: Path) -> None:
    with pico.started(image) as board, linked(board) as network:
        board.mpremote("cp", "programs/watched.py", ":main.py")
        # Not `mpremote reset`: that would be a reset by the watchdog too.
        board.mpremote("exec", "--no-follow", "import main")
        network.wait_until_served()
        assert network.curl(f"{_URL}/") == "power"
        assert network.curl(f"{_URL}/slow", seconds=100) == "done"
        assert board.state().resets == 0
        with subprocess.Popen(network.command("curl", "--silent", f"{_URL}/hang")) as client:
            board.wait(lambda state: state.resets == 1)
            client.kill()
        network.wait_until_served()
        assert network.curl(f"{_URL}/") == "watchdog"
        assert network.curl(f"{_URL}/slow", seconds=100) == "done"
        assert board.state().resets == 1
