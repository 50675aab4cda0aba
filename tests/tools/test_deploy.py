"""Deploys to a stand-in for a board: the unix firmware with a filesystem of its own, behind a serial line over TCP."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from app_folders import complaint, run_verb
from bridge import Boards, Bridge, tree
from deploys import app, built, deploy, lying, put, run

from tools import build, deploying, device, rollback
from tools import deploy as verb
from tools.console import Failure
from tools.known_boards import Target

pytestmark = pytest.mark.usefixtures("quick")


def test_the_board_holds_what_was_built_and_starts_it(board: Bridge, tmp_path: Path) -> None:
    files = {"static/index.html": "<p>hello</p>", "deep/er/data.bin": bytes(range(256)) * 40, "empty.txt": ""}
    done = deploy(board, app(tmp_path / "app", "first", files))
    board.wait_for(b"started first first")
    assert lying(board) == built(done)


def test_the_second_deploy_sends_no_file_and_asks_once(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "same", {f"part{n}.py": f"N = {n}\n" for n in range(60)})
    deploy(board, folder)
    done = deploy(board, folder)
    assert not done.plan.journal
    assert done.plan.sent == 0
    assert done.exchanges <= 3
    board.wait_for(b"started same same")


def test_a_changed_file_takes_few_exchanges(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "one", {f"part{n}.py": f"N = {n}\n" for n in range(60)})
    deploy(board, folder)
    (folder / "part7.py").write_text("N = 'seven'\n")
    done = deploy(board, folder)
    assert [(change.what, change.path) for change in done.plan.of("add", "replace", "remove")] == [("replace", "/part7.mpy")]
    assert done.exchanges <= 5
    assert lying(board) == built(done)


def test_files_that_left_the_application_leave_the_board_and_no_others(board: Bridge, tmp_path: Path) -> None:
    put(board, {"/log.txt": "mine", "/gone/mine.txt": "mine too"})
    deploy(board, app(tmp_path / "one", "one", {"gone/a.txt": "a", "alone/b.txt": "b", "data/c.txt": "c"}))
    done = deploy(board, app(tmp_path / "two", "two"))
    assert lying(board) == {**built(done), "/log.txt": b"mine", "/gone/mine.txt": b"mine too", "/data/c.txt": b"c"}


def test_protected_files_are_the_boards_own_once_they_are_there(board: Bridge, tmp_path: Path) -> None:
    seeds = {"data/count.txt": "0", "data/new.txt": "0", "certs/key.der": "old", "notes.db": "seed", "kept.txt": "first"}
    rules = {"protect": ["kept.txt"]}
    put(board, {"/notes.db": "the board's"})
    deploy(board, app(tmp_path / "one", "one", seeds), **rules)
    put(board, {"/data/count.txt": "17", "/kept.txt": "changed"})
    seeds = dict.fromkeys(seeds, "second")
    deploy(board, app(tmp_path / "two", "two", seeds), **rules)
    found = lying(board)
    assert {path: found[path] for path in ("/data/count.txt", "/kept.txt", "/notes.db")} == {
        "/data/count.txt": b"17",
        "/kept.txt": b"changed",
        "/notes.db": b"the board's",
    }
    # What nobody changed there is still the deploy's.
    assert (found["/data/new.txt"], found["/certs/key.der"]) == (b"second", b"second")


def test_the_settings_of_the_board_are_never_deployed(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "app", "app", {"config.json": '{"hostname": "theirs"}'}))
    assert "/config.json" not in lying(board)


REFUSED: list[tuple[str, dict[str, str], dict[str, str], str]] = [
    ("a file in the way", {"/main.py": "theirs"}, {}, "/main.py is on the board and was not deployed: --adopt replaces it"),
    (
        "source beside bytecode",
        {"/helper.py": "NAME = 'theirs'"},
        {},
        "/helper.py was not deployed, and is imported in place of /helper.mpy: --adopt removes it",
    ),
    (
        "a package beside bytecode",
        {"/helper/__init__.py": "NAME = 'theirs'"},
        {},
        "/helper/__init__.py was not deployed, and is imported in place of /helper.mpy: --adopt removes it",
    ),
    (
        "a file in a folder's place",
        {"/pages": "theirs"},
        {"pages/a.txt": "a"},
        "/pages is a file on the board and a folder of the build: rename one of them",
    ),
    (
        "a folder in a file's place",
        {"/words.txt/a": "theirs"},
        {"words.txt": "a"},
        "/words.txt is a folder on the board and a file of the build: rename one of them",
    ),
]


@pytest.mark.parametrize(("there", "files", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_stands_in_the_way_stops_a_deploy(
    board: Bridge, tmp_path: Path, there: dict[str, str], files: dict[str, str], reason: str
) -> None:
    put(board, there)
    with pytest.raises(Failure) as stopped:
        deploy(board, app(tmp_path / "app", "app", files))
    assert str(stopped.value) == f"{board.port}: {reason}"
    assert lying(board) == {path: text.encode() for path, text in there.items()}


def test_adopt_takes_over_what_stands_in_the_way(board: Bridge, tmp_path: Path) -> None:
    put(board, {"/main.py": "theirs", "/helper.py": "theirs", "/helper/x.py": "theirs", "/other.txt": "theirs"})
    folder = app(tmp_path / "app", "mine")
    with pytest.raises(Failure, match=r"/helper.py, /helper/x.py, /main.py will be gone .* nobody can be asked"):
        deploy(board, folder, adopt=True)
    done = deploy(board, folder, adopt=True, yes=True)
    board.wait_for(b"started mine mine")
    assert lying(board) == {**built(done), "/other.txt": b"theirs"}


def test_what_was_changed_on_the_board_is_replaced_by_force_alone(board: Bridge, tmp_path: Path) -> None:
    deploy(board, app(tmp_path / "one", "one", {"page.txt": "one", "old.txt": "one"}))
    put(board, {"/page.txt": "changed", "/old.txt": "changed"})
    folder = app(tmp_path / "two", "two", {"page.txt": "two"})
    with pytest.raises(Failure) as stopped:
        deploy(board, folder)
    assert str(stopped.value).removeprefix(f"{board.port}: ") == (
        "/page.txt was changed on the board since its deploy: --force replaces it (and 1 more, which --dry-run lists)"
    )
    done = deploy(board, folder, force=True)
    assert lying(board) == built(done)


def test_a_file_that_somebody_removed_comes_back(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "app")
    deploy(board, folder)
    run(board, "import os; os.remove('/helper.mpy')")
    assert lying_after(board, lambda: deploy(board, folder)) == built(deploy_again(board, folder))


def lying_after(board: Bridge, act: Callable[[], object]) -> dict[str, bytes]:
    act()
    found = lying(board)
    board.power_on()
    return found


def deploy_again(board: Bridge, folder: Path) -> deploying.Done:
    done = deploy(board, folder)
    assert not done.plan.journal
    return done


def test_a_dry_run_tells_and_changes_nothing(board: Bridge, tmp_path: Path, tested: Path) -> None:
    one = app(tmp_path / "one", "one", {"page.txt": "one", "old.txt": "old", "data/x.txt": "x"})
    (one / "deploy.toml").write_text(f'name = "{tested.name}"\n')
    deploy(board, one)
    put(board, {"/data/x.txt": "theirs", "/late.py": ""})
    before = tree_of(board)
    folder = app(tested, "two", {"page.txt": "two, longer", "late.py": "X = 1\n", "data/x.txt": "y"})
    done = run_verb("deploy", folder, "--port", board.port, "--dry-run", env={"MDOT_CACHE": str(tmp_path)}, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sizes = {file.path: file.size for file in build.built(folder, "unix").files}
    lines = done.stdout.replace(board.port, "PORT").splitlines()
    assert lines[:-1] == [
        f"  ~ {sizes['/_main.mpy']:8}  /_main.mpy",
        "  =           /data/x.txt  (protected, and changed on the board)",
        f"  ~ {sizes['/helper.mpy']:8}  /helper.mpy",
        f"  + {sizes['/late.mpy']:8}  /late.mpy",
        "  -           /old.txt",
        f"  ~ {sizes['/page.txt']:8}  /page.txt",
        "  ! /late.py was not deployed, and is imported in place of /late.mpy: --adopt removes it",
    ]
    assert lines[-1].startswith("PORT: tested-by-pytest: 1 add, 3 replace, 1 remove, 1 same; ")
    assert lines[-1].endswith(" free needed; nothing was changed")
    assert tree_of(board) == before


def tree_of(board: Bridge) -> dict[str, bytes]:
    """Read all that lies on a board but the count of its starts."""
    board.power_off()
    found = {path: content for path, content in tree(board.flash).items() if path != "/.mdot/boots"}
    board.power_on()
    return found


def test_another_board_than_the_one_wanted_is_not_written_to(board: Bridge, tmp_path: Path) -> None:
    before = board.flash.read_bytes()
    with pytest.raises(Failure) as stopped:
        deploy(board, app(tmp_path / "app", "app"), identity="bb02")
    expected = "this board is aa01, and bb02 is wanted: choose the other port, or change what pins the board"
    assert str(stopped.value) == f"{board.port}: {expected}"
    board.power_off()
    assert board.flash.read_bytes() == before


def test_an_interrupted_deploy_is_carried_on_by_who_has_the_right_board_alone(boards: Boards, tmp_path: Path) -> None:
    board = boards(stock=True, identity="aa01")
    put(board, {"/.mdot/journal": "del - /mine.txt\nend - -\n", "/mine.txt": "mine"})
    with pytest.raises(Failure, match="this board is aa01, and bb02 is wanted"):
        deploy(board, app(tmp_path / "app", "app"), identity="bb02")
    dry = deploy(board, tmp_path / "app", dry_run=True)
    assert dry.state.about.pending
    assert "/mine.txt" in lying(board)
    board.power_on()
    done = deploy(board, tmp_path / "app", identity="aa01")
    assert lying(board) == built(done)


def test_a_damaged_journal_is_put_aside_and_told(boards: Boards, tmp_path: Path) -> None:
    board = boards(stock=True)
    put(board, {"/.mdot/journal": "del - /mine.t", "/mine.txt": "mine"})
    done = deploy(board, app(tmp_path / "app", "app"))
    assert done.state.about.damage == "journal: damaged in line 1"
    assert lying(board) == {**built(done), "/mine.txt": b"mine"}


def test_a_compiled_module_for_another_machine_is_refused(board: Bridge, tmp_path: Path) -> None:
    folder = app(tmp_path / "app", "app", {"foreign.mpy": b"M\x05\x00\x1f\x00\x00"})
    with pytest.raises(Failure, match=r"foreign\.mpy: it is bytecode 5 and the board speaks 6\.3"):
        deploy(board, folder)
    assert lying(board) == {}


def test_stock_firmware_gets_what_commits_with_the_deploy(boards: Boards, tmp_path: Path) -> None:
    board = boards(stock=True)
    put(board, {"/lib/microdot.py": "Microdot = None"})
    done = deploy(board, app(tmp_path / "app", "stock"))
    assert not done.state.about.guard
    board.wait_for(b"started stock stock")
    found = lying(board)
    found.pop("/lib/microdot.py")
    assert found == built(done)


def test_a_full_board_keeps_its_application(boards: Boards, tmp_path: Path) -> None:
    board = boards(blocks=32)
    old = deploy(board, app(tmp_path / "one", "one"))
    big = app(tmp_path / "two", "two", {"big.bin": bytes(200_000)})
    with pytest.raises(Failure, match=r"no room: the deploy needs \d+ KiB of flash and \d+ are free"):
        deploy(board, big)
    board.said = b""
    run(board, "pass")
    board.wait_for(b"started one one")
    assert lying(board) == built(old)


def test_a_board_that_is_full_in_the_middle_keeps_its_application(
    boards: Boards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = boards(blocks=32)
    old = deploy(board, app(tmp_path / "one", "one"))
    # The estimate is what keeps a deploy from getting so far.
    monkeypatch.setattr(deploying, "_check", lambda *arguments: None)
    with pytest.raises(Failure, match="the board's flash is full: the old application is as it was"):
        deploy(board, app(tmp_path / "two", "two", {"big.bin": bytes(200_000)}))
    assert lying(board) == built(old)
    assert [path for path in tree(board.flash) if path.startswith("/.mdot/new/")] == []


def test_what_a_broken_upload_left_is_taken_up_or_sent_again(board: Bridge, tmp_path: Path) -> None:
    content = bytes(range(256)) * 100
    folder = app(tmp_path / "app", "app", {"long.bin": content, "wrong.bin": content[::-1]})
    made = build.built(folder, "unix")
    names = {file.path: deploy_name(file) for file in made.files}
    put(board, {"/.mdot/new/" + names["/wrong.bin"]: "not what it should begin with", "/.mdot/new/" + "0" * 24: "of another"})
    run(board, f"with open('/.mdot/new/{names['/long.bin']}', 'wb') as file: file.write(bytes(range(256)) * 60)")
    done = deploy(board, folder)
    assert lying(board) == built(done)
    assert [path for path in tree(board.flash) if path.startswith("/.mdot/new/")] == []


def deploy_name(file: build.File) -> str:
    from tools.board_state import name_of

    return name_of(file.path, file.sha256)


def test_an_application_that_ends_at_its_start_fails_the_verb(board: Bridge, tmp_path: Path, tested: Path) -> None:
    folder = app(tested, "app", {"helper.py": "raise ValueError('broken')\n"})
    done = run_verb("deploy", folder, "--port", board.port, cwd=tmp_path)
    assert done.returncode == 1
    assert "deployed, but the application ended at its start: ValueError: broken: correct it" in done.stderr
    assert "/main.py:1, in <module>" in done.stdout


def test_the_deploy_before_comes_back(board: Bridge, tmp_path: Path) -> None:
    put(board, {"/mine.txt": "mine"})
    one = deploy(board, app(tmp_path / "one", "one", {"page.txt": "one", "old/x.txt": "x"}))
    deploy(board, app(tmp_path / "two", "two", {"page.txt": "two", "new/y.txt": "y"}), keep=True)
    put(board, {"/mine.txt": "changed since", "/.mdot/trial": "as if it had come over the air"})
    undone = rollback.undone(Target(board.port, ""))
    assert (undone.before.app, undone.after.app) == ("two", "one")
    board.wait_for(b"started one one")
    with pytest.raises(Failure, match="nothing to go back to: the last deploy was made without --keep-previous"):
        rollback.undone(Target(board.port, ""))
    assert lying(board) == {**built(one), "/mine.txt": b"changed since"}
    assert "/.mdot/trial" not in tree(board.flash)


def test_kept_files_go_with_the_next_deploy(board: Bridge, tmp_path: Path) -> None:
    for name in ("one", "two", "three", "one"):
        deploy(board, app(tmp_path / name, name, {"page.txt": name}), keep=True)
    assert rollback.undone(Target(board.port, "")).after.app == "three"
    deploy(board, app(tmp_path / "four", "four"))
    board.power_off()
    assert [path for path in tree(board.flash) if path.startswith("/.mdot/old/") or path == "/.mdot/undo"] == []


def test_several_boards_get_it_at_once(boards: Boards, tmp_path: Path, tested: Path) -> None:
    one, two = boards("one", identity="aa01"), boards("two", identity="bb02")
    put(two, {"/main.py": "theirs"})
    folder = app(tested, "app")
    done = run_verb("deploy", folder, "--json", "--port", one.port, "--port", two.port, cwd=tmp_path)
    good, bad = (json.loads(line) for line in done.stdout.splitlines())
    assert (good["id"], good["committed"], good["failed"]) == ("aa01", True, "")
    assert bad == {"port": two.port, "error": f"{two.port}: /main.py is on the board and was not deployed: --adopt replaces it"}
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "mdot: deploy: 1 of 2 boards do not run the application: see above"
    assert "/_main.mpy" in lying(one)
    assert lying(two) == {"/main.py": b"theirs"}


def test_all_that_is_connected_gets_it(
    boards: Boards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [boards("one", identity="aa01"), boards("two", identity="bb02")]
    # What USB would list.
    monkeypatch.setattr(device, "ports", lambda: [device.Port(board.port, "", "", "") for board in found])
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    verb.do(parser.parse_args([str(app(tmp_path / "app", "app")), "--all"]))
    said = capsys.readouterr().out
    for board in found:
        assert f"{board.port}: the application runs" in said or f"{board.port}: the application ran to its end" in said
        assert "/_main.mpy" in lying(board)
    with pytest.raises(Failure, match="--all and --port exclude each other"):
        verb.do(parser.parse_args([str(tmp_path / "app"), "--all", "--port", "x"]))


def test_a_name_of_boards_toml_is_a_port_and_an_identity(board: Bridge, tmp_path: Path, tested: Path) -> None:
    (tmp_path / "boards.toml").write_text(
        f'[right]\nid = "AA01"\nport = "{board.port}"\n[wrong]\nid = "bb02"\nport = "{board.port}"\n'
    )
    folder = app(tested, "app")
    wrong = run_verb("deploy", folder, "--port", "wrong", cwd=tmp_path)
    assert "this board is aa01, and bb02 is wanted" in complaint(wrong)
    assert run_verb("deploy", folder, "--port", "right", cwd=tmp_path).returncode == 0
    (folder / "deploy.toml").write_text('[board]\nid = "bb02"\n')
    assert "pinned to the board bb02, not aa01" in complaint(run_verb("deploy", folder, "--port", "right", cwd=tmp_path))
