"""Applications in ROMFS on the emulated board: written by the tool and by stock mpremote, served, interrupted, and measured."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from network import LINK, Network, linked
from ppp import BOARD

from tools import binary_info, build, littlefs, romfs_format

_FLASH_AT = 0x1000_0000
_MAIN = """
import pages
from microdot import Microdot

app = Microdot()

@app.get("/")
async def index(request):
    with open("large.txt") as file:
        return pages.index(__file__, file.readline())

if __name__ == "__main__":
    app.run(port=80)
"""
_PAGES = "import os\ndef index(name, line):\n    return 'from ' + os.getcwd() + ' ' + name + ' ' + line\n"
_LARGE = "".join(f"line {n}\n" for n in range(4000))


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Path]:
    """Lay out an application; take its build away afterwards."""
    folder = tmp_path / "in-rom"
    folder.mkdir()
    (folder / "main.py").write_text(_MAIN)
    (folder / "pages.py").write_text(_PAGES)
    (folder / "large.txt").write_text(_LARGE)
    yield folder
    shutil.rmtree(pico.ROOT / "build/in-rom", ignore_errors=True)


def _romfs(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools", "romfs", *arguments]
    return subprocess.run(command, cwd=pico.ROOT, capture_output=True, text=True, timeout=240)


def _deploy(application: Path, board: pico.Board, *more: str) -> str:
    done = _romfs("deploy", str(application), "--port", f"socket://127.0.0.1:{board.usb}", *more)
    assert done.returncode == 0, done.stderr
    return done.stderr


def _listed(board: pico.Board) -> str:
    return board.mpremote("exec", "import os; print(os.listdir('/'), os.listdir('/rom') if 'rom' in os.listdir('/') else None)")


def _page(network: Network) -> str:
    network.wait_until_up()
    return network.curl("--retry", "20", "--retry-connrefused", "--retry-delay", "1", f"http://{BOARD}/")


def test_an_application_is_served_from_rom(application: Path, image: Path) -> None:
    (application / "main.py").write_text(LINK + _MAIN)
    with pico.started(image) as board, linked(board) as network:
        assert "sending 10 of 10 blocks" in _deploy(application, board)
        assert _page(network) == "from /rom _main.mpy line 0\n"
        # Contents lie in the order of their paths, so that what is before a change stays as it was.
        (application / "pages.py").write_text(_PAGES.replace("from ", "later from "))
        assert "sending 2 of 10 blocks" in _deploy(application, board)
        assert _page(network) == "later from /rom _main.mpy line 0\n"


def test_stock_mpremote_takes_the_image(application: Path, board: pico.Board) -> None:
    done = _romfs("build", str(application))
    assert done.returncode == 0, done.stderr
    board.mpremote("romfs", "deploy", str(pico.ROOT / "build/in-rom/RPI_PICO/in-rom.romfs"))
    assert "['_main.mpy', 'large.txt', 'main.py', 'pages.mpy']" in _listed(board)
    program = (
        "import hashlib, binascii; data = memoryview(open('/rom/large.txt', 'rb'))\n"
        "print(binascii.hexlify(hashlib.sha256(data).digest()).decode())"
    )
    assert hashlib.sha256(_LARGE.encode()).hexdigest() in board.mpremote("exec", program)


def test_a_main_of_the_user_s_stays_unless_it_may_go(application: Path, board: pico.Board) -> None:
    board.mpremote("exec", "open('/main.py', 'w').write('print(1)')")
    assert "the board's own /main.py stays" in _deploy(application, board)
    assert board.mpremote("exec", "print(open('/main.py').read())").strip() == "print(1)"
    assert "stays" not in _deploy(application, board, "--replace-main")
    assert "os.chdir('/rom')" in board.mpremote("exec", "print(open('/main.py').read())")
    board.mpremote("rm", ":/main.py")


@pytest.mark.parametrize("cut", [0, 1, 60])
def test_half_an_image_is_never_mounted(application: Path, image: Path, tmp_path: Path, cut: int) -> None:
    flash = tmp_path / "flash"
    with pico.started(image, flash=flash) as board:
        _deploy(application, board)
        (application / "large.txt").write_text(_LARGE.swapcase())
        board.cut_after(cut)
        done = _romfs("deploy", str(application), "--port", f"socket://127.0.0.1:{board.usb}")
        assert done.returncode == 1
        assert len([line for line in done.stderr.splitlines() if line.startswith("mdot: ")]) == 1, done.stderr
    with pico.started(None, flash=flash) as board:
        assert _listed(board).endswith("None\n")
        _deploy(application, board)
        assert "large.txt" in _listed(board)


def test_what_does_not_fit_is_refused_before_anything_is_touched(application: Path, board: pico.Board) -> None:
    _deploy(application, board)
    before = _listed(board)
    (application / "noise.bin").write_bytes(bytes(n * n % 251 for n in range(300_000)))
    done = _romfs("deploy", str(application), "--port", f"socket://127.0.0.1:{board.usb}")
    assert done.returncode == 1
    assert "and the partition 262144: leave something out" in done.stderr
    assert _listed(board) == before
    done = _romfs("deploy", str(application), "--port", f"socket://127.0.0.1:{board.usb}", "--partition", "1")
    assert "the board has no ROMFS partition 1, it has 1" in done.stderr


def test_nothing_is_written_to_another_board_than_the_one_that_is_wanted(application: Path, board: pico.Board) -> None:
    _deploy(application, board)
    before = _listed(board)
    (application / "deploy.toml").write_text('[board]\nid = "0123456789abcdef"\n')
    (application / "more.txt").write_text("more")
    done = _romfs("deploy", str(application), "--port", f"socket://127.0.0.1:{board.usb}")
    assert done.returncode == 1
    assert "0123456789abcdef is wanted" in done.stderr
    assert _listed(board) == before


# What importing keeps of the heap


def _with(image: Path, place: str, content: bytes, flash: Path) -> Path:
    """Make the content of a chip: the firmware, and something in one of its partitions."""
    firmware = image.read_bytes()
    device = next(device for device in binary_info.block_devices(firmware, _FLASH_AT) if device.name == place)
    assert len(content) <= device.size
    flash.write_bytes(firmware.ljust(device.address - _FLASH_AT, b"\xff") + content)
    return flash


@pytest.fixture(scope="module")
def costs(image: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    """Measure an application that brings the framework along, as it has to on a stock board, and one that finds it frozen."""
    folder = tmp_path_factory.mktemp("costs")
    found = {}
    for name in ("brings", "finds"):
        app = folder / name
        app.mkdir()
        shutil.copy(pico.ROOT / "examples/hello/main.py", app)
        if name == "brings":
            shutil.copytree(
                pico.ROOT / "lib/microdot", app / "microdot", ignore=shutil.ignore_patterns("__pycache__", *_HOSTED)
            )
        made = build.built(app, "RPI_PICO")
        files = {file.path: made.local(file).read_bytes() for file in made.files if file.path != "/main.py"}
        size = binary_info.block_devices(image.read_bytes(), _FLASH_AT)
        volume = next(device.size for device in size if device.name == "MicroPython")
        contents = {"MicroPython": littlefs.image(files, volume, 256).data, "ROMFS": romfs_format.image(files)}
        for place, content in contents.items():
            flash = _with(image, place, content, folder / "flash")
            found[f"{name} {place}"] = pico.measured(flash, pico.HERE / "programs/import_cost.py")
            print(name, place, found[f"{name} {place}"])
        shutil.rmtree(made.folder.parent)
    return found


_HOSTED = ("asgi*", "hosted.py", "jinja.py", "mounted_*", "tls_host.py", "wsgi*", "*.pyi", "py.typed")


def test_an_import_from_rom_keeps_less_of_the_heap(costs: dict[str, dict[str, int]]) -> None:
    assert [costs[name]["from_rom"] for name in costs] == [0, 1, 0, 1]
    assert [costs[name]["frozen"] for name in costs] == [0, 0, 1, 1]
    # Bytecode and text stay in the flash; functions, classes and dictionaries are in RAM either way.
    assert costs["brings ROMFS"]["import_bytes"] < 0.75 * costs["brings MicroPython"]["import_bytes"]
    assert costs["finds ROMFS"]["import_bytes"] < costs["finds MicroPython"]["import_bytes"]
