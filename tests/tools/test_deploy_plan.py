"""The plan of a deploy, from tables: no board is needed for what is decided on this side."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import pytest

from tools import plan
from tools.board_state import About, Owned, State, name_of, recorded
from tools.plan import Rules


class File(NamedTuple):
    path: str
    size: int
    sha256: str


def file(path: str, content: str) -> File:
    return File(path, len(content), hashlib.sha256(content.encode()).hexdigest())


def state(owned: dict[str, str], actual: dict[str, str] | None = None, **rest: object) -> State:
    """Make a board's state: what was deployed, and what of it lies there now."""
    about = About("", "rp2", (1, 25, 0, ""), "", "RPI_PICO", 4870, 200_000, 4096, 254, 200, True, True, False, "")
    found = State(about, **rest)  # type: ignore[arg-type]
    if owned:
        found.app, found.build = "app", "b" * 64
        found.record = recorded("app", "b" * 64, [file(*item) for item in owned.items()])
    for path, content in owned.items():
        now = content if actual is None else actual.get(path)
        found.owned[path] = Owned(len(content), file(path, content).sha256, file(path, now).sha256 if now is not None else None)
    return found


def planned(files: dict[str, str], board: State, **rules: object) -> plan.Plan:
    return plan.made("app", "c" * 64, [file(*item) for item in files.items()], board, Rules(**rules))  # type: ignore[arg-type]


PATTERNS = [
    ("/data/x.txt", "data/", True),
    ("/data", "data/", True),
    ("/static/data/x.txt", "data/", False),
    ("/database/x", "data/", False),
    ("/a/b/store.db", "*.db", True),
    ("/store.db.txt", "*.db", False),
    ("/logs/a.txt", "logs/*.txt", True),
    ("/logs/deep/a.txt", "logs/*.txt", False),
    ("/logs/a.txt/more", "logs/*.txt", True),
    ("/config.json", "config.json", True),
    ("/sub/config.json", "config.json", True),
    ("/secret/key", "secret", True),
    ("/Data/x.txt", "data/", False),
]


@pytest.mark.parametrize(("path", "pattern", "covered"), PATTERNS)
def test_what_a_pattern_covers(path: str, pattern: str, covered: bool) -> None:
    assert plan.is_protected(path, [pattern]) == covered


def operations(todo: plan.Plan) -> list[str]:
    return todo.journal.decode().splitlines()


def test_the_order_of_a_journal() -> None:
    board = state({"/main.py": "1", "/a.txt": "1", "/z.txt": "1"}, marks={"trial", "undo", "boots"}, kept={"0" * 24: 5})
    todo = planned({"/main.py": "2", "/a.txt": "2", "/zz.txt": "2"}, board)
    names = {upload.path: upload.name for upload in todo.parts}
    assert operations(todo) == [
        "del - /.mdot/trial",
        "del - /.mdot/undo",
        f"drop {'0' * 24} -",
        "del - /z.txt",
        f"put {names['/a.txt']} /a.txt",
        f"put {names['/zz.txt']} /zz.txt",
        f"put {names['/main.py']} /main.py",
        f"put {names['/.mdot/owned']} /.mdot/owned",
        "end - -",
    ]


def test_a_journal_that_keeps_and_the_way_back() -> None:
    board = state({"/main.py": "1", "/z.txt": "1"}, marks={"undo"}, kept={"0" * 24: 5})
    todo = planned({"/main.py": "2", "/new.txt": "2"}, board, keep=True)
    old = {path: name_of(path, file(path, "1").sha256) for path in ("/main.py", "/z.txt")}
    record = name_of("/.mdot/owned", hashlib.sha256(board.record).hexdigest())
    assert [line for line in operations(todo) if not line.startswith("put ")] == [
        f"drop {'0' * 24} -",
        f"keep {old['/main.py']} /main.py",
        f"keep {old['/z.txt']} /z.txt",
        f"keep {record} /.mdot/owned",
        "del - /z.txt",
        "end - -",
    ]
    undo = next(upload for upload in todo.parts if upload.path == "/.mdot/undo")
    assert (undo.content or b"").decode().splitlines() == [
        "del - /new.txt",
        f"back {old['/z.txt']} /z.txt",
        f"back {old['/main.py']} /main.py",
        f"back {record} /.mdot/owned",
        "end - -",
    ]


def test_nothing_is_both_removed_and_put_by_one_journal() -> None:
    # Done again after an interruption, the removal would come after the put.
    board = state({"/a.txt": "1"}, marks={"undo", "trial"}, kept={name_of("/a.txt", file("/a.txt", "1").sha256): 1})
    for keep in (True, False):
        lines = [line.split(" ", 2) for line in operations(planned({"/a.txt": "2"}, board, keep=keep))]
        gone = {path for op, _, path in lines if op == "del"} | {name for op, name, _ in lines if op == "drop"}
        come = {path for op, _, path in lines if op == "put"} | {name for op, name, _ in lines if op == "keep"}
        assert not gone & come


def test_a_board_that_has_it_all_needs_no_journal() -> None:
    board = state({"/a.txt": "1"})
    board.record = recorded("app", "c" * 64, [file("/a.txt", "1")])
    assert planned({"/a.txt": "1"}, board).journal == b""


def test_what_lies_there_whole_is_not_sent_again() -> None:
    part, whole, empty = file("/part.txt", "part"), file("/whole.txt", "whole"), file("/empty.txt", "")
    waiting = {name_of(part.path, part.sha256): 2, name_of(whole.path, whole.sha256): 5, "f" * 24: 7}
    todo = planned({"/part.txt": "part", "/whole.txt": "whole", "/empty.txt": ""}, state({}, waiting=waiting))
    assert [upload.path for upload in todo.uploads] == ["/empty.txt", "/part.txt", "/.mdot/owned", "/.mdot/journal.new"]
    assert todo.stale == ["/.mdot/new/" + "f" * 24]
    assert empty.size == 0


def test_what_was_kept_makes_room_before_the_upload_when_there_is_none() -> None:
    board = state({"/a.txt": "1"}, marks={"undo"}, kept={"0" * 24: 40_000})
    assert planned({"/big.bin": "x" * 100_000}, board).stale == []
    board.about = board.about._replace(free=20)
    todo = planned({"/big.bin": "x" * 100_000}, board)
    assert todo.stale == ["/.mdot/undo", "/.mdot/old/" + "0" * 24]
    assert planned({"/big.bin": "x" * 100_000}, board, keep=True).stale == []


def test_a_deploy_needs_room_for_what_it_sends_in_whole_blocks() -> None:
    few = planned({"/a.txt": "x"}, state({})).needed
    assert planned({"/a.txt": "x", "/b.txt": "y"}, state({})).needed == few + 4096
    assert planned({"/a.txt": "x", "/new/b.txt": "y"}, state({})).needed == few + 3 * 4096
