"""The notice board of examples/redis on two workers behind nginx, with Debian's Redis."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from deployment import PATIENCE, Site, deployed, eventually, missing
from helpers import ROOT
from httpx_sse import connect_sse
from servers import free_port
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

redis = pytest.importorskip("redis", reason="no redis for Python: pip install redis")
APPLICATION = ROOT / "examples/redis"
WORKERS = ("mdot:0", "mdot:1")
_LACKING = missing() or (None if shutil.which("redis-server") else "no redis-server: apt-get install redis-server")

pytestmark = pytest.mark.skipif(bool(_LACKING), reason=str(_LACKING))


class Redis:
    """A Redis server of the tests' own, which can be ended and started again."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        with (self.folder / "redis.log").open("ab") as output:
            self.process = subprocess.Popen(["redis-server", *options], stdout=output, stderr=output)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def subscribers(self) -> int:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=PATIENCE) as client:
                return int(client.pubsub_numsub("notices")[0][1])
        except redis.RedisError:
            return 0


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Redis]]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    try:
        with deployed(APPLICATION, REDIS_URL=server.url) as site:
            eventually(lambda: server.subscribers() == 2, site.printed)
            yield site, server
    finally:
        server.stop()


class Clients:
    """A WebSocket and an event stream at each of the workers."""

    def __init__(self, site: Site, stack: ExitStack) -> None:
        self.sockets: list[ClientConnection] = []
        self.streams: list[Iterator[Any]] = []
        pids = site.workers()
        for worker in WORKERS:
            with site.only(worker):
                ws = stack.enter_context(site.websocket())
                assert json.loads(ws.recv(PATIENCE)) == {"worker": pids[worker]}
                source = stack.enter_context(connect_sse(stack.enter_context(site.client()), "GET", "/events"))
                self.sockets.append(ws)
                self.streams.append(source.iter_sse())
                assert source.response.status_code == 200

    def see(self) -> list[Any]:
        """Return what each of them sees next."""
        texts = [ws.recv(PATIENCE) for ws in self.sockets] + [next(stream).data for stream in self.streams]
        return [json.loads(text) for text in texts]


@contextmanager
def clients(site: Site) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(site, stack)


def pin(site: Site, text: str) -> httpx.Response:
    with site.client() as client:
        return client.post("/notices", content=text)


def test_a_notice_reaches_the_clients_of_every_worker(board: tuple[Site, Redis]) -> None:
    site, _ = board
    with clients(site) as all_of_them:
        for worker in WORKERS:
            with site.only(worker):
                assert pin(site, f"from {worker} é").status_code == 202
            assert all_of_them.see() == [{"notice": f"from {worker} é"}] * 4
        for number, ws in enumerate(all_of_them.sockets):
            ws.send(f"socket {number}")
            assert all_of_them.see() == [{"notice": f"socket {number}"}] * 4


@pytest.mark.parametrize("text", ["", "x" * 301])
def test_a_notice_that_is_none_is_refused(board: tuple[Site, Redis], text: str) -> None:
    site, _ = board
    assert pin(site, text).status_code == 400
    with site.websocket() as ws:
        ws.recv(PATIENCE)
        ws.send(text)
        assert "error" in json.loads(ws.recv(PATIENCE))


def test_redis_goes_and_comes_back_and_no_client_is_lost(board: tuple[Site, Redis]) -> None:
    site, server = board
    with clients(site) as all_of_them:
        server.stop()
        eventually(lambda: _said(site, "redis: no connection (ConnectionError): trying again every 1 s"), site.printed)
        refused = pin(site, "lost")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        all_of_them.sockets[0].send("lost")
        assert "error" in json.loads(all_of_them.sockets[0].recv(PATIENCE))
        server.start()
        eventually(lambda: server.subscribers() == 2, site.printed)
        assert pin(site, "found").status_code == 202
        assert all_of_them.see() == [{"notice": "found"}] * 4
    # One line when it went and one when it came, however often it was tried.
    assert _said(site, "redis: connected", 2)
    assert not _said(site, "redis: no connection (ConnectionError): trying again every 1 s", 2)
    assert "Traceback" not in site.printed()


def _said(site: Site, line: str, times: int = 1) -> bool:
    logs = [site.home / f"run/worker-{number}.log" for number in (0, 1)]
    return all(log.read_text().splitlines().count(line) >= times for log in logs)


def test_clients_that_take_nothing_do_not_stop_the_others(board: tuple[Site, Redis]) -> None:
    site, server = board
    step, steps, text = 5, 240, "x" * 20_000  # 24 MB, more than all the buffers on the way to a client hold
    with clients(site) as others, ExitStack() as stack:
        idle = stack.enter_context(site.websocket(compression=None, max_queue=1))  # after one message, it reads no more
        source = stack.enter_context(connect_sse(stack.enter_context(site.client()), "GET", "/events"))
        publisher = stack.enter_context(redis.Redis.from_url(server.url))
        for number in range(steps):
            for i in range(step):
                publisher.publish("notices", json.dumps({"notice": [number, i, text]}))
            for i in range(step):
                assert others.see() == [{"notice": [number, i, text]}] * 4
        assert 0 < len(list(source.iter_sse())) < step * steps
        assert 0 < _until_closed(idle) < step * steps
        assert pin(site, "still here").status_code == 202
        assert others.see() == [{"notice": "still here"}] * 4


def _until_closed(ws: ClientConnection) -> int:
    for number in itertools.count():
        try:
            ws.recv(PATIENCE)
        except ConnectionClosed:
            return number
    raise AssertionError
