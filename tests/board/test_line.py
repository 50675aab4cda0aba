"""PPP takes turns in lwIP with the timers that an interrupt runs, and with itself, and has the memory for its frames
(`board/ppp_lock.h`, `board/ppp_frame.h`)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pico
import pytest
from network import Network, linked
from ppp import BOARD

_LINE = "115200, tx=Pin(0), rx=Pin(1), rxbuf=4096, txbuf=4096"
_NARROW = _LINE.replace("txbuf=4096", "txbuf=64")
_BIG = "".join(f"line {n}\n" for n in range(1000))


def test_lwip_s_timers_wait_until_a_packet_is_read(board: pico.Board, network: Network) -> None:
    # Else, once in some hundred packets, a segment was sent again while its acknowledgement was read: its queue was
    # knotted then, and its connection silent until its end.
    board.watch("pppos_input", "sys_check_timeouts", leap=100)
    assert network.curl(f"http://{BOARD}/greet/ann") == '{"hello": "ann"}'
    state = board.state()
    assert state.entered > 3
    assert state.overlapped == 0


@pytest.mark.parametrize(
    ("line", "path", "page"),
    [
        (_NARROW, "big", _BIG),
        (_NARROW.replace("115200", "9600"), "greet/ann", '{"hello": "ann"}'),
    ],
    ids=["a long page", "a slow line"],
)
def test_no_packet_is_read_while_one_waits_for_the_line(image: Path, tmp_path: Path, line: str, path: str, page: str) -> None:
    # lwIP, in the middle of a packet, waits until the UART has room.
    program, text = tmp_path / "serve.py", (pico.HERE / "programs/serve.py").read_text()
    assert _LINE in text
    program.write_text(text.replace(_LINE, line))
    with pico.started(image) as board, linked(board) as network:
        board.mpremote("run", "--no-follow", str(program))
        network.wait_until_served()
        board.watch("pppos_netif_output", "pppos_input")
        before = board.state().sent
        assert network.curl(f"http://{BOARD}/{path}") == page
        state = board.state()
        assert state.entered > 3
        assert state.overlapped == 0
        assert state.sent - before < 1.3 * len(page) + 700  # nothing was lost and sent again


def test_replies_that_fill_lwip_s_memory_come_whole(network: Network) -> None:
    # Without memory for one more frame, the socket that had something to send failed.
    with ThreadPoolExecutor() as clients:
        assert list(clients.map(network.curl, [f"http://{BOARD}/big"] * 4)) == [_BIG] * 4
