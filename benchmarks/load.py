"""The load generator: raw sockets, one thread, so many requests as it is told, every reply checked."""

from __future__ import annotations

import socket
from collections.abc import Callable

from .errors import BenchmarkError
from .exchange import Exchange, field

HOST = "127.0.0.1"
_TIMEOUT = 10.0

Load = Callable[[int, int], None]  # port, number of requests


def closing(port: int, count: int, exchange: Exchange, timeout: float = _TIMEOUT) -> None:
    """Send requests one after the other, each on a connection of its own."""
    for _ in range(count):
        exchange.check(_fetch(port, exchange.request(), timeout))


def keeping(port: int, count: int, exchange: Exchange, connections: int = 4) -> None:
    """Send `count` requests on persistent connections, one at a time on each of them."""
    sockets = [_connect(port, _TIMEOUT) for _ in range(connections)]
    try:
        for _ in range(count // connections):
            for sock in sockets:
                sock.sendall(exchange.request())
            for sock in sockets:
                exchange.check(_read_one(sock))
    finally:
        for sock in sockets:
            sock.close()


def echoing(port: int, count: int, message: bytes, connections: int = 4) -> None:
    """Send `count` WebSocket messages of at most 125 bytes on a few connections, and have each one back."""
    mask = b"\x12\x34\x56\x78"
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(message))
    frame = bytes((0x81, 0x80 | len(message))) + mask + masked
    sockets = [_upgraded(port) for _ in range(connections)]
    try:
        for _ in range(count // connections):
            for sock in sockets:
                sock.sendall(frame)
            for sock in sockets:
                received = _exactly(sock, 2 + len(message))
                if received != bytes((0x81, len(message))) + message:
                    raise BenchmarkError(f"websocket: wrong echo: {received!r}")
    finally:
        for sock in sockets:
            sock.close()


def _upgraded(port: int) -> socket.socket:
    sock = _connect(port, _TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = (
        "GET /echo HTTP/1.1",
        "Host: 127.0.0.1:5000",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    sock.sendall("\r\n".join((*lines, "", "")).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(sock, 1)
    if not head.startswith(b"HTTP/1.1 101 "):
        raise BenchmarkError(f"websocket: wrong reply: {head[:60]!r}")
    return sock


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        received = sock.recv(size - len(data))
        if not received:
            raise BenchmarkError("websocket: the server closed a connection that it should keep")
        data += received
    return data


def ask(port: int) -> bytes:
    """Connect, send nothing, and return all that comes."""
    with _connect(port, _TIMEOUT) as sock:
        return _read_all(sock)


def _connect(port: int, timeout: float) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=timeout)


def _fetch(port: int, request: bytes, timeout: float) -> bytes:
    with _connect(port, timeout) as sock:
        sock.sendall(request)
        return _read_all(sock)


def _read_all(sock: socket.socket) -> bytes:
    parts: list[bytes] = []
    while True:
        data = sock.recv(262144)
        if not data:
            return b"".join(parts)
        parts.append(data)


def _read_one(sock: socket.socket) -> bytes:
    data = b""
    while True:
        received = sock.recv(65536)
        if not received:
            raise BenchmarkError("keep-alive: the server closed a connection that it should keep")
        data += received
        head, blank, body = data.partition(b"\r\n\r\n")
        if blank and len(body) >= _length(head):
            return data


def _length(head: bytes) -> int:
    length = field(head, b"content-length")
    if length is None:
        raise BenchmarkError("keep-alive: a reply has no content-length")
    return int(length)
