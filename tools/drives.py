"""The drive that a board with a UF2 boot loader shows: finding it, and bringing an image to it.

Such a drive has a file INFO_UF2.TXT with a line `Board-ID: …` (Microsoft's UF2 specification).  It takes what is written to it
for an image wherever it lands, and is gone when the image is whole.
"""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from .console import Failure

_INFO, _INFO_MOST = "INFO_UF2.TXT", 4096
_BOARD_ID = re.compile(r"^Board-ID:\s*(\S+)\s*$", re.MULTILINE)
# Where desktops mount what is plugged in.
PLACES: Sequence[str] = ("/media/*", "/media/*/*", "/run/media/*/*", "/Volumes/*", "/mnt/*")
# The labels that the boot ROMs give, for drives that nobody has mounted.
_LABELS = "/dev/disk/by-label/RP*"
_PIECE = 64 * 1024
_POLL = 0.1


class Drive(NamedTuple):
    """A mounted drive of a boot loader."""

    path: Path
    board_id: str

    @property
    def is_there(self) -> bool:
        return (self.path / _INFO).exists()


def at(path: Path) -> Drive | None:
    """Look whether a folder is such a drive."""
    try:
        with (path / _INFO).open("rb") as file:
            found = _BOARD_ID.search(file.read(_INFO_MOST).decode("ascii", "replace").replace("\r", ""))
    except OSError:
        return None
    return Drive(path, found[1] if found else "unknown")


def found() -> list[Drive]:
    """List the drives that are mounted."""
    folders = sorted({os.path.realpath(name) for place in PLACES for name in glob.glob(place)})
    return [drive for drive in map(at, map(Path, folders)) if drive]


def unmounted() -> list[str]:
    """List the drives that are there as devices; whether one is mounted nowhere, who has found no drive knows."""
    return sorted(glob.glob(_LABELS))


def awaited(seconds: float, look: Callable[[], list[Drive]] = found) -> list[Drive]:
    """Give the drives as soon as there is one, or none after that time."""
    deadline = time.monotonic() + seconds
    while not (drives := look()) and time.monotonic() < deadline:
        time.sleep(_POLL)
    return drives


def bring(drive: Drive, image: bytes, patience: float) -> None:
    """Write an image onto a drive, and see it go: that is how it says that it took the image; else raise Failure."""
    written = [0]
    try:
        _write(drive.path / "firmware.uf2", image, written)
    except OSError as error:
        # A drive that has all it wants leaves in the middle of whatever is still said to it.
        if sum(written) < len(image):
            reason = (error.strerror or str(error)).lower()
            raise Failure(
                f"{drive.path}: {reason} after {sum(written)} of {len(image)} bytes: plug the board in again"
            ) from None
    deadline = time.monotonic() + patience
    while drive.is_there:
        if time.monotonic() > deadline:
            raise Failure(f"{drive.path}: the drive took the image but did not go: is the image whole, and for this board?")
        time.sleep(_POLL)


def _write(path: Path, image: bytes, written: list[int]) -> None:
    # Bytes alone: the drive knows no modes and no times.
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(image), _PIECE):
            piece = image[start : start + _PIECE]
            while piece:
                written.append(file.write(piece) or 0)
                piece = piece[written[-1] :]
        os.fsync(file.fileno())
