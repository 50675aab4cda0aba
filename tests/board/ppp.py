"""The far end of the board's PPP link: a network interface in a network namespace that only the tests see.

    python3 ppp.py UART_PORT      ends with its standard input

It prints `ready` when it can be called, and its process id, by which others find the namespace, each time that the link
comes up.  The line `cut` on its standard input lets nothing more through in either direction, `mend` does again.

It opens a TUN device in a namespace of its own, speaks as much of LCP and IPCP (RFC 1661, RFC 1332) in HDLC-like
framing (RFC 1662) as gives the board an address, and passes IP packets both ways: the machine's own TCP/IP talks
to the board's.  A user namespace stands in for root where the kernel grants one; where it grants nothing, the
program says so and exits with status 3.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

HOST, BOARD = "10.0.2.2", "10.0.2.15"
REFUSED = 3
_REPEAT_SECONDS = 3  # the board repeats a request after six

_LCP, _IPCP, _IP = 0xC021, 0x8021, 0x0021
_REQUEST, _ACK, _NAK, _REJECT, _TERMINATE, _TERMINATE_ACK = range(1, 7)
_PROTOCOL_REJECT, _ECHO_REQUEST, _ECHO_REPLY = 8, 9, 10
_ADDRESS = 3
_FLAG, _ESCAPE = 0x7E, 0x7D
_NEW_NETWORK, _NEW_USER = 0x4000_0000, 0x1000_0000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x4004_54CA, 0x0001, 0x1000


def checksum(data: bytes) -> int:
    """Compute the frame check sequence (RFC 1662, C.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
    return crc ^ 0xFFFF


def framed(protocol: int, payload: bytes) -> bytes:
    """Put a packet into a frame, all control characters escaped."""
    data = b"\xff\x03" + struct.pack(">H", protocol) + payload
    data += struct.pack("<H", checksum(data))
    escaped = bytearray((_FLAG,))
    for byte in data:
        escaped += bytes((_ESCAPE, byte ^ 0x20)) if byte < 0x20 or byte in (_FLAG, _ESCAPE) else bytes((byte,))
    return bytes(escaped) + bytes((_FLAG,))


class Frames:
    """Bytes in, packets out; a frame with a bad checksum is dropped, as TCP will ask again."""

    def __init__(self) -> None:
        self._received, self._escaped = bytearray(), False

    def fed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        for byte in chunk:
            if byte == _FLAG:
                data, self._received, self._escaped = bytes(self._received), bytearray(), False
                if len(data) > 4 and checksum(data[:-2]) == struct.unpack("<H", data[-2:])[0]:
                    yield self._opened(data[:-2])
            elif byte == _ESCAPE:
                self._escaped = True
            else:
                self._received.append(byte ^ 0x20 if self._escaped else byte)
                self._escaped = False

    @staticmethod
    def _opened(data: bytes) -> tuple[int, bytes]:
        # The peer may leave out address and control, and shorten the protocol (RFC 1661 6.5, 6.6).
        data = data[2:] if data[:2] == b"\xff\x03" else data
        return (data[0], data[1:]) if data[0] & 1 else (data[0] << 8 | data[1], data[2:])


def _option(kind: int, value: bytes) -> bytes:
    return bytes((kind, len(value) + 2)) + value


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 2 and data[1] >= 2:
        yield data[0], data[2 : data[1]]
        data = data[data[1] :]


class Peer:
    """Answers the board's LCP and IPCP; gives the frames to send."""

    def __init__(self) -> None:
        self.up = False
        self._asked = float("-inf")

    def answers(self, protocol: int, data: bytes) -> Iterator[bytes]:
        if protocol not in (_LCP, _IPCP):
            rejected = struct.pack(">H", protocol) + data
            yield self._packet(_LCP, _PROTOCOL_REJECT, 1, rejected)
            return
        code, ident, length = struct.unpack(">BBH", data[:4])
        answer = self._lcp if protocol == _LCP else self._ipcp
        yield from answer(code, ident, data[4:length])

    @staticmethod
    def _packet(protocol: int, code: int, ident: int, data: bytes = b"") -> bytes:
        return framed(protocol, struct.pack(">BBH", code, ident, len(data) + 4) + data)

    def _lcp(self, code: int, ident: int, data: bytes) -> Iterator[bytes]:
        if code == _REQUEST:
            yield self._packet(_LCP, _ACK, ident, data)
            yield from self._begin()
        elif code == _ACK:
            yield self._packet(_IPCP, _REQUEST, 1, _option(_ADDRESS, socket.inet_aton(HOST)))
        elif code == _ECHO_REQUEST:
            yield self._packet(_LCP, _ECHO_REPLY, ident, bytes(4))
        elif code == _TERMINATE:
            self.up = False
            yield self._packet(_LCP, _TERMINATE_ACK, ident)

    def _begin(self) -> Iterator[bytes]:
        """Ask for the link in turn, once: another request would take an open link down, and each side would go on for ever."""
        if time.monotonic() - self._asked > _REPEAT_SECONDS:
            self._asked = time.monotonic()
            self.up = False  # the board begins, or has begun anew
            yield self._packet(_LCP, _REQUEST, 1)

    def _ipcp(self, code: int, ident: int, data: bytes) -> Iterator[bytes]:
        if code != _REQUEST:
            return
        asked, wanted = dict(_options(data)), socket.inet_aton(BOARD)
        unknown = b"".join(_option(kind, value) for kind, value in asked.items() if kind != _ADDRESS)
        if unknown:
            yield self._packet(_IPCP, _REJECT, ident, unknown)
        elif asked.get(_ADDRESS) != wanted:
            yield self._packet(_IPCP, _NAK, ident, _option(_ADDRESS, wanted))
        else:
            self.up = True
            yield self._packet(_IPCP, _ACK, ident, data)


def _enter_namespace() -> None:
    root, user, group = os.geteuid() == 0, os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK if root else _NEW_NETWORK | _NEW_USER):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if not root:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)


