"""How the rp2 port (RP2040, RP2350) is built: by cmake, into an ELF file and images for its flash."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import elf_sizes, gnumake, paths, uf2
from .binary_info import BlockDevice, block_devices
from .boards import Board
from .checkout import Checkout
from .console import Failure

OUTPUTS = ("firmware.uf2", "firmware.bin", "firmware.elf")

# lwIP's own five would be fewer than the framework's default cap: its connections, those that are ending, and an
# application's own.  Each takes some 200 bytes.
_TCP_CONNECTIONS = 12

# Where the processor sees its flash.
_FLASH = 0x1000_0000
_APT = "apt-get install cmake gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib"


def check(board: Board, tree: Checkout) -> None:
    """Raise Failure when what compiles it is not installed."""
    # For mpy-cross.
    gnumake.check_compiler()
    for program in ("cmake", "arm-none-eabi-gcc"):
        if not shutil.which(program):
            raise Failure(f"BOARD={board.name}: no {program} found: install what builds it with `{_APT}`")
    if not gnumake.compiles("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", "--specs=nosys.specs"):
        raise Failure(f"BOARD={board.name}: arm-none-eabi-gcc has no C library: install it with `{_APT}`")


def arguments(board: Board, tree: Checkout, folder: Path) -> list[str]:
    """List what cmake is told."""
    definition = paths.ROOT / board.definition if board.definition else tree.path / "ports/rp2/boards" / board.name
    # micropython-lib, where the checkout has it, brings what the stock board freezes.
    library = tree.path / "lib/micropython-lib"
    there = (library / "micropython").is_dir()
    return [
        *board.arguments,
        f"-DMICROPY_BOARD={board.name}",
        f"-DMICROPY_BOARD_DIR={definition}",
        f"-DMICROPY_FROZEN_MANIFEST={paths.ROOT}/{board.manifest}",
        f"-DMICROPY_LIB_DIR={library if there else folder / 'no-library'}",
        # Debian has none before 13, and what it would make is made by uf2.py.
        "-DPICO_NO_PICOTOOL=1",
        # A later compiler's new warning must not stop a user's build, and no path of this machine goes into an image.
        *(f"-DCMAKE_{language}_COMPILE_OBJECT={_rule(language, tree, folder)}" for language in ("C", "CXX", "ASM")),
    ]


def _rule(language: str, tree: Checkout, folder: Path) -> str:
    places = {f"{folder}/objects": "objects", str(tree.path): "micropython", str(paths.ROOT): "."}
    ours = ["-Wno-error", f"-DMEMP_NUM_TCP_PCB={_TCP_CONNECTIONS}"]
    ours += [f"-ffile-prefix-map={path}={name}" for path, name in places.items()]
    return f"<CMAKE_{language}_COMPILER> <DEFINES> <INCLUDES> <FLAGS> {' '.join(ours)} -o <OBJECT> -c <SOURCE>"


def make(tree: Checkout, told: Sequence[str], folder: Path, cross: Path) -> str:
    """Build the objects; return why it failed, or nothing."""
    objects = str(folder / "objects")
    commands = (
        ["cmake", "-S", str(tree.path / "ports/rp2"), "-B", objects, *told],
        ["make", "-C", objects, f"-j{gnumake.jobs()}"],
    )
    return gnumake.run(commands, tree.path, "ports/rp2", folder / "build.log", MICROPY_MPYCROSS=str(cross))


def outputs(board: Board, folder: Path, cross: Path) -> dict[str, Path]:
    """Say where the files to keep are, and make the one that is dragged onto the board."""
    objects = folder / "objects"
    image = (objects / "firmware.bin").read_bytes()
    if _free(image) < 0:
        raise Failure(
            f"BOARD={board.name}: the image has {-_free(image)} bytes more than fit before its partitions: freeze less"
        )
    (objects / "firmware.uf2").write_bytes(uf2.encoded(image, _FLASH, board.family))
    return {name: objects / name for name in OUTPUTS}


def details(board: Board, folder: Path) -> dict[str, Any]:
    """Measure the image, what is frozen into it, and the room that the flash has left."""
    image = (folder / "firmware.bin").read_bytes()
    return {
        "reproducible": "bytes, but for firmware.elf, whose debug information depends on the folder of the build",
        "compiler": elf_sizes.output("gcc", "--version").splitlines()[0],
        "sections": elf_sizes.sections(folder / "firmware.elf"),
        "frozen": elf_sizes.frozen(_frozen_content(folder), folder / "objects/frozen_mpy"),
        "partitions": {device.name: {"address": device.address, "size": device.size} for device in _partitions(image)},
        "free": _free(image),
    }


def _frozen_content(folder: Path) -> Path:
    # What cmake calls an object file depends on its version.
    found = (folder / "objects/CMakeFiles/firmware.dir").glob("frozen_content.c.o*")
    return next(path for path in found if path.suffix != ".d")


def _partitions(image: bytes) -> list[BlockDevice]:
    return list(block_devices(image, _FLASH))


def _free(image: bytes) -> int:
    # The partitions are at the end of the flash, the code at its start, and the linker knows nothing of the former.
    return min(device.address for device in _partitions(image)) - _FLASH - len(image)
