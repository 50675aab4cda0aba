"""Files that are either whole or not there: digests, locks, and replacing in one step."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .console import say


def digest(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 16), b""):
            hashed.update(block)
    return hashed.hexdigest()


def described(path: Path) -> dict[str, object]:
    """Tell a file's size and SHA-256."""
    return {"size": path.stat().st_size, "sha256": digest(path)}


def digest_of_tree(folder: Path) -> str:
    """Compute one SHA-256 over the names, executable bits and contents below a folder."""
    hashed = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            line = f"{path.relative_to(folder)} -> {os.readlink(path)}\n"
        elif path.is_file():
            executable = "x" if path.stat().st_mode & 0o100 else "-"
            line = f"{path.relative_to(folder)} {executable} {digest(path)}\n"
        else:
            continue
        hashed.update(line.encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def replace(path: Path, source: Path) -> None:
    """Put a copy of `source` at `path`: readers see the old file or the whole new one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        shutil.copy2(source, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, content: str | bytes, private: bool = False) -> None:
    """Write a file, text as UTF-8: readers see the old one or the whole new one; others none of a private one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        if private:
            temporary.touch(0o600)
            temporary.chmod(0o600)
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs of these tools out of a folder, waiting for one that is in it.

    The programs that a run starts with `close_fds=False` hold the lock as well: when the run is killed, what it
    started may write for a while yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that works in {folder} …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def staged(final: Path) -> Iterator[Path]:
    """Lend an empty folder that becomes `final` when the block succeeds and vanishes when it fails.

    Only for the holder of the lock on the parent: what a killed run left behind is removed first.
    """
    for left_behind in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(left_behind)
    temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
