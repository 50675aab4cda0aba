"""ROMFS images: what MicroPython's own filesystem reads in ours, beside the image that mpremote's writer makes of the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import ROOT, WALKED, one_line, run_tools
from hypothesis import given, settings
from hypothesis import strategies as st
from mpremote.romfs import VfsRomWriter

from tools import on_board
from tools.romfs_format import ALIGNMENT, image

_WALK = """
import json, sys, vfs

vfs.mount(vfs.VfsRom(open(sys.argv[1], "rb").read()), "/rom")

print(json.dumps(list(walked("/rom"))))
"""
_FILES = {
    "/main.py": b"import _main\n",
    "/_main.mpy": b"M\x06\x00\x1f" + bytes(range(256)),
    "/empty": b"",
    "/lib/a.py": b"x = 1\n",
    "/lib/deep/er/still/b.py": b"x = 1\n",
    "/static/large": bytes(n * 7 % 251 for n in range(70_000)),
    "/static/größe.txt": b"x",
    "/static/" + "n" * 255: b"long",
}


def _read_by_micropython(firmware: Path, data: bytes, folder: Path) -> dict[str, bytes]:
    """Let MicroPython mount an image; give all that it finds there."""
    (folder / "image.romfs").write_bytes(data)
    (folder / "walk.py").write_text(WALKED + _WALK)
    command = [str(firmware), "walk.py", "image.romfs"]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert len({path for path, _ in found}) == len(found), "a name is there twice"
    return {path: bytes.fromhex(content) for path, content in found}


def _mpremote_s(files: dict[str, bytes]) -> bytes:
    """Make the image that mpremote would make; its names are ASCII."""
    writer = VfsRomWriter()
    _fill(writer, files)
    return bytes(writer.finalise())


def _fill(writer: VfsRomWriter, files: dict[str, bytes]) -> None:
    for name in sorted({path.split("/")[1] for path in files}):
        below = {path[len(name) + 1 :]: content for path, content in files.items() if path.startswith(f"/{name}/")}
        if below:
            writer.opendir(name)
            _fill(writer, below)
            writer.closedir()
        else:
            writer.mkfile(name, files[f"/{name}"])


def test_every_byte_of_a_small_image_is_known() -> None:
    # The kind of an image, its payload's length in five bytes; contents from multiples of eight on, the second padded by
    # the length before it; a file, and a folder with a file, that point at them; a record of one byte to make it even.
    assert image({"lib/a.py": b"x=1\n", "b.txt": b"hello"}).hex(" ") == (
        "d2 cd 31 80 80 80 80 34 "
        "02 80 80 80 80 80 80 05 68 65 6c 6c 6f 02 80 04 78 3d 31 0a "
        "05 0a 05 62 2e 74 78 74 03 02 05 08 "
        "04 0f 03 6c 69 62 05 09 04 61 2e 70 79 03 02 04 10 01 01 ff"
    )


def test_micropython_reads_in_it_what_was_put_in(firmware: Path, tmp_path: Path) -> None:
    assert _read_by_micropython(firmware, image(_FILES), tmp_path) == _FILES


def test_micropython_sees_no_difference_to_the_image_of_mpremote(firmware: Path, tmp_path: Path) -> None:
    files = {path: content for path, content in _FILES.items() if path.isascii()}
    ours, theirs = image(files), _mpremote_s(files)
    assert _read_by_micropython(firmware, ours, tmp_path) == _read_by_micropython(firmware, theirs, tmp_path) == files
    assert len(ours) < len(theirs) + 16 * len(files)


_NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(_NAMES.filter(lambda name: name not in (".", "..")), st.binary(max_size=300), max_size=12), st.data())
def test_any_tree_comes_back(
    firmware: Path, tmp_path_factory: pytest.TempPathFactory, flat: dict[str, bytes], data: st.DataObject
) -> None:
    folders = [f"/folder{n}" for n in range(3)] + ["", "/folder0/below"]
    files = {f"{data.draw(st.sampled_from(folders))}/f{name}": content for name, content in flat.items()}
    made = image(files)
    assert len(made) % 2 == 0
    assert _read_by_micropython(firmware, made, tmp_path_factory.mktemp("romfs")) == files


@pytest.mark.parametrize("size", [2, 6, 8, 10, 118, 120, 126, 128, 130, 16_382, 16_384, 70_000])
def test_contents_are_aligned_for_what_is_laid_over_them(size: int) -> None:
    contents = [bytes([0xEE, n]) * (size // 2) for n in range(5)]
    made = image({f"{n}": content for n, content in enumerate(contents)})
    assert [made.index(content) % ALIGNMENT for content in contents] == [0] * 5


def test_equal_contents_are_there_once() -> None:
    content = bytes(range(256)) * 8
    assert len(image({f"copy{n}": content for n in range(10)})) < 2 * len(content)


def test_the_order_of_the_files_does_not_matter() -> None:
    assert image(_FILES) == image(dict(reversed(_FILES.items())))


@pytest.mark.parametrize(
    "files", [{"/": b""}, {"/a//b": b""}, {"/../a": b""}, {"a": b"", "a/b": b""}, {"a/b": b"", "a": b""}, {"/a\0": b""}]
)
def test_a_path_that_no_file_has_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"is no path|below a file|there twice"):
        image(files)


# The verb


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Path]:
    """Lay out an application; take its build away afterwards."""
    folder = tmp_path / "rom-sample"
    folder.mkdir()
    (folder / "main.py").write_text("import greeting\n\nif __name__ == '__main__':\n    print(greeting.TEXT)\n")
    (folder / "greeting.py").write_text("TEXT = 'hello from rom'\n")
    yield folder
    shutil.rmtree(ROOT / "build/rom-sample", ignore_errors=True)


def test_an_application_runs_from_its_image(firmware: Path, application: Path, tmp_path: Path) -> None:
    done = run_tools("romfs", "build", str(application), "--board", "unix")
    assert done.returncode == 0, done.stderr
    made = ROOT / "build/rom-sample/unix/rom-sample.romfs"
    assert done.stdout == f"build/rom-sample/unix/rom-sample.romfs is ready, {made.stat().st_size} bytes\n"
    program = f"import os, vfs; vfs.mount(vfs.VfsRom(open('{made}', 'rb').read()), '/rom'); os.chdir('/rom'); import _main"
    ran = subprocess.run([str(firmware), "-c", program], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("hello from rom\n", "")


@pytest.mark.parametrize("number", [0, 1, -1])
def test_a_board_without_partitions_says_so(firmware: Path, number: int) -> None:
    command = [str(firmware), "-c", on_board.program("rom", number)]
    assert subprocess.run(command, env={}, capture_output=True, text=True, timeout=60).stdout == "(0, 0)\n"


def test_what_there_is_nothing_to_build_of_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in one_line(run_tools("romfs", "build", str(tmp_path / "none")))


def test_without_a_board_nothing_is_sent(application: Path) -> None:
    done = run_tools("romfs", "deploy", str(application), "--port", "socket://127.0.0.1:1")
    assert "nothing listens there" in one_line(done)
