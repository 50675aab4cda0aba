"""The network from /config.json on the emulated board: PPP comes up by itself, and again, ahead of the application."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from console import Console
from network import Network, linked
from ppp import BOARD

_URL = f"http://{BOARD}/"
_PPP = {"ppp": {"uart": 0, "tx": 0, "rx": 1, "baudrate": 115200}}
_MAIN = """
from microdot import Microdot

app = Microdot()

@app.get("/")
async def hello(request):
    return "hello from " + request.headers["Host"]

print("application starts")
app.run(port=80)
"""
_WATCHED = """
import asyncio
from onboard import network

async def application():
    ppp = network._links[0].nic
    while ppp.status() >= 0:
        print("waiting")
        await asyncio.sleep(1)
    print("given up")
    await asyncio.sleep(1000)

asyncio.run(application())
"""
_WRITE = """
for path, text in {files!r}.items():
    with open(path, 'w') as file: file.write(text)
"""


def _write(board: pico.Board, settings: object, main: str = _MAIN) -> None:
    files = {"/config.json": settings if isinstance(settings, str) else json.dumps(settings), "/main.py": main}
    board.mpremote("exec", _WRITE.format(files=files))


def _fetched(network: Network) -> str:
    """Give the application's page; the link may be up before the application listens."""
    return network.curl("--retry", "30", "--retry-delay", "1", "--retry-connrefused", _URL, seconds=100)


def _restart(console: Console) -> None:
    console.type("\r")
    console.until(">>> ")
    console.type("\x04")
    console.until("MPY: soft reboot\n")


def _let_run(board: pico.Board, seconds: float) -> None:
    """Wait for time to pass by the board's clock."""
    end = board.state().seconds + seconds
    board.wait(lambda state: state.seconds >= end)


@pytest.fixture
def fresh(image: Path) -> Iterator[pico.Board]:
    """Give a board of the test's own."""
    with pico.started(image) as board:
        yield board


def test_a_board_brings_its_network_up_and_serves(fresh: pico.Board) -> None:
    _write(fresh, _PPP)
    with Console(fresh) as console, linked(fresh) as network:
        said = console.restart("application starts\n")
        assert said == f"network: connected to PPP as {BOARD}\napplication starts\n"
        network.wait_until_up()
        assert _fetched(network) == f"hello from {BOARD}"


def test_a_power_cycle_is_all_it_takes(image: Path, tmp_path: Path) -> None:
    with pico.started(image, tmp_path / "flash") as board:
        _write(board, _PPP)
    with pico.started(None, tmp_path / "flash") as board, linked(board) as network:
        network.wait_until_up()
        assert _fetched(network) == f"hello from {BOARD}"


def test_the_application_starts_without_a_network_and_gets_it_later(fresh: pico.Board) -> None:
    _write(fresh, {**_PPP, "network": {"wait": 1}})
    with Console(fresh) as console:
        said = console.restart("application starts\n")
        assert said == "network: not connected yet: going on without\napplication starts\n"
        with linked(fresh) as network:
            network.wait_until_up()
            assert _fetched(network) == f"hello from {BOARD}"
        console.until(f"network: connected to PPP as {BOARD}\n")


def test_it_dials_again_when_the_other_end_has_been_away_for_long(fresh: pico.Board) -> None:
    """lwIP gives up after ten requests, six seconds apart."""
    _write(fresh, {**_PPP, "network": {"wait": 0}}, _WATCHED)
    with Console(fresh) as console:
        console.restart("given up\n")
        with linked(fresh) as network:
            network.wait_until_up()
            console.until(f"network: connected to PPP as {BOARD}\n")


def test_an_application_that_needs_the_network_is_started_with_it(fresh: pico.Board) -> None:
    _write(fresh, {**_PPP, "network": {"wait": 1, "required": True}})
    with Console(fresh) as console:
        _restart(console)
        _let_run(fresh, 4)
        with linked(fresh) as network:
            network.wait_until_up()
            assert console.until("application starts\n").startswith(f"network: connected to PPP as {BOARD}\n")


