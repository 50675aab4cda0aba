"""A board's port: what is chosen, what is said, and what goes wrong in one line."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from app_folders import complaint, micropython, run_verb
from bridge import Boards, Bridge
from deploys import put

from tools import device, known_boards
from tools.console import Ambiguous, Failure
from tools.device import Lost, Port, ProgramFailed

ONE = Port("/dev/ttyACM0", "2e8a:0005", "E6614103E7452D2F", "Board in FS mode")
TWO = Port("/dev/ttyUSB0", "10c4:ea60", "0001", "CP2102")


def test_a_program_runs_and_says_what_it_prints(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        assert connected.run("print('one')\nprint('zwö' * 2)") == "one\nzwözwö\n"
        assert connected.run("pass") == ""
        assert connected.exchanges == 2


def test_an_exception_is_told_in_one_line_and_whole(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        with pytest.raises(ProgramFailed) as failed:
            connected.run("def f():\n    raise ValueError('of mine')\nf()")
        said = "the board's program failed: ValueError: of mine: `doctor` tells the board's state"
        assert str(failed.value) == f"{board.port}: {said}"
        assert "line 2, in f" in failed.value.traceback
        assert failed.value.exception == "ValueError: of mine"
        assert connected.run("print('goes on')") == "goes on\n"


def test_a_conversation_with_a_program(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        connected.start("import sys\nsys.stdout.write('+')\nprint(sum(sys.stdin.buffer.read(256)))")
        assert connected.read(1) == b"+"
        connected.write(bytes(n if n != 3 else 0 for n in range(256)))
        assert connected.finish() == f"{sum(range(256)) - 3}\n"


def test_a_program_that_fails_in_a_conversation_is_told(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        connected.start("print('almost')\nraise OSError(28)")
        with pytest.raises(ProgramFailed, match="OSError"):
            connected.read(100)
        assert connected.run("print(1)") == "1\n"


def test_a_program_that_waits_for_ever_is_abandoned(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        connected.start("import sys\nsys.stdin.buffer.read(1000)")
        with pytest.raises(Lost, match="the board has been silent for 0 s"):
            connected.finish(0.1)
        connected.abandon()
        assert connected.run("print(1)") == "1\n"


def test_a_fresh_start_forgets_and_no_start_keeps(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        connected.run("import sys\nsys.modules['mark'] = sys")
    with device.connected(board.port, reset=False) as connected:
        connected.run("import mark")
    with device.connected(board.port) as connected, pytest.raises(ProgramFailed, match="no module named 'mark'"):
        connected.run("import mark")


def test_an_application_that_runs_is_interrupted_and_started_again(board: Bridge) -> None:
    put(board, {"/main.py": "import time\nprint('begun')\nwhile True:\n    time.sleep(0.01)\n"})
    board.wait_for(b"begun")
    with device.connected(board.port) as connected:
        assert connected.run("print(2)") == "2\n"
        board.said = b""
        connected.restart()
        board.wait_for(b"begun")


def test_a_board_that_resets_is_found_again(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        board.unplug()
        with pytest.raises(Lost):
            connected.run("print(1)")
        connected.reconnect()
        connected.enter()
        assert connected.run("print(1)") == "1\n"


def test_a_cut_connection_is_one_line(board: Bridge) -> None:
    with device.connected(board.port) as connected:
        board.power_off()
        with pytest.raises(Lost) as lost:
            connected.run("print(1)")
    assert str(lost.value) == f"{board.port}: the connection to the board was cut: plug it in or reset it, and try again"


@contextmanager
def peer(answer: bytes) -> Iterator[str]:
    """Listen on a port as something that is no board: it gives the same answer to whatever it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            with server.accept()[0] as client:
                while client.recv(1000):
                    client.sendall(answer)
        except OSError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()
        thread.join()


@pytest.mark.parametrize("answer", [b"", b"login: ", b"\x00\xff\x04\x04>", b"garbage\r\n" * 500])
def test_what_is_no_board_is_found_out(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_STARTING", 0.5)
    monkeypatch.setattr(device, "_CALL_EVERY", 0.2)
    with peer(answer) as port, pytest.raises(Failure) as failed, device.connected(port):
        pass
    reason = "nothing answers there as MicroPython does: check the port, reset the board, or flash its firmware again"
    assert str(failed.value) == f"{port}: {reason}"


def test_something_that_never_stops_talking_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_STARTING", 0.5)
    monkeypatch.setattr(device, "_CALL_EVERY", 0.2)
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def talk() -> None:
        with server.accept()[0] as client:
            while not ended.is_set():
                try:
                    client.sendall(b"and on and on\r\n")
                except OSError:
                    return
                time.sleep(0.0005)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        with pytest.raises(Failure), device.connected(f"socket://127.0.0.1:{server.getsockname()[1]}"):
            pass
    finally:
        ended.set()
        thread.join()
        server.close()


UNOPENED = [
    ("/dev/no-such-port", "no such port: `devices` lists those there are"),
    ("socket://127.0.0.1:1", "nothing listens there: start what serves the port"),
    ("carrier://pigeon", "not a port that can be opened: give a path or a URL as in socket://127.0.0.1:4000"),
]


@pytest.mark.parametrize(("port", "reason"), UNOPENED)
def test_a_port_that_cannot_be_opened_says_why(port: str, reason: str) -> None:
    with pytest.raises(Failure) as failed:
        device.Device(port)
    assert str(failed.value) == f"{port}: {reason}"


ERRORS = [
    (PermissionError(13, "could not open port"), "no permission: join the group that owns it"),
    (OSError(11, "Could not exclusively lock port"), "it is in use by another program: close that one"),
    (OSError(16, "Device or resource busy"), "it is in use by another program: close that one"),
    (OSError("could not open: [Errno 111] Connection refused"), "nothing listens there"),
    (OSError("something else"), "it cannot be opened: check the name"),
    (OSError(5, "Input/output error"), "input/output error: check the name"),
]


@pytest.mark.parametrize(("error", "reason"), ERRORS, ids=[reason for _, reason in ERRORS])
def test_the_reasons_of_the_system_become_next_steps(error: OSError, reason: str) -> None:
    assert device._reason("/dev/ttyX", error).startswith(reason)


def test_the_only_board_is_used_and_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # There is no board here: the list of ports is made up.
    monkeypatch.setattr(device, "ports", lambda: [ONE])
    assert device.chosen(None) == ONE.path
    assert capsys.readouterr().err == "using /dev/ttyACM0 (Board in FS mode), the only board\n"


def test_of_two_boards_none_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "ports", lambda: [ONE, TWO])
    with pytest.raises(Ambiguous) as failed:
        device.chosen(None)
    listed = "/dev/ttyACM0 (Board in FS mode), /dev/ttyUSB0 (CP2102)"
    assert str(failed.value) == f"2 boards could be meant: {listed}: choose one with --port"
    assert failed.value.status == 3
    assert device.chosen("id:e6614103e7452d2f") == ONE.path
    assert device.chosen(TWO.path) == TWO.path


