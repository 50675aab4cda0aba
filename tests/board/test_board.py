"""The RP2040's image on the emulated board: it boots, has the framework frozen in, and stock mpremote works with it."""

from __future__ import annotations

from pathlib import Path

from pico import Board


def test_it_says_what_it_is(board: Board) -> None:
    said = board.mpremote("exec", "import sys, os; print(sys.platform, os.uname().machine)")
    assert said.split(maxsplit=1)[0] == "rp2"
    assert "Raspberry Pi Pico with RP2040" in said


def test_the_framework_is_frozen(board: Board) -> None:
    assert board.mpremote("exec", "import microdot; print(microdot.__file__)").strip() == "microdot/__init__.py"


def test_machine_code_of_ours_runs(board: Board) -> None:
    program = "from microdot import _scan, http; print(http.scan is _scan.scan, http.parse_head(b'{}', 0, {})[0])"
    head = r"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    length = len(head.encode().decode("unicode_escape"))
    assert board.mpremote("exec", program.format(head, length)).split() == ["True", str(length)]


def test_what_the_stock_board_has_is_there(board: Board) -> None:
    assert "GPIO25" in board.mpremote("exec", "import machine; print(machine.Pin('LED'))")
    board.mpremote("exec", "import asyncio, machine, rp2, uasyncio, tls, socket")


def test_the_network_of_a_plain_pico_is_a_serial_line(board: Board) -> None:
    assert "PPP" in board.mpremote("exec", "import network; print(dir(network))")


def test_it_has_room_for_an_application_that_runs_in_place(board: Board) -> None:
    program = "import vfs; rom = vfs.rom_ioctl(2, 0); print(vfs.rom_ioctl(1), rom.ioctl(4, 0) * rom.ioctl(5, 0))"
    assert board.mpremote("exec", program).split() == ["1", str(256 * 1024)]


def test_random_bytes_differ(board: Board) -> None:
    program = "import os; print(len({os.urandom(8) for _ in range(20)}))"
    assert board.mpremote("exec", program).strip() == "20"


def test_files_are_kept_over_a_reset(board: Board, tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(1000))
    (tmp_path / "kept.txt").write_text(text)
    board.mpremote("cp", str(tmp_path / "kept.txt"), ":kept.txt")
    board.mpremote("soft-reset")
    assert board.mpremote("cat", ":kept.txt") == text
    board.mpremote("rm", ":kept.txt")
    assert "kept.txt" not in board.mpremote("ls")


def test_a_program_s_failure_is_told(board: Board) -> None:
    done = board.try_mpremote("exec", "import nothing_of_that_name")
    assert done.returncode == 1
    assert "no module named 'nothing_of_that_name'" in done.stdout + done.stderr
