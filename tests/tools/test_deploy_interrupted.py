"""Deploys that are cut in the middle: what lies on the board afterwards is the old application or the new one, never a mix.

The line to a stand-in for a board is cut after each turn and at bytes chosen at random.  Power that fails in the middle of
what the board itself does is for tests/board, on the emulated one.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from app_folders import application, unix_firmware
from bridge import Boards, Bridge, bridged, tree
from deploys import app, built, deploy, lying, put, says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verb_process import running

from tools import deploying, paths
from tools.console import Failure
from tools.deploying import Options
from tools.known_boards import Target

USERS = {"/log.txt": "17 lines", "/data/count.txt": "3", "/pages/mine.txt": "mine"}
OLD = {"pages/a.txt": "old", "pages/gone.txt": "old " * 900, "part.py": "PART = 'old'\n", "only/old.txt": "old"}
NEW = {"pages/a.txt": "new", "pages/more.txt": "new " * 900, "part.py": "PART = 'new'\n", "only_new.txt": "new"}
# More than a deploy of NEW takes: a turn for each of its programs, pieces and answers.
_TURNS, _EACH = 24, 4


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(deploying, "FIRST_WORDS", 0.01)


class Prepared(NamedTuple):
    """A board that is switched off, with the old application and the user's files on it."""

    flash: Path
    before: dict[str, bytes]
    new: Path


@pytest.fixture
def prepare(boards: Boards, tmp_path: Path) -> Callable[[bool], Prepared]:
    def prepared(stock: bool) -> Prepared:
        board = boards("prepared", stock=stock)
        put(board, USERS)
        before = built(deploy(board, app(tmp_path / "old", "old", OLD)))
        board.close()
        return Prepared(board.flash, before, app(tmp_path / "new", "new", NEW))

    return prepared


@contextlib.contextmanager
def copied(prepared: Prepared, turn: int, stock: bool = False) -> Iterator[Bridge]:
    flash = prepared.flash.with_name(f"{turn}.flash")
    shutil.copy(prepared.flash, flash)
    with bridged(flash, stock=stock) as board:
        yield board


def test_a_deploy_takes_no_more_turns_than_are_cut_below(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "old", "old", OLD))
    before = board.turns
    deploy(board, app(tmp_path / "new", "new", NEW), keep=True)
    assert _TURNS / 3 < board.turns - before < _TURNS


@pytest.mark.parametrize("first", range(0, _TURNS, _EACH))
@pytest.mark.parametrize("stock", [False, True], ids=["guarded", "stock"])
def test_the_plug_is_pulled(prepare: Callable[[bool], Prepared], tmp_path: Path, stock: bool, first: int) -> None:
    """With our firmware the board itself puts things right at its start, with stock firmware the next deploy does."""
    prepared = prepare(stock)
    for turn in range(first, first + _EACH):
        with copied(prepared, turn, stock) as board:
            board.cut_after(turns=turn, plug=True)
            with contextlib.suppress(Failure):
                deploy(board, prepared.new, keep=True)
            board.mend()
            board.power_off()
            board.said = b""
            board.power_on()
            if not stock:
                board.wait_for(b"started ")
                after = whole(lying(board), prepared.before, tmp_path)
                assert (b"started old old" in board.said) == (after == prepared.before), (turn, board.said)
                board.power_on()
            done = deploy(board, prepared.new)
            assert lying(board) == {**built(done), **users()}, turn


@pytest.mark.parametrize("first", range(0, _TURNS, _EACH))
def test_the_cable_is_pulled_and_the_deploy_repeated(prepare: Callable[[bool], Prepared], first: int) -> None:
    prepared = prepare(False)
    for turn in range(first, first + _EACH):
        with copied(prepared, turn) as board:
            board.cut_after(turns=turn)
            with contextlib.suppress(Failure):
                deploy(board, prepared.new)
            board.mend()
            done = deploy(board, prepared.new)
            assert lying(board) == {**built(done), **users()}, turn
            assert [path for path in tree(board.flash) if path.startswith(("/.mdot/new/", "/.mdot/journal"))] == []


