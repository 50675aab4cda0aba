"""Make the filesystem of a board's flash, littlefs 2, so that MicroPython mounts it as if it had written it itself.

The image is the same whenever it is made of the same files: nothing in it tells a time.  Only some of its blocks count,
those that the filesystem uses; littlefs erases any other before it writes there, whatever lies in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname
from typing import TYPE_CHECKING, NamedTuple

import littlefs
from littlefs.context import UserContext
from littlefs.errors import LittleFSError

from .console import Failure

if TYPE_CHECKING:
    from littlefs.lfs import LFSConfig

BLOCK = 4096
# What the board writes by itself at its first starts: a folder and a counter, each as littlefs does, in a new block.
_SPARE = 4
# Small files go in with their names.  Whoever mounts the image reads them through a cache, and MicroPython's smallest is this.
_INLINE = 128


class Image(NamedTuple):
    """The whole filesystem, and the numbers of those of its blocks that count."""

    data: bytes
    used: tuple[int, ...]

    def blocks(self) -> dict[int, bytes]:
        """Give the blocks that count, by their offset."""
        return {n * BLOCK: self.data[n * BLOCK : (n + 1) * BLOCK] for n in self.used}


def image(files: Mapping[str, bytes], size: int, program: int) -> Image:
    """Make a filesystem of `size` bytes that holds files by their paths, for flash that is programmed by `program` bytes.

    Raise Failure when they do not fit, or a name is too long.
    """
    flash = UserContext(size)
    filesystem = _opened(flash, size, program, mount=False)
    filesystem.format()
    filesystem.mount()
    for path in sorted(files):
        _write(filesystem, path, files[path], size)
    if filesystem.used_block_count + _SPARE > size // BLOCK:
        raise _too_much(size)
    filesystem.unmount()
    return Image(bytes(flash.buffer), _used(bytes(flash.buffer), program))


def _opened(flash: UserContext, size: int, program: int, mount: bool = True) -> littlefs.LittleFS:
    return littlefs.LittleFS(
        context=flash,
        mount=mount,
        block_size=BLOCK,
        block_count=size // BLOCK,
        read_size=32,
        prog_size=program,
        # As MicroPython's.
        cache_size=4 * max(32, program),
        lookahead_size=32,
        inline_max=_INLINE,
    )


def _write(filesystem: littlefs.LittleFS, path: str, content: bytes, size: int) -> None:
    try:
        filesystem.makedirs(dirname(path), exist_ok=True)
        with filesystem.open(path, "wb") as file:
            file.write(content)
    except LittleFSError as error:
        if error.code == LittleFSError.Error.LFS_ERR_NOSPC:
            raise _too_much(size) from None
        if error.code == LittleFSError.Error.LFS_ERR_NAMETOOLONG:
            raise Failure(f"{path}: a name has 255 bytes at most: choose shorter ones") from None
        raise Failure(f"{path}: {error}: choose another name") from None


def _too_much(size: int) -> Failure:
    return Failure(f"the files need more than the {size // 1024} KiB of the board's filesystem: leave some out")


class _Traced(UserContext):
    """A flash that notes which blocks are read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(buffer=bytearray(data))
        self.seen: set[int] = set()

    def read(self, cfg: LFSConfig, block: int, off: int, size: int) -> bytearray:
        self.seen.add(block)
        return super().read(cfg, block, off, size)


def _used(data: bytes, program: int) -> tuple[int, ...]:
    """Find the blocks that a reader of everything reads: of the two that each folder has, both."""
    flash = _Traced(data)
    filesystem = _opened(flash, len(data), program)
    for folder, _, names in filesystem.walk("/"):
        for name in names:
            with filesystem.open(f"{folder.rstrip('/')}/{name}", "rb") as file:
                file.read()
    assert len(flash.seen) == filesystem.used_block_count
    return tuple(sorted(flash.seen))