def test_who_waits_for_the_network_can_be_interrupted(fresh: pico.Board) -> None:
    _write(fresh, {**_PPP, "network": {"required": True}})
    with Console(fresh) as console:
        _restart(console)
        _let_run(fresh, 2)
        assert "KeyboardInterrupt" in console.interrupt()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"ppp": {"uart": 7}}, "network: ppp: UART(7) doesn't exist: ignored"),
        ({"ppp": {"tx": "nowhere"}}, "network: ppp: unknown named pin"),
        ({"ppp": {"tx": 1, "rx": 1}}, "network: ppp: "),
        ({"ppp": {"baudrate": "fast"}}, "network: ppp: "),
        ({"networks": [{"ssid": "a"}]}, "network: networks, portal: this board has no radio: ignored"),
        ({"portal": {}}, "network: networks, portal: this board has no radio: ignored"),
        ({"hostname": "x" * 40}, "network: hostname: "),
        ({"country": "Germany"}, "network: country: "),
        ({"network": 5}, "onboard: config.json: network: not of the right form: ignored"),
        ('{"ppp": ', "onboard: config.json: not a JSON object: ignored"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_do_not_do_end_in_a_line(board: pico.Board, settings: object, line: str) -> None:
    _write(board, settings, "print('application starts')\n")
    with Console(board) as console:
        said = console.restart().splitlines()
    assert said[0].startswith(line)
    assert said[1:] == ["application starts"]


def test_it_costs_little_where_there_are_settings(board: pico.Board) -> None:
    """Beside the buffers of the UART: a module, and a task of asyncio's, which most applications need anyway."""
    room = "import asyncio, gc\ngc.collect()\nprint('free', gc.mem_free())\n"
    free = []
    for settings in (None, {**_PPP, "network": {"wait": 0}}):
        _write(board, settings or {}, room)
        if settings is None:
            board.mpremote("rm", ":config.json")
        with Console(board) as console:
            free.append(int(console.restart().split("free ")[1].split()[0]))
    cost = free[0] - free[1] - 2 * 4096
    print(f"the network costs {cost} bytes")
    assert cost <= 4000


_ADDRESS_OF = """
import sys
import dns.message, dns.query
query = dns.message.make_query(sys.argv[2], sys.argv[3])
print(sorted(str(record) for answer in dns.query.udp(query, sys.argv[1], timeout=60).answer for record in answer))
"""


def test_the_portal_asks_for_a_network(fresh: pico.Board) -> None:
    """Portal, name server and sockets are the board's; the radio is a fake, so the link is PPP."""
    fresh.mpremote("cp", "../portable/fake_radio.py", ":fake_radio.py")
    _write(fresh, {**_PPP, "portal": {"minutes": 60}}, (pico.HERE / "programs/portal.py").read_text())
    with Console(fresh) as console, linked(fresh) as network:
        console.restart(f"then open {_URL}\n")
        network.wait_until_up()
        curl = ("--retry", "30", "--retry-delay", "1", "--retry-connrefused", "--location")
        assert "Connect this device" in network.curl(*curl, f"{_URL}generate_204", seconds=100)
        for kind, found in (("A", f"['{BOARD}']"), ("AAAA", "[]")):
            assert network.run(sys.executable, "-c", _ADDRESS_OF, BOARD, "captive.apple.com", kind).strip() == found
        page = network.curl(_URL)
        token = page.split('name="token" value="')[1].split('"')[0]
        form = ["--data-urlencode", f"token={token}", "--data-urlencode", "ssid=home", "--location", f"{_URL}join"]
        assert "wrong password" in network.curl("--data-urlencode", "password=wrong password", *form)
        assert "Connected to home" in network.curl("--data-urlencode", "password=pa55 & w0rd", *form)
        said = console.until("kept ") + console.until("\n")
        assert "network: connected to home as 192.168.1.7\nnetwork: portal: closed\nconnected True\n" in said
        print(said)
        assert _fetched(network) == "the application"
    stored = json.loads(fresh.mpremote("cat", ":config.json"))
    assert stored["networks"] == [{"ssid": "home", "password": "pa55 & w0rd"}]