def users() -> dict[str, bytes]:
    return {path: text.encode() for path, text in USERS.items()}


def whole(found: dict[str, bytes], before: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """Check that one of the two applications lies there, whole, with the user's files; give it."""
    for path, content in users().items():
        assert found.pop(path) == content, path
    new = folder / "build/new/unix/files"
    after = {f"/{path.relative_to(new)}": path.read_bytes() for path in new.rglob("*") if path.is_file()}
    assert found in (before, after)
    return found


def test_whoever_presses_ctrl_c_finds_the_old_application_running(board: Bridge, tmp_path: Path) -> None:
    before = built(deploy(board, app(tmp_path / "old", "old", OLD)))

    def press(done: int, of: int) -> None:
        board.said = b""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deploying.deployed(app(tmp_path / "new", "new", NEW), Target(board.port, ""), Options(), press)
    board.wait_for(b"started old old")
    assert lying(board) == before


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "killed"])
def test_a_verb_that_is_stopped_in_its_upload_ends_there(board: Bridge, tested: Path, kind: signal.Signals) -> None:
    before = built(deploy(board, app(tested.parent / "old", "old", OLD)))
    large = random.Random(1).randbytes(600_000)
    new = application(tested, {"main.py": says("new"), "helper.py": "NAME = 'new'\n", "x.bin": large})
    sent = board.sent + 40_000
    with running(tested.parent / "verb", "deploy", new, "--port", board.port) as verb:
        deadline = time.monotonic() + 100
        while board.sent < sent:
            assert time.monotonic() < deadline, verb.said("stderr")
            time.sleep(0.001)
        board.said = b""
        with board.held():
            verb.process.send_signal(kind)
            verb.wait_for("stopping: ", "stderr")
        assert verb.process.wait(60) == (1 if kind == signal.SIGINT else 128 + kind)
        assert verb.said("stderr").splitlines()[1:] == (["mdot: deploy: interrupted"] if kind == signal.SIGINT else [])
    board.wait_for(b"started old old")
    assert lying(board) == before


_NAMES = st.sampled_from(["a.txt", "b.bin", "part.py", "x/a.txt", "x/y/b.bin", "data/seed.txt"])
_TREES = st.dictionaries(_NAMES, st.binary(max_size=3000), max_size=5)
_MINE = st.dictionaries(
    st.sampled_from(["/u.txt", "/x/mine.txt", "/data/log.txt", "/y/z.txt"]), st.text(max_size=50), max_size=3
)


def as_source(files: dict[str, bytes]) -> dict[str, str | bytes]:
    """Make what is to be a module one."""
    return {name: f"X = {data[:20]!r}\n" if name.endswith(".py") else data for name, data in files.items()}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=_TREES, new=_TREES, mine=_MINE, cut=st.integers(0, 12_000), plug=st.booleans())
def test_whatever_is_deployed_and_wherever_it_is_cut(
    old: dict[str, bytes], new: dict[str, bytes], mine: dict[str, str], cut: int, plug: bool
) -> None:
    unix_firmware()
    with tempfile.TemporaryDirectory() as name, bridged(Path(name, "flash")) as board:
        folder = Path(name)
        put(board, mine)
        before = built(deploy(board, app(folder / "old", "old", as_source(old))))
        board.cut_after(count=cut, plug=plug)
        application = app(folder / "new", "new", as_source(new))
        with contextlib.suppress(Failure):
            deploy(board, application)
        board.mend()
        board.power_off()
        board.said = b""
        board.power_on()
        board.wait_for(b"started ")
        seed = {path: before[path] for path in before if path.startswith("/data/")}
        found = lying(board)
        for path, text in mine.items():
            assert found.pop(path) == text.encode()
        board.power_on()
        after = built(deploy(board, application))
        assert found in (before, {**seed, **after})
        # What a deploy brings to a protected folder is the board's own from then on.
        assert lying(board) == {**seed, **after, **{path: text.encode() for path, text in mine.items()}}
