"""What a board runs first, on the emulated one: as stock where nothing is set up; strikes, trials, interrupted deploys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pico
import pytest
from console import Console

_COUNT = "\nwith open('runs', 'a') as file: file.write('x')\n"
_RUNS = "print(open('runs').read())"
_DIE = _COUNT + "1 / 0\n"
_HANG = _COUNT + "while True: pass\n"
# Heap, and levels of recursion, as a program has them.
_ROOM = """
import gc
def down(n):
    global depth
    depth = n
    down(n + 1)
try:
    down(0)
except RuntimeError:
    pass
gc.collect()
print('room', depth, gc.mem_free(), sorted(globals()))
"""
_OLD = {"/main.py": _COUNT + "print('old')\n", "/lib/a.py": "a = 'old'\n" * 60, "/lib/gone.py": "g = 1\n"}
_NEW = {"/main.py": _DIE, "/lib/a.py": "a = 'new!'\n" * 90, "/lib/b.py": "b = 1\n"}
_DATA = {"/data/log": "mine\n" * 100, "/lib/mine.py": "mine = 1\n"}


def _write(files: dict[str, str]) -> str:
    """Give a program for the board that writes files, in folders that it makes."""
    return (
        "import os\n"
        f"files = {files!r}\n"
        "for path in sorted(files):\n"
        "    for end in [n for n in range(1, len(path)) if path[n] == '/']:\n"
        "        try: os.mkdir(path[:end])\n"
        "        except OSError: pass\n"
        "    with open(path, 'w') as file: file.write(files[path])\n"
    )


def _state(files: dict[str, str]) -> str:
    return repr(sorted(files.items()))


_SHOW_STATE = """
import os
def walk(folder):
    for name in os.listdir(folder):
        path = folder + '/' + name
        if name in ('.mdot', 'runs'):
            continue
        if os.stat(path)[0] & 0x4000:
            yield from walk(path)
        else:
            yield path, open(path).read()
print(sorted(walk('')))
"""

# What the deploy tool does, in short: what is new lies in /.mdot/new, and then comes the journal.
_PLAN = """
import hashlib
from onboard import journal
def name(path, text):
    return journal.name_of(path, hashlib.sha256(text.encode()).digest().hex())
operations, back, uploads = [], [], {}
for path in sorted(set(old) | set(new), key=lambda path: (path == '/main.py', path)):
    if old.get(path) == new.get(path):
        continue
    if path in old:
        operations.append(('keep', name(path, old[path]), path))
    back.append(('back', name(path, old[path]), path) if path in old else ('del', '-', path))
    if path in new:
        uploads['/.mdot/new/' + name(path, new[path])] = new[path]
        operations.append(('put', name(path, new[path]), path))
    else:
        operations.append(('del', '-', path))
undo = b''.join(journal.lines(back)).decode()
uploads['/.mdot/new/' + name('/.mdot/undo', undo)] = undo
operations.append(('put', name('/.mdot/undo', undo), '/.mdot/undo'))
uploads['/.mdot/journal.new'] = b''.join(journal.lines(operations)).decode()
for path in uploads:
    with open(path, 'w') as file: file.write(uploads[path])
