"""Building from a checkout of the user's, in a copy of this one that has nothing built.

One test goes through a whole life, because each first build takes half a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import one_line, run_tools


class Builder:
    """A copy of the checkout that builds from a given tree."""

    def __init__(self, root: Path, tree: Path) -> None:
        self.root, self.tree = root, tree
        self.image = root / "build/unix/micropython"

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_tools("firmware", root=self.root, env={"MICROPYTHON": str(self.tree), **environment})

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tools", "firmware"]
        # A killed compiler leaves its temporary files where TMPDIR says.
        environment = {**os.environ, "MICROPYTHON": str(self.tree), "TMPDIR": str(self.root.parent)}
        return subprocess.Popen(command, cwd=self.root, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)

    def evaluate(self, program: str) -> str:
        done = subprocess.run([str(self.image), "-c", program], env={}, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip()


@pytest.fixture
def builder(checkout: Path, tree: Path) -> Builder:
    return Builder(checkout, tree)


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(parent, name))
            found[os.path.join(parent, name)] = (status.st_size, status.st_mtime_ns)
    return found


def _with_path(tmp_path: Path, *programs: str) -> str:
    """Make a PATH that holds these programs only."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(str(shutil.which(program)))
    return str(folder)


@pytest.mark.timeout(900)
def test_the_life_of_a_build(builder: Builder) -> None:
    before = _state(builder.tree)
    _kill_a_build(builder)
    done = builder.build(DEBUG="1", MAKEFLAGS="BUILD=/nowhere")
    assert done.returncode == 0, done.stderr
    assert _state(builder.tree) == before, "the build wrote into the user's checkout"
    assert builder.evaluate("import microdot; print(microdot.__file__)") == "microdot/__init__.py"
    record = json.loads((builder.root / "build/unix/manifest.json").read_text())
    assert record["outputs"]["micropython"]["size"] == builder.image.stat().st_size
    assert os.access(builder.image.with_name("mpy-cross"), os.X_OK)

    _change_a_module(builder, "lib/microdot/errors.py")
    _change_a_module(builder, "board/modules/onboard/guard.py")
    _add_and_remove_a_module(builder)
    _break_a_module(builder)


def _kill_a_build(builder: Builder) -> None:
    """Leave objects behind that are newer than their sources and worth nothing."""
    process = builder.start()
    objects = builder.root / "build/unix/objects/py"
    while process.poll() is None and len(list(objects.glob("*.o"))) < 5:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not builder.image.exists()
    for path in objects.glob("*.o"):
        path.write_bytes(b"")


def _change_a_module(builder: Builder, path: str) -> None:
    module = builder.root / path
    module.write_text(module.read_text() + "\nMARK = 'changed'\n")
    # A change counts by its content: a file may well come with the time of an older one.
    os.utime(module, (1, 1))
    assert "building" in builder.build().stderr
    assert builder.evaluate(f"from {module.parent.name}.{module.stem} import MARK; print(MARK)") == "changed"
    assert builder.build().stderr == ""


def _add_and_remove_a_module(builder: Builder) -> None:
    module = builder.root / "lib/microdot/added.py"
    module.write_text("print('added')\n")
    assert builder.build().returncode == 0
    assert builder.evaluate("import microdot.added") == "added"
    module.unlink()
    assert builder.build().returncode == 0
    assert "no module named 'microdot.added'" in builder.evaluate("import microdot.added")


def _break_a_module(builder: Builder) -> None:
    image, module = builder.image.read_bytes(), builder.root / "lib/microdot/added.py"
    module.write_text("def broken(:\n")
    complaint = one_line(builder.build())
    assert "microdot/added.py, line 1: SyntaxError: invalid syntax" in complaint
    log = builder.root / complaint.rpartition(" in ")[2]
    assert "added.py" in log.read_text()
    assert builder.image.read_bytes() == image, "a failed build touched the firmware"
    one_line(builder.build())
    module.write_text("def mended():\n    pass\n")
    assert builder.build().returncode == 0


@pytest.mark.parametrize(
    ("programs", "missing"),
    [(("python3", "make"), "no C compiler found"), (("python3",), "no make found")],
)
def test_a_missing_program_is_named(builder: Builder, programs: tuple[str, ...], missing: str) -> None:
    complaint = one_line(builder.build(PATH=_with_path(builder.root.parent, *programs)))
    assert missing in complaint
    assert "apt-get install gcc" in complaint
    assert not builder.image.exists()


def test_a_checkout_in_a_folder_that_make_cannot_take(checkout: Path, tree: Path, tmp_path: Path) -> None:
    moved = checkout.rename(tmp_path / "a b")
    assert "blanks" in one_line(Builder(moved, tree).build())
