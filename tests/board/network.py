"""The network that the emulated board is on: the far end of its link, and the programs that are run there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pico
import ppp
import pytest

# How a program on the board takes up the link.  With a network in its settings a board does so by itself.
LINK = """
import network
from machine import UART, Pin

ppp = network.PPP(UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=4096, txbuf=4096))
ppp.connect()
"""


class Network:
    """The far end of the board's link."""

    def __init__(self, peer: subprocess.Popen[str]) -> None:
        self._peer = peer
        self.process = 0  # on the board's network, once the link is up

    def _line(self) -> str:
        assert self._peer.stdout is not None
        return self._peer.stdout.readline()

    def wait_until_up(self) -> None:
        """Wait for the board to take up the link, once each time that it does."""
        line = self._line()
        assert line, "the far end of the link has ended"
        self.process = int(line)

    def say(self, command: str) -> None:
        """`cut` the link, or `mend` it."""
        assert self._peer.stdin is not None
        self._peer.stdin.write(command + "\n")
        self._peer.stdin.flush()
        assert self._line() == "done\n"

    def command(self, *command: str) -> list[str]:
        """Give the command line that runs a program on the board's network."""
        users = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.process), "--net", *users, *command]

    def run(self, *command: str, seconds: float = 120) -> str:
        """Run a program on the board's network; give what it printed."""
        done = subprocess.run(self.command(*command), capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def curl(self, *arguments: str, seconds: float = 60) -> str:
        """Run curl on the board's network; give what it fetched."""
        options = ["--silent", "--show-error", "--fail", "--max-time", str(seconds)]
        return self.run("curl", *options, *arguments, seconds=seconds + 10)

    def wait_until_served(self) -> None:
        """Wait for the link and then for the board's server, which comes up after it."""
        self.wait_until_up()
        self.curl("--retry", "60", "--retry-connrefused", "--retry-delay", "1", f"http://{ppp.BOARD}/", seconds=100)

    def client(self, name: str, *arguments: str) -> str:
        """Run one of the programs in clients/; give what it printed."""
        return self.run(*client_command(name), *arguments)


def client_command(name: str) -> list[str]:
    """Give the command line of one of the programs in clients/."""
    return [sys.executable, str(pico.HERE / "clients" / name)]


@contextmanager
def linked(board: pico.Board) -> Iterator[Network]:
    """Start the far end of the board's link, which is up when the board takes it up."""
    command = [sys.executable, ppp.__file__, str(board.uart)]
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        assert peer.stderr is not None
        try:
            if peer.stdout.readline() == "ready\n":
                yield Network(peer)
            elif peer.wait() == ppp.REFUSED:
                pytest.skip(peer.stderr.read().strip())
            else:
                pytest.fail(peer.stderr.read())
        finally:
            peer.stdin.close()
