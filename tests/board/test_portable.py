"""The portable tests of the framework on the board itself: its processor, its heap, its filesystem, floats of 30 bits.

They are compiled, put into the ROMFS partition, from where they run in place, and started by stock mpremote.  Each module has
a board of its own, and two boards run at a time.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pico
import pytest

from tools import uf2

sys.path.append(str(pico.ROOT / "tests"))  # the runner is a program, and in no package
import run_portable

_PORTABLE = pico.ROOT / "tests/portable"
_TEST = "test_a_portable_module["
_MODULES = sorted(path.stem for path in _PORTABLE.glob("test_*.py"))
_SECONDS = 220  # by this machine's clock, for a module
_PROGRAM = """
import os, sys
os.mkdir('/work')
os.chdir('/work')
sys.argv[:] = {arguments}
import run_module
assert not os.listdir(), os.listdir()
"""

_MEMORY = "holds more at once than the board's heap has room for in one piece"
_TIME = "takes the emulated board minutes"
_FILES = "reads the examples, which are not on the board"
_SYSTEM = "starts another program, such as `touch`, and the board has none"
_FLOAT = "a float of 30 bits can't tell seconds of this century apart"
_HOST = "holds whole bundles in memory, as the sender does; test_ota_pico.py sends them over the board's network"
_RESET = "resets the board that it runs on, as it should: tests/board/test_guard.py looks from outside"
_LOOPBACK = "needs both ends of a socket, and this lwIP has no loopback"

# Modules, classes and cases that can't run here, or would take too long, and why.  Those that use a server are found by what
# they import; over the board's network, test_site.py does what they would.
_NOT_HERE = {
    "test_dispatch.TestRoutes.test_long_paths_are_answered": _MEMORY,
    "test_form_examples": _FILES,
    "test_http_heads.TestAccepted.test_a_byte_at_a_time": _TIME,
    "test_http_heads.TestRefused.test_a_byte_at_a_time": _TIME,
    "test_http_limits.TestLimits.test_far_beyond": _MEMORY,
    "test_http_mutations": _TIME,
    "test_jwt.TestTokens.test_expiry": _FLOAT,
    "test_multipart.TestRefused.test_body_that_ends_at_any_byte": _TIME,
    "test_multipart.TestSizes": _TIME,
    "test_onboard_guard.TestTrials": _RESET,
    "test_onboard_journal.TestDamagedJournals.test_nor_does_it_begin": _MEMORY,
    "test_onboard_journal.TestEveryCut": _TIME,
    "test_onboard_journal.TestLittlefs": _MEMORY,
    "test_onboard_settings.TestSettings.test_a_huge_file_is_not_read": _MEMORY,
    "test_ota": _HOST,
    "test_response_write.TestShape.test_long_body_is_written_whole": _MEMORY,
    "test_session.TestSession.test_what_is_not_believed": _MEMORY,
    "test_settings_example": _FILES,
    "test_static_example": _FILES,
    "test_static_paths.TestPaths.test_only_files_are_sent": _SYSTEM,
    "test_static_paths.TestSafeName.test_no_combination_leads_up": _TIME,
    "test_static_replies": _SYSTEM,
    "test_templates.TestTemplates.test_pieces_are_worth_sending": _MEMORY,
    "test_url_pattern.TestLongPaths": _TIME,
    "test_utemplate_loaders.TestCompiled.test_imports_nothing_of_the_compiler": _SYSTEM,
    "test_websocket_frames.TestEncode.test_lengths": _MEMORY,
}


def _cases(module: str) -> list[str]:
    """Give the names of a module's tests, as they report themselves."""
    classes = (node for node in ast.parse((_PORTABLE / f"{module}.py").read_text()).body if isinstance(node, ast.ClassDef))
    return [
        f"{module}.{found.name}.{node.name}"
        for found in classes
        for node in found.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    ]


def _left_out(case: str) -> bool:
    return any(case == name or case.startswith(name + ".") for name in _NOT_HERE)


