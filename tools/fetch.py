"""fetch MicroPython's source into the cache, and tell where it is

A build fetches it by itself; this is for reading it, and for a machine that will have no network.

  mdot fetch --board RPI_PICO
"""

from __future__ import annotations

import argparse

from . import boards, source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", default="unix", help="the board whose needs are fetched (default: unix)")


def do(arguments: argparse.Namespace) -> None:
    print(source.packaged(boards.named(arguments.board)))