def _tun() -> int:
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", b"ppp0", _IFF_TUN | _IFF_NO_PI))
    for command in ("link set lo up", f"addr add {HOST} peer {BOARD} dev ppp0", "link set ppp0 up"):
        subprocess.run(["ip", *command.split()], check=True, capture_output=True)
    return tun


def _pass(link: socket.socket, tun: int) -> None:
    frames, peer, cut = Frames(), Peer(), False
    while True:
        ready, _, _ = select.select([link, tun, sys.stdin], [], [])
        if tun in ready:
            packet = os.read(tun, 2000)
            # The machine talks IPv6 as well, and begins at once.
            if peer.up and not cut and packet[0] >> 4 == 4:
                link.sendall(framed(_IP, packet))
        if sys.stdin in ready:
            command = sys.stdin.readline()
            if not command:
                return
            cut = command == "cut\n"
            print("done", flush=True)
        if link in ready:
            chunk = link.recv(4096)
            if not chunk:
                return
            for protocol, data in () if cut else frames.fed(chunk):
                _take(protocol, data, peer, link, tun)


def _take(protocol: int, data: bytes, peer: Peer, link: socket.socket, tun: int) -> None:
    if protocol == _IP:
        os.write(tun, data)
        return
    was_up = peer.up
    for frame in peer.answers(protocol, data):
        link.sendall(frame)
    if peer.up and not was_up:
        print(os.getpid(), flush=True)


def main() -> int:
    link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))  # the namespace has no way to it
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        _enter_namespace()
        tun = _tun()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no network namespace with a TUN device: {error}", file=sys.stderr)
        return REFUSED
    print("ready", flush=True)
    _pass(link, tun)
    return 0


if __name__ == "__main__":
    sys.exit(main())
