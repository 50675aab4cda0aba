"""Holds connections in the middle of what they do, and its peace, until it is killed.

python3 hold.py HOST KIND...     of those in _KINDS

Prints `holding` when the board has them all.
"""

from __future__ import annotations

import socket
import sys
import time

_HEAD = "{} HTTP/1.1\r\nHost: board\r\n{}\r\n"
_WEBSOCKET = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
_FORM = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n"
_KINDS = {
    # what it sends, and whether the board answers
    "head": ("GET / HTTP/1.1\r\nHost: bo", False),
    "body": (_HEAD.format("POST /upload", _FORM) + "--b", False),
    "download": (_HEAD.format("GET /endless", ""), True),
    "websocket": (_HEAD.format("GET /echo", _WEBSOCKET), True),
    "events": (_HEAD.format("GET /events?count=10000", ""), True),
    "idle": (_HEAD.format("GET /", ""), True),
}


def held(host: str, text: str, answered: bool) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect((host, 80))
    client.sendall(text.encode())
    if answered:
        assert client.recv(9) == b"HTTP/1.1 "
    return client


clients = [held(sys.argv[1], *_KINDS[kind]) for kind in sys.argv[2:]]
print("holding", flush=True)
time.sleep(600)
