"""The Makefile: what a person types first."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from helpers import ROOT, Start, one_line, run_tools

from tools import __main__ as front_door


def _make(*arguments: str, root: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=root, env={**os.environ, **environment}, capture_output=True, text=True)


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as reply:
        assert reply.headers.get_content_type() == "text/html"
        return str(reply.read().decode())


def test_make_alone_lists_the_targets() -> None:
    listed = re.findall(r"^  ([a-z]+) +\S", _make().stdout, re.MULTILINE)
    assert {"run", "test", "check", "format", "lint", "types", "firmware", "bench", "clean"} <= set(listed)


def test_make_run_builds_nothing_again_and_ends_cleanly(firmware: Path, port: int, serving: Start) -> None:
    process = serving("make", "run", f"PORT={port}", cwd=ROOT)
    assert "<h1>" in _page(port)
    # As a terminal does it: the signal goes to make and all its children.
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[0].splitlines()
    assert said == [f"serving examples/hello on http://127.0.0.1:{port} (Ctrl-C ends it)"]


def test_the_example_runs_on_cpython_unchanged(port: int, serving: Start) -> None:
    program = f"from main import app; app.run(host='127.0.0.1', port={port})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    serving(sys.executable, "-c", program, cwd=ROOT / "examples/hello", env=environment)
    assert "<h1>" in _page(port)


def test_the_readme_s_program_runs(firmware: Path, port: int, serving: Start, tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "main.py").write_text(program)
    serving(sys.executable, "-m", "tools", "run", "--app", str(tmp_path), "--port", str(port), cwd=ROOT)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/hello/ann", timeout=60) as reply:
        assert json.load(reply) == {"hello": "ann"}


def test_a_port_in_use_is_named(firmware: Path, port: int, serving: Start) -> None:
    serving(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port), cwd=ROOT / "examples")
    assert f"port {port} is in use" in one_line(run_tools("run", "--port", str(port)))


def test_a_folder_without_an_application_is_named() -> None:
    assert "tests: no main.py there" in one_line(run_tools("run", "--app", "tests"))


@pytest.mark.parametrize("name", ["two words", "it's", 'a "b"', "a;b", "a`b", "(c)"])
def test_a_name_of_any_kind_is_one_word(name: str) -> None:
    for target, variable in (("run", "APP"), ("deploy", "APP"), ("monitor", "DEVICE"), ("wifi", "SETTINGS"), ("cert", "HOST")):
        done = _make("-n", target, f"{variable}={name}")
        assert name in shlex.split(done.stdout), done.stdout


@pytest.mark.parametrize("verb", front_door._PLAIN + front_door._PACKAGED)
def test_the_help_of_every_verb_has_an_example(verb: str) -> None:
    assert re.search(rf"^  mdot {verb}\b", front_door._description(verb), re.MULTILINE)


_OWN = "change its owner or mode"
_SYSTEM = [
    (errno.ENOENT, "x", "x: no such file or directory: check the path"),
    (errno.EACCES, "/elsewhere/x", f"/elsewhere/x: permission denied: {_OWN}"),
    (errno.EACCES, "/cache/mdot/x", f"/cache/mdot/x: permission denied: {_OWN}, or set MDOT_CACHE to another folder"),
    (errno.EACCES, "/cache", f"/cache: permission denied: {_OWN}, or set MDOT_CACHE to another folder"),
    (errno.ENOSPC, None, "no space left on device: free some room, or set MDOT_CACHE to another folder"),
]


@pytest.mark.parametrize(("number", "name", "expected"), _SYSTEM)
def test_what_the_system_refuses_is_a_line_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, number: int, name: str | None, expected: str
) -> None:
    monkeypatch.setenv("MDOT_CACHE", "/cache/mdot")
    assert front_door._in_a_line(OSError(number, os.strerror(number), name)) == expected


def test_clean_removes_what_was_built_and_says_what_stays(checkout: Path, tmp_path: Path) -> None:
    for name in ("build/unix/micropython", ".venv/bin/python", "lib/microdot/__pycache__/x.pyc"):
        (checkout / name).parent.mkdir(parents=True)
        (checkout / name).touch()
    cache = tmp_path / "cache"
    cache.mkdir()
    done = _make("clean", root=checkout, MDOT_CACHE=str(cache))
    assert f"rm -rf {cache}" in done.stderr
    assert cache.exists()
    assert not [name for name in ("build", ".venv", "lib/microdot/__pycache__") if (checkout / name).exists()]


@pytest.fixture
def without_index(tmp_path: Path) -> dict[str, str]:
    """Keep pip from every index, so that installing must fail."""
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}


def test_an_environment_that_is_not_finished_does_not_count(checkout: Path, without_index: dict[str, str]) -> None:
    for _ in range(2):
        line = one_line(run_tools("environment", root=checkout, env=without_index))
        assert "pip: " in line
        assert (checkout / line.rpartition(" in ")[2]).exists()
    assert not (checkout / ".venv/complete.json").exists()
