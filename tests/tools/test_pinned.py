"""Nothing is written to a board of another id than the one that boards.toml or deploy.toml says, whatever the verb."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_folders import application, complaint, run_verb
from bridge import Bridge
from deploys import lying, put

_APP = {"tests/test_it.py": "import unittest\n"}


@pytest.mark.parametrize("verb", ["ota key KEY", "rescue --yes", "test APP --on board", "run APP --on board"])
def test_a_named_board_of_another_id_is_left_alone(board: Bridge, tmp_path: Path, verb: str) -> None:
    put(board, {"/main.py": "print('mine')\n"})
    (tmp_path / "boards.toml").write_text(f'[kitchen]\nid = "bb02"\nport = "{board.port}"\n')
    places = {"KEY": tmp_path / "pico.key", "APP": application(tmp_path / "app", _APP)}
    words = [places.get(word, word) for word in verb.split()]
    assert "this board is aa01, and bb02 is wanted" in run_verb(*words, "--port", "kitchen", cwd=tmp_path).stderr
    assert lying(board) == {"/main.py": b"print('mine')\n"}


@pytest.mark.parametrize("verb", ["test", "run"])
def test_a_pinned_application_is_tried_on_its_board_only(board: Bridge, tmp_path: Path, verb: str) -> None:
    app = application(tmp_path / "app", {**_APP, "deploy.toml": '[board]\nid = "bb02"\n'})
    done = run_verb(verb, app, "--on", "board", "--port", board.port)
    assert "this board is aa01, and bb02 is wanted" in complaint(done)
