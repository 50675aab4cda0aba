"""make what users download: firmware, the framework for other firmware, wheels, and a page that leads through them

Writes dist/, which any server of static files can offer:

  index.html, SHA256SUMS, LICENSE
  firmware/    images of boards, and MicroPython for this machine, with the licences of their parts
  mip/         the framework for `mip`, by URL and as an index
  mpy/         the same as archives to unpack into a board's /lib; with -armv6m or -x64 in the name with machine code
  romfs/       the same as images of ROMFS
  wheels/      the framework for CPython, and these tools

The same source gives the same bytes.  What is dated in it has the date of SOURCE_DATE_EPOCH, by default 1980-01-01.

  mdot dist
  mdot dist --board RPI_PICO --output /srv/mdot
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from . import boards, dist_page, esp32_image, files, firmware, framework, mip, notices, paths, romfs_format, wheels
from .boards import Board
from .console import Failure, say
from .dist_page import Image

_BOARDS = ("RPI_PICO", "RPI_PICO2", "unix")
# What archives can tell at the least, and at the most.
_FIRST, _LAST = 315_532_800, 4_354_819_198
_SUMS = "SHA256SUMS"
_TITLES = {
    "RPI_PICO": "Raspberry Pi Pico",
    "RPI_PICO2": "Raspberry Pi Pico 2",
    "RPI_PICO_W": "Raspberry Pi Pico W",
    "RPI_PICO2_W": "Raspberry Pi Pico 2 W",
}
_DRIVES = {"rp2040": "RPI-RP2", "rp2350-arm-s": "RP2350"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write it (default: dist)")
    text = f"a board to make the firmware of; may be given again (default: {', '.join(_BOARDS)})"
    parser.add_argument("--board", action="append", dest="boards", help=text)
    firmware.add_micropython(parser)


def do(arguments: argparse.Namespace) -> None:
    output = (arguments.output or paths.ROOT / "dist").absolute()
    _check_place(output)
    chosen = [boards.named(name) for name in dict.fromkeys(arguments.boards or _BOARDS)]
    made = _made(chosen, arguments.micropython, _epoch())
    with files.locked(paths.BUILD / "dist"):
        _put(output, made)
    print(f"{paths.shown(output)} is ready, {len(made)} files, {sum(map(len, made.values()))} bytes")


def _check_place(output: Path) -> None:
    if output.is_dir() and any(output.iterdir()) and not (output / _SUMS).is_file():
        raise Failure(f"{paths.shown(output)}: a folder of something else: remove it, or choose another with --output")
    if output.exists() and not output.is_dir():
        raise Failure(f"{paths.shown(output)}: a file, not a folder: choose another with --output")


def _epoch() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH", str(_FIRST))
    if not text.isdecimal() or int(text) > _LAST:
        raise Failure("SOURCE_DATE_EPOCH: no date: give seconds since 1970, or take it away")
    # What is older than an archive can tell is dated by the first day that it can.
    return max(int(text), _FIRST)


def _made(chosen: list[Board], micropython: str | None, epoch: int) -> dict[str, bytes]:
    """Make all files, by their paths."""
    made = {"LICENSE": (paths.ROOT / "LICENSE").read_bytes()}
    images = []
    for board in chosen:
        image, parts = _firmware(board, micropython)
        images.append(image)
        made.update(parts)
    say("making packages, archives and wheels …")
    made.update({f"mip/{path}": data for path, data in mip.folder().items()})
    made.update(_sets(epoch))
    with tempfile.TemporaryDirectory(prefix="mdot-") as folder:
        wheels.made(Path(folder), epoch)
        made.update({f"wheels/{path.name}": path.read_bytes() for path in sorted(Path(folder).glob("*.whl"))})
    made["index.html"] = dist_page.made(framework.version(), images, made)
    made[_SUMS] = _sums(made)
    return made


def _firmware(board: Board, micropython: str | None) -> tuple[Image, dict[str, bytes]]:
    """Take a board's image, with what belongs to it."""
    source = firmware.built(board, micropython)
    content = source.read_bytes()
    release = json.loads((source.parent / "manifest.json").read_text(encoding="utf-8"))["inputs"]["micropython"]
    tree = firmware.opened(board, micropython).path
    title = _TITLES.get(board.name, board.name)
    parts = {f"firmware/licences/{board.name}.txt": notices.collected(tree, paths.ROOT / "LICENSE").encode()}
    if board.port == "unix":
        machine = f"{platform.system()} on {platform.machine()}"
        name = f"micropython-{platform.system().lower()}-{platform.machine()}"
        image = Image(board.name, machine, f"firmware/{name}", release)
    elif board.port == "esp32":
        chip = esp32_image.parsed(content).chip
        image = Image(board.name, title, f"firmware/{board.name}.bin", release, chip=chip.family, offset=chip.offset)
        parts[f"firmware/{board.name}.manifest.json"] = installer(image, chip)
    else:
        image = Image(board.name, title, f"firmware/{board.name}.uf2", release, drive=_DRIVES[board.family])
    return image, {image.path: content, **parts}


def installer(image: Image, chip: esp32_image.Chip) -> bytes:
    """Describe an image as ESP Web Tools wants it (https://esphome.github.io/esp-web-tools/, "Creating your manifest")."""
    manifest = {
        "name": f"mdot for {image.title}",
        "version": framework.version(),
        "new_install_prompt_erase": True,
        # No Improv: the installer need not wait for it.
        "new_install_improv_wait_time": 0,
        "builds": [
            {"chipFamily": chip.name, "parts": [{"path": image.path.rpartition("/")[2], "offset": image.offset}]},
        ],
    }
    return (json.dumps(manifest, indent=2) + "\n").encode()


def _sets(epoch: int) -> dict[str, bytes]:
    """Make archives and ROMFS images of all portable modules, and the same with the machine code of a processor."""
    plain = {f"{name}.mpy": framework.compiled(name) for package in framework.packages() for name in package.modules}
    sets = {"": plain}
    for processor in framework.PROCESSORS:
        sets[f"-{processor}"] = {**plain, **{f"{name}.mpy": data for name, data in framework.native(processor).items()}}
    made = {}
    start = f"microdot-{framework.version()}-mpy{framework.MPY}"
    for end, modules in sets.items():
        made[f"mpy/{start}{end}.zip"] = _zipped({**modules, "LICENSE": (paths.ROOT / "LICENSE").read_bytes()}, epoch)
        made[f"romfs/{start}{end}.romfs"] = romfs_format.image({f"/lib/{path}": data for path, data in modules.items()})
    return made


def _zipped(content: Mapping[str, bytes], epoch: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in sorted(content.items()):
            entry = zipfile.ZipInfo(path, time.gmtime(epoch)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose modes these are
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def _sums(made: Mapping[str, bytes]) -> bytes:
    """List the files as sha256sum does."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(made.items())).encode()


def _put(output: Path, made: Mapping[str, bytes]) -> None:
    """Write the files into a new folder, which then takes the place of the one before."""
    output.parent.mkdir(parents=True, exist_ok=True)
    old = output.with_name(f".{output.name}-old")
    with files.staged(output) as new:
        for path, data in made.items():
            file = new / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        # A server is somebody else, whatever this user keeps from others.
        for file in new.rglob("*"):
            file.chmod(0o755 if file.is_dir() or file.name.startswith("micropython-") else 0o644)
        shutil.rmtree(old, ignore_errors=True)
        if output.exists():
            output.rename(old)
    shutil.rmtree(old, ignore_errors=True)
