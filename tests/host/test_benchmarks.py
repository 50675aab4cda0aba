"""The benchmarks: what they write into a document, what they refuse, and that the programs of other frameworks serve."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from helpers import ROOT

from benchmarks.contenders import Contender, CPython, MicroPython
from benchmarks.document import BEGIN, END, document
from benchmarks.errors import Unavailable
from benchmarks.exchange import hello
from benchmarks.load import closing
from benchmarks.peer import MICRODOT, Peer, all_installed
from benchmarks.process import Command, Server
from benchmarks.report import Table
from benchmarks.tables_hosted import GUNICORN, UVICORN, Host
from benchmarks.tables_peers import PEERS

_CACHE = ROOT / "build/bench"
_HOSTED = [(host, peer) for host in (UVICORN, GUNICORN) for peer in host.peers]


def _table(title: str, cell: str, missing: str = "") -> Table:
    table = Table(title, ["ours"], missing=[missing] if missing else [])
    table.add("group", "row", [cell])
    return table


def _page(folder: Path, *tables: Table) -> Path:
    path = folder / "page.md"
    figures = "\n\n".join([BEGIN, "Measured: last.", *map(str, tables), END])
    path.write_text(f"# Page\n\nBefore.\n\n{figures}\n\nAfter.\n")
    return path


def _benchmarks(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "benchmarks", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)


LAST = (_table("A", "last a"), _table("B", "last b"))


@pytest.mark.parametrize(
    ("whole", "measured", "there", "gone", "kept"),
    [
        (True, [_table("A", "new a"), _table("B", "new b")], ["new a", "new b", "now"], ["last"], []),
        (True, [_table("A", "new a")], ["new a"], ["last b"], []),
        (False, [_table("B", "new b")], ["last a", "new b", "Measured: last"], ["last b", "now"], []),
        (False, [_table("C", "new c")], ["last a", "last b", "new c"], [], []),
        (True, [_table("A", "new a", "no tool"), _table("B", "new b")], ["last a", "new b"], ["new a", "no tool"], ["A"]),
        (True, [_table("C", "new c", "no tool")], ["new c", "Not all was measured: no tool."], [], []),
    ],
    ids=["all new", "one dropped", "one replaced", "one added", "tool missing", "tool missing, nothing to keep"],
)
def test_tables_are_written_between_the_markers(
    whole: bool, measured: list[Table], there: list[str], gone: list[str], kept: list[str], tmp_path: Path
) -> None:
    page = _page(tmp_path, *LAST)
    assert document(page).write("Measured: now.", measured, whole) == kept
    text = page.read_text()
    assert text.startswith(f"# Page\n\nBefore.\n\n{BEGIN}\n\nMeasured: ")
    assert text.endswith(f"\n\n{END}\n\nAfter.\n")
    assert [part for part in there if part not in text] == []
    assert [part for part in gone if part in text] == []


def test_writing_the_same_tables_again_changes_nothing(tmp_path: Path) -> None:
    page = _page(tmp_path, *LAST)
    text = page.read_text()
    document(page).write("Measured: last.", LAST, whole=True)
    assert page.read_text() == text


@pytest.mark.parametrize(
    ("content", "options", "complaint"),
    [
        (None, [], "not read: No such file or directory"),
        (b"\xff\xfe", [], "not read: it is not UTF-8"),
        (b"# Page\n", [], "has no place for figures"),
        (f"{BEGIN}\n".encode(), [], "has no place for figures"),
        (f"{END}\n\n{BEGIN}\n".encode(), [], "has no place for figures"),
        (f"{BEGIN}\n\n{END}\n".encode(), ["--no-peer"], "leave --check, --no-peer, --source out"),
        (f"{BEGIN}\n\n{END}\n".encode(), ["--check"], "leave --check, --no-peer, --source out"),
    ],
    ids=["no file", "no text", "no markers", "no end", "end first", "without peers", "check"],
)
def test_a_document_that_cannot_take_figures_is_refused_before_measuring(
    content: bytes | None, options: list[str], complaint: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    if content is not None:
        page.write_bytes(content)
    done = _benchmarks("--document", page, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("benchmarks: ")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_table_is_measured_into_a_document(firmware: Path, tmp_path: Path) -> None:
    version = _installed(MICRODOT).name
    page = _page(tmp_path, *LAST)
    done = _benchmarks("--only", "import_heap", "--document", page, "--micropython", firmware)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "## Heap kept by the import of the core, bytes (MicroPython)" in text
    assert f"| ours   | {version} |" in text
    assert "last a" in text
    assert text.endswith(f"{END}\n\nAfter.\n")


def test_the_documentation_has_a_place_for_figures() -> None:
    assert "## " in document(ROOT / "docs/benchmarks.md").figures


def test_a_framework_that_cannot_be_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    found, missing = all_installed([Peer("Nobody", "nobody-has-this>=1,<2")], tmp_path / "cache")
    assert found == {}
    assert [reason.partition(": ERROR")[0] for reason in missing] == ["Nobody: not installed"]
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(("host", "peer"), _HOSTED, ids=[f"{host.module}-{peer.name}" for host, peer in _HOSTED])
def test_programs_of_other_frameworks_answer_behind_servers(host: Host, peer: Peer) -> None:
    who = _installed(peer)
    module = f"peers.{peer.module}_{host.kind}:app"
    _asked(CPython(sys.executable).module(who, host.module, *host.options, module))


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_programs_of_other_frameworks_answer_on_micropython(peer: Peer, firmware: Path) -> None:
    _asked(MicroPython(str(firmware)).script(_installed(peer), f"peers/{peer.module}_hello.py", "{port}"))


def _installed(peer: Peer) -> Contender:
    """The framework, or no test where there is no package index."""
    try:
        return peer.installed(_CACHE)
    except Unavailable as error:
        pytest.skip(str(error))


def _asked(command: Command) -> None:
    """Every reply is checked by the load."""
    with Server(command) as server:
        server.first(partial(closing, exchange=hello()), 3)
