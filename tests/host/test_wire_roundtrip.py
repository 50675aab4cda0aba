"""What random clients send is what the application gets: over real sockets, pipelined, cut anywhere."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.client import CHUNKED, LAST, chunks, connect, rest
from wire.judges import Reply, read_replies
from wire.servers import INTERPRETERS, Server, serving
from wire.strategies import FOUND

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
IN_PATH = TOKEN + '"(),/:;<=>@[\\]{}'
# Names that mean something to the server are tested for what they mean.
FRAMING = {"host", "content-length", "transfer-encoding", "connection", "expect"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(lambda text: text.strip(" "))
NAMES = st.text(TOKEN, min_size=1, max_size=20).map(str.lower).filter(lambda name: name not in FRAMING)
METHODS = st.sampled_from(["GET", "POST", "PUT"]) | st.text(TOKEN, min_size=1, max_size=10)
SIZES = st.integers(0, 40) | st.sampled_from([900, 1000, 1023, 1024, 1025, 4095, 4096, 4097, 16383, 16384])


@dataclass
class Sent:
    """A request, and what the application must see of it."""

    method: str
    path: str
    arguments: list[tuple[str, str]]
    fields: dict[str, str]
    body: bytes
    chunked: list[int] | None  # the sizes of chunks; None for a body with a length

    def query(self) -> str | None:
        if not self.arguments:
            return None
        return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in self.arguments)

    def data(self) -> bytes:
        query = self.query()
        target = self.path + ("" if query is None else "?" + query)
        lines = [f"{self.method} {target} HTTP/1.1", "Host: a"]
        lines += [f"{name}: {value}" for name, value in self.fields.items()]
        if self.chunked is not None:
            return self._head([*lines, CHUNKED]) + self._chunks(self.chunked)
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return self._head(lines) + self.body

    def _head(self, lines: list[str]) -> bytes:
        return "\r\n".join([*lines, "", ""]).encode()

    def _chunks(self, sizes: list[int]) -> bytes:
        pieces, at = [], 0
        for size in sizes:
            pieces.append(self.body[at : at + size])
            at += size
        pieces.append(self.body[at:])
        return chunks(*[piece for piece in pieces if piece])

    def seen(self) -> dict[str, Any]:
        arguments: dict[str, list[str]] = {}
        for name, value in self.arguments:
            arguments.setdefault(name, []).append(value)
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query(),
            "version": "1.1",
            "arguments": arguments,
            "headers": self.fields,
        }


@st.composite
def _requests(draw: st.DrawFn) -> Sent:
    size = draw(SIZES)
    seed = draw(st.binary(min_size=1, max_size=20))
    return Sent(
        # The server answers HEAD and OPTIONS in ways of their own, and CONNECT not at all.
        draw(METHODS.filter(lambda method: method.upper() not in ("HEAD", "OPTIONS", "CONNECT"))),
        "/any/" + draw(st.text(IN_PATH, min_size=1, max_size=40)),
        draw(st.lists(st.tuples(TEXT, TEXT), max_size=4)),
        draw(st.dictionaries(NAMES, VALUES, max_size=8)),
        (seed * size)[:size],
        draw(st.none() | st.lists(st.integers(1, 2000), max_size=6)),
    )


MODES = [pytest.param((i, n), id=f"{i}-{how}") for i in INTERPRETERS for how, n in (("loaded", 16384), ("streamed", 100))]


@pytest.fixture(scope="module", params=MODES)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    """Serve with bodies loaded before the handler runs, and with most of them left to it as a stream."""
    interpreter, limit = request.param
    with serving(interpreter, firmware, f"max_body_length={limit}") as server:
        yield server


def _send_cut(sock: socket.socket, data: bytes, cuts: list[int]) -> None:
    at = 0
    for cut in [*sorted(cuts), len(data)]:
        sock.sendall(data[at:cut])
        at = cut


def _check(sent: Sent, reply: Reply) -> None:
    assert reply.status == 200, reply.body
    line, _, body = reply.body.partition(b"\n")
    seen = json.loads(line)
    for name in [name for name in seen["headers"] if name in FRAMING]:
        del seen["headers"][name]
    assert seen == sent.seen()
    assert body == sent.body


@settings(FOUND, max_examples=250)
@given(sent=st.lists(_requests(), min_size=1, max_size=3), data=st.data())
def test_what_is_sent_is_what_is_seen(server: Server, sent: list[Sent], data: st.DataObject) -> None:
    stream = b"".join(request.data() for request in sent) + LAST
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=5))
    with connect(server.port) as sock:
        _send_cut(sock, stream, cuts)
        received = rest(sock)
    replies = read_replies(received, *[request.method for request in sent], "GET")
    for request, reply in zip(sent, replies):
        _check(request, reply)


def test_the_server_has_nothing_to_complain_of(server: Server) -> None:
    assert server.printed() == ""
