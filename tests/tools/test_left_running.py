"""A verb that fails before it has changed anything leaves the board's application running."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_folders import application, complaint, run_verb
from bridge import Bridge
from deploys import app, deploy

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    ("verb", "options", "reason"),
    [
        ("run", ["--on", "board"], "main.py:1: invalid syntax"),
        ("test", ["--on", "board"], "main.py:1: invalid syntax"),
        ("romfs", ["--board", "RPI_PICO"], "the board has no ROMFS partition 0"),
    ],
)
def test_the_application_goes_on(
    board: Bridge, tested: Path, tmp_path: Path, verb: str, options: list[str], reason: str
) -> None:
    deploy(board, app(tmp_path / "lies", "lies"))
    main = "import helper\n" if verb == "romfs" else "def (:\n"
    folder = application(tested, {"main.py": main, "helper.py": "", "tests/test_it.py": "import unittest\n"})
    board.said = b""
    words = [verb, "deploy"] if verb == "romfs" else [verb]
    assert reason in complaint(run_verb(*words, folder, *options, "--port", board.port))
    board.wait_for(b"started lies lies")
