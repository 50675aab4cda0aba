"""What `doctor` finds on a board, and which of several modules of a name an import finds there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from app_folders import complaint, micropython, run_verb
from bridge import Boards, Bridge
from deploys import app, built, deploy, lying, put, run

from tools import shadows

pytestmark = pytest.mark.usefixtures("quick")


def examined(board: Bridge, folder: Path) -> dict[str, object]:
    done = run_verb("doctor", "--port", board.port, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_healthy_board(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "app", "app"))
    found = examined(board, tmp_path)
    assert found["id"] == "aa01"
    assert found["bytecode"] == "6.3 for x64"
    assert str(found["application"]).startswith("app, 3 files, build ")
    assert found["filesystem"] == "VfsLfs2 on /"
    assert str(found["tls"]).endswith("ciphers")
    assert found["settings"] == "none"
    assert found["notes"] == []


def test_secrets_do_not_leave_the_board(board: Bridge, tmp_path: Path) -> None:
    settings = {
        "hostname": "pico",
        "networks": [{"ssid": "home", "password": "geheim1"}],
        "portal": {"ssid": "setup", "password": "geheim2", "minutes": 5},
        "token": "geheim3",
        "nested": {"deep": ["geheim4", {"key": "geheim5"}]},
    }
    put(board, {"/config.json": json.dumps(settings)})
    board.said = b""
    assert examined(board, tmp_path)["settings"] == {
        "hostname": "pico",
        "networks": [{"ssid": "home", "password": "(hidden)"}],
        "portal": {"ssid": "setup", "password": "(hidden)", "minutes": 5},
        "token": "(hidden)",
        "nested": {"deep": ["(hidden)", {"key": "(hidden)"}]},
    }
    assert b"geheim" not in board.said


@pytest.mark.parametrize("text", ["", "nonsense", "\x00\x01", '{"a": 1, "b": ' * 1000])
def test_damaged_settings_are_told(board: Bridge, tmp_path: Path, text: str) -> None:
    put(board, {"/config.json": text})
    assert examined(board, tmp_path)["settings"] == "damaged"


def test_what_is_worth_a_look(boards: Boards, tmp_path: Path) -> None:
    board = boards(identity="aa01")
    deploy(board, app(tmp_path / "app", "app", {"page.txt": "page", "gone.txt": "gone"}))
    put(board, {"/page.txt": "changed", "/microdot.py": "Microdot = None", "/helper.py": "NAME = 1", "/main.mpy": ""})
    put(board, {"/.mdot/boots": "3", "/.mdot/new/" + "0" * 24: "left"})
    run(board, "import os; os.remove('/gone.txt')")
    found = examined(board, tmp_path)
    assert found["notes"] == [
        "the guard starts no application any more: deploy again, or see what `monitor` shows",
        "/gone.txt is gone from the board: deploy again",
        "/page.txt was changed on the board since its deploy",
        "import helper finds /helper.py, not /helper.mpy",
        "import microdot finds /microdot.py, not the firmware's",
        "/main.mpy is never run: a start looks for main.py only",
        "1 uploaded files of an unfinished deploy wait in /.mdot/new for the next one",
    ]


def test_a_stock_board_can_be_examined(boards: Boards, tmp_path: Path) -> None:
    found = examined(boards(stock=True), tmp_path)
    assert (found["id"], found["guard"], found["application"]) == ("not told", "none in this firmware", "none deployed")


LAYOUTS = [
    ("a package beats source", ["", "/lib"], ["/a/__init__.py", "/a.py"], "/a/"),
    ("source beats bytecode", ["", "/lib"], ["/a.py", "/a.mpy"], "/a.py"),
    ("the top beats /lib", ["", "/lib"], ["/a.mpy", "/lib/a.py"], "/a.mpy"),
    ("a package in /lib loses to bytecode at the top", ["", "/lib"], ["/lib/a/__init__.py", "/a.mpy"], "/a.mpy"),
    ("the order of the path counts", ["/lib", ""], ["/a.py", "/lib/a.py"], "/lib/a.py"),
    ("a folder of modules is a package", ["", "/lib"], ["/a/part.py", "/lib/a.py"], "/a/"),
]


@pytest.mark.parametrize(("search", "files", "winner"), [row[1:] for row in LAYOUTS], ids=[row[0] for row in LAYOUTS])
def test_which_module_an_import_finds(tmp_path: Path, search: list[str], files: list[str], winner: str) -> None:
    shadow = next(found for found in shadows.found(search, files, set()) if found.name == "a")
    assert shadow.winner == winner
    # MicroPython itself is the judge: what is a `.mpy` here is compiled for it.
    for path in files:
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(compiled(tmp_path, path) if path.endswith(".mpy") else f"WHO = {path!r}\n".encode())
    path = [str(tmp_path / folder.lstrip("/")) for folder in search]
    program = f"import sys; sys.path[:] = {path!r}; import a; print(getattr(a, 'WHO', 'package'))"
    said = micropython(tmp_path, "-c", program).stdout.strip()
    assert said == winner or (winner == "/a/" and said in ("package", "/a/__init__.py"))


def compiled(folder: Path, path: str) -> bytes:
    from tools import bytecode

    return bytecode.compiled(f"WHO = {path!r}\n".encode(), "a.py", bytecode.Mpy(6, 3))


def test_the_firmware_beats_lib_and_loses_to_the_top() -> None:
    search = ["", ".frozen", "/lib"]
    assert shadows.found(search, ["/lib/microdot.py"], {"microdot"})[0].winner == "the firmware's"
    assert shadows.found(search, ["/microdot.mpy"], {"microdot"})[0].winner == "/microdot.mpy"
    assert shadows.found(search, ["/other.py", "/static/microdot.js"], {"microdot"}) == []


def test_the_firmwares_modules_are_read_from_its_help() -> None:
    listing = "__main__          microdot/__init__  microdot/app      time\nasyncio/core\nPlus any modules on the filesystem\n"
    assert shadows.frozen_modules(listing) == {"__main__", "microdot", "time", "asyncio"}


@pytest.mark.parametrize("line", [b"nonsense", b"00 x /a", b"# one two three", b"ab 1", b"00 1 /\xff"])
def test_a_damaged_record_is_told_with_the_way_out(board: Bridge, tmp_path: Path, line: bytes) -> None:
    source = app(tmp_path / "app", "app")
    files = built(deploy(board, source))
    run(board, f"with open('/.mdot/owned', 'ab') as file: file.write({line!r} + bytes((10,)))")
    for verb in (["doctor"], ["deploy", str(source)]):
        said = complaint(run_verb(*verb, "--port", board.port, cwd=source))
        way = f"remove it with `mpremote connect {board.port} rm :/.mdot/owned`, and deploy with --adopt"
        assert said == f"{board.port}: /.mdot/owned, the record of what was deployed, is damaged: {way}"
    run(board, "import os; os.remove('/.mdot/owned')")
    deploy(board, source, adopt=True, yes=True)
    assert lying(board) == files
