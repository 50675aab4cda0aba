"""Opens connections one after the other and keeps them; prints for each what became of it, as JSON.

python3 crowd.py HOST NUMBER busy|idle

A busy client listens to events that go on, an idle one has asked for a page and got it.  What becomes of them: `served` and
still there, `refused` (503), or `ended` by the server to make room.
"""

from __future__ import annotations

import json
import socket
import sys

_SECONDS = 60
_TARGETS = {"busy": "/events?count=1000", "idle": "/"}


class Client:
    def __init__(self, host: str, target: str) -> None:
        self.socket = socket.create_connection((host, 80), _SECONDS)
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        self.fate = {b"HTTP/1.1 200": "served", b"HTTP/1.1 503": "refused"}[self.socket.recv(12)]
        if self.fate == "refused":
            self.socket.close()

    def look(self) -> None:
        """Close the connection if the server did, as a browser does."""
        if self.fate == "served" and self.ended():
            self.fate = "ended"
            self.socket.close()

    def ended(self) -> bool:
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
        except BlockingIOError:
            return False
        except ConnectionResetError:
            pass
        return True


host, number, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
clients: list[Client] = []
for _ in range(number):
    clients.append(Client(host, _TARGETS[kind]))
    for client in clients:
        client.look()
print(json.dumps([client.fate for client in clients]))
