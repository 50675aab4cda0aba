"""One file of firmware and application: what is in it, byte by byte, and what other readers of littlefs find there.

That a board serves from it is in tests/board/test_first_start.py.
"""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import littlefs
import pytest
from helpers import ROOT, WALKED, one_line, run_tools

from tools import board_state
from tools import littlefs as ours
from tools.binary_info import block_devices
from tools.files import digest
from tools.uf2 import FAMILIES, Block, decoded, encoded

_BASE, _SECTOR = 0x1000_0000, 4096
_BOARDS = {"RPI_PICO": ("rp2040", 1 << 20), "RPI_PICO2": ("rp2350-arm-s", 3 << 20)}
_READ = """
import json, sys, vfs

class Flash:
    def __init__(self, data):
        self.data = data
    def readblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        buffer[:] = self.data[at : at + len(buffer)]
    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self.ioctl(6, block)
        at = block * 4096 + (offset or 0)
        self.data[at : at + len(buffer)] = buffer
    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.data) // 4096
        if operation == 5:
            return 4096
        if operation == 6:
            self.data[argument * 4096 : argument * 4096 + 4096] = b"\\xff" * 4096
            return 0

flash = Flash(bytearray(open(sys.argv[1], "rb").read()))
vfs.mount(vfs.VfsLfs2(flash, progsize=int(sys.argv[2])), "/x")
found = list(walked("/x"))
for n in range(20):
    with open("/x/written%d" % n, "wb") as file:
        file.write(bytes(5000))
vfs.umount("/x")
vfs.mount(vfs.VfsLfs2(flash, progsize=int(sys.argv[2])), "/x")
again = [item for item in walked("/x") if not item[0].startswith("/written")]
print(json.dumps(found), json.dumps(sorted(again) == sorted(found)), len(list(walked("/x"))) - len(again), sep="\\n")
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lay out an application; take its builds away afterwards."""
    folder = tmp_path_factory.mktemp("image") / "image-sample"
    (folder / "data").mkdir(parents=True)
    (folder / "main.py").write_text("import greeting\n")
    (folder / "greeting.py").write_text("TEXT = 'hello'\n")
    (folder / "data/empty").touch()
    (folder / "data/large.bin").write_bytes(random.Random(1).randbytes(50_000))
    yield folder
    shutil.rmtree(ROOT / "build/image-sample", ignore_errors=True)


def _image(application: Path, board: str, *more: str) -> Path:
    done = run_tools("image", str(application), "--board", board, *more)
    assert done.returncode == 0, done.stderr
    made = ROOT / "build/image-sample" / board / "image-sample.uf2"
    assert done.stdout == f"{made.relative_to(ROOT)} is ready, {made.stat().st_size} bytes\n"
    return made


def _blocks(file: Path) -> list[Block]:
    """Give a file's blocks without the one that is ahead of the others for RP2350-E10."""
    return [block for block in decoded(file.read_bytes()) if block.family != 0xE48BFF57]


def _volume(blocks: list[Block], background: bytes) -> bytes:
    """Take the filesystem out of an image; `background` is what the flash had there before."""
    address = 0x1010_0000
    content = bytearray(background)
    for block in blocks:
        if block.address >= address:
            content[block.address - address : block.address - address + len(block.payload)] = block.payload
    return bytes(content)


def _expected(board: str) -> dict[str, bytes]:
    """Read what the build says that it holds, with the record that a deploy would have left."""
    folder = ROOT / "build/image-sample" / board
    record = json.loads((folder / "manifest.json").read_text())
    files = {file["path"]: (folder / "files" / file["path"][1:]).read_bytes() for file in record["files"]}
    assert {"/main.py", "/_main.mpy", "/greeting.mpy", "/data/empty", "/data/large.bin"} <= set(files)
    lines = [
        f"{file['sha256']} {file['size']} {file['path']}" for file in sorted(record["files"], key=lambda file: file["path"])
    ]
    files["/.mdot/owned"] = "".join(line + "\n" for line in [f"# image-sample {record['build']}", *lines]).encode()
    return files


def _read_by_micropython(firmware: Path, volume: bytes, folder: Path, program_size: int = 256) -> dict[str, bytes]:
    """Let MicroPython mount a filesystem, read it, write to it and read it again; give what it found at first."""
    (folder / "volume").write_bytes(volume)
    (folder / "read.py").write_text(WALKED + _READ)
    command = [str(firmware), "-X", "heapsize=64m", "read.py", "volume", str(program_size)]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found, unchanged, written = map(json.loads, done.stdout.splitlines())
    assert (unchanged, written) == (True, 20)
    return {path: bytes.fromhex(content) for path, content in found}


