"""Fixtures of the tests on the emulated board: its image, the board itself, and the network that it is on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pico
import ppp
import pytest


@pytest.fixture(scope="session")
def image() -> Path:
    """Give the image of the RP2040, up to date with the checkout."""
    return pico.firmware("RPI_PICO") / "firmware.bin"


@pytest.fixture(scope="module")
def board(image: Path) -> Iterator[pico.Board]:
    """Start a board with nothing but the image in its flash."""
    with pico.started(image) as started:
        yield started


class Network(NamedTuple):
    """The far end of the board's link."""

    process: int

    def curl(self, *arguments: str, seconds: float = 60) -> str:
        """Run curl on the board's network; give what it fetched."""
        users = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        command = ["nsenter", "--target", str(self.process), "--net", *users]
        command += ["curl", "--silent", "--show-error", "--fail", "--max-time", str(seconds), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def network(board: pico.Board) -> Iterator[Network]:
    """Start the application of programs/serve.py on the board, and the link to it."""
    command = [sys.executable, ppp.__file__, str(board.uart)]
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        assert peer.stderr is not None
        try:
            if peer.stdout.readline() == "ready\n":
                board.mpremote("run", "--no-follow", "programs/serve.py")
                yield Network(int(peer.stdout.readline()))
            elif peer.wait() == ppp.REFUSED:
                pytest.skip(peer.stderr.read().strip())
            else:
                pytest.fail(peer.stderr.read())
        finally:
            peer.stdin.close()