"""


def _flash(image: Path, folder: Path, *programs: str) -> Path:
    """Give the flash of a board on which programs have run."""
    with pico.started(image, folder / "flash") as board:
        for program in programs:
            board.mpremote("exec", program)
    return folder / "flash"


@pytest.fixture(scope="module")
def stock(image: Path) -> Iterator[pico.Board]:
    """Give a board without a deploy and without settings."""
    with pico.started(image) as board:
        yield board


def _started(board: pico.Board, files: dict[str, str]) -> str:
    """Write the files, restart, and give what the board says up to the prompt."""
    board.mpremote("exec", _write(files))
    with Console(board) as console:
        return console.restart()


def test_an_exception_is_printed_as_stock_does(stock: pico.Board) -> None:
    said = _started(stock, {"/main.py": "import sys\n\ndef f():\n    1 / 0\n\nf()\n"})
    frames = '  File "main.py", line 6, in <module>\n  File "main.py", line 4, in f\n'
    assert said == f"Traceback (most recent call last):\n{frames}ZeroDivisionError: divide by zero\n"


def test_a_syntax_error_is_printed_as_stock_does(stock: pico.Board) -> None:
    said = _started(stock, {"/main.py": "x = 1\nx = = 2\n"})
    assert said == 'Traceback (most recent call last):\n  File "main.py", line 2\nSyntaxError: invalid syntax\n'


def test_the_prompt_has_what_main_left(stock: pico.Board) -> None:
    _started(stock, {"/main.py": "x = __name__\n"})
    with Console(stock) as console:
        assert console.enter("x") == "'__main__'\n"
        assert console.enter("[name for name in globals() if 'mdot' in name]") == "[]\n"


def test_an_exhausted_heap_still_has_its_traceback(stock: pico.Board) -> None:
    program = "held = []\nblock = 4096\nwhile block:\n    try:\n        held.append(bytearray(block))\n"
    # What MicroPython itself needs to note the line is left free, and no more.
    program += "    except MemoryError:\n        block //= 2\n"
    program += "held.pop(); held.pop(); held.pop(); held.pop()\nheld.append(bytearray(1000))\n"
    said = _started(stock, {"/main.py": program})
    # There was no room for leaving our own frame out.
    assert 'File "main.py", line 9, in <module>\nMemoryError' in said


def test_exit_restarts_the_board(stock: pico.Board) -> None:
    program = "import os, sys\ntry:\n    os.remove('again')\nexcept OSError:\n    print('at last')\nelse:\n    sys.exit()\n"
    said = _started(stock, {"/main.py": program, "/again": ""})
    assert said == "MPY: soft reboot\nat last\n"


def test_it_costs_next_to_nothing(stock: pico.Board) -> None:
    """Beside boot.py, which MicroPython runs without us."""
    said = _started(stock, {"/boot.py": _ROOM, "/main.py": _ROOM})
    stock.mpremote("fs", "rm", ":boot.py")
    before, after = (line.split(" ", 3) for line in said.splitlines())
    assert int(before[1]) - int(after[1]) <= 1
    assert int(before[2]) - int(after[2]) <= 256
    assert before[3] == after[3]


def test_import_main_imports_the_programs_own(stock: pico.Board) -> None:
    _started(stock, {"/main.py": "here = __name__\n"})
    with Console(stock) as console:
        console.enter("import main")
        assert console.enter("main.here") == "'main'\n"


def test_import_main_looks_where_stock_does(stock: pico.Board) -> None:
    stock.mpremote("exec", _write({"/lib/main.py": "there = __name__\n"}) + "os.remove('/main.py')")
    with Console(stock) as console:
        assert console.restart() == ""
        console.enter("import main")
        assert console.enter("[name for name in dir(main) if name[0] != '_'], main.there") == "(['there'], 'main')\n"
    stock.mpremote("fs", "rm", ":lib/main.py")
    with Console(stock) as console:
        console.restart()
        assert console.enter("import main").endswith("ImportError: no module named 'main'\n")
        assert console.enter("import main").endswith("ImportError: no module named 'main'\n")


def test_the_raw_prompt_skips_main(stock: pico.Board) -> None:
    stock.mpremote("exec", _write({"/main.py": _COUNT, "/runs": ""}))
    assert stock.mpremote("exec", _RUNS).strip() == ""
    with Console(stock) as console:
        console.restart()
        assert console.enter(_RUNS) == "x\n"


def test_a_folder_by_that_name_is_not_run(stock: pico.Board) -> None:
    stock.mpremote("exec", "import os\nos.remove('/main.py')\nos.mkdir('/main.py')")
    with Console(stock) as console:
        assert console.restart() == ""
    stock.mpremote("exec", "import os\nos.rmdir('/main.py')")


def test_an_interrupt_stops_main(stock: pico.Board) -> None:
    stock.mpremote("exec", _write({"/main.py": "print('on')\nwhile True:\n    pass\n"}))
    with Console(stock) as console:
        console.restart("on\n")
        assert 'File "main.py", line 2, in <module>\nKeyboardInterrupt:' in console.interrupt().replace("line 3", "line 2")


def test_three_crashes_are_the_last(image: Path, tmp_path: Path) -> None:
    with pico.started(image, tmp_path / "flash") as board:
        board.mpremote("exec", _write({"/main.py": _DIE, "/.mdot/boots": "0", "/runs": ""}))
        with Console(board) as console:
            for _ in range(3):
                assert console.restart().endswith("ZeroDivisionError: divide by zero\n")
            operations = board.state().operations
            assert console.restart().startswith("onboard: main.py not started: 3 starts were not confirmed: ")
            assert board.state().operations == operations, "a board that stands still must not wear its flash"
            assert console.enter(_RUNS) == "xxx\n"
            console.enter("import onboard; onboard.app_ok()")
            assert console.restart().endswith("ZeroDivisionError: divide by zero\n")


def test_three_power_cycles_of_a_program_that_hangs_are_the_last(image: Path, tmp_path: Path) -> None:
    flash = _flash(image, tmp_path, _write({"/main.py": _HANG, "/.mdot/boots": "0", "/runs": ""}))
    for _ in range(3):
        with pico.started(None, flash) as board:
            # One write counts the start, another one is the program's.
            board.wait(lambda state: state.operations == 2)
    with pico.started(None, flash) as board, Console(board) as console:
        console.attach()
        assert console.enter(_RUNS) == "xxx\n"
        assert "not started" in console.restart()


def test_an_interrupted_start_does_not_count(image: Path, tmp_path: Path) -> None:
    with pico.started(image, tmp_path / "flash") as board:
        board.mpremote("exec", _write({"/main.py": "print('on')" + _HANG, "/.mdot/boots": "2", "/runs": ""}))
        with Console(board) as console:
            for _ in range(2):
                console.restart("on\n")
                assert "KeyboardInterrupt" in console.interrupt()
            assert console.enter("open('/.mdot/boots').read()") == "'2'\n"


def test_a_watchdog_that_bites_restarts_three_times(image: Path, tmp_path: Path) -> None:
    hang = "from machine import WDT" + _COUNT + "WDT(timeout=500)\nwhile True: pass\n"
    flash = _flash(image, tmp_path, _write({"/main.py": hang, "/.mdot/boots": "0", "/runs": ""}))
    with pico.started(None, flash) as board:
        board.wait(lambda state: state.resets == 3)
        with Console(board) as console:
            console.attach()
            assert console.enter(_RUNS) == "xxx\n"
        assert board.state().resets == 3


def test_a_program_that_exits_restarts_three_times(image: Path, tmp_path: Path) -> None:
    with pico.started(image, tmp_path / "flash") as board:
        said = _started(board, {"/main.py": "import sys" + _COUNT + "sys.exit()", "/.mdot/boots": "0", "/runs": ""})
        assert said.startswith("MPY: soft reboot\n" * 3 + "onboard: main.py not started")


_APPLICATION = """
import asyncio
async def application():
    while open('/.mdot/boots').read() != '0':
        await asyncio.sleep(0.05)
    print('confirmed')
