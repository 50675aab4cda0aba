"""WebSockets against two independent implementations: `websockets` as a client, `wsproto` as a judge of each frame."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol
from wire.client import PATIENCE, request, reset
from wire.client import connect as connect_socket
from wire.servers import INTERPRETERS, Server, serving, until
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    RejectConnection,
    Request,
)
from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode
from wsproto.utilities import LocalProtocolError

APPLICATION = Path(__file__).parent / "live" / "application.py"
LIMIT = 1000  # of /echo
CODES = {1002, 1007, 1009}  # what a broken client may be told


@pytest.fixture(scope="module", params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware, "max_connections=100", application=APPLICATION) as server:
        yield server


def _open(server: Server, path: str = "/echo", compression: str | None = None, **options: Any) -> ClientConnection:
    address = f"ws://127.0.0.1:{server.port}{path}"
    return connect(address, compression=compression, max_size=None, proxy=None, open_timeout=PATIENCE, **options)


class Peer:
    """wsproto on a socket: raises for whatever a server must not send."""

    def __init__(self, server: Server, path: str = "/echo") -> None:
        self.sock = connect_socket(server.port)
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        self.send(Request(host="a", target=path))

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, event: Event) -> None:
        self.sock.sendall(self.protocol.send(event))

    def raw(self, data: bytes) -> None:
        """Send bytes that wsproto would not, or as many as the server takes."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)

    def next(self) -> Event:
        while not self._events:
            data = self.sock.recv(65536)
            self.protocol.receive_data(data or None)
            self._events.extend(self.protocol.events())
        return self._events.pop(0)

    def message(self) -> str | bytes:
        """Return the next message, whole."""
        parts: list[str | bytes] = []
        while True:
            event = self.next()
            assert isinstance(event, Message), event
            parts.append(event.data)
            if event.message_finished:
                return "".join(parts) if isinstance(parts[0], str) else b"".join(parts)  # type: ignore[arg-type]

    def close_code(self) -> int:
        """Skip to the close frame; check that the connection ends behind it."""
        while not isinstance(event := self.next(), CloseConnection):
            pass
        self.raw(self.protocol.send(event.response()))
        assert self.sock.recv(1) == b""
        return event.code


