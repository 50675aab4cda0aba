# Handlers and bodies that fail: in the middle of a body, or for want of memory.

import asyncio
import gc
import io

from microdot import Response

from wire.kinds import Pieces, failing

PIECE = b"0123456789" * 10


class FailingPieces(Pieces):
    async def __anext__(self):
        if not self.pieces:
            raise KeyError("body broken by a test")
        return await super().__anext__()


class FailingFile(io.BytesIO):
    """A file on a card that is taken out after the first read."""

    broken = False

    def readinto(self, buf):
        self._fail_the_second_time()
        return super().readinto(buf)

    def read(self, size=-1):
        self._fail_the_second_time()
        return super().read(size)

    def _fail_the_second_time(self):
        if self.broken:
            raise OSError(19)  # ENODEV
        self.broken = True


BROKEN = {
    "generator-at-once": lambda: failing(),
    "generator": lambda: failing(PIECE, PIECE),
    "iterator": lambda: FailingPieces(PIECE, PIECE),
    "file": lambda: Response(FailingFile(PIECE * 1000)),
    "longer-than-its-length": lambda: (failing(PIECE, PIECE), 200, {"Content-Length": "150"}),
    "shorter-than-its-length": lambda: ((piece for piece in (PIECE, PIECE)), 200, {"Content-Length": "300"}),
    "piece-of-a-wrong-type": lambda: (piece for piece in (PIECE, PIECE, 23)),
}


kept = []
releasing = None  # the task that lets go of it


def raise_memory_error():
    raise MemoryError


def ask_for_too_much():
    return bytearray(1 << 60)


def fill_the_heap():
    """Take all memory and keep it for a while, as a leak or another task might."""
    global releasing
    releasing = asyncio.create_task(release_soon())
    size = 1 << 16
    while True:
        try:
            kept.append(bytearray(size))
        except MemoryError:
            if size <= 16:
                raise
            size //= 2


async def release_soon():
    await asyncio.sleep(0.2)
    kept.clear()
    gc.collect()


HOARD = {"raise": raise_memory_error, "too-much": ask_for_too_much, "everything": fill_the_heap}