def test_no_board_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "ports", lambda: [])
    with pytest.raises(Failure, match="no board is connected: plug it in with a cable that carries data"):
        device.chosen(None)
    with pytest.raises(Failure, match="no board with the serial number aa01 is connected"):
        device.chosen("id:aa01")


PINS: list[tuple[str, str | None, dict[str, str], tuple[str, str]]] = [
    ("by path", "/dev/ttyX", {}, ("/dev/ttyX", "")),
    ("by name", "kitchen", {}, ("/dev/ttyK", "aa01")),
    ("by the serial number of the name", "hall", {}, (ONE.path, "e6614103e7452d2f")),
    ("pinned by id", None, {"id": "E6614103E7452D2F"}, (ONE.path, "e6614103e7452d2f")),
    ("pinned by name", None, {"name": "kitchen"}, ("/dev/ttyK", "aa01")),
    ("pinned, on another port", "/dev/ttyX", {"name": "kitchen"}, ("/dev/ttyX", "aa01")),
]


@pytest.mark.parametrize(("given", "pinned", "target"), [row[1:] for row in PINS], ids=[row[0] for row in PINS])
def test_which_board_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, pinned: dict[str, str], target: tuple[str, str]
) -> None:
    monkeypatch.setattr(device, "ports", lambda: [ONE, TWO])
    (tmp_path / "boards.toml").write_text(
        '[kitchen]\nid = "aa01"\nport = "/dev/ttyK"\n[hall]\nid = "e6614103e7452d2f"\n', encoding="utf-8"
    )
    assert known_boards.target(given, pinned, tmp_path) == target


WRONG = [
    ("kitchen = 1", 'boards.toml: kitchen: not understood: write [kitchen] and below it id = "…" or port = "…"'),
    ('[kitchen]\nname = "x"', "boards.toml: kitchen.name: no such setting: there are id and port"),
    ('[kitchen]\nid = "x"', "boards.toml: kitchen: 'x' is no board's id: write the hexadecimal digits that `doctor` tells"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_a_wrong_boards_toml_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "boards.toml").write_text(text)
    with pytest.raises(Failure) as failed:
        known_boards.read(tmp_path)
    assert str(failed.value) == reason


def test_the_list_of_devices_probes_only_when_told(boards: Boards, tmp_path: Path) -> None:
    one, two = boards("one", identity="aa01"), boards("two", stock=True)
    version = micropython(tmp_path, "-c", "import sys; print('.'.join(map(str, sys.implementation[1][:3])))").stdout.strip()
    (tmp_path / "boards.toml").write_text('[kitchen]\nid = "aa01"\n')
    before = one.turns
    plain = run_verb("devices", "--port", one.port, "--port", two.port, cwd=tmp_path)
    assert plain.stdout.split() == ["port", one.port, two.port]
    assert one.turns == before
    probed = run_verb(
        "devices", "--probe", "--port", one.port, "--port", two.port, "--port", "socket://127.0.0.1:1", cwd=tmp_path
    )
    head, first, second, third = probed.stdout.splitlines()
    assert head.split() == ["port", "name", "id", "board", "micropython", "bytecode", "free"]
    assert first.split()[:5] == [one.port, "kitchen", "aa01", "unix", version]
    assert second.split()[:3] == [two.port, "unix", version]
    assert third.endswith("nothing listens there: start what serves the port")


def test_wrong_usage_and_failures_have_their_status(tmp_path: Path) -> None:
    assert run_verb("deploy", cwd=tmp_path).returncode == 2
    assert run_verb("deploy", tmp_path, "--no-such-option", cwd=tmp_path).returncode == 2
    gone = run_verb("doctor", "--port", "/dev/no-such-port", cwd=tmp_path)
    assert complaint(gone) == "/dev/no-such-port: no such port: `devices` lists those there are"