def _reason(module: str) -> str:
    """Say why nothing of a module runs here, or nothing."""
    if "from served import" in (_PORTABLE / f"{module}.py").read_text():
        return _LOOPBACK
    return _NOT_HERE.get(module, "")


class Runner:
    """Runs modules on boards of their own."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image, self._folder = image, folder
        manifest = json.loads((image.parent / "manifest.json").read_text())
        self._rom: dict[str, Any] = next(item for name, item in manifest["partitions"].items() if "ROMFS" in name.upper())
        self._shared = folder / "shared"
        self._shared.mkdir()
        for path in (*_PORTABLE.glob("*.py"), *(_PORTABLE / "shims").glob("*.py")):
            if not path.name.startswith("test_"):
                self._compile(path, self._shared)

    @staticmethod
    def _compile(path: Path, folder: Path) -> None:
        pico.cross_compiled(path, folder / f"{path.stem}.mpy")

    def run(self, module: str) -> run_portable.ModuleResult:
        """Run a module's tests; tell what they did."""
        flash = self._folder / f"{module}.flash"
        pico.insert(flash, self._image)
        pico.insert(flash, self._packed(module))
        selected = [case for case in _cases(module) if not _left_out(case)]
        arguments = ["run_module", module, *(selected if len(selected) < len(_cases(module)) else [])]
        result = run_portable.ModuleResult(module)
        with pico.started(None, flash) as board:
            done = self._done(board, _PROGRAM.format(arguments=arguments))
        flash.unlink()
        run_portable.take_report(result, done.stdout.replace("\r", "") + done.stderr)
        run_portable.judge_exit(result, done.returncode)
        return result

    @staticmethod
    def _done(board: pico.Board, program: str) -> subprocess.CompletedProcess[str]:
        try:
            return board.try_mpremote("rtc", "--set", "exec", program, seconds=_SECONDS)
        except subprocess.TimeoutExpired as hung:
            said = (hung.stdout or b"").decode("utf-8", "replace")
            return subprocess.CompletedProcess([], 1, said, f"hung: ended after {_SECONDS} s")

    def _packed(self, module: str) -> Path:
        """Make the image of the ROMFS partition with a module and what it may import; give it as a UF2 file."""
        content = self._folder / module
        shutil.copytree(self._shared, content)
        self._compile(_PORTABLE / f"{module}.py", content)
        rom, packed = self._folder / f"{module}.romfs", self._folder / f"{module}.uf2"
        command = [sys.executable, "-m", "mpremote", "romfs", "--no-mpy", "--output", str(rom), "build", str(content)]
        subprocess.run(command, check=True, capture_output=True)
        assert rom.stat().st_size <= self._rom["size"]
        packed.write_bytes(uf2.encoded(rom.read_bytes(), self._rom["address"], "rp2040"))
        return packed


@pytest.fixture(scope="module")
def results(
    image: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[run_portable.ModuleResult]]]:
    """Begin with the modules that were asked for, two at a time; give what will come of each."""
    runner = Runner(image, tmp_path_factory.mktemp("portable"))
    asked = [item.callspec.params["module"] for item in request.session.items if item.name.startswith(_TEST)]
    with ThreadPoolExecutor(2) as pool:
        futures = {module: pool.submit(runner.run, module) for module in asked if not _reason(module)}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.mark.parametrize("module", _MODULES)
def test_a_portable_module(module: str, request: pytest.FixtureRequest) -> None:
    if reason := _reason(module):
        pytest.skip(reason)
    result: run_portable.ModuleResult = request.getfixturevalue("results")[module].result()
    failed = "\n".join(f"{test}:\n{text}" for test, texts in result.failed.items() for text in texts)
    assert not result.failed, failed
    assert result.passed


def test_what_is_left_out_is_there() -> None:
    """Every name in the table is one of a test, so that none outlives the test it was for."""
    for name in _NOT_HERE:
        module = name.partition(".")[0]
        assert any(case == name or case.startswith(name + ".") for case in _cases(module)), name
