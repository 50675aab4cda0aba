"""Sends messages to a WebSocket that echoes, with a client of somebody else's; prints what came back, as JSON.

python3 echo.py URL
"""

from __future__ import annotations

import json
import sys

from websockets.sync.client import connect

_MESSAGES = ("hello", "", "é€😀" * 100, "x" * 3000)

with connect(sys.argv[1], open_timeout=60, close_timeout=60, ping_timeout=60) as socket:
    for message in (*_MESSAGES, *(text.encode() for text in _MESSAGES)):
        socket.send(message)
        answer = socket.recv(60)
        assert answer == message, f"{answer!r}, not {message!r}"
print(json.dumps({"same": 2 * len(_MESSAGES), "code": socket.close_code}))
