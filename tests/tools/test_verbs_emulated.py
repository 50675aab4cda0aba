"""`monitor`, `run --on board` and `wifi` with our firmware on the emulated Pico."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_folders import HELLO, ROOT, application, run_verb
from verb_process import running

sys.path.append(str(ROOT / "tests/board"))
import pico


@pytest.fixture(scope="module")
def started() -> Iterator[pico.Board]:
    """Start a board with our firmware."""
    with pico.started(pico.firmware("RPI_PICO") / "firmware.bin") as board:
        yield board


@pytest.fixture
def port(started: pico.Board) -> str:
    return f"socket://127.0.0.1:{started.usb}"


def test_the_monitor_survives_a_reset_that_is_typed_into_it(started: pico.Board, port: str, tmp_path: Path) -> None:
    started.mpremote("exec", "with open('main.py', 'w') as file: file.write('import time\\ntime.sleep(3)\\n1 / 0\\n')")
    folder = application(tmp_path / "app", {"main.py": ""})
    ours, theirs = os.openpty()
    try:
        with running(tmp_path / "out", "monitor", folder, "--port", port, stdin=theirs) as monitor:
            monitor.wait_for("Ctrl-] ends it", "stderr")
            os.write(ours, b"\x03\x02\rimport machine\rmachine.reset()\r")
            monitor.wait_for("gone: waiting for it to come back", "stderr")
            monitor.wait_for(": back", "stderr")
            monitor.wait_for(f"  {folder}/main.py:3, in <module>\nZeroDivisionError")
            os.write(ours, b"\x1d")
            assert monitor.process.wait(60) == 0
    finally:
        os.close(ours)
        os.close(theirs)
        started.mpremote("rm", ":main.py")


def test_an_application_runs_for_once(started: pico.Board, port: str, tmp_path: Path) -> None:
    main = (
        "import asyncio\nfrom microdot.test_client import TestClient\n"
        + HELLO
        + "\n\nprint(asyncio.run(TestClient(app).get('/')).text, __name__)\n"
        "with open('words.txt') as file:\n    print(file.read())\n"
    )
    folder = application(tmp_path / "app", {"main.py": main, "words.txt": "some words"})
    done = run_verb("run", folder, "--on", "board", "--port", port)
    assert (done.returncode, done.stdout) == (0, "hello _main\nsome words\n"), done.stderr
    assert started.mpremote("exec", "import os; print(os.listdir())").strip() == "[]"


def test_an_endless_one_ends_with_ctrl_c(started: pico.Board, port: str, tmp_path: Path) -> None:
    folder = application(tmp_path / "app", {"main.py": "print('begun')\nwhile True:\n    pass\n"})
    with running(tmp_path / "out", "run", folder, "--on", "board", "--port", port) as process:
        process.wait_for("begun\n")
        assert process.interrupt() == 0
    assert started.mpremote("exec", "import os; print(os.listdir())").strip() == "[]"


def test_the_firmware_reads_the_settings_that_were_written(started: pico.Board, port: str) -> None:
    network = {"ssid": "Café", "password": "correct horse"}
    command = [sys.executable, "-m", "tools", "wifi", "--port", port, "--stdin", "--hostname", "pico"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps({"networks": [network]}), capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    try:
        said = started.mpremote("exec", "from onboard import settings; import json; print(json.dumps(settings.read()))")
        assert json.loads(said) == {"hostname": "pico", "networks": [network]}
    finally:
        started.mpremote("rm", ":config.json")
