"""Fixtures of the tests on the emulated board: its image, the board itself, and the network that it is on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from network import Network, linked


@pytest.fixture(scope="session")
def image() -> Path:
    """Give the image of the RP2040, up to date with the checkout."""
    return pico.firmware("RPI_PICO") / "firmware.bin"


@pytest.fixture(scope="module")
def board(image: Path) -> Iterator[pico.Board]:
    """Start a board with nothing but the image in its flash."""
    with pico.started(image) as started:
        yield started


@pytest.fixture(scope="module")
def network(board: pico.Board) -> Iterator[Network]:
    """Start the application of programs/serve.py on the board, and the link to it."""
    with linked(board) as network:
        board.mpremote("run", "--no-follow", "programs/serve.py")
        network.wait_until_served()
        yield network
