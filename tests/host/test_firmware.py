"""The unix firmware: all it needs is in it, and it is built again only when it has to be."""

from __future__ import annotations

import ast
import http.client
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import ROOT, Start, one_line, run_tools


def _listed(name: str) -> list[str]:
    """Read a set of file names out of the manifest, as modules."""
    for statement in ast.parse((ROOT / "manifest.py").read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return sorted(Path(file).stem for file in ast.literal_eval(statement.value))
    raise AssertionError(f"manifest.py has no {name}")


_HOST_ONLY, _NATIVE = _listed("_HOST_ONLY"), _listed("_NATIVE")
_SERVE = "from main import app; app.run(host='127.0.0.1', port={port})"


@pytest.fixture
def alone(firmware: Path, tmp_path: Path) -> Path:
    """Put a copy of the firmware into an empty folder."""
    return Path(shutil.copy(firmware, tmp_path))


def _evaluate(firmware: Path, program: str) -> str:
    done = subprocess.run(
        [str(firmware), "-c", program],
        cwd=firmware.parent,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def _modules() -> list[str]:
    """Name the modules of the framework that work on MicroPython everywhere."""
    names = {path.stem for path in (ROOT / "lib/microdot").glob("*.py")}
    return sorted(names - {"__init__", *_NATIVE, *_HOST_ONLY})


def test_the_framework_is_the_frozen_one(alone: Path) -> None:
    # A module from a file would have that file's path; a frozen one has its name in the manifest.
    assert _evaluate(alone, "import microdot; print(microdot.__file__)") == "microdot/__init__.py"
    assert [path.name for path in alone.parent.iterdir()] == [alone.name]


def test_no_source_of_ours_is_on_the_path(alone: Path) -> None:
    path = _evaluate(alone, "import sys; print('|'.join(sys.path))").split("|")
    assert ".frozen" in path
    assert not [entry for entry in path if "microdot" in entry or str(ROOT) in entry]


@pytest.mark.parametrize("name", _modules())
def test_every_module_is_frozen(alone: Path, name: str) -> None:
    program = f"import sys; __import__('microdot.{name}'); print(sys.modules['microdot.{name}'].__file__)"
    assert _evaluate(alone, program) == f"microdot/{name}.py"


@pytest.mark.parametrize("name", _HOST_ONLY)
def test_what_only_cpython_can_run_is_left_out(alone: Path, name: str) -> None:
    program = f"try:\n    import microdot.{name}\nexcept ImportError as error:\n    print(error)"
    assert "no module named" in _evaluate(alone, program)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code is frozen for x86_64 only")
@pytest.mark.parametrize("name", _NATIVE)
def test_machine_code_is_frozen(alone: Path, name: str) -> None:
    assert _evaluate(alone, f"import microdot.{name} as m; print(m.__file__)") == f"microdot/{name}.py"


def test_the_example_is_served_alone_over_one_connection(alone: Path, port: int, serving: Start) -> None:
    shutil.copy(ROOT / "examples/hello/main.py", alone.parent)
    serving(str(alone), "-c", _SERVE.format(port=port), cwd=alone.parent, env={})
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(2):
        client.request("GET", "/")
        reply = client.getresponse()
        assert (reply.status, reply.headers.get_content_type()) == (200, "text/html")
        assert b"<h1>" in reply.read()
        assert client.sock is not None, "the server closed a connection that could be used again"
    client.close()


def test_nothing_is_built_twice(firmware: Path) -> None:
    before = firmware.stat()
    done = run_tools("firmware")
    assert done.stdout.startswith("build/unix/micropython is ready")
    assert done.stderr == ""
    assert firmware.stat() == before


def test_an_unknown_board_is_refused_with_the_known_ones() -> None:
    assert one_line(run_tools("firmware", "--board", "toaster"), 2).endswith(
        "can be built for unix, unix32, RPI_PICO, RPI_PICO2, RPI_PICO_W, RPI_PICO2_W, "
        "ESP32_GENERIC, ESP32_GENERIC_S3, ESP32_GENERIC_C3"
    )
