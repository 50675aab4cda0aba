"""The key for updates over the air, on this machine and on a stand-in for a board; and the bundle of a build."""

from __future__ import annotations

import resource
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from app_folders import application, complaint, run_verb
from bridge import Bridge
from deploys import run

from tools import bundles, files, ota
from tools.build import Build, File
from tools.bytecode import Mpy
from tools.console import Failure
from tools.ota import read_key


def test_a_new_key_is_its_owners_alone_and_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pico.key"
    done = run_verb("ota", "key", str(path))
    assert done.returncode == 0, done.stderr
    assert len(read_key(path)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() not in done.stdout + done.stderr
    before = path.read_text()
    done = run_verb("ota", "key", str(path))
    assert (done.returncode, path.read_text()) == (0, before)
    assert run_verb("ota", "key", str(tmp_path / "other.key")).returncode == 0
    assert (tmp_path / "other.key").read_text() != before


def test_a_key_for_which_there_is_no_room_leaves_no_file(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="large"):
            ota._new(tmp_path / "pico.key")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_it_goes_to_the_board_over_the_cable(board: Bridge, tmp_path: Path) -> None:
    path = tmp_path / "pico.key"
    done = run_verb("ota", "key", str(path), "--port", board.port)
    assert done.returncode == 0, done.stderr
    assert run(board, "print(open('/ota.key').read())").strip() == path.read_text().strip()


@pytest.mark.parametrize("text", ["", "xyz", "00" * 31, "0" * 65, "00" * 97, "G" * 64, "ä" * 64])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pico.key"
    path.write_text(text)
    assert "not a key of ours" in complaint(run_verb("ota", "key", str(path)))


def test_a_key_that_git_keeps(tmp_path: Path) -> None:
    (tmp_path / "pico.key").write_text("00" * 32)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "pico.key"], check=True)
    with pytest.raises(Failure, match="a key that git keeps"):
        read_key(tmp_path / "pico.key")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in complaint(run_verb("ota", "key", str(tmp_path / "none" / "pico.key")))


def _build(folder: Path, contents: dict[str, bytes]) -> Build:
    listed = []
    for path, content in contents.items():
        local = folder / "files" / path[1:]
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(content)
        listed.append(File(path, len(content), files.digest(local), path[1:]))
    return Build(folder, "app", "RPI_PICO", "b" * 64, Mpy(6, 3), tuple(listed))


def test_a_bundle_says_what_its_bytecode_needs(tmp_path: Path) -> None:
    for name, contents, needs in (
        ("source", {"/main.py": b"x"}, 0),
        ("portable", {"/main.py": b"x", "/_main.mpy": b"M\x06\x00\x1fx"}, 6),
        ("native", {"/a.mpy": b"M\x06\x00\x1fx", "/b.mpy": b"M\x06\x13\x1fx"}, 0x1306),
    ):
        head = bundles.made(_build(tmp_path / name, contents)).head
        assert head.splitlines()[1].split()[2] == b"%d" % needs


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ({f"/{n}": b"" for n in range(129)}, "files"),
        ({"/a": bytes(512 * 1024 + 1)}, "bytes of files"),
        ({f"/{n:0200d}": b"" for n in range(40)}, "bytes of a list"),
    ],
)
def test_what_no_device_would_take(tmp_path: Path, contents: dict[str, bytes], reason: str) -> None:
    with pytest.raises(Failure, match=reason):
        bundles.made(_build(tmp_path / "build", contents))


def test_the_build_verb_writes_a_bundle(tmp_path: Path) -> None:
    app = application(tmp_path / "bundled-app", {"main.py": "print('on')\n"})
    done = run_verb("build", str(app), "--bundle")
    assert done.returncode == 0, done.stderr
    path = Path(next(line for line in done.stderr.splitlines() if line.endswith(": the bundle")).removesuffix(": the bundle"))
    data = path.read_bytes()
    shutil.rmtree(path.parent.parent)
    assert data.startswith(b"mdot-bundle 1 ")
    assert data.splitlines()[1].startswith(b"bundled-app ")
