"""Event streams read by an independent parser, and left by clients in every way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep

import httpx
import pytest
from httpx_sse import connect_sse
from wire.client import PATIENCE, connect, exchange, request, reset
from wire.servers import INTERPRETERS, Server, serving, until

APPLICATION = Path(__file__).parent / "live" / "application.py"


@pytest.fixture(scope="module", params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware, "max_connections=100", application=APPLICATION) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=PATIENCE) as client:
        yield client


def _count(server: Server) -> int:
    return int(exchange(server.port, request("GET", "/count", "Connection: close")).rsplit(b"\r\n", 1)[1])


def test_events_as_a_parser_of_others_sees_them(client: httpx.Client) -> None:
    with connect_sse(client, "GET", "/events") as source:
        assert source.response.headers["content-type"] == "text/event-stream"
        assert source.response.headers["cache-control"] == "no-cache"
        events = list(source.iter_sse())
    assert [event.json() for event in events[:3]] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [(event.event, event.id, event.retry) for event in events[:3]] == [("number", str(n), 1500) for n in range(3)]
    assert events[3].data == "lines\nand\nlines\nand é"


def test_a_client_goes_on_where_it_stopped(client: httpx.Client) -> None:
    with connect_sse(client, "GET", "/events", headers={"Last-Event-ID": "41"}) as source:
        assert [event.id for event in source.iter_sse()][:3] == ["42", "43", "44"]


def test_many_events_in_order_on_a_kept_connection(client: httpx.Client) -> None:
    for n in (0, 1, 7, 8, 9, 1000):
        with connect_sse(client, "GET", f"/many/{n}") as source:
            assert [event.data for event in source.iter_sse()] == [str(i) for i in range(n)]


@pytest.mark.parametrize("rudely", [False, True])
def test_silent_handlers_end_when_their_clients_leave(server: Server, rudely: bool) -> None:
    before = server.descriptors()
    socks = [connect(server.port) for _ in range(20)]
    for sock in socks:
        sock.sendall(request("GET", "/silent"))
    assert until(lambda: _count(server) == 20)
    for sock in socks:
        if rudely:
            reset(sock)
        else:
            sock.close()
    assert until(lambda: _count(server) == 0)
    assert until(lambda: len(server.descriptors()) <= len(before))
    assert server.printed() == ""


def test_cut_at_every_byte_of_the_request(server: Server) -> None:
    before = server.descriptors()
    data = request("GET", "/silent")
    for at in range(len(data) + 1):
        sock = connect(server.port)
        sock.sendall(data[:at])
        sleep(0.002)  # few may wait to be accepted by a board
        sock.close()
    assert until(lambda: _count(server) == 0 and len(server.descriptors()) <= len(before))
    assert server.printed() == ""