asyncio.run(application())
"""


def test_an_event_loop_that_runs_confirms_the_start(image: Path, tmp_path: Path) -> None:
    boot = "import onboard.guard\nonboard.guard.seconds = 0.5\n"
    with pico.started(image, tmp_path / "flash") as board:
        files = {"/boot.py": boot, "/main.py": _APPLICATION, "/.mdot/boots": "2", "/.mdot/trial": ""}
        board.mpremote("exec", _write(files))
        with Console(board) as console:
            assert console.restart() == "confirmed\n"
            assert console.enter("import os; '.mdot/trial' in os.listdir('/.mdot')") == "False\n"
        # Without the shorter time, too.
        board.mpremote("exec", _write({"/boot.py": "", "/.mdot/boots": "2"}))
        with Console(board) as console:
            console.restart("confirmed\n")


def test_it_costs_little_where_there_is_a_deploy(image: Path, tmp_path: Path) -> None:
    """Asyncio is a part of it, which most applications need anyway."""
    with pico.started(image, tmp_path / "flash") as board:
        said = _started(board, {"/boot.py": "import asyncio\n" + _ROOM, "/main.py": _ROOM, "/.mdot/boots": "0"})
        before, after = (line.split(" ", 3) for line in said.splitlines())
        assert int(before[1]) - int(after[1]) <= 1
        assert int(before[2]) - int(after[2]) <= 1600
        assert before[3] == after[3]


def test_damage_ends_in_a_line_and_a_started_program(image: Path, tmp_path: Path) -> None:
    garbage = "\0garbage" * 500
    files = {"/main.py": "print('on')", "/.mdot/boots": garbage, "/.mdot/journal": garbage, "/config.json": garbage}
    with pico.started(image, tmp_path / "flash") as board:
        said = _started(board, files)
        lines = said.splitlines()
        assert lines[0].startswith("onboard: deploy not finished: journal: damaged in line 1")
        assert lines[1].startswith("onboard: /.mdot/boots: damaged")
        assert lines[2].startswith("onboard: config.json: not a JSON object")
        assert lines[-1] == "on"


@pytest.fixture(scope="module")
def planned(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the flash of a board with the old deploy, and the new one ready to be committed."""
    setup = _write({**_OLD, **_DATA, "/.mdot/boots": "0", "/.mdot/new/x": "", "/runs": ""})
    return _flash(image, tmp_path_factory.mktemp("planned"), setup, f"old = {_OLD!r}\nnew = {_NEW!r}\n{_PLAN}")


