"""examples/settings on the emulated Pico: it fits, lets its owner in, and takes an update from a page, over http and https."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from console import Console
from network import Network, linked
from ppp import BOARD

_SETTINGS = {"ppp": {"uart": 0, "tx": 0, "rx": 1, "baudrate": 115200}}
_JSON = ("--header", "Content-Type: application/json")
_WAIT = ("--retry", "60", "--retry-delay", "1", "--retry-all-errors")
# What an update brings: it is told from the example by its page.
_NEWER = b"""
from microdot import Microdot
app = Microdot()
@app.get("/")
async def index(request):
    return "newer"
app.run(port=80)
"""


def _certificate(folder: Path) -> list[Path]:
    names = ["-subj", "/CN=pico", "-addext", f"subjectAltName=IP:{BOARD}"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    pem, key = folder / "cert.pem", folder / "key.pem"
    for command in (
        [*new, *names, "-keyout", str(key), "-out", str(pem)],
        ["openssl", "x509", "-in", str(pem), "-outform", "DER", "-out", str(folder / "cert.der")],
        ["openssl", "ec", "-in", str(key), "-outform", "DER", "-out", str(folder / "key.der")],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return [folder / "cert.der", folder / "key.der"]


@pytest.fixture(params=["http", "https"])
def page(request: pytest.FixtureRequest, image: Path, tmp_path: Path) -> Iterator[tuple[Network, str]]:
    """Serve the example on a new board; give its network and its URL."""
    files = [path for path in (pico.ROOT / "examples/settings").iterdir() if path.suffix == ".py" or path.name == "static"]
    if request.param == "https":
        files += _certificate(tmp_path)
    with pico.started(image) as board, linked(board) as network:
        board.mpremote("cp", "--recursive", *map(str, sorted(files)), ":")
        board.mpremote("exec", f"with open('/config.json', 'w') as file: file.write({json.dumps(_SETTINGS)!r})")
        with Console(board) as console:
            console.attach()
            console.type("\x04")
            network.wait_until_up()
            yield network, f"{request.param}://{BOARD}"


def _bundle(path: Path) -> Path:
    # It takes the place of files that no deploy brought.
    lines = [f"newer {'b' * 64} 0 force", f"+ {hashlib.sha256(_NEWER).hexdigest()} {len(_NEWER)} /main.py", ""]
    rest = "\n".join(lines).encode()
    path.write_bytes(b"mdot-bundle 1 %06d\n" % (21 + len(rest)) + rest + _NEWER)
    return path


def test_it_fits_and_takes_an_update(page: tuple[Network, str], tmp_path: Path) -> None:
    network, url = page
    jar = ("--insecure", "--cookie", str(tmp_path / "jar"), "--cookie-jar", str(tmp_path / "jar"))
    assert "<h1" in network.curl(*_WAIT, *jar, url, seconds=150)
    network.curl(*jar, *_JSON, "--data", '{"password": "correct horse"}', f"{url}/login")
    network.curl(*jar, *_JSON, "--request", "PUT", "--data", '{"hostname": "shed"}', f"{url}/settings")
    status = json.loads(network.curl(*jar, f"{url}/status"))
    assert status["settings"]["hostname"] == "shed"
    assert status["device"]["heap"] > 80_000
    upload = ("--data-binary", f"@{_bundle(tmp_path / 'newer.bundle')}", f"{url}/update")
    assert json.loads(network.curl(*jar, *upload)) == {"build": "b" * 64}
    network.wait_until_up()
    assert network.curl(*_WAIT, f"http://{BOARD}/", seconds=150) == "newer"
