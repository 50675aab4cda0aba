"""A verb that goes on until it is ended, as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app_folders import ROOT


class Running:
    """The process; its stdout and stderr are files."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self._folder = folder

    def said(self, stream: str = "stdout") -> str:
        return (self._folder / stream).read_bytes().decode()

    def wait_for(self, text: str, stream: str = "stdout", count: int = 1) -> None:
        deadline = time.monotonic() + 100
        while self.said(stream).count(text) < count:
            assert time.monotonic() < deadline, (self.said(), self.said("stderr"))
            time.sleep(0.02)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def _heed_ctrl_c() -> None:
    # What a shell has started in the background ignores it, and so would its children.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(folder: Path, *arguments: object, stdin: int = subprocess.DEVNULL) -> Iterator[Running]:
    """Run a verb until the end of the block."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tools", *map(str, arguments)]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=out, stderr=err, preexec_fn=_heed_ctrl_c)
        try:
            yield Running(process, folder)
        finally:
            process.kill()
            process.wait()