def _read_by_littlefs(volume: bytes) -> dict[str, bytes]:
    context = littlefs.UserContext(buffer=bytearray(volume))
    mounted = littlefs.LittleFS(context, block_size=_SECTOR, block_count=len(volume) // _SECTOR, read_size=32, prog_size=256)
    paths = [f"{folder.rstrip('/')}/{name}" for folder, _, names in mounted.walk("/") for name in names]
    return {path: mounted.open(path, "rb").read() for path in paths}


@pytest.mark.parametrize("board", _BOARDS)
def test_the_file_is_one_row_of_whole_sectors_for_the_processor(application: Path, board: str) -> None:
    blocks = _blocks(_image(application, board))
    assert [(block.number, block.of) for block in blocks] == [(n, len(blocks)) for n in range(len(blocks))]
    assert {block.family for block in blocks} == {FAMILIES[_BOARDS[board][0]]}
    addresses = [block.address for block in blocks]
    assert addresses == sorted(set(addresses))
    sectors = {address & -_SECTOR for address in addresses}
    assert len(addresses) == len(sectors) * _SECTOR // 256


@pytest.mark.parametrize("board", _BOARDS)
def test_the_firmware_is_in_it_and_the_filesystem_where_that_says(application: Path, board: str) -> None:
    blocks = _blocks(_image(application, board))
    firmware = (ROOT / "build" / board / "firmware.bin").read_bytes()
    (device,) = (device for device in block_devices(firmware, _BASE) if device.name == "MicroPython")
    assert (device.address, device.size) == (0x1010_0000, _BOARDS[board][1])
    program = b"".join(block.payload for block in blocks if block.address < device.address)
    assert program[: len(firmware)] == firmware
    assert blocks[-1].address < device.address + device.size


@pytest.mark.parametrize("board", _BOARDS)
def test_both_readers_of_littlefs_find_what_was_built(application: Path, firmware: Path, tmp_path: Path, board: str) -> None:
    volume = _volume(_blocks(_image(application, board)), b"\xff" * _BOARDS[board][1])
    assert _read_by_littlefs(volume) == _expected(board)
    assert _read_by_micropython(firmware, volume, tmp_path) == _expected(board)


def _worn(size: int) -> bytes:
    """Make a filesystem that has been written to many times, so that its blocks count as newer than any fresh one's."""
    context = littlefs.UserContext(size)
    old = littlefs.LittleFS(
        context, block_size=_SECTOR, block_count=size // _SECTOR, read_size=32, prog_size=256, block_cycles=20
    )
    for n in range(600):
        name = f"/.mdot/{n % 3}" if n % 2 else f"/data/{n % 5}"
        old.makedirs(name.rpartition("/")[0], exist_ok=True)
        with old.open(name, "wb") as file:
            file.write(bytes(n * 7 % 9000))
    return bytes(context.buffer)


@pytest.mark.parametrize(
    "background", [random.Random(2).randbytes(1 << 20), b"\0" * (1 << 20), _worn(1 << 20)], ids=["noise", "zeros", "worn"]
)
def test_what_was_on_the_flash_does_not_matter(application: Path, firmware: Path, tmp_path: Path, background: bytes) -> None:
    volume = _volume(_blocks(_image(application, "RPI_PICO")), background)
    assert _read_by_littlefs(volume) == _expected("RPI_PICO")
    assert _read_by_micropython(firmware, volume, tmp_path) == _expected("RPI_PICO")


def test_two_builds_are_the_same(application: Path) -> None:
    first = digest(_image(application, "RPI_PICO"))
    shutil.rmtree(ROOT / "build/image-sample")
    assert digest(_image(application, "RPI_PICO")) == first


def test_an_image_of_an_older_build_does_not_stay(application: Path) -> None:
    made = _image(application, "RPI_PICO")
    greeting = application / "greeting.py"
    text = greeting.read_text()
    greeting.write_text(text + "MORE = 1\n")
    run_tools("build", str(application), "--board", "RPI_PICO")
    greeting.write_text(text)
    assert not made.exists()


def test_settings_are_put_in_and_kept_from_others(application: Path, tmp_path: Path) -> None:
    settings = b'{"hostname": "pico", "networks": [{"ssid": "home", "password": "secret"}]}'
    (tmp_path / "config.json").write_bytes(settings)
    done = run_tools("image", str(application), "--config", str(tmp_path / "config.json"))
    made = ROOT / "build/image-sample/RPI_PICO/image-sample.uf2"
    assert "has the passwords" in done.stderr or "holds the passwords" in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert made.stat().st_mode & 0o077 == 0
    volume = _volume(_blocks(made), b"\xff" * (1 << 20))
    assert _read_by_littlefs(volume) == {**_expected("RPI_PICO"), "/config.json": settings}


def _other_processor(folder: Path) -> list[str]:
    (folder / "other.uf2").write_bytes(encoded(bytes(5000), _BASE, "rp2350-arm-s"))
    return ["--firmware", str(folder / "other.uf2")]


def _damaged(folder: Path) -> list[str]:
    (folder / "damaged.uf2").write_bytes(encoded(bytes(5000), _BASE, "rp2040")[:-1])
    return ["--firmware", str(folder / "damaged.uf2")]


def _elsewhere(folder: Path) -> list[str]:
    (folder / "elsewhere.uf2").write_bytes(encoded(bytes(5000), 0x2000_0000, "rp2040"))
    return ["--firmware", str(folder / "elsewhere.uf2")]


def _no_filesystem(folder: Path) -> list[str]:
    (folder / "blink.bin").write_bytes(bytes(5000))
    return ["--firmware", str(folder / "blink.bin")]


def _damaged_record(folder: Path) -> list[str]:
    program = bytearray((ROOT / "build/RPI_PICO/firmware.bin").read_bytes())
    (device,) = (device for device in block_devices(bytes(program), _BASE) if device.name == "MicroPython")
    at = program.index(struct.pack("<II", device.address, device.size))
    program[at + 4 : at + 8] = b"\xff" * 4
    (folder / "record.bin").write_bytes(program)
    return ["--firmware", str(folder / "record.bin")]


def _too_long(folder: Path) -> list[str]:
    program = (ROOT / "build/RPI_PICO/firmware.bin").read_bytes()
    (folder / "long.bin").write_bytes(program.ljust((1 << 20) + 1, b"\xff"))
    return ["--firmware", str(folder / "long.bin")]


def _config(content: bytes) -> object:
    def made(folder: Path) -> list[str]:
        (folder / "config.json").write_bytes(content)
        return ["--config", str(folder / "config.json")]

    return made


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (_other_processor, "it is for rp2350-arm-s, and RPI_PICO is rp2040: give one for the board"),
        (_damaged, "a UF2 file is a row of blocks of 512 bytes"),
        (_elsewhere, "its blocks overlap, or do not begin with the flash"),
        (_no_filesystem, "it tells of no filesystem: give MicroPython's firmware.uf2 for the board"),
        (_damaged_record, "it tells of no filesystem"),
        (_too_long, "it reaches into its own filesystem: give one that fits the board"),
        (lambda folder: ["--firmware", str(folder / "none")], "no such file or directory"),
        (_config(b"[]"), "no JSON object"),
        (_config(b"{"), "no JSON object"),
        (_config(b"\xff\xfe"), "no JSON object"),
        (_config(b"\xef\xbb\xbf{}"), "no JSON object"),
        (_config("{}".encode("utf-16")), "no JSON object"),
        (_config(b'{"network": {"wait": NaN}}'), "no JSON object"),
        (_config(b" " * 4097), "larger than 4096 bytes"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(application: Path, tmp_path: Path, arguments: object, complaint: str) -> None:
    assert complaint in one_line(run_tools("image", str(application), *arguments(tmp_path)))


def test_files_that_do_not_fit_are_refused(application: Path, tmp_path: Path) -> None:
    folder = tmp_path / "image-sample-large"
    shutil.copytree(application, folder)
    (folder / "data/huge.bin").write_bytes(random.Random(3).randbytes(1 << 20))
    complaint = one_line(run_tools("image", str(folder)))
    assert "the files need more than the 1024 KiB of the board's filesystem: leave some out" in complaint
    shutil.rmtree(ROOT / "build/image-sample-large")


@pytest.mark.parametrize("program_size", [32, 256])
@pytest.mark.parametrize("count", [1, 30, 200])
def test_filesystems_of_all_shapes_are_read_back(firmware: Path, tmp_path: Path, count: int, program_size: int) -> None:
    random_ = random.Random(count)
    files = {
        f"/d{n % 4}/e{n % 7}/f{n}": random_.randbytes(random_.choice((0, 1, 100, 128, 129, 1000, 5000))) for n in range(count)
    }
    made = ours.image(files, 2 << 20, program_size)
    assert made == ours.image(dict(reversed(files.items())), 2 << 20, program_size)
    volume = bytearray(random_.randbytes(2 << 20))
    for at, block in made.blocks().items():
        volume[at : at + _SECTOR] = block
    assert _read_by_micropython(firmware, bytes(volume), tmp_path, program_size) == files


def test_the_record_is_the_one_that_a_deploy_writes(application: Path) -> None:
    _image(application, "RPI_PICO")
    record = json.loads((ROOT / "build/image-sample/RPI_PICO/manifest.json").read_text())
    files = [(file["path"], file["size"], file["sha256"]) for file in record["files"]]
    assert board_state.recorded("image-sample", record["build"], files) == _expected("RPI_PICO")["/.mdot/owned"]
