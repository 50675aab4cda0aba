"""Images of boards: complete, described, the same wherever they are built, and a clear line where they cannot be."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT, one_line, run_tools

from tools.files import digest
from tools.uf2 import decoded

# Whoever is first builds the images.
pytestmark = pytest.mark.timeout(900)

_FAMILIES = {"RPI_PICO": 0xE48BFF56, "RPI_PICO2": 0xE48BFF59}


@pytest.fixture(scope="module", params=_FAMILIES)
def built(request: pytest.FixtureRequest) -> Path:
    """Give the folder of a board's image, up to date with the checkout."""
    done = run_tools("firmware", "--board", request.param)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"build/{request.param}/firmware.uf2 is ready")
    return ROOT / "build" / request.param


@pytest.fixture
def record(built: Path) -> dict[str, Any]:
    return dict(json.loads((built / "manifest.json").read_text()))


def test_the_uf2_file_holds_the_image(built: Path) -> None:
    blocks = [block for block in decoded((built / "firmware.uf2").read_bytes()) if block.of > 2]
    assert {block.family for block in blocks} == {_FAMILIES[built.name]}
    image = (built / "firmware.bin").read_bytes()
    assert b"".join(block.payload for block in blocks)[: len(image)] == image


def test_the_record_describes_the_files(built: Path, record: dict[str, Any]) -> None:
    assert set(record["outputs"]) == {"firmware.uf2", "firmware.bin", "firmware.elf"}
    for name, described in record["outputs"].items():
        assert described == {"size": (built / name).stat().st_size, "sha256": digest(built / name)}


def test_the_record_says_where_the_flash_goes(built: Path, record: dict[str, Any]) -> None:
    size = (built / "firmware.bin").stat().st_size
    first = min(device["address"] for device in record["partitions"].values())
    assert set(record["partitions"]) == {"MicroPython", "ROMFS"}
    assert 0 <= record["free"] == first - 0x10000000 - size
    # Between two sections there may be room for alignment.
    assert 0 <= size - record["sections"]["text"] - record["sections"]["data"] < 64


def test_every_module_is_frozen_and_measured(built: Path, record: dict[str, Any]) -> None:
    frozen = record["frozen"]
    assert min(frozen.values()) > 0
    assert {"microdot/app", "microdot/server", "microdot/_scan", "asyncio/core", "rp2"} <= set(frozen)
    # All that is known of the sizes is in the image, and is most of what the modules are.
    assert 60_000 < sum(frozen.values()) < record["outputs"]["firmware.bin"]["size"] / 2


def test_the_same_source_gives_the_same_image_elsewhere(checkout: Path) -> None:
    assert run_tools("firmware", "--board", "RPI_PICO").returncode == 0
    done = run_tools("firmware", "--board", "RPI_PICO", root=checkout)
    assert done.returncode == 0, done.stderr
    for name in ("firmware.bin", "firmware.uf2"):
        assert digest(checkout / "build/RPI_PICO" / name) == digest(ROOT / "build/RPI_PICO" / name)


def _without(folder: Path, *hidden: str) -> str:
    """Make a PATH that has all programs but those whose names begin so."""
    for directory in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(directory).glob("*"):
            if not program.name.startswith(hidden):
                (folder / program.name).unlink(missing_ok=True)
                (folder / program.name).symlink_to(program)
    return str(folder)


@pytest.mark.parametrize(
    ("board", "hidden", "package"),
    [("RPI_PICO", "arm-none-eabi-", "gcc-arm-none-eabi"), ("RPI_PICO2", "cmake", "cmake"), ("unix32", "gcc", "gcc")],
)
def test_a_missing_compiler_is_named(checkout: Path, tmp_path: Path, board: str, hidden: str, package: str) -> None:
    (tmp_path / "bin").mkdir()
    path = _without(tmp_path / "bin", hidden)
    complaint = one_line(run_tools("firmware", "--board", board, root=checkout, env={"PATH": path}))
    assert "apt-get install" in complaint
    assert package in complaint
    assert not (checkout / "build" / board / "manifest.json").exists()


def test_a_c_compiler_that_makes_no_32_bit_programs_is_named(checkout: Path, tmp_path: Path) -> None:
    real = shutil.which("gcc")
    (tmp_path / "gcc").write_text(f'#!/bin/sh\ncase " $* " in *" -m32 "*) exit 1 ;; esac\nexec {real} "$@"\n')
    (tmp_path / "gcc").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    complaint = one_line(run_tools("firmware", "--board", "unix32", root=checkout, env={"PATH": path}))
    assert "apt-get install gcc-multilib" in complaint


@pytest.mark.parametrize("board", ["RPI_PICO_W", "RPI_PICO2_W"])
def test_a_board_whose_source_is_in_no_package_wants_a_checkout(board: str) -> None:
    complaint = one_line(run_tools("firmware", "--board", board, env={"MICROPYTHON": ""}))
    assert "MICROPYTHON=/path/to/micropython" in complaint
    assert "lib/cyw43-driver" in complaint
