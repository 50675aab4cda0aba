"""Power and resets of the emulated Pico: its flash keeps what was written, its filesystem outlives a power cut in any write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest

# Longer than what littlefs keeps within a directory, so that data is written apart from its name.
_OLD, _NEW = "old " * 200, "new! " * 250
_WAYS = {
    "in place": f"f = open('kept', 'w'); f.write({_NEW!r}); f.close()",
    "by rename": f"import os; f = open('temp', 'w'); f.write({_NEW!r}); f.close(); os.rename('temp', 'kept')",
}
_READ = "print(open('kept').read())"


def _write(text: str) -> str:
    return f"f = open('kept', 'w'); f.write({text!r}); f.close()"


@pytest.fixture(scope="module")
def prepared(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the flash of a board that has a file with the old content."""
    flash = tmp_path_factory.mktemp("power") / "flash"
    with pico.started(image, flash) as board:
        board.mpremote("exec", _write(_OLD))
    return flash


@pytest.fixture
def flash(prepared: Path, tmp_path: Path) -> Path:
    """Give a copy of that flash to spoil."""
    return Path(shutil.copy(prepared, tmp_path / "flash"))


def test_files_are_kept_without_power(flash: Path) -> None:
    with pico.started(None, flash) as board:
        assert board.mpremote("exec", _READ).strip() == _OLD.strip()


@pytest.mark.parametrize("suffix", ["bin", "uf2"])
def test_files_are_kept_when_the_image_is_put_in_again(flash: Path, image: Path, suffix: str) -> None:
    with pico.started(image.with_suffix(f".{suffix}"), flash) as board:
        assert board.mpremote("exec", _READ).strip() == _OLD.strip()


def test_a_board_that_is_reset_comes_back_with_its_files(flash: Path) -> None:
    with pico.started(None, flash) as board:
        assert board.mpremote("exec", "import machine; print(machine.reset_cause() == machine.PWRON_RESET)").strip() == "True"
        board.mpremote("reset")
        board.wait(lambda state: state.resets == 1)
        assert board.mpremote("exec", "import machine; print(machine.reset_cause() == machine.WDT_RESET)").strip() == "True"
        assert board.mpremote("exec", _READ).strip() == _OLD.strip()


def test_the_boot_loader_takes_the_board_off_its_line(flash: Path) -> None:
    with pico.started(None, flash) as board:
        board.mpremote("bootloader")
        board.wait(lambda state: state.power == "boot loader")
        assert board.try_mpremote("exec", "pass").returncode != 0


def _cuts(start: Path, folder: Path, image: Path | None, program: str) -> Iterator[tuple[int, Path]]:
    """Cut the power in every operation on the flash that a program leads to; give their numbers and what is left each time."""
    for number in range(100):
        flash = folder / f"flash{number}"
        if start.exists():
            shutil.copy(start, flash)
        with pico.started(image, flash, cut_after=number) as board:
            done = board.try_mpremote("exec", program)
            power = board.state().power
        if power == "on":
            assert done.returncode == 0, done.stderr
            return
        yield number, flash
        flash.unlink()
    raise AssertionError(f"no end of operations: {program}")


@pytest.mark.parametrize("way", _WAYS)
def test_a_power_cut_in_any_write_leaves_the_old_file_or_the_new_one(prepared: Path, tmp_path: Path, way: str) -> None:
    cuts = 0
    for number, flash in _cuts(prepared, tmp_path, None, _WAYS[way]):
        with pico.started(None, flash) as board:
            found = board.mpremote("exec", _READ).rstrip("\r\n")
            assert found in (_OLD, _NEW), f"after {number} operations: {found[:40]!r}, {len(found)} characters"
            board.mpremote("exec", _write("later"))
            assert board.mpremote("exec", _READ).strip() == "later"
        cuts = number + 1
    assert cuts >= 6  # a sector for the data, its five pages, and the directory's own


def test_a_power_cut_in_the_first_start_leaves_a_board_that_starts(image: Path, tmp_path: Path) -> None:
    cuts = 0
    for number, flash in _cuts(tmp_path / "none", tmp_path, image, "pass"):
        with pico.started(None, flash) as board:
            board.mpremote("exec", _write("first"))
            assert board.mpremote("exec", _READ).strip() == "first"
        cuts = number + 1
    assert cuts >= 4  # the filesystem is made: two sectors of its root, and what is written there


def test_a_cut_is_counted_from_the_moment_that_it_is_asked_for(flash: Path) -> None:
    with pico.started(None, flash) as board:
        board.mpremote("exec", _write("one"))
        written = board.state().operations
        board.cut_after(0)
        board.try_mpremote("exec", _write(_NEW))
        assert board.wait(lambda state: state.power == "cut").operations == written > 0
    with pico.started(None, flash) as board:
        assert board.mpremote("exec", _READ).strip() == "one"
