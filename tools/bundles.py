"""Bundles: an application for a board in one stream, as `microdot.ota` takes it.

docs/architecture.md ("A bundle") has the format.  A whole bundle has every file and fits any device; one for a device that
has told what lies on it leaves out what is there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from . import files
from .build import Build, File
from .console import Failure

# What devices accept unless they are told otherwise (lib/microdot/ota.py has these limits).
MAX_HEAD, MAX_FILES, MAX_SIZE = 8192, 128, 512 * 1024
_BLOCK = 1 << 14


class Bundle(NamedTuple):
    """A bundle: its head, and the files whose contents follow."""

    head: bytes
    sent: list[File]
    build: Build

    @property
    def size(self) -> int:
        """Count its bytes."""
        return len(self.head) + sum(file.size for file in self.sent)

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the head, which has those of all files: what is signed."""
        return hashlib.sha256(self.head).hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Give all of it, in pieces."""
        yield self.head
        for file in self.sent:
            with self.build.local(file).open("rb") as content:
                yield from iter(lambda: content.read(_BLOCK), b"")


def made(build: Build, present: Collection[tuple[str, str]] = (), force: bool = False) -> Bundle:
    """Make the bundle of a build for a device on which files of `present`, (path, SHA-256), lie already."""
    listed = sorted(build.files, key=lambda file: file.path)
    sent = [file for file in listed if (file.path, file.sha256) not in present]
    chosen = set(sent)
    lines = [f"{build.app} {build.build} {_needs(build)} {'force' if force else '-'}"]
    lines += [f"{'+' if file in chosen else '='} {file.sha256} {file.size} {file.path}" for file in listed]
    rest = "".join(f"{line}\n" for line in lines).encode()
    bundle = Bundle(b"mdot-bundle 1 %06d\n" % (21 + len(rest)) + rest, sent, build)
    _check(bundle, len(listed))
    return bundle


def written(build: Build) -> Path:
    """Write the whole bundle of a build beside its files: NAME.bundle."""
    path = build.folder / f"{build.app}.bundle"
    files.write(path, b"".join(made(build).pieces()), build.is_private)
    return path


def signature(key: bytes, purpose: str, nonce: str, digest: str = "-") -> str:
    """Give the header `Authorization` of a request for a purpose: `state`, `files` or `install`."""
    mac = hmac.new(key, f"mdot-ota 1\n{purpose}\n{nonce}\n{digest}\n".encode(), "sha256").hexdigest()
    return f"MDOT-OTA {nonce} {digest} {mac}"


def _needs(build: Build) -> int:
    """Tell what its compiled files need of a board, as `sys.implementation._mpy` would; 0 when there are none."""
    # Version, sub-version and processor stand in both in the same order; files with machine code need the most.
    headers = [build.local(file).read_bytes()[:4] for file in build.files if file.path.endswith(".mpy")]
    return max((head[1] | (head[2] & 0x3F) << 8 for head in headers), default=0)


def _check(bundle: Bundle, count: int) -> None:
    """Refuse what no device would take with the limits that it has by itself."""
    name = bundle.build.app
    for number, most, what in (
        (len(bundle.head), MAX_HEAD, "bytes of a list of files"),
        (count, MAX_FILES, "files"),
        (bundle.size - len(bundle.head), MAX_SIZE, "bytes of files"),
    ):
        if number > most:
            raise Failure(f"{name}: {number} {what}, and devices take {most} over the air: deploy it over a cable")