def test_messages_of_each_length(server: Server) -> None:
    with _open(server, "/large") as ws:
        for n in (0, 1, 125, 126, 127, 500, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 100000):
            payload = os.urandom(n)
            ws.send(payload)
            assert ws.recv(PATIENCE) == payload
            text = "é" * (n // 2)
            ws.send(text)
            assert ws.recv(PATIENCE) == text
    assert server.printed() == ""


def test_fragments(server: Server) -> None:
    with _open(server) as ws:
        ws.send(["frag", "", "ments ", "é"])
        assert ws.recv(PATIENCE) == "fragments é"
        ws.send([b"\0", b"\xff" * 998, b"\1"])
        assert ws.recv(PATIENCE) == b"\0" + b"\xff" * 998 + b"\1"


def test_pings(server: Server) -> None:
    with _open(server) as ws:
        for payload in (b"", b"x", os.urandom(125)):
            assert ws.ping(payload).wait(PATIENCE)


def test_ping_of_ours_is_answered_and_the_client_kept(server: Server) -> None:
    with _open(server, "/pings") as ws:
        with pytest.raises(TimeoutError):
            ws.recv(3)  # longer than who does not answer is kept
        ws.send("still here")
        assert ws.recv(PATIENCE) == "still here"


def test_subprotocol_and_origin(server: Server) -> None:
    offered = [Subprotocol("first"), Subprotocol("second")]
    with _open(server, "/protocols", subprotocols=offered, origin=Origin("http://localhost")) as ws:
        assert ws.subprotocol == "second"
    with pytest.raises(InvalidStatus) as refused:
        _open(server, "/protocols", origin=Origin("http://evil.example"))
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("code", [1000, 1001, 1008, 3000, 4999])
def test_close_codes(server: Server, code: int) -> None:
    with _open(server, f"/close/{code}") as ws:
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(PATIENCE)
        assert closed.value.rcvd == Close(code, "because")
    with _open(server) as ws:
        ws.close(code, "é" * 61)
        assert ws.protocol.close_rcvd == Close(code, "")
    assert server.printed() == ""


def test_failing_handler(server: Server) -> None:
    with _open(server, "/fails") as ws:
        ws.send("go")
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
    assert until(lambda: "on purpose" in server.printed())


def test_compression(server: Server) -> None:
    with _open(server, "/deflate", "deflate") as ws:
        assert ws.protocol.extensions, "the server did not accept compression"
        for n in (0, 1, 63, 64, 65, 1000, 20000, 90000):
            for message in ("é" * (n // 2), os.urandom(n), b"x" * n):
                ws.send(message)
                assert ws.recv(PATIENCE) == message
        ws.send(["compressed ", "in ", "fragments " * 50])
        assert ws.recv(PATIENCE) == "compressed in " + "fragments " * 50
        ws.send(b"\0" * 100001)  # a few hundred bytes on the wire
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    assert server.printed() == ""


def test_compression_is_off_by_default(server: Server) -> None:
    with _open(server, "/echo", "deflate") as ws:
        assert not ws.protocol.extensions


def test_broadcast_reaches_every_member(server: Server) -> None:
    with ExitStack() as stack:
        members = [stack.enter_context(_open(server, "/members")) for _ in range(5)]
        members[0].send("hello")
        for ws in members:
            assert ws.recv(PATIENCE) == "hello"
    assert until(lambda: _count(server) == 0)
    assert server.printed() == ""


def _count(server: Server) -> int:
    with connect_socket(server.port) as sock:
        sock.sendall(request("GET", "/count", "Connection: close"))
        data = b""
        while part := sock.recv(4096):
            data += part
    return int(data.rsplit(b"\r\n", 1)[1])


def test_shutdown_closes_with_1001(firmware: Path, server: Server) -> None:
    with serving(server.interpreter, firmware, application=APPLICATION) as own, _open(own, "/members") as ws:
        assert until(lambda: _count(own) == 1)
        with connect_socket(own.port) as sock:
            sock.sendall(request("GET", "/stop", "Connection: close"))
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 OK")
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert own.exit_status() == 0


def test_every_frame_to_the_letter(server: Server) -> None:
    with Peer(server) as peer:
        assert isinstance(peer.next(), AcceptConnection)
        for n in (0, 1, 125, 126, 127, 999, 1000):
            peer.send(BytesMessage(data=b"x" * n))
            assert peer.message() == b"x" * n
        peer.send(Ping(payload=b"?"))
        pong = peer.next()
        assert isinstance(pong, Pong)
        assert pong.payload == b"?"
        peer.send(CloseConnection(code=4001, reason="done"))
        assert isinstance(closed := peer.next(), CloseConnection)
        assert closed.code == 4001


def test_refusal_is_a_response(server: Server) -> None:
    with Peer(server, "/nowhere") as peer:
        rejected = peer.next()
        assert isinstance(rejected, RejectConnection)
        assert rejected.status_code == 404


def _frame(opcode: Opcode, payload: bytes, fin: bool = True) -> bytes:
    protocol = FrameProtocol(client=True, extensions=[])
    return bytes(protocol._serialize_frame(opcode, payload, fin=fin))


def test_random_conversations_cut_at_random_places(server: Server) -> None:
    """What must come back is known: every message and ping in order, whatever the cuts."""
    for seed in range(40):
        chance = random.Random(seed)
        data, expected = b"", list[object]()
        for _ in range(chance.randint(1, 20)):
            payload = chance.randbytes(chance.choice((0, 1, 5, 125, 126, 300, 512, 999)))
            pieces = chance.randint(1, 4)
            size = len(payload) // pieces + 1
            pings = []
            for i in range(pieces):
                opcode = Opcode.CONTINUATION if i else Opcode.BINARY
                data += _frame(opcode, payload[i * size : (i + 1) * size], fin=i == pieces - 1)
                if i < pieces - 1 and chance.random() < 0.3:
                    pings.append(chance.randbytes(chance.randint(0, 125)))
                    data += _frame(Opcode.PING, pings[-1])
            expected += [*(("pong", ping) for ping in pings), payload]
        with Peer(server) as peer:
            assert isinstance(peer.next(), AcceptConnection)
            while data:
                cut = chance.randint(1, chance.choice((3, 600, 5000)))
                peer.raw(data[:cut])
                data = data[cut:]
            for what in expected:
                if isinstance(what, tuple):
                    assert isinstance(pong := peer.next(), Pong)
                    assert pong.payload == what[1]
                else:
                    assert peer.message() == what
    assert server.printed() == ""


def test_fuzzed_frames_end_with_a_code_or_are_messages(server: Server) -> None:
    """Frames with bits flipped, bytes lost or added, or nothing but noise: the answer is always well-formed."""
    before = server.descriptors()
    codes = set()
    for seed in range(300):
        chance = random.Random(seed)
        data = bytearray(
            b"".join(
                _frame(chance.choice(list(Opcode)), chance.randbytes(chance.choice((0, 1, 2, 30, 125))), chance.random() < 0.8)
                for _ in range(3)
            )
        )
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            change = chance.randint(0, 2)
            if change == 0:
                data[at] ^= 1 << chance.randint(0, 7)
            elif change == 1:
                del data[at]
            else:
                data.insert(at, chance.randint(0, 255))
        with Peer(server) as peer:
            assert isinstance(peer.next(), AcceptConnection)
            peer.raw(bytes(data))
            peer.sock.shutdown(socket.SHUT_WR)
            codes.add(_read_to_the_end(peer))
    assert codes >= {1002, None}
    assert codes - {None} <= CODES | set(range(1000, 5000))
    assert until(lambda: len(server.descriptors()) <= len(before))
    assert server.printed() == ""


def _read_to_the_end(peer: Peer) -> int | None:
    try:
        while True:
            event = peer.next()
            if isinstance(event, CloseConnection):
                return None if event.code in (CloseReason.ABNORMAL_CLOSURE, CloseReason.NO_STATUS_RCVD) else event.code
    except (ConnectionResetError, LocalProtocolError):
        return None


@pytest.mark.parametrize("rudely", [False, True])
def test_connection_cut_at_every_byte(server: Server, rudely: bool) -> None:
    """The handshake, a message in fragments and a close: whatever is missing, nothing stays behind."""
    before = server.descriptors()
    fields = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    head = request("GET", "/members", *fields, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    frames = _frame(Opcode.TEXT, b"half", fin=False) + _frame(Opcode.PING, b"?") + _frame(Opcode.CONTINUATION, b"x" * 126)
    data = head + frames + _frame(Opcode.CLOSE, b"\x03\xe8")
    for at in [*range(0, len(head), 7), *range(len(head), len(data))]:
        sock = connect_socket(server.port)
        sock.sendall(data[:at])
        sleep(0.002)  # few may wait to be accepted by a board
        if rudely:
            reset(sock)
        else:
            sock.close()
    assert until(lambda: _count(server) == 0)
    assert until(lambda: len(server.descriptors()) <= len(before))
    assert server.printed() == ""
