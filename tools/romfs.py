"""make a ROMFS image of an application, and put it on a board: its bytecode then runs from the flash, not from RAM

  mdot romfs build examples/hello --board RPI_PICO
      build/hello/RPI_PICO/hello.romfs, which `mpremote romfs deploy` takes as well
  mdot romfs deploy examples/hello --board RPI_PICO --port /dev/ttyACM0
      the same, written into the board's ROMFS partition, of which only the blocks that differ are sent

The files are on the board in /rom, and cannot be changed there.  Where there is no /main.py yet, one is written: it makes
/rom the current folder and starts the application, so what that opens by a path without a leading / is found there, and what
it writes needs an absolute path.  While the image is being replaced there is no /rom: after an interruption, deploy again.
"""

from __future__ import annotations

import argparse
import ast
import base64
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from . import board_state, build, bytecode, deploy_toml, device, files, known_boards, on_board, paths, romfs_format
from .console import Failure, say
from .deploying import restarted

_START = "# The application is in ROMFS, which nothing can write to.\nimport os\n\nos.chdir('/rom')\n"
_COMPILED, _SOURCE = "from _main import *\n", 'execfile("main.py")\n'
# A board has the block that it writes in its heap, and the text that it came in.
_LARGEST_BLOCK = 16 * 1024
# Of deflate, as a power of two: what the board keeps of what it has unpacked.
_WINDOW = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("build", "deploy"), help="make the image only, or put it on a board as well")
    parser.add_argument("app", type=Path, metavar="APP", help="the application's folder, with its main.py")
    build.add_target(parser)
    device.add_port(parser)
    parser.add_argument("--partition", type=int, default=0, metavar="N", help="the board's ROMFS partition (default: 0)")
    parser.add_argument(
        "--replace-main", action="store_true", help="let the application start in place of the board's /main.py"
    )


def do(arguments: argparse.Namespace) -> None:
    made = build.built(arguments.app, arguments.board, build.target(arguments), arguments.source)
    image = _image(made)
    path = made.folder / f"{made.app}.romfs"
    files.write(path, image, made.is_private)
    print(f"{paths.shown(path)} is ready, {len(image)} bytes")
    if arguments.what == "deploy":
        target = known_boards.target(arguments.port, deploy_toml.read(arguments.app).board, Path.cwd())
        with device.connected(target.port) as board, restarted(board):
            about = _check(board, target.id, made)
            _send(board, image, _opened(board, arguments.partition, len(image)), about.deflate)
            _start(board, made, arguments.replace_main)
        print(f"{made.app} is in /rom of the board at {board.port}, which starts again")


def _image(made: build.Build) -> bytes:
    try:
        return romfs_format.image({file.path: made.local(file).read_bytes() for file in made.files})
    except ValueError as error:
        raise Failure(f"{made.app}: {error}: leave something out") from None


def _check(board: device.Device, wanted: str, made: build.Build) -> board_state.About:
    about = board_state.read(board, wanted).about
    reason = bytecode.mismatch(made.mpy, about.loads)
    if reason:
        raise Failure(f"{board.port}: the board does not load this build: {reason}: build with --mpy {about.loads}")
    return about


def _opened(board: device.Device, number: int, length: int) -> int:
    """Take the partition, which must have room for so many bytes; give the size of its blocks."""
    size, count = map(int, ast.literal_eval(board.run(on_board.program("rom", number))))
    if not size:
        if count < 0:
            raise Failure(f"{board.port}: the board's ROMFS takes no single blocks: use `mpremote romfs deploy` with the image")
        reason = f"the board has no ROMFS partition {number}" + (f", it has {count}" if count else "")
        raise Failure(f"{board.port}: {reason}: `deploy` puts the application into its filesystem")
    if size > _LARGEST_BLOCK:
        raise Failure(f"{board.port}: the board's flash has blocks of {size} bytes: use `mpremote romfs deploy` with the image")
    if length > size * count:
        raise Failure(f"the image has {length} bytes, and the partition {size * count}: leave something out")
    return size


def _send(board: device.Device, image: bytes, size: int, deflate: bool) -> None:
    blocks = [image[at : at + size].ljust(size, b"\xff") for at in range(0, len(image), size)]
    present = board.run(f"digests({size}, {len(blocks)})").split()
    changed = [n for n, block in enumerate(blocks) if hashlib.sha256(block).hexdigest() != present[n]]
    say(f"sending {len(changed)} of {len(blocks)} blocks of {size} bytes …")
    for number, content in _steps(changed, blocks):
        packed = _deflated(content) if deflate else content
        board.run(f"write({number}, {base64.b64encode(packed).decode()!r}, {deflate and bool(content)})")
    if board.run(f"digest(0, {len(image)})").strip() != hashlib.sha256(image).hexdigest():
        raise Failure(
            f"{board.port}: the flash does not hold what was sent: deploy again; if that does not help, it is worn out"
        )


def _steps(changed: list[int], blocks: list[bytes]) -> Iterator[tuple[int, bytes]]:
    """Order the writing: the first block is erased until all others are written, so that half an image never counts as one."""
    if changed:
        yield 0, b""
        yield from ((number, blocks[number]) for number in changed if number)
        yield 0, blocks[0]


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW)
    return packer.compress(content) + packer.flush()


def _start(board: device.Device, made: build.Build, replace: bool) -> None:
    """Let the board start the application, unless something else of the user's starts there."""
    is_compiled = any(file.path == "/_main.mpy" for file in made.files)
    text = _START + (_COMPILED if is_compiled else _SOURCE)
    if board.run(f"start({text!r}, {replace})").strip() == "other":
        say("the board's own /main.py stays, and starts as before: --replace-main lets the application start in its place")