@pytest.fixture
def flash(planned: Path, tmp_path: Path) -> Path:
    """Give a copy of it to spoil."""
    return Path(shutil.copy(planned, tmp_path / "flash"))


def test_a_pending_deploy_is_carried_on_at_the_start(flash: Path) -> None:
    with pico.started(None, flash) as board:
        board.mpremote("exec", "import os; os.rename('/.mdot/journal.new', '/.mdot/journal')")
        with Console(board) as console:
            assert console.restart().endswith("ZeroDivisionError: divide by zero\n")
        assert board.mpremote("exec", _SHOW_STATE).strip() == _state({**_NEW, **_DATA})


def test_a_trial_that_fails_three_times_is_undone(flash: Path) -> None:
    with pico.started(None, flash) as board:
        board.mpremote("exec", "from onboard import journal; journal.commit(); open('/.mdot/trial', 'w').close()")
        with Console(board) as console:
            console.attach()
            # Nobody may be there: it starts again by itself.
            console.type("\x04")
            board.wait(lambda state: state.resets == 3)
        with Console(board) as console:
            console.attach()
            assert console.enter(_RUNS) == "xxxx\n"
        assert board.mpremote("exec", _SHOW_STATE).strip() == _state({**_OLD, **_DATA})


@pytest.fixture(scope="module")
def operations(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Tell how many operations on the flash the commit takes."""
    flash = Path(shutil.copy(planned, tmp_path_factory.mktemp("counted") / "flash"))
    with pico.started(None, flash) as board:
        board.mpremote("exec", "pass")
        before = board.state().operations
        board.mpremote("exec", "from onboard import journal; journal.commit()")
        return board.state().operations - before


@pytest.mark.parametrize("part", [0, 0.05, 0.3, 0.6, 0.95])
def test_power_cut_in_a_commit_leaves_the_old_or_the_new(flash: Path, operations: int, part: float) -> None:
    with pico.started(None, flash) as board:
        board.mpremote("exec", "pass")
        board.cut_after(int(part * operations))
        assert board.try_mpremote("exec", "from onboard import journal; journal.commit()").returncode
        board.wait(lambda state: state.power == "cut")
    # Another cut in what the next start does about it; where that is not as much, the plug is pulled soon after.
    with pico.started(None, flash, cut_after=2) as board:
        board.wait(lambda state: state.power == "cut" or state.operations >= 2)
    with pico.started(None, flash) as board, Console(board) as console:
        said = console.restart()
        shown = board.mpremote("resume", "exec", _SHOW_STATE).strip()
    if said == "old\n":
        assert part < 0.9
        assert shown == _state({**_OLD, **_DATA})
    else:
        assert part > 0
        assert said.startswith("Traceback")
        assert said.endswith("ZeroDivisionError: divide by zero\n")
        assert shown == _state({**_NEW, **_DATA})
