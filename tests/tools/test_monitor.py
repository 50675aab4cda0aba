"""The console of a stand-in for a board: what it says, through resets and pulled cables, and what is typed to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from app_folders import ROOT, application, complaint, run_verb
from bridge import Bridge
from deploys import app, deploy
from verb_process import Running, running

from tools.tracebacks import Mapper

_DIES = "import broken\nbroken.read()\n"
_BROKEN = "def read():\n    return 1 / 0\n"


pytestmark = pytest.mark.usefixtures("quick")


def _restarted(board: Bridge, monitor: Running, count: int = 1) -> None:
    board.power_off()
    monitor.wait_for("gone: waiting for it to come back", "stderr", count)
    monitor.wait_for(": back", "stderr", count)
    board.power_on()


def test_tracebacks_name_the_files_of_this_machine(board: Bridge, tmp_path: Path) -> None:
    folder = application(tmp_path / "app", {"main.py": _DIES, "broken.py": _BROKEN})
    deploy(board, folder)
    with running(tmp_path / "out", "monitor", folder, "--port", board.port) as monitor:
        monitor.wait_for("listening until Ctrl-C", "stderr")
        _restarted(board, monitor)
        monitor.wait_for(
            f"Traceback (most recent call last):\n  {folder}/main.py:2, in <module>\n  {folder}/broken.py:2, in read\n"
        )
        monitor.wait_for("ZeroDivisionError")
        assert monitor.interrupt() == 0


def test_it_goes_on_when_the_board_is_back(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "app", "app"))
    with running(tmp_path / "out", "monitor", "--port", board.port) as monitor:
        monitor.wait_for("listening until Ctrl-C", "stderr")
        for count in (1, 2):
            _restarted(board, monitor, count)
            monitor.wait_for("started app app\n", count=count)
        assert "\r" not in monitor.said()


def test_keys_go_to_the_board_and_one_of_them_ends_it(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "app", "app", {"main.py": "import time\nprint('begun')\nwhile True:\n    time.sleep(0.01)\n"}))
    ours, theirs = os.openpty()
    try:
        with running(tmp_path / "out", "monitor", "--port", board.port, stdin=theirs) as monitor:
            monitor.wait_for("Ctrl-] ends it", "stderr")
            os.write(ours, b"\x03")
            monitor.wait_for("KeyboardInterrupt")
            monitor.wait_for(">>> ")
            os.write(ours, b"\x04")
            monitor.wait_for("soft reboot")
            monitor.wait_for("begun")
            os.write(ours, b"\x1d")
            assert monitor.process.wait(60) == 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_who_stops_reading_ends_it_without_a_word(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "app", "app", {"main.py": "while True:\n    print('on and on')\n"}))
    command = f"{sys.executable} -m tools monitor --port {board.port} | head -n 1"
    done = subprocess.run(command, shell=True, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200)
    assert done.stderr == f"{board.port}: listening until Ctrl-C\n"


def test_a_deploy_goes_on_with_what_the_application_prints(board: Bridge, tmp_path: Path) -> None:
    main = "import time\nprint('first words')\nwhile True:\n    time.sleep(0.05)\n    print('on and on')\n"
    folder = app(tmp_path / "app", "app", {"main.py": main})
    with running(tmp_path / "out", "deploy", folder, "--port", board.port, "--then", "monitor") as monitor:
        monitor.wait_for("first words\non and on\n")
        seen = monitor.said().count("on and on")
        monitor.wait_for("on and on", count=seen + 5)
        assert monitor.interrupt() == 0
        assert monitor.said().index("the application runs") < monitor.said().index("first words")


def test_a_deploy_that_fails_at_its_start_names_the_files_of_this_machine(board: Bridge, tmp_path: Path) -> None:
    folder = application(tmp_path / "app", {"main.py": _DIES, "broken.py": _BROKEN})
    done = run_verb("deploy", folder, "--port", board.port, "--then", "monitor")
    assert done.returncode == 1
    assert f"  {folder}/main.py:2, in <module>\n  {folder}/broken.py:2, in read\nZeroDivisionError" in done.stdout


def test_a_folder_without_an_application_is_named(tmp_path: Path) -> None:
    done = run_verb("monitor", tmp_path, "--port", "socket://127.0.0.1:1")
    assert complaint(done) == f"{tmp_path}: no main.py there: give the folder of an application, as in examples/hello"


FRAMES = [
    ("a module", '  File "a.py", line 3, in f\r\n', "  {app}/a.py:3, in f\r\n"),
    ("a syntax error", '  File "lib/b.py", line 9\n', "  {app}/lib/b.py:9\n"),
    ("by its absolute path", '  File "/lib/b.py", line 9\n', "  {app}/lib/b.py:9\n"),
    ("a template", '  File "t/x.html", line 4, in render\n', "  {app}/t/x.html (line 4 of its module), in render\n"),
    ("the firmware's", '  File "microdot/app.py", line 4, in run\n', '  File "microdot/app.py", line 4, in run\n'),
    ("outside", '  File "../secret.py", line 1\n', '  File "../secret.py", line 1\n'),
    ("no name", '  File "<stdin>", line 1, in <module>\n', '  File "<stdin>", line 1, in <module>\n'),
    ("in a line", 'see   File "a.py", line 3, in f\n', 'see   File "a.py", line 3, in f\n'),
    ("without an end", '  File "a.py", line 3, in f', '  File "a.py", line 3, in f'),
    (
        "the launcher",
        '  File "main.py", line 2, in <module>\n  File "main.py", line 7, in <module>\n  File "a.py", line 1, in f\n',
        "  {app}/main.py:7, in <module>\n  {app}/a.py:1, in f\n",
    ),
    (
        "no launcher",
        '  File "main.py", line 2, in <module>\n  File "a.py", line 1, in f\n',
        "  {app}/main.py:2, in <module>\n  {app}/a.py:1, in f\n",
    ),
    ("a prompt", "  two\n\n>>> ", "  two\n\n>>> "),
]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(("said", "shown"), [case[1:] for case in FRAMES], ids=[case[0] for case in FRAMES])
def test_frames_are_led_back_however_they_arrive(said: str, shown: str, size: int, tmp_path: Path) -> None:
    (tmp_path / "secret.py").touch()
    folder = application(tmp_path / "app", {"a.py": "", "lib/b.py": "", "t/x.html": ""})
    mapper = Mapper(folder)
    passed = "".join(mapper.passed(said[at : at + size]) for at in range(0, len(said), size)) + mapper.rest()
    assert passed == shown.replace("{app}", str(folder))


def test_what_cannot_become_a_frame_is_not_held_back(tmp_path: Path) -> None:
    mapper = Mapper(application(tmp_path / "app", {}))
    assert [mapper.passed(text) for text in (">>> ", "  F", "oo", '\n  File "x')] == [">>> ", "  F", "oo", "\n"]
