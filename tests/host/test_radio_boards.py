"""Boards with a radio, which are built from a checkout only: what it lacks is said at once, with the one command that gets it.

Their driver is in no package, so the trees here have nothing in the places of submodules but a file each.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import one_line, run_tools

_SUBMODULES = ("mbedtls", "lwip", "pico-sdk", "tinyusb", "cyw43-driver", "btstack", "micropython-lib")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lay out what is looked at in a checkout, with its submodules."""
    folder = tmp_path / "micropython"
    for landmark in ("py/mpconfig.h", "mpy-cross/Makefile", "extmod/asyncio/manifest.py", "ports/rp2/CMakeLists.txt"):
        (folder / landmark).parent.mkdir(parents=True)
        (folder / landmark).touch()
    parts = zip(("MAJOR", "MINOR", "MICRO"), (1, 26, 0))
    (folder / "py/mpconfig.h").write_text("".join(f"#define MICROPY_VERSION_{part} {number}\n" for part, number in parts))
    for name in _SUBMODULES:
        (folder / "lib" / name).mkdir(parents=True)
        (folder / "lib" / name / "README.md").touch()
    return folder


@pytest.mark.parametrize("board", ["RPI_PICO_W", "RPI_PICO2_W"])
@pytest.mark.parametrize("missing", [("cyw43-driver",), ("lwip", "btstack"), _SUBMODULES])
def test_all_that_is_missing_is_got_by_one_command(tree: Path, board: str, missing: tuple[str, ...]) -> None:
    for name in missing:
        (tree / "lib" / name / "README.md").unlink()
    complaint = one_line(run_tools("firmware", "--board", board, env={"MICROPYTHON": str(tree)}))
    names = [f"lib/{name}" for name in _SUBMODULES if name in missing]
    assert f"{tree}: {', '.join(names)}: nothing is there: get it with " in complaint
    assert f"`git -C {tree} submodule update --init {' '.join(names)}`" in complaint


@pytest.mark.parametrize("board", ["RPI_PICO_W", "RPI_PICO2_W"])
def test_a_missing_compiler_is_named_before_anything_is_built(checkout: Path, tree: Path, tmp_path: Path, board: str) -> None:
    (tmp_path / "bin").mkdir()
    for program in ("python3", "gcc", "make", "as", "ld", "cc1"):
        found = next(
            (Path(place, program) for place in os.environ["PATH"].split(os.pathsep) if Path(place, program).exists()), None
        )
        if found:
            (tmp_path / "bin" / program).symlink_to(found)
    variables = {"MICROPYTHON": str(tree), "PATH": str(tmp_path / "bin"), "MDOT_CACHE": str(tmp_path / "cache")}
    done = run_tools("firmware", "--board", board, root=checkout, env=variables)
    assert f"BOARD={board}: no cmake found: install what builds it with `apt-get install cmake" in one_line(done)
    assert "building" not in done.stderr
