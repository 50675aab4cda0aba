"""Deploys to the emulated Pico: over its USB serial, with its power failing in the middle, and beside mpremote's copying."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pico
import pytest

from tools import board_state, deploying, device, paths
from tools.console import Failure
from tools.deploying import Options
from tools.known_boards import Target
from tools.plan import Rules


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(deploying, "FIRST_WORDS", 0.01)


def deploy(port: str, app: Path, **rules: bool) -> deploying.Done:
    return deploying.deployed(app, Target(port, ""), Options(Rules(**rules)))


def port_of(board: pico.Board) -> str:
    return f"socket://127.0.0.1:{board.usb}"


def test_an_example_is_deployed_and_a_second_time_nothing_is_sent(image: Path) -> None:
    with pico.started(image) as board:
        command = [sys.executable, "-m", "tools", "deploy", "examples/hello", "--port", port_of(board)]
        first = subprocess.run(command, cwd=pico.ROOT, capture_output=True, text=True, timeout=200)
        assert first.returncode == 0, first.stdout + first.stderr
        assert "/_main.mpy" in first.stdout
        assert first.stdout.splitlines()[-1] == f"{port_of(board)}: the application runs"
        second = subprocess.run(command, cwd=pico.ROOT, capture_output=True, text=True, timeout=200)
        assert second.stdout.splitlines()[0].endswith("; the board had it all")


# Power


class Prepared(NamedTuple):
    """A flash with the old application on it, and how many operations on it a deploy of the new one takes."""

    flash: Path
    new: Path
    operations: int


def application(folder: Path, name: str) -> Path:
    """Write one that says all the time which it is, and which its parts are."""
    files = {
        "main.py": f"import time\nimport part\nwhile True:\n    print('this is', {name!r}, part.NAME)\n    time.sleep(0.2)\n",
        "part.py": f"NAME = {name!r}\n",
        "page.txt": f"{name} " * 800,
        f"only/{name}.txt": name,
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture(scope="module")
def prepared(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("power")
    flash, new = folder / "flash", application(folder / "new", "new")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "BUILD", folder / "build")
        patch.setattr(deploying, "FIRST_WORDS", 0.01)
        with pico.started(image, flash) as board:
            board.mpremote("exec", "f = open('mine.txt', 'w'); f.write('mine'); f.close()")
            deploy(port_of(board), application(folder / "old", "old"))
        whole = Path(shutil.copy(flash, folder / "whole"))
        with pico.started(None, whole) as board:
            deploy(port_of(board), new)
            return Prepared(flash, new, board.state().operations)


@pytest.mark.parametrize("part", [0.1, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
def test_power_fails_during_a_deploy(prepared: Prepared, tmp_path: Path, part: float) -> None:
    flash = Path(shutil.copy(prepared.flash, tmp_path / "flash"))
    with pico.started(None, flash) as board:
        board.cut_after(int(prepared.operations * part))
        try:
            deploy(port_of(board), prepared.new)
        except Failure:
            assert board.state().power == "cut"
    with pico.started(None, flash) as board:
        name = running(port_of(board))
        with device.connected(port_of(board)) as connected:
            state = board_state.read(connected, recover=False)
        assert not state.about.pending
        assert all(owned.actual == owned.sha256 for owned in state.owned.values())
        assert sorted(state.owned) == sorted(["/_main.mpy", "/main.py", f"/only/{name}.txt", "/page.txt", "/part.mpy"])
        assert {path: size for path, size in state.files.items() if path != "/mine.txt"} == {}
        assert board.mpremote("resume", "cat", ":mine.txt") == "mine"
        again = deploy(port_of(board), prepared.new)
        assert again.build.app == "new"
        assert running(port_of(board)) == "new"


def running(port: str) -> str:
    """Wait until the board says which application it runs: all its parts must be of the same."""
    said, deadline = b"", time.monotonic() + 100
    board = device.Device(port)
    try:
        while b"this is" not in said or not said.endswith(b"\n"):
            assert time.monotonic() < deadline, said
            said += board.output(1)
    finally:
        board.close()
    _, _, name, part = said.split(b"\r\n")[-2].decode().split()
    assert name == part
    return name


# Speed


class Counter:
    """A port on the way to another, which counts bytes to the board and turns: how often it was waited for."""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._there = port
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = self._server.getsockname()[1]
        self.bytes = self.turns = 0
        self._spoke = True
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                near = self._server.accept()[0]
            except OSError:
                return
            with near, socket.create_connection(("127.0.0.1", self._there)) as far:
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while self._pass_on(near, far):
                    pass

    def _pass_on(self, near: socket.socket, far: socket.socket) -> bool:
        for end in select.select([near, far], [], [])[0]:
            try:
                data = end.recv(65536)
            except OSError:
                data = b""
            if not data:
                return False
            if end is near:
                self.bytes += len(data)
                self.turns += self._spoke
            self._spoke = end is far
            (far if end is near else near).sendall(data)
        return True

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@contextmanager
def counted(port: int) -> Iterator[Counter]:
    counter = Counter(port)
    try:
        yield counter
    finally:
        counter.close()


def sixty_files(folder: Path) -> Path:
    """Write an application of sixty files of some kilobyte each, as varied as applications are."""
    words = (pico.ROOT / "docs/architecture.md").read_text().split()
    files = {"main.py": "import m0\nprint('up')\n", "deploy.toml": '[static]\nfolders = ["static"]\ngzip = false\n'}
    for n in range(39):
        lines = [f"def f{i}(a):\n    return {' '.join(words[n * 40 + i :][:8])!r}, a + {n * i}\n" for i in range(10)]
        files[f"m{n}.py"] = "\n".join(lines)
    for n in range(19):
        files[f"static/p{n}.html"] = "<p>" + " ".join(words[n * 50 :][:200])
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def clock(board: pico.Board) -> int:
    """Read the board's own clock, in milliseconds: it stands still when the emulator does."""
    return int(board.mpremote("resume", "exec", "import time; print(time.ticks_ms())"))


def test_sixty_files_take_a_fifth_of_what_mpremote_takes(
    image: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Compare what is waited for and what goes over the wire; ratios of time are for the record, as the machine is shared."""
    app = sixty_files(tmp_path / "app")
    with pico.started(image) as board, counted(board.usb) as ours:
        before, began = clock(board), time.monotonic()
        done = deploy(f"socket://127.0.0.1:{ours.port}", app)
        seconds, mine = time.monotonic() - began, clock(board) - before
    assert len(done.build.files) == 60
    tree = done.build.tree
    with pico.started(image) as board, counted(board.usb) as theirs:
        before, began = clock(board), time.monotonic()
        command = [sys.executable, "-m", "mpremote", "connect", f"socket://127.0.0.1:{theirs.port}"]
        command += ["cp", "-r", *map(str, tree.iterdir()), ":/"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=220)
        their_seconds, their_time = time.monotonic() - began, clock(board) - before
    figures = {
        "turns": theirs.turns / ours.turns,
        "bytes": theirs.bytes / ours.bytes,
        "time on the board": their_time / mine,
        "seconds here": their_seconds / seconds,
    }
    for name, ratio in figures.items():
        record_property(name, round(ratio, 2))
        print(f"mpremote cp -r takes {ratio:.1f} times the {name}")
    print(f"{done.build.size} bytes: {mine} and {their_time} ms on the board, {seconds:.1f} and {their_seconds:.1f} s here")
    assert figures["turns"] >= 5
    assert figures["bytes"] > 2
