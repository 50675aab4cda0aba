"""Updates over the air to the emulated board, by the tool, over PPP: confirmed when they work, taken back when they do not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from console import Console
from network import Network, linked
from ppp import BOARD

_APP = "over-the-air"
_KEY = "5a" * 32
_PPP = {"hostname": "mine", "ppp": {"uart": 0, "tx": 0, "rx": 1, "baudrate": 115200}}
_MAIN = """
from microdot import Microdot
from microdot.ota import OTA

app = Microdot()
OTA(app)

@app.get("/")
async def index(request):
    return {version!r}

app.run(port=80)
"""
_CRASH = "import no_such_module\n"
_HANG = "while True:\n    pass\n"
# Without it the tests would wait for minutes.
_BOOT = "import onboard.guard\nonboard.guard.seconds = 2\nonboard.guard.trial_seconds = 6\n"


@pytest.fixture(scope="module")
def network(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Start a board with its settings, its key and a first application, and the link to it."""
    files = {"/config.json": json.dumps(_PPP), "/ota.key": _KEY, "/main.py": _MAIN.format(version="first"), "/boot.py": _BOOT}
    with pico.started(image) as board, linked(board) as network:
        board.mpremote("exec", "".join(f"with open({path!r}, 'w') as f: f.write({text!r})\n" for path, text in files.items()))
        with Console(board) as console:
            console.attach()
            console.type("\x04")
            network.wait_until_up()
            assert _page(network) == "first"
            yield network
    shutil.rmtree(pico.ROOT / "build" / _APP, ignore_errors=True)


def _page(network: Network) -> str:
    """Give the application's page; it may not listen yet."""
    return network.curl("--retry", "60", "--retry-delay", "1", "--retry-all-errors", f"http://{BOARD}/", seconds=150)


def _deploy(network: Network, folder: Path, main: str, *options: str) -> subprocess.CompletedProcess[str]:
    app = folder / _APP
    app.mkdir(exist_ok=True)
    (app / "main.py").write_text(main)
    (app / "text.txt").write_text("the same\n" * 100)
    key = folder / "pico.key"
    key.write_text(_KEY)
    tool = ["env", f"PYTHONPATH={pico.ROOT}", sys.executable, "-m", "tools", "deploy", str(app)]
    command = network.command(*tool, "--host", BOARD, "--key", str(key), *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=230)


def test_a_first_update_asks_before_it_replaces_what_was_not_deployed(network: Network, tmp_path: Path) -> None:
    done = _deploy(network, tmp_path, _MAIN.format(version="second"))
    assert "main.py was not deployed: force replaces it" in done.stderr
    done = _deploy(network, tmp_path, _MAIN.format(version="second"), "--force")
    assert (done.returncode, "confirmed" in done.stdout) == (0, True), done.stderr
    assert _page(network) == "second"


def test_an_update_that_works_is_confirmed(network: Network, tmp_path: Path) -> None:
    done = _deploy(network, tmp_path, _MAIN.format(version="third"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["committed"]
    assert _page(network) == "third"


@pytest.mark.parametrize("main", [_CRASH, _HANG], ids=["crashes", "hangs"])
def test_an_update_that_does_not_start_is_taken_back(network: Network, tmp_path: Path, main: str) -> None:
    before = _page(network)
    done = _deploy(network, tmp_path, main)
    assert "not confirmed in three starts: the application before is back" in done.stderr, done.stdout + done.stderr
    assert _page(network) == before
