"""An application as a user deploys it: copied by stock mpremote, started by a reset, fetched from over the board's network."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from network import Network, client_command, linked
from ppp import BOARD
from utemplate.source import Loader

_URL = f"http://{BOARD}"
_NOTES = "".join(f"note {n}\n" for n in range(500))
_CERTIFICATE = [
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
    *("-subj", "/CN=board", "-addext", f"subjectAltName=IP:{BOARD}", "-keyout", "key.pem", "-out", "cert.pem"),
]
_AS_DER = [
    ["openssl", "x509", "-in", "cert.pem", "-outform", "DER", "-out", "site/cert.der"],
    ["openssl", "ec", "-in", "key.pem", "-outform", "DER", "-out", "site/key.der"],
]
# Bytes: what conservative collection may keep of one connection that has ended, and less than two hold.
_HEAP_SLACK = 2048


def _prepare(folder: Path) -> Path:
    """Put together what is copied: the program, its template as bytecode, a page twice, certificate and key."""
    site = folder / "site"
    shutil.copytree(pico.HERE / "site", site)
    python = folder / "page_html.py"
    python.write_text(Loader(None, str(site / "templates"), autoescape=True).compile("page.html"))
    pico.cross_compiled(python, site / "templates/page_html.mpy")
    (site / "templates/page.html").unlink()
    (site / "static").mkdir()
    (site / "static/notes.txt").write_text(_NOTES)
    (site / "static/notes.txt.gz").write_bytes(gzip.compress(_NOTES.encode()))
    for command in (_CERTIFICATE, *_AS_DER):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _prepare(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def network(board: pico.Board, folder: Path) -> Iterator[Network]:
    """Deploy the application, and start it as switching the board on does."""
    with linked(board) as network:
        board.mpremote("cp", "-r", f"{folder}/site/.", ":")
        board.mpremote("reset")
        network.wait_until_served()
        yield network


def _heap(network: Network) -> dict[str, int]:
    """Tell what is in use when the traces of earlier requests are gone from the stack."""
    readings = [json.loads(network.curl(f"{_URL}/", f"{_URL}/heap").partition("\n")[2]) for _ in range(3)]
    return min(readings, key=lambda reading: reading["used"])


def test_it_was_started_by_the_reset(network: Network) -> None:
    assert network.curl(f"{_URL}/") == "hello\n"


def test_a_connection_is_kept(network: Network) -> None:
    assert network.curl("--write-out", "%{num_connects}", *[f"{_URL}/"] * 3) == "hello\n1hello\n0hello\n0"


def test_a_template_that_is_bytecode(network: Network) -> None:
    said = network.curl(f"{_URL}/page?name=Ann&name=%3CBob%3E")
    assert said == "<title>2 guests</title>\n<p>Hello, Ann</p>\n<p>Hello, &lt;Bob&gt;</p>\n"


def test_a_websocket_echoes(network: Network) -> None:
    assert json.loads(network.client("echo.py", f"ws://{BOARD}/echo")) == {"same": 8, "code": 1000}


def test_events_arrive(network: Network) -> None:
    said = network.curl("--no-buffer", f"{_URL}/events?count=20")
    assert said == "".join(f'id: {n}\ndata: {{"number": {n}}}\n\n' for n in range(20))


def test_a_file_is_uploaded_into_flash(network: Network, tmp_path: Path) -> None:
    content = bytes(n * n % 251 for n in range(20_000))
    (tmp_path / "picture.jpg").write_bytes(content)
    said = network.curl("--form", f"file=@{tmp_path}/picture.jpg", f"{_URL}/upload")
    assert json.loads(said) == {"name": "picture.jpg", "size": len(content)}
    network.curl("--output", str(tmp_path / "again.jpg"), f"{_URL}/uploaded")
    assert (tmp_path / "again.jpg").read_bytes() == content


def test_an_upload_that_is_too_long_is_refused(network: Network, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(70_000))
    arguments = ["--output", "/dev/null", "--write-out", "%{http_code}", "--form", f"file=@{tmp_path}/big"]
    with pytest.raises(AssertionError, match="413"):
        network.curl(*arguments, f"{_URL}/upload")
    assert network.curl(f"{_URL}/") == "hello\n"


@pytest.mark.parametrize(("asked", "fewer"), [([], False), (["--compressed"], True)])
def test_a_static_file_and_its_compressed_twin(network: Network, asked: list[str], fewer: bool) -> None:
    said = network.curl(*asked, "--write-out", "\n%{size_download}", f"{_URL}/static/notes.txt")
    text, _, size = said.rpartition("\n")
    assert text == _NOTES
    assert (int(size) < len(_NOTES)) == fewer


def test_https(network: Network, folder: Path) -> None:
    said = network.curl("--cacert", str(folder / "cert.pem"), "--write-out", "%{num_connects}", *[f"https://{BOARD}/"] * 2)
    assert said == "https\n1https\n0"


def test_a_client_that_does_not_trust_the_certificate_does_no_harm(network: Network) -> None:
    with pytest.raises(AssertionError, match="SSL certificate"):
        network.curl(f"https://{BOARD}/")
    assert network.curl("--insecure", f"https://{BOARD}/") == "https\n"


def test_with_all_connections_idle_the_oldest_makes_room(network: Network) -> None:
    assert json.loads(network.client("crowd.py", BOARD, "5", "idle")) == ["ended", "ended", "served", "served", "served"]


def test_with_all_connections_busy_a_client_is_refused(network: Network) -> None:
    assert json.loads(network.client("crowd.py", BOARD, "5", "busy")) == ["served", "served", "served", "refused", "refused"]
    assert network.curl("--retry", "5", f"{_URL}/") == "hello\n"


def test_a_hundred_requests_leave_the_heap_as_it_was(network: Network) -> None:
    network.curl(f"{_URL}/", f"{_URL}/page?name=Ann", f"{_URL}/static/notes.txt")
    before = _heap(network)
    network.curl(*[f"{_URL}/"] * 80)
    for _ in range(5):
        network.curl(*[f"{_URL}/page?name=Ann", f"{_URL}/", f"{_URL}/static/notes.txt", f"{_URL}/"])
    after = _heap(network)
    assert after["used"] <= before["used"] + _HEAP_SLACK
    assert after["connections"] == before["connections"] == 1


# The seconds, by the board's clock, are longer than all that is waited for there.
@pytest.mark.parametrize(("kinds", "seconds"), [(("head", "body", "download"), 10), (("websocket", "events", "idle"), 25)])
def test_clients_that_vanish_leave_the_heap_as_it_was(
    network: Network, board: pico.Board, kinds: tuple[str, ...], seconds: int
) -> None:
    """The link is cut under a client that holds connections; nothing tells the board that it has gone."""
    _vanish(network, board, kinds, seconds)  # also loads what such connections and their ends need
    before = _heap(network)
    _vanish(network, board, kinds, seconds)
    after = _heap(network)
    assert after["connections"] == before["connections"] == 1
    assert after["used"] <= before["used"] + _HEAP_SLACK


def _vanish(network: Network, board: pico.Board, kinds: tuple[str, ...], seconds: int) -> None:
    client = subprocess.Popen(network.command(*client_command("hold.py"), BOARD, *kinds), stdout=subprocess.PIPE, text=True)
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == "holding\n"
        network.say("cut")
        client.kill()
    begun = board.state().seconds
    board.wait(lambda state: state.seconds > begun + seconds)
    network.say("mend")
