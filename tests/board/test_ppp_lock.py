"""PPP and lwIP's timers, which an interrupt runs: neither begins while the other is in lwIP."""

from __future__ import annotations

from pathlib import Path

import pico
from network import Network
from ppp import BOARD

from tools import elf_sizes


def _address(image: Path, name: str) -> int:
    symbols = elf_sizes.output("nm", str(image.with_suffix(".elf"))).splitlines()
    return next(int(line.split()[0], 16) for line in symbols if line.endswith(f" T {name}"))


def test_lwip_s_timers_wait_until_a_packet_is_read(image: Path, board: pico.Board, network: Network) -> None:
    # Else, once in some hundred packets, a segment was sent again while its acknowledgement was read: its queue was
    # knotted then, and its connection silent until its end.
    board.watch(_address(image, "pppos_input"), _address(image, "sys_check_timeouts"))
    assert network.curl(f"http://{BOARD}/greet/ann") == '{"hello": "ann"}'
    state = board.state()
    assert state.entered > 3
    assert state.overlapped == 0
