"""The boards that firmware can be built for, and what each needs."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from typing import NamedTuple

from .console import Misuse


class Board(NamedTuple):
    """One row of the table."""

    name: str
    port: str
    packages: Sequence[str] = ()
    """Debian's packages that make a tree for it (see source.py); none when a part of it is in no package."""
    submodules: Sequence[str] = ()
    """What a checkout of the user's must have beside MicroPython itself."""
    folders: Sequence[str] = ()
    """The parts of the tree that the build reads: a change there means building again."""
    arguments: Sequence[str] = ()
    """What make or cmake is told."""
    manifest: str = "manifest.py"
    """What is frozen, from the top of this repository."""
    sources: Sequence[str] = ()
    """What of this repository goes into the image beside the manifest at its top and `lib`."""
    definition: str = ""
    """The folder with our definition of the board; empty for MicroPython's own."""
    family: str = ""
    """The processor: by its name in uf2.py, or the chip as ESP-IDF calls it."""


def _native() -> Sequence[str]:
    # mpy-cross compiles viper code only when told for which processor, and manifest.py looks for this flag.
    # Elsewhere the framework's portable code does the same work.
    if platform.machine() == "x86_64" and sys.maxsize > 1 << 32:
        return ("MPY_CROSS_FLAGS=-march=x64",)
    return ()


_COMMON = (
    *("py", "extmod", "shared", "mpy-cross", "tools"),
    *(f"lib/{name}" for name in ("crypto-algorithms", "littlefs", "mbedtls", "mbedtls_errors", "oofatfs", "re1.5", "uzlib")),
)

# Without libffi and Berkeley DB the build needs a C compiler and nothing more.
_UNIX = Board(
    "unix",
    port="unix",
    packages=("micropython", "mbedtls"),
    submodules=("lib/mbedtls",),
    folders=(*_COMMON, "ports/unix"),
    arguments=("VARIANT=standard", "MICROPY_PY_FFI=0", "MICROPY_PY_BTREE=0"),
)

# What our definitions of boards have in common.
_SHARED = ("board/romfs_info.c", *(f"board/ppp{name}" for name in (".cmake", "_lock.h", "_frame.h", "_windows.h")))

_PICO = Board(
    "RPI_PICO",
    port="rp2",
    packages=("micropython", "mbedtls", "lwip", "pico-sdk-source", "tinyusb-source"),
    submodules=("lib/mbedtls", "lib/lwip", "lib/pico-sdk", "lib/tinyusb"),
    folders=(*_COMMON, "ports/rp2", "drivers", "lib/libm", "lib/lwip", "lib/pico-sdk", "lib/tinyusb"),
    sources=("board/RPI_PICO", *_SHARED),
    definition="board/RPI_PICO",
    family="rp2040",
)

_PICO_W = _PICO._replace(
    name="RPI_PICO_W",
    packages=(),
    submodules=(*_PICO.submodules, "lib/cyw43-driver", "lib/btstack", "lib/micropython-lib"),
    folders=(*_PICO.folders, "lib/cyw43-driver", "lib/btstack", "lib/micropython-lib"),
    sources=(),
    definition="",
)

# The radio's libraries are parts of ESP-IDF; of MicroPython's own submodules it takes these.
_ESP32 = Board(
    "ESP32_GENERIC",
    port="esp32",
    submodules=("lib/berkeley-db-1.xx", "lib/micropython-lib"),
    folders=(*_COMMON, "ports/esp32", "drivers", "lib/berkeley-db-1.xx", "lib/micropython-lib"),
    family="esp32",
)

ALL = (
    _UNIX._replace(arguments=(*_UNIX.arguments, *_native())),
    # For figures of memory as a board has it: pointers of 32 bits, and the servers that are measured frozen too.
    _UNIX._replace(
        name="unix32",
        arguments=(*_UNIX.arguments, "MICROPY_FORCE_32BIT=1", "MPY_CROSS_FLAGS=-march=x86"),
        manifest="benchmarks/manifest.py",
        sources=("benchmarks/manifest.py", "benchmarks/servers/floor.py", "benchmarks/servers/hello.py"),
    ),
    _PICO,
    _PICO._replace(
        name="RPI_PICO2", sources=("board/RPI_PICO2", *_SHARED), definition="board/RPI_PICO2", family="rp2350-arm-s"
    ),
    _PICO_W,
    _PICO_W._replace(name="RPI_PICO2_W", family="rp2350-arm-s"),
    _ESP32,
    _ESP32._replace(
        name="ESP32_GENERIC_S3",
        # For its USB.
        submodules=(*_ESP32.submodules, "lib/tinyusb"),
        folders=(*_ESP32.folders, "lib/tinyusb"),
        family="esp32s3",
    ),
    _ESP32._replace(name="ESP32_GENERIC_C3", family="esp32c3"),
)


def named(name: str) -> Board:
    """Find a board; raise Failure naming those there are."""
    for board in ALL:
        if board.name == name:
            return board
    raise Misuse(f"BOARD={name}: no such board: the firmware can be built for {', '.join(b.name for b in ALL)}")
