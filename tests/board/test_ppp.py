"""The far end of the board's link, which the tests over the network rest on."""

from __future__ import annotations

import ppp
import pytest

_LCP_REQUEST = bytes((1, 1, 0, 4))
_IPCP_REQUEST = bytes((1, 1, 0, 10, 3, 6, 10, 0, 2, 15))


def _codes(peer: ppp.Peer, protocol: int, packet: bytes) -> list[int]:
    """Give the kinds of packet that one packet of the board's is answered with."""
    return [data[0] for frame in peer.answers(protocol, packet) for _, data in ppp.Frames().fed(frame)]


def test_a_repeated_request_does_not_take_the_link_down() -> None:
    peer = ppp.Peer()
    assert _codes(peer, 0xC021, _LCP_REQUEST) == [2, 1]  # acknowledged, and asked in turn
    assert _codes(peer, 0x8021, _IPCP_REQUEST) == [2]
    assert peer.up
    assert _codes(peer, 0xC021, _LCP_REQUEST) == [2]
    assert peer.up


def test_a_board_that_begins_anew_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppp, "_REPEAT_SECONDS", 0)
    peer = ppp.Peer()
    _codes(peer, 0xC021, _LCP_REQUEST)
    _codes(peer, 0x8021, _IPCP_REQUEST)
    assert _codes(peer, 0xC021, _LCP_REQUEST) == [2, 1]
    assert not peer.up


def test_a_damaged_frame_is_dropped() -> None:
    frame = bytearray(ppp.framed(0xC021, _LCP_REQUEST))
    frame[-3] ^= 0x01
    assert list(ppp.Frames().fed(bytes(frame))) == []
