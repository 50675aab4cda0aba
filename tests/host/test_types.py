"""The stubs: they say what the framework does, and find what users do wrong; so do MicroPython's, for what runs on boards."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers import ROOT

from tools import files, types
from tools.console import Failure

LIB = ROOT / "lib"
PROGRAMS = Path(__file__).parent / "types"
_ERROR = re.compile(r"^(.*?):(\d+): error: .*\[([\w-]+)\]$")
_EXPECTED = re.compile(r"# error: ([\w, -]+)$")


def _run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(LIB), "MYPYPATH": str(LIB), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([sys.executable, *command], cwd=cwd, env=variables, capture_output=True, text=True)


def _mypy(*paths: Path) -> list[str]:
    """Run mypy --strict as a user would, with no configuration; give its lines."""
    options = ("--strict", "--config-file=", "--no-error-summary", "--cache-dir", str(ROOT / "build/mypy/strict"))
    done = _run("-m", "mypy", *options, *map(str, paths))
    assert done.returncode < 2, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """Copy the stubs to where the code is not, which mypy would take for the stubs of what has none."""
    for stub in LIB.rglob("*.pyi"):
        copy = tmp_path / stub.relative_to(LIB)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(stub, copy)
    return tmp_path


def test_the_stubs_are_what_the_code_is(stubs: Path) -> None:
    # A new module of the API needs a stub, one of the framework's own a line in allowlist.txt.
    options = ("--concise", "--allowlist", str(PROGRAMS / "allowlist.txt"))
    done = _run("-m", "mypy.stubtest", *options, "microdot", "utemplate", MYPYPATH=str(stubs))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_stub_that_says_something_else_is_found(stubs: Path) -> None:
    text = (stubs / "microdot/tls.pyi").read_text()
    (stubs / "microdot/tls.pyi").write_text(text.replace("key:", "private_key:"))
    done = _run("-m", "mypy.stubtest", "--concise", "microdot.tls", MYPYPATH=str(stubs))
    assert 'server_context is inconsistent, stub parameter "private_key"' in done.stdout


def test_the_stubs_are_strict_and_announced() -> None:
    assert _mypy(*LIB.rglob("*.pyi")) == []
    assert all((LIB / package / "py.typed").exists() for package in ("microdot", "utemplate"))


def test_users_are_told_their_mistakes_and_nothing_else() -> None:
    programs = sorted(PROGRAMS.glob("*.py"))
    expected = []
    for program in programs:
        for number, line in enumerate(program.read_text().splitlines(), 1):
            for codes in _EXPECTED.findall(line):
                expected += [(program.name, number, code) for code in codes.split(", ")]
    found = [match.groups() for line in _mypy(*programs) if (match := _ERROR.match(line))]
    assert sorted((Path(name).name, int(number), code) for name, number, code in found) == sorted(expected)
    assert {name for name, _, _ in expected} == {"mistakes.py"}


@pytest.mark.parametrize("program", ["application.py", "extensions.py"])
def test_what_the_types_allow_works(program: str, tmp_path: Path) -> None:
    done = _run("-W", "error", str(PROGRAMS / program), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_types_allow_of_servers_can_be_imported(tmp_path: Path) -> None:
    done = _run("-c", "import servers", cwd=PROGRAMS)
    assert done.returncode == 0, done.stdout + done.stderr


# What runs on boards

_EVERYWHERE = "unix rp2 esp32"
_PROGRAMS = (
    ("from machine import Pin\nPin(5, Pin.OUT).onn()", "attr-defined", "rp2 esp32"),
    ("from machine import Pin\nPin(5, Pin.OUT).on()", "", ""),
    ("import rp2\nrp2.country('DE')", "import-not-found", "unix esp32"),
    ("import network\nnetwork.PPP(object()).connect()", "", ""),
    ("import network\nnetwork.PPP(object()).active(True)", "attr-defined", "rp2 esp32"),
    ("import network\nnetwork.LAN5()", "attr-defined", "rp2 esp32"),
    ("import asyncio\nasync def f():\n    await asyncio.sleep_seconds(5)", "attr-defined", _EVERYWHERE),
    ("import asyncio\nasync def f():\n    await asyncio.sleep_ms(5)", "", ""),
    ("import numpy", "import-not-found", _EVERYWHERE),
    ("import hmac, jwt\njwt.encode({}, b'key', algorithm='HS256')", "", ""),
    ("execfile('main.py')", "", ""),
    ("from microdot import Microdot\ndef f():\n    Microdot().gett('/')", "attr-defined", _EVERYWHERE),
    ("from microdot import Microdot\nMicrodot().run(prt=5000)", "call-arg", _EVERYWHERE),
    ("x = None\ndef f():\n    global x\n    x = []\n    x.append(5)", "", ""),
    ("def f():", "syntax", _EVERYWHERE),
)


@pytest.mark.parametrize("port", _EVERYWHERE.split())
def test_mistakes_on_boards_are_found(port: str, tmp_path: Path) -> None:
    with files.locked(ROOT / "build/typings"):
        types.provide(port)
        # By itself: what cannot be read stops the check of all that comes with it.
        parts = [_planted(tmp_path / "readable", _PROGRAMS[:-1]), _planted(tmp_path / "other", _PROGRAMS[-1:])]
        found = [_ERROR.match(line) for part in parts for line in types.mistakes(port, part)]
    # Only their names: mypy's cache remembers where such files lay before.
    said = [(Path(match[1]).stem, match[3]) for match in found if match]
    assert len(said) == len(found)
    assert sorted(said) == sorted((_name(text), code) for text, code, ports in _PROGRAMS if port in ports.split())


def test_every_program_is_checked_once() -> None:
    given = {port: [file for part in types.parts(port) for file in part.files] for port in _EVERYWHERE.split()}
    assert all(len(set(files)) == len(files) for files in given.values())
    assert {ROOT / "examples/hello/main.py", *ROOT.glob("board/modules/**/*.py")} <= set(given["rp2"])
    assert set(given["rp2"]) - set(given["unix"]) == set(ROOT.glob("board/modules/**/*.py"))
    left_out = set(ROOT.glob("examples/*/*.py")) - set(given["esp32"])
    assert all(_is_for_cpython(program) for program in left_out), left_out


def _is_for_cpython(program: Path) -> bool:
    folder = "".join(path.read_text() for path in program.parent.glob("*.py"))
    return re.search(r"^(?:from|import) (?:microdot\.[aw]sgi|uvicorn)\b", folder, re.MULTILINE) is not None


def test_without_an_index_there_is_one_line_about_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PIP_CONFIG_FILE", os.devnull), ("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", str(tmp_path))):
        monkeypatch.setenv(name, value)
    with pytest.raises(Failure, match=r"^pip: .*micropython-\S+-stubs.*: check the network"):
        types.install("rp2", tmp_path / "stubs")


def _planted(folder: Path, programs: Sequence[tuple[str, str, str]]) -> types.Part:
    folder.mkdir()
    for text, _, _ in programs:
        (folder / f"{_name(text)}.py").write_text(text + "\n")
    return types.Part("planted", folder, sorted(folder.iterdir()))


def _name(text: str) -> str:
    return "program_" + hashlib.sha256(text.encode()).hexdigest()[:8]
