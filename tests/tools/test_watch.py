"""Editing an application while a stand-in for a board runs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from app_folders import application, complaint, run_verb
from bridge import Bridge
from deploys import app, lying
from verb_process import running

from tools import watch
from tools.watch import Watched

_LOOPS = "import helper, time\nprint('started', helper.NAME)\nwhile True:\n    time.sleep(0.05)\n    print('on and on')\n"


def test_a_change_is_deployed_and_the_output_goes_on(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "one", {"main.py": _LOOPS})
    with running(tmp_path / "out", "watch", folder, "--port", board.port) as watching:
        watching.wait_for("started one\n")
        watching.wait_for("on and on")
        (folder / "helper.py").write_text("NAME = 'two'\n")
        watching.wait_for("started two\n")
        watching.wait_for(": app: 1 replace; ", "stderr")
        seen = watching.said().count("on and on")
        watching.wait_for("on and on", count=seen + 5)
        assert watching.interrupt() == 0
    assert b"two" in lying(board)["/helper.mpy"]


def test_a_mistake_is_told_and_the_next_change_tries_again(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "one", {"main.py": _LOOPS})
    with running(tmp_path / "out", "watch", folder, "--port", board.port) as watching:
        watching.wait_for("started one\n")
        (folder / "helper.py").write_text("NAME = = 2\n")
        watching.wait_for("mdot: watch: helper.py", "stderr")
        # The board goes on with what it does.
        seen = watching.said().count("on and on")
        watching.wait_for("on and on", count=seen + 5)
        assert watching.said().count("started one") == 1
        (folder / "helper.py").write_text("\n1 / 0\n")
        watching.wait_for(f"  {folder}/helper.py:2, in <module>\n")
        (folder / "helper.py").write_text("NAME = 'three'\n")
        watching.wait_for("started three\n")
        assert watching.interrupt() == 0


def test_a_board_that_is_away_gets_the_change_when_it_is_back(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "one", {"main.py": _LOOPS})
    with running(tmp_path / "out", "watch", folder, "--port", board.port) as watching:
        watching.wait_for("started one\n")
        board.power_off()
        watching.wait_for("gone: waiting for it to come back", "stderr")
        watching.wait_for(": back", "stderr")
        board.power_on()
        watching.wait_for("started one\n", count=2)
        (folder / "helper.py").write_text("NAME = 'two'\n")
        watching.wait_for("started two\n")
        assert watching.interrupt() == 0


def test_a_folder_without_an_application_is_named(tmp_path: Path) -> None:
    done = run_verb("watch", tmp_path, "--port", "socket://127.0.0.1:1")
    assert complaint(done) == f"{tmp_path}: no main.py there: give the folder of an application, as in examples/hello"


def test_a_wrong_port_ends_it_at_once(tmp_path: Path) -> None:
    done = run_verb("watch", application(tmp_path / "app", {}), "--port", "/dev/none")
    assert complaint(done) == "/dev/none: no such port: `devices` lists those there are"


CHANGES = [
    ("another content", lambda app: (app / "main.py").write_text("2"), True),
    ("the same size", lambda app: os.utime(app / "main.py", ns=(1, 1)), True),
    ("a new file", lambda app: (app / "static/new.css").write_text(""), True),
    ("a file that is gone", lambda app: (app / "static/a.css").unlink(), True),
    ("replaced by another", lambda app: (app / "static/a.css").replace(app / "main.py"), True),
    ("settings", lambda app: (app / "deploy.toml").write_text("optimize = 1\n"), True),
    ("nothing", lambda app: None, False),
    ("an excluded file", lambda app: (app / "notes.txt").write_text("2"), False),
    ("an editor's own file", lambda app: (app / ".main.py.swp").write_text("2"), False),
    ("tests", lambda app: (app / "tests/test_a.py").write_text("2"), False),
]


@pytest.mark.parametrize(("change", "counts"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_what_is_a_change(change: object, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_LOOK", 0)
    files = {
        "main.py": "1",
        "static/a.css": "1",
        "notes.txt": "1",
        "tests/test_a.py": "1",
        "deploy.toml": 'exclude = ["*.txt"]\n',
    }
    folder = application(tmp_path / "app", files)
    watched = Watched(folder)
    assert callable(change)
    change(folder)
    # It has to come to rest, and counts once.
    assert [watched.changed() for _ in range(3)] == [False, counts, False]


def test_files_that_keep_changing_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_LOOK", 0)
    folder = application(tmp_path / "app", {})
    watched = Watched(folder)
    for length in range(5):
        (folder / "main.py").write_text("#" * length)
        assert not watched.changed()
    assert watched.changed()


def test_a_change_that_is_taken_back_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_LOOK", 0)
    folder = application(tmp_path / "app", {})
    watched = Watched(folder)
    (folder / "new.py").touch()
    assert not watched.changed()
    (folder / "new.py").unlink()
    assert [watched.changed() for _ in range(2)] == [False, False]
