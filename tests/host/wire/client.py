"""A client that sends bytes as it is told, and leaves as rudely as it is told."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

PATIENCE = 60.0  # seconds without a byte after which an answer counts as missing
CHUNKED = "Transfer-Encoding: chunked"


def request(method: str = "GET", target: str = "/", *fields: str, body: bytes | None = None, version: str = "1.1") -> bytes:
    """Return the bytes of a request; Host and the body's length are added."""
    lines = [f"{method} {target} HTTP/{version}", "Host: a", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


LAST = request("GET", "/", "Connection: close")  # what the server answers and then closes


def chunks(*pieces: bytes) -> bytes:
    """Return a chunked body of these pieces, none of them empty."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def connect(port: int, window: int = 0) -> socket.socket:
    """Open a connection; `window` bounds what the server can send ahead of what is read."""
    sock = socket.socket()
    sock.settimeout(PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.connect(("127.0.0.1", port))
    return sock


def reset(sock: socket.socket) -> None:
    """End a connection at once and in the middle, as a client that is switched off and on."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def rest(sock: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection in good order."""
    received = bytearray()
    try:
        while data := sock.recv(65536):
            received += data
    except ConnectionResetError:
        raise AssertionError(f"reset after {bytes(received[-200:])!r}") from None
    except TimeoutError:
        raise AssertionError(f"nothing more after {bytes(received[-200:])!r}") from None
    return bytes(received)


def rest_or_reset(sock: socket.socket) -> bytes:
    """Return all that comes until the server ends the connection, in good order or not."""
    received = bytearray()
    try:
        while data := sock.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return bytes(received)


def send(sock: socket.socket, pieces: Iterable[bytes]) -> None:
    """Send the pieces, or as many as the server takes."""
    try:
        for piece in pieces:
            sock.sendall(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server has had enough: what it answered is what counts


def exchange(port: int, *pieces: bytes) -> bytes:
    """Send bytes on a connection of their own; return all that comes back until the server closes it."""
    with connect(port) as sock:
        send(sock, pieces)
        return rest(sock)


def exchange_and_leave(port: int, *pieces: bytes) -> bytes:
    """The same for a client that has nothing more to say, and says so."""
    with connect(port) as sock:
        send(sock, pieces)
        sock.shutdown(socket.SHUT_WR)
        return rest(sock)


def status_of(received: bytes) -> int:
    """Return the status of the first reply, 0 when there is none."""
    return int(received[9:12]) if received.startswith(b"HTTP/1.") else 0
