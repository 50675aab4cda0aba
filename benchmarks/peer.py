"""The frameworks of other projects, each installed into a folder of the benchmark's own. They are run, never imported here."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from .contenders import Contender
from .errors import BenchmarkError, Unavailable
from .process import last_line


@dataclass(frozen=True)
class Peer:
    """A framework by the name its project gives it, and what pip installs for it: one package, with a range of versions."""

    name: str
    requirement: str

    @property
    def package(self) -> str:
        return re.split(r"[<>=!~]", self.requirement)[0]

    @property
    def module(self) -> str:
        """How the names of its programs in `servers/peers` begin."""
        return self.package.replace("-", "_")

    def installed(self, cache: Path) -> Contender:
        """This framework as a contender; installs it when the cache has none, and raises Unavailable if that fails."""
        folder = cache / self.package
        if not folder.is_dir():
            self._install(folder)
        version = next(
            found.version for found in distributions(path=[str(folder)]) if _plain(found.name) == _plain(self.package)
        )
        return Contender(f"{self.name} {version}", str(folder))

    def _install(self, folder: Path) -> None:
        """Install beside the folder and rename: an install that was cut short never counts."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            target = Path(temporary) / folder.name
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            done = subprocess.run([*pip, "--target", str(target), self.requirement], capture_output=True, text=True)
            if done.returncode:
                raise Unavailable(f"{self.name}: not installed: {last_line(done.stderr)}")
            target.rename(folder)


def _plain(name: str) -> str:
    """The name of a package as the index compares it (the packaging specification on names, once PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


MICRODOT = Peer("microdot", "microdot>=2.6,<3")


def published(cache: Path) -> Contender:
    """The published microdot, beside which most tables measure."""
    try:
        return MICRODOT.installed(cache)
    except Unavailable as error:
        raise BenchmarkError(f"{error}; `--no-peer` measures without it") from error


def all_installed(peers: Sequence[Peer], cache: Path | None) -> tuple[dict[Peer, Contender], list[str]]:
    """Those that could be installed, and why each of the others could not; none without a cache, when none is wanted."""
    found: dict[Peer, Contender] = {}
    missing: list[str] = []
    if cache is None:
        return found, missing
    for peer in peers:
        try:
            found[peer] = peer.installed(cache)
        except Unavailable as reason:
            missing.append(str(reason))
    return found, missing
