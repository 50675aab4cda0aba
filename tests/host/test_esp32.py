"""ESP32: images with an application in them, and the way to a firmware.

Nothing here is real hardware or ESP-IDF, which is in no package: firmware is made up from the documented formats (esp32.py),
judged by Espressif's own esptool, and idf.py is a stand-in that leaves files where the real one does.  MicroPython's makefile,
its makeimg.py, its manifests and the boards' definitions are the real ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import esp32
import littlefs
import pytest
import trees
from esptool.targets import CHIP_DEFS
from helpers import ROOT, one_line, run_tools
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import esp32_image
from tools.files import digest

_CHIP = {"ESP32_GENERIC": "esp32", "ESP32_GENERIC_S3": "esp32s3", "ESP32_GENERIC_C3": "esp32c3"}


def _esptool(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "esptool", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# What an image says


@pytest.mark.parametrize("chip", esp32_image.CHIPS.values(), ids=lambda chip: chip.name)
def test_chips_are_as_esptool_knows_them(chip: esp32_image.Chip) -> None:
    known = CHIP_DEFS[chip.family]
    numbers = {each: number for number, each in esp32_image.CHIPS.items()}
    assert (chip.name, numbers[chip], chip.offset) == (known.CHIP_NAME, known.IMAGE_CHIP_ID, known.BOOTLOADER_FLASH_OFFSET)


@pytest.mark.parametrize("chip", esp32.CHIPS)
@pytest.mark.parametrize("flash", [2 << 20, 4 << 20, 16 << 20])
def test_the_made_up_firmware_is_one_to_esptool(chip: str, flash: int, tmp_path: Path) -> None:
    (tmp_path / "firmware.bin").write_bytes(esp32.firmware(chip, flash=flash, rows=esp32.NEW))
    said = _esptool("--chip", chip, "image-info", str(tmp_path / "firmware.bin"))
    assert f"{flash >> 20}MB" in said
    assert "(valid)" in said
    parsed = esp32_image.parsed((tmp_path / "firmware.bin").read_bytes())
    assert (parsed.chip.family, parsed.flash_size) == (chip, flash)
    assert [tuple(part) for part in parsed.partitions] == list(esp32.NEW)


@pytest.mark.parametrize(
    ("rows", "flash", "place"),
    [
        (esp32.OLD, 4 << 20, (0x200000, 0x200000)),
        (esp32.OLD, 8 << 20, (0x200000, 0x200000)),
        (esp32.NEW, 4 << 20, (0x200000, 0x200000)),
        (esp32.NEW, 8 << 20, (0x200000, 0x600000)),
        (esp32.OLD[::-1], 4 << 20, (0x200000, 0x200000)),
    ],
)
def test_files_have_their_place(rows: tuple[tuple[str, int, int, int, int], ...], flash: int, place: tuple[int, int]) -> None:
    found = esp32_image.parsed(esp32.firmware(rows=rows)).files(flash)
    assert (found.offset, found.size) == place


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (b"", "does not begin with a boot loader"),
        (b"\xe9", "does not begin with a boot loader"),
        (esp32.program("esp32", b"an application alone"), "its partition table has no application"),
        (esp32.firmware()[: 0x7000 + 40], "its partition table has no application"),
        (esp32.firmware("esp32s3")[:0x8000] + bytes(4000), "has no partition table"),
        (b"\xe9" + bytes(11) + b"\x63\0" + bytes(40_000), "a chip of the unknown number 99"),
        (esp32.firmware(rows=esp32.OLD[:2] + esp32.OLD[3:] + (("f", 0, 0, 0x10000, 0x10000),)), "goes on after the partition"),
        (esp32.firmware().replace(b"factory", b"fictory"), "checksum of its partition table is wrong"),
    ],
)
def test_what_is_no_firmware_is_refused(image: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        esp32_image.parsed(image)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from((esp32.OLD, esp32.NEW)),
    st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), max_size=4),
)
def test_damage_is_told_or_harmless(rows: tuple[tuple[str, int, int, int, int], ...], damage: list[tuple[int, bytes]]) -> None:
    image = bytearray(esp32.firmware("esp32s3", rows, size=1000))
    end = 0x8000 + 32 * len(rows)
    for at, content in damage:
        # In the header, or in the table; its checksum is then made to fit.
        place = at if at < 32 else 0x8000 + at - 32
        image[place : place + len(content)] = content
    image[end + 16 : end + 32] = hashlib.md5(image[0x8000:end]).digest()
    try:
        place_for_files = esp32_image.parsed(bytes(image)).files(4 << 20)
    except ValueError:
        return
    assert place_for_files.end <= 4 << 20
    assert place_for_files.size >= 8192
    assert place_for_files.offset >= 0x10000 or rows is esp32.OLD


# Images of an application


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lay out an application; take its builds away afterwards."""
    folder = tmp_path_factory.mktemp("esp32") / "esp32-sample"
    folder.mkdir()
    (folder / "main.py").write_text("import greeting\n")
    (folder / "greeting.py").write_text("TEXT = 'hello'\n")
    (folder / "large.txt").write_text("".join(f"line {n}\n" for n in range(9000)))
    yield folder
    shutil.rmtree(ROOT / "build/esp32-sample", ignore_errors=True)


