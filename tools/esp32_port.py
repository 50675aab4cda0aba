"""How the esp32 port is built: by its makefile, with ESP-IDF, into an image of the flash from the boot loader on.

ESP-IDF is the user's: IDF_PATH names it, and its export.sh puts idf.py and the compilers on the PATH.  Which releases of it
will do, MicroPython's tree says itself.  Its component manager fetches components over the network, and keeps
them inside the checkout, in ports/esp32/managed_components: it knows no other place.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import esp32_image, gnumake, paths
from .boards import Board
from .checkout import Checkout
from .console import Failure

# The whole flash up to the files, and the application alone, as an update over the air takes it.
OUTPUTS = ("firmware.bin", "micropython.bin")

_URL = "https://github.com/espressif/esp-idf.git"
_COMPILERS = {"esp32": "xtensa-esp32-elf-gcc", "esp32s3": "xtensa-esp32s3-elf-gcc", "esp32c3": "riscv32-esp-elf-gcc"}
_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?")
# What ESP-IDF's programs read, and what its component manager needs to reach the network.
_KEPT = re.compile(r"IDF_\w+|ESP_\w+|\w+_(proxy|PROXY)|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")


def check(board: Board, tree: Checkout) -> None:
    """Raise Failure when ESP-IDF is not there, is no release that the tree builds with, or lacks its compilers."""
    # For mpy-cross.
    gnumake.check_compiler()
    what, get = f"BOARD={board.name}", _how_to_get(board, tree)
    if "IDF_PATH" not in os.environ:
        raise Failure(f"{what}: IDF_PATH is not set: {get}")
    idf = _idf()
    version = _version(idf)
    if version is None:
        raise Failure(f"{what}: IDF_PATH={idf}: no ESP-IDF there, it has no tools/cmake/version.cmake: {get}")
    supported = _supported(tree)
    if supported and version[:2] not in supported:
        known = ", ".join(f"{major}.{minor}" for major, minor in supported)
        found = ".".join(map(str, version))
        raise Failure(f"{what}: ESP-IDF {found} is not what MicroPython {tree.version} builds with ({known}): {get}")
    for program in ("idf.py", _COMPILERS[board.family]):
        if not shutil.which(program):
            command = f"{idf}/install.sh {board.family} && . {idf}/export.sh"
            raise Failure(f"{what}: no {program} found: put it on the PATH with `{command}`")


def _idf() -> Path:
    return Path(os.environ.get("IDF_PATH", "")).expanduser()


def _version(idf: Path) -> tuple[int, int, int] | None:
    try:
        text = (idf / "tools/cmake/version.cmake").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = dict(re.findall(r"set\(IDF_VERSION_(MAJOR|MINOR|PATCH) (\d+)\)", text))
    return (int(found["MAJOR"]), int(found["MINOR"]), int(found["PATCH"])) if len(found) == 3 else None


def _supported(tree: Checkout) -> list[tuple[int, int]]:
    """Read in the tree with which releases it builds; nothing when it does not say."""
    sentence = re.search(r"MicroPython supports\s+([^:\n]*)", _readme(tree))
    return sorted({(int(major), int(minor)) for major, minor in _RELEASE.findall(sentence[1])}) if sentence else []


def _readme(tree: Checkout) -> str:
    try:
        return (tree.path / "ports/esp32/README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _how_to_get(board: Board, tree: Checkout) -> str:
    advised = re.search(r"git clone -b (v[\d.]+)", _readme(tree))
    branch = f"-b {advised[1]} " if advised else ""
    clone = f"git clone {branch}--recursive {_URL}"
    return f"get it with `{clone} && esp-idf/install.sh {board.family} && . esp-idf/export.sh`"


def arguments(board: Board, tree: Checkout, folder: Path) -> list[str]:
    """List what make is told."""
    version = _version(_idf())
    return [
        *board.arguments,
        f"BOARD={board.name}",
        f"BUILD={folder}/objects",
        f"FROZEN_MANIFEST={paths.ROOT}/{board.manifest}",
        f"IDF_PATH={_idf()}",
        # For nobody but the record: another release makes another image.
        f"MDOT_IDF={'.'.join(map(str, version or ()))}",
    ]


def make(tree: Checkout, told: Sequence[str], folder: Path, cross: Path) -> str:
    """Build the objects and join them; return why it failed, or nothing."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return gnumake.make(tree.path, "ports/esp32", told, folder / "build.log", **{**kept, "MICROPY_MPYCROSS": str(cross)})


def outputs(board: Board, folder: Path, cross: Path) -> dict[str, Path]:
    """Say where the files to keep are, when they are for the board's chip."""
    objects = folder / "objects"
    try:
        image = esp32_image.parsed((objects / "firmware.bin").read_bytes())
    except ValueError as error:
        raise Failure(f"BOARD={board.name}: the build made no good firmware.bin: {error}") from None
    if image.chip.family != board.family:
        raise Failure(
            f"BOARD={board.name}: the build made an image for {image.chip.name}: give MicroPython's own definition of it"
        )
    return {name: objects / name for name in OUTPUTS}


def details(board: Board, folder: Path) -> dict[str, Any]:
    """Say where the image goes, what is in it, and the room that its application has left."""
    image = esp32_image.parsed((folder / "firmware.bin").read_bytes())
    partitions = {part.name: {"address": part.offset, "size": part.size} for part in image.partitions}
    return {
        "chip": image.chip.name,
        "offset": image.chip.offset,
        "flash": image.flash_size,
        "partitions": partitions,
        "free": image.application.size - (folder / "micropython.bin").stat().st_size,
    }