def _image(application: Path, board: str, firmware: bytes, folder: Path, *more: str) -> Path:
    (folder / "firmware.bin").write_bytes(firmware)
    done = run_tools("image", str(application), "--board", board, "--firmware", str(folder / "firmware.bin"), *more)
    assert done.returncode == 0, done.stderr
    return ROOT / "build/esp32-sample" / board / "esp32-sample.bin"


def _found(volume: bytes) -> dict[str, bytes]:
    context = littlefs.UserContext(buffer=bytearray(volume))
    mounted = littlefs.LittleFS(context, block_size=4096, block_count=len(volume) // 4096, read_size=32, prog_size=32)
    paths = [f"{folder.rstrip('/')}/{name}" for folder, _, names in mounted.walk("/") for name in names]
    return {path: mounted.open(path, "rb").read() for path in paths}


@pytest.mark.parametrize("board", _CHIP)
@pytest.mark.parametrize(("rows", "flash"), [(esp32.OLD, 4 << 20), (esp32.NEW, 4 << 20), (esp32.NEW, 8 << 20)])
def test_the_files_are_where_micropython_looks(
    application: Path, tmp_path: Path, board: str, rows: tuple[tuple[str, int, int, int, int], ...], flash: int
) -> None:
    chip = _CHIP[board]
    firmware, offset = esp32.firmware(chip, rows), esp32.CHIPS[chip][1]
    merged = _image(application, board, firmware, tmp_path, "--flash-size", f"{flash >> 20}M").read_bytes()
    assert merged[: len(firmware)] == firmware
    start = 0x200000 - offset
    assert set(merged[len(firmware) : start]) == {0xFF}
    found = _found(merged[start:].ljust(flash - 0x200000, b"\xff"))
    assert set(found) == {"/main.py", "/_main.mpy", "/greeting.mpy", "/large.txt", "/.mdot/owned"}
    assert found["/large.txt"] == (application / "large.txt").read_bytes()


@pytest.mark.parametrize("board", _CHIP)
def test_esptool_merges_the_same(application: Path, tmp_path: Path, board: str) -> None:
    chip = _CHIP[board]
    offset = esp32.CHIPS[chip][1]
    merged = _image(application, board, esp32.firmware(chip), tmp_path).read_bytes()
    (tmp_path / "volume.bin").write_bytes(merged[0x200000 - offset :])
    parts = [f"{offset:#x}", str(tmp_path / "firmware.bin"), "0x200000", str(tmp_path / "volume.bin")]
    _esptool("--chip", chip, "merge-bin", "--target-offset", f"{offset:#x}", "--output", str(tmp_path / "theirs.bin"), *parts)
    assert (tmp_path / "theirs.bin").read_bytes() == merged


def test_installers_in_browsers_get_their_description(application: Path, tmp_path: Path) -> None:
    made = _image(application, "ESP32_GENERIC", esp32.firmware(), tmp_path)
    described = json.loads(made.with_name("esp32-sample.manifest.json").read_text())
    (built,) = described["builds"]
    assert (described["name"], built["chipFamily"]) == ("esp32-sample", "ESP32")
    assert built["parts"] == [{"path": "esp32-sample.bin", "offset": 0x1000}]


def test_two_images_are_the_same(application: Path, tmp_path: Path) -> None:
    first = digest(_image(application, "ESP32_GENERIC", esp32.firmware(), tmp_path))
    shutil.rmtree(ROOT / "build/esp32-sample")
    assert digest(_image(application, "ESP32_GENERIC", esp32.firmware(), tmp_path)) == first


@pytest.mark.parametrize(
    ("firmware", "more", "complaint"),
    [
        (esp32.firmware("esp32s3"), (), "it is for ESP32-S3, and ESP32_GENERIC is another chip"),
        (esp32.firmware(), ("--flash-size", "2M"), "its filesystem ends at 0x400000, past the flash of 2 MiB"),
        (esp32.firmware(rows=esp32.NEW), ("--flash-size", "2M"), "its partitions end at 0x200000, which leaves no room"),
        (esp32.program("esp32", b"x"), (), "its partition table has no application"),
        (b"UF2\n" + bytes(508), (), "does not begin with a boot loader"),
    ],
)
def test_a_firmware_that_does_not_fit_is_refused(
    application: Path, tmp_path: Path, firmware: bytes, more: tuple[str, ...], complaint: str
) -> None:
    (tmp_path / "firmware.bin").write_bytes(firmware)
    arguments = ("--board", "ESP32_GENERIC", "--firmware", str(tmp_path / "firmware.bin"), *more)
    assert complaint in one_line(run_tools("image", str(application), *arguments))


# Building a firmware

_IDF_PY = """#!{python}
# Stands in for ESP-IDF's idf.py: notes what it is told, and leaves files where that does.
import os, pathlib, sys
sys.path.insert(0, {tests!r})
import esp32
told, build = sys.argv[1:], pathlib.Path(sys.argv[sys.argv.index("-B") + 1])
chip = {chips!r}[next(word for word in told if word.startswith("MICROPY_BOARD=")).partition("=")[2]]
for name in ("bootloader", "partition_table"):
    (build / name).mkdir(parents=True, exist_ok=True)
offset = esp32.CHIPS[chip][1]
(build / "sdkconfig").write_text(f'CONFIG_IDF_TARGET="{{chip}}"\\nCONFIG_BOOTLOADER_OFFSET_IN_FLASH={{offset:#x}}\\n')
(build / "bootloader/bootloader.bin").write_bytes(esp32.program(chip, b"boot loader"))
(build / "partition_table/partition-table.bin").write_bytes(esp32.table(esp32.OLD))
(build / "micropython.bin").write_bytes(esp32.program(chip, b"MicroPython" * 1000))
names = ("IDF_PATH", "IDF_TOOLS_PATH", "https_proxy", "MICROPY_MPYCROSS", "DEBUG")
(build / "told").write_text(repr((told, os.getcwd(), {{name: os.environ.get(name) for name in names}})))
"""
_GEN_ESP32PART = """
# Stands in for ESP-IDF's gen_esp32part.py, of which MicroPython's makeimg.py reads a table with.
import collections, struct
APP_TYPE = 0
Row = collections.namedtuple("Row", "name type offset size")
class PartitionTable(list):
    @classmethod
    def from_binary(cls, data):
        rows = [struct.unpack("<2sBBII16sI", data[at:at + 32]) for at in range(0, len(data), 32)]
        return cls(Row(r[5].rstrip(b"\\0").decode(), r[1], r[3], r[4]) for r in rows if r[0] == b"\\xaa\\x50")
"""


class Surroundings:
    """A checkout of MicroPython that has its submodules, an ESP-IDF, and a PATH with the compilers."""

    def __init__(self, folder: Path, tree: Path, cross: Path) -> None:
        self.tree, self.idf, self.bin, self.cache = (folder / name for name in ("micropython", "esp-idf", "bin", "cache"))
        self._lay_out_tree(tree)
        trees.seed_cache(self.cache, self.tree, "esp32", cross)
        self.set_version("5.2.2")
        (self.idf / "components/partition_table").mkdir(parents=True)
        (self.idf / "components/partition_table/gen_esp32part.py").write_text(_GEN_ESP32PART)
        self.bin.mkdir()
        here = str(Path(__file__).parent)
        self.program("idf.py", _IDF_PY.format(python=sys.executable, tests=here, chips=_CHIP))
        for name in ("xtensa-esp32-elf-gcc", "xtensa-esp32s3-elf-gcc", "riscv32-esp-elf-gcc"):
            self.program(name, "#!/bin/sh\n")

    def _lay_out_tree(self, tree: Path) -> None:
        # MicroPython's own makefile runs in a copy of the port; the rest is only read.
        self.tree.mkdir()
        for entry in tree.iterdir():
            if entry.name not in ("ports", "lib"):
                (self.tree / entry.name).symlink_to(entry)
        (self.tree / "ports").mkdir()
        shutil.copytree(tree / "ports/esp32", self.tree / "ports/esp32")
        (self.tree / "lib").mkdir()
        for entry in (tree / "lib").iterdir():
            (self.tree / "lib" / entry.name).symlink_to(entry)
        for name in ("berkeley-db-1.xx", "micropython-lib", "tinyusb"):
            (self.tree / "lib" / name).unlink(missing_ok=True)
            (self.tree / "lib" / name).mkdir()
            (self.tree / "lib" / name / "README.md").touch()

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def set_version(self, version: str) -> None:
        folder = self.idf / "tools/cmake"
        folder.mkdir(parents=True, exist_ok=True)
        parts = zip(("MAJOR", "MINOR", "PATCH"), version.split("."))
        (folder / "version.cmake").write_text("".join(f"set(IDF_VERSION_{part} {number})\n" for part, number in parts))

    def variables(self, **more: str | None) -> dict[str, str]:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        given = {"MICROPYTHON": str(self.tree), "IDF_PATH": str(self.idf), "MDOT_CACHE": str(self.cache), "PATH": path}
        return {name: value for name, value in {**given, **more}.items() if value is not None}


@pytest.fixture
def surroundings(tmp_path: Path, firmware: Path, tree: Path) -> Surroundings:
    return Surroundings(tmp_path, tree, firmware.with_name("mpy-cross"))


@pytest.mark.parametrize("board", _CHIP)
def test_the_stock_board_is_built_with_our_manifest(checkout: Path, surroundings: Surroundings, board: str) -> None:
    variables = surroundings.variables(IDF_TOOLS_PATH="/tools", https_proxy="http://proxy:1", DEBUG="1")
    done = run_tools("firmware", "--board", board, root=checkout, env=variables)
    assert done.returncode == 0, done.stderr + (checkout / "build" / board / "build.log").read_text()
    folder = checkout / "build" / board
    told, place, environment = eval((folder / "objects/told").read_text())
    assert place == str(surroundings.tree / "ports/esp32")
    words = [word for word in told if word != "-D"]
    assert words[0] == f"MICROPY_BOARD={board}"
    assert words[1] == f"MICROPY_BOARD_DIR={surroundings.tree}/ports/esp32/boards/{board}"
    assert f"MICROPY_FROZEN_MANIFEST={checkout}/manifest.py" in words
    assert words[-3:] == ["-B", f"{folder}/objects", "build"]
    assert environment["IDF_PATH"] == str(surroundings.idf)
    assert (environment["IDF_TOOLS_PATH"], environment["https_proxy"]) == ("/tools", "http://proxy:1")
    assert environment["MICROPY_MPYCROSS"].endswith("/mpy-cross")
    assert environment["DEBUG"] is None


@pytest.mark.parametrize("board", _CHIP)
def test_the_outputs_are_collected_and_recorded(checkout: Path, surroundings: Surroundings, board: str) -> None:
    done = run_tools("firmware", "--board", board, root=checkout, env=surroundings.variables())
    assert done.returncode == 0, done.stderr
    folder = checkout / "build" / board
    assert done.stdout.startswith(f"build/{board}/firmware.bin is ready")
    record = json.loads((folder / "manifest.json").read_text())
    image = esp32_image.parsed((folder / "firmware.bin").read_bytes())
    assert image.chip.family == _CHIP[board]
    assert {name: described["sha256"] for name, described in record["outputs"].items()} == {
        "firmware.bin": digest(folder / "firmware.bin"),
        "micropython.bin": digest(folder / "micropython.bin"),
    }
    assert (record["chip"], record["offset"], record["flash"]) == (image.chip.name, image.chip.offset, 4 << 20)
    assert record["partitions"]["vfs"] == {"address": 0x200000, "size": 0x200000}
    assert record["free"] == 0x1F0000 - record["outputs"]["micropython.bin"]["size"]
    # Nothing is built twice, but with another release of ESP-IDF.
    assert run_tools("firmware", "--board", board, root=checkout, env=surroundings.variables()).stderr == ""
    surroundings.set_version("5.2.3")
    assert "building" in run_tools("firmware", "--board", board, root=checkout, env=surroundings.variables()).stderr


def _without(name: str) -> Callable[[Surroundings], object]:
    return lambda surroundings: (surroundings.bin / name).unlink()


def _emptied(*names: str) -> Callable[[Surroundings], object]:
    def emptied(surroundings: Surroundings) -> None:
        for name in names:
            (surroundings.tree / "lib" / name / "README.md").unlink()

    return emptied


@pytest.mark.parametrize(
    ("board", "change", "more", "complaint"),
    [
        (
            "ESP32_GENERIC",
            None,
            {"MICROPYTHON": ""},
            "MICROPYTHON=/path/to/micropython, with its submodules lib/berkeley-db-1.xx",
        ),
        (
            "ESP32_GENERIC",
            _emptied("berkeley-db-1.xx", "micropython-lib"),
            {},
            "--init lib/berkeley-db-1.xx lib/micropython-lib`",
        ),
        ("ESP32_GENERIC_S3", _emptied("tinyusb"), {}, "lib/tinyusb: nothing is there: get it with `git -C "),
        ("ESP32_GENERIC", None, {"IDF_PATH": None}, "IDF_PATH is not set: get it with `git clone -b v5."),
        ("ESP32_GENERIC", None, {"IDF_PATH": "/nowhere"}, "IDF_PATH=/nowhere: no ESP-IDF there"),
        ("ESP32_GENERIC", lambda found: found.set_version("4.4.7"), {}, "ESP-IDF 4.4.7 is not what MicroPython 1."),
        ("ESP32_GENERIC", lambda found: found.set_version("6.0.0"), {}, "builds with (5."),
        ("ESP32_GENERIC", _without("idf.py"), {}, "no idf.py found: put it on the PATH with `"),
        ("ESP32_GENERIC", _without("xtensa-esp32-elf-gcc"), {}, "/install.sh esp32 && . "),
        ("ESP32_GENERIC_S3", _without("xtensa-esp32s3-elf-gcc"), {}, "/install.sh esp32s3 && . "),
        ("ESP32_GENERIC_C3", _without("riscv32-esp-elf-gcc"), {}, "no riscv32-esp-elf-gcc found"),
    ],
)
def test_what_is_missing_is_said_before_the_build(
    checkout: Path,
    surroundings: Surroundings,
    monkeypatch: pytest.MonkeyPatch,
    board: str,
    change: Callable[[Surroundings], object] | None,
    more: dict[str, str | None],
    complaint: str,
) -> None:
    monkeypatch.delenv("IDF_PATH", raising=False)
    if change:
        change(surroundings)
    done = run_tools("firmware", "--board", board, root=checkout, env=surroundings.variables(**more))
    assert complaint in one_line(done)
    assert "building" not in done.stderr
    assert not (checkout / "build" / board / "manifest.json").exists()


def test_a_build_that_fails_says_why(checkout: Path, surroundings: Surroundings) -> None:
    surroundings.program("idf.py", "#!/bin/sh\necho 'modfoo.c:1: error: no foo here'\nexit 2\n")
    complaint = one_line(run_tools("firmware", "--board", "ESP32_GENERIC", root=checkout, env=surroundings.variables()))
    assert "modfoo.c:1: error: no foo here" in complaint
    assert "build/ESP32_GENERIC/build.log" in complaint
