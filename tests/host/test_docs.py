"""The documentation: its programs serve, its fragments run, its commands and links lead somewhere, and Sphinx takes it all."""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from documents import KINDS, NAMES, PREPARED, Block, anchors, blocks, commands, files, inline, tokens
from helpers import ROOT, wait_for

from tools import __main__ as command_line
from tools import deploy_toml
from tools.console import Misuse

_LANGUAGES = ("", "python", "html", "css", "toml", "json", "console", "sh", "text")
_DIRECTIVES = ("{toctree}", "{eval-rst}")
_ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join((str(ROOT / "lib"), str(ROOT))),
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}
_SERVED = [name for name in NAMES if any(block.is_program for block in blocks(name))]
_IN_PIECES = [name for name in NAMES if any(block.kind == "fragment" for block in blocks(name))]


def test_sphinx_makes_pages_of_it_all_without_a_warning() -> None:
    done = subprocess.run([sys.executable, "docs/build.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = (ROOT / "build/docs/html/reference.html").read_text(encoding="utf-8")
    assert "microdot.websocket.with_websocket" in made


@pytest.mark.parametrize("name", NAMES)
def test_every_block_of_code_says_what_it_is(name: str) -> None:
    for block in blocks(name):
        assert block.language in _LANGUAGES + _DIRECTIVES, f"{name}:{block.line}"
        assert block.language != "python" or block.kind in KINDS or block.is_file, f"{name}:{block.line}"


# Programs


class _Stage:
    """A folder with the files of a page, and the program of it that is being served."""

    def __init__(self, folder: Path, page: str, interpreter: str) -> None:
        self.folder = folder
        self.page = page
        self.interpreter = interpreter
        self.program: Block | None = None
        self.process: subprocess.Popen[str] | None = None
        self.port = 0

    def play(self, block: Block) -> None:
        if block.is_program:
            self.serve()
            self.end()
            self.program = block
            self.port = _free_port()
        elif block.is_file:
            self._write(block.kind, block.text)
        elif block.language == "console":
            self.serve()
            self._follow(block)

    def serve(self) -> None:
        """Serve the last program, if that is not done, and if it is for this interpreter."""
        program = self.program
        if program is None or self.process or (program.kind and self.interpreter != "cpython"):
            return
        self._write("main.py", program.text)
        assert program.kind == "asgi" or re.search(r"\b500\d\b", program.text), f"{self.page}:{program.line}: no port"
        self.process = subprocess.Popen(
            self._command(program),
            cwd=self.folder,
            env=_ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_for(self.process, self.port)
        if "server_context" not in program.text:
            assert _status(self.port) < 500, f"{self.page}:{program.line}"

    def _command(self, program: Block) -> list[str]:
        if program.kind == "asgi":
            return [sys.executable, "-m", "uvicorn", "--port", str(self.port), "main:app"]
        return [sys.executable if self.interpreter == "cpython" else str(ROOT / "build/unix/micropython"), "main.py"]

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._with_port(text), encoding="utf-8")

    def _with_port(self, text: str) -> str:
        return re.sub(r"\b500\d\b", str(self.port), text) if self.port else text

    def _follow(self, block: Block) -> None:
        if self.program and self.program.kind and self.interpreter != "cpython":
            return
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            said = self._run(command)
            assert _fits(said, self._with_port(expected)), f"{self.page}:{block.line}: {command}\n{said}"

    def _run(self, command: str) -> str:
        # What a reader calls by its name is the one of this checkout.
        words = {"mdot": f"{sys.executable} -m tools", "python3": sys.executable}
        first, _, rest = self._with_port(command).partition(" ")
        line = f"{words.get(first, first)} {rest}"
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        # Of curl and grep, statuses are part of what is shown.
        assert done.returncode == 0 or first not in words, f"{self.page}: {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def end(self) -> None:
        process, self.process = self.process, None
        if process:
            process.kill()
            said = process.communicate()[0]
            # Others may be what the page shows.
            assert not re.search("^(NameError|AttributeError|ImportError|TypeError)", said, re.MULTILINE), said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _status(port: int) -> int:
    try:
        # Streams have no end: the head is enough.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _fits(said: str, expected: str) -> bool:
    """Compare as a reader does: `…` stands for anything, and line ends and blanks at them are not to be seen."""
    lines = [[line.rstrip() for line in text.replace("\r", "").strip().splitlines()] for text in (said, expected)]
    said, expected = ("\n".join(text) for text in lines)
    return re.fullmatch(".*".join(re.escape(piece) for piece in expected.split("…")), said, re.DOTALL) is not None


@pytest.fixture
def stage(firmware: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[_Stage]:
    page, interpreter = request.param
    # The tutorial has commands that run beside the application's folder.
    folder = tmp_path / "garden"
    folder.mkdir()
    made = _Stage(folder, page, interpreter)
    try:
        yield made
    finally:
        if made.process:
            made.process.kill()
            made.process.communicate()


_STAGES = [(page, interpreter) for page in _SERVED for interpreter in ("cpython", "micropython")]


@pytest.mark.parametrize("stage", _STAGES, indirect=True, ids=[f"{page}-{on}" for page, on in _STAGES])
def test_programs_serve_what_the_page_says(stage: _Stage) -> None:
    for block in blocks(stage.page):
        stage.play(block)
    stage.serve()
    stage.end()


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
@pytest.mark.parametrize("name", _IN_PIECES)
def test_fragments_run_after_what_they_may_take_for_granted(
    name: str, interpreter: str, firmware: Path, tmp_path: Path
) -> None:
    program = sys.executable if interpreter == "cpython" else str(firmware)
    (tmp_path / "site").mkdir()
    for block in blocks(name):
        if block.kind == "fragment":
            (tmp_path / "fragment.py").write_text(PREPARED + block.text, encoding="utf-8")
            done = subprocess.run([program, "fragment.py"], cwd=tmp_path, env=_ENVIRONMENT, capture_output=True, text=True)
            assert done.returncode == 0, f"{name}:{block.line}: {done.stdout + done.stderr}"


@pytest.mark.parametrize("name", [name for name in NAMES if any(block.kind == "board" for block in blocks(name))])
def test_what_is_for_boards_is_micropython(name: str, firmware: Path) -> None:
    for block in blocks(name):
        if block.kind == "board":
            command = [str(firmware), "-c", f"compile({block.text!r}, 'page', 'exec')"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, f"{name}:{block.line}: {done.stdout + done.stderr}"


def test_no_python_of_the_pages_has_an_unknown_name_or_a_name_too_many() -> None:
    for name in NAMES:
        for block in blocks(name):
            if block.language == "python":
                _check_names(f"{name}:{block.line}", block)


def _check_names(place: str, block: Block) -> None:
    fragment = block.kind == "fragment"
    text = PREPARED + block.text if fragment else block.text
    # Fragments need not use all that was prepared.
    rules = "F821,F823,E9" if fragment else "F,E9"
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--select", rules, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{place}: {done.stdout}"


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_ones_that_the_tools_know(name: str, tmp_path: Path) -> None:
    for block in blocks(name):
        if block.kind == "deploy.toml":
            (tmp_path / "deploy.toml").write_text(block.text, encoding="utf-8")
            deploy_toml.read(tmp_path)


# Commands

_REPOSITORY = re.compile(
    r"(?:examples|docs|tools|lib/(?:microdot|utemplate|shims)|board|benchmarks|tests/(?:portable|host|board|browser|tools))/[\w./*-]+"
)


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_ones_that_there_are(name: str) -> None:
    for line, command in commands(name):
        complaint = _complaint(command)
        assert not complaint, f"{name}:{line}: {command}: {complaint}"


def _complaint(command: str) -> str:
    """Say what is wrong with a command for make or for the tools, or with a path of the repository; others pass."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        words = command.split()
    while words and re.match(r"\w+=", words[0]):
        words.pop(0)
    wrong = [word for word in words if _REPOSITORY.fullmatch(word) and not files(word)]
    if wrong:
        return f"{wrong[0]} is not there"
    if words[:1] == ["make"]:
        return _complaint_of_make(words[1:])
    if words[:3] == ["python3", "-m", "tools"]:
        return _complaint_of_tools(words[3:])
    return _complaint_of_tools(words[1:]) if words[:1] == ["mdot"] else ""


def _complaint_of_make(words: list[str]) -> str:
    makefile = (ROOT / "Makefile").read_text()
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^(?:export )?([A-Z]+)\b", makefile, re.MULTILINE))
    for word in words:
        name, equals, _ = word.partition("=")
        if name not in (variables if equals else known | {"TARGET", "[MICROPYTHON"}):
            return f"no such {'variable' if equals else 'target'}: {name}"
    return ""


def _complaint_of_tools(words: list[str]) -> str:
    if not words or words[0].isupper():  # a placeholder
        return ""
    verb = words[0]
    usage = any("[" in word or word == "|" for word in words)
    words = words[: words.index("<")] if "<" in words else words
    if verb not in _verbs():
        return f"no such verb: {verb}"
    # Of a synopsis the options are checked, of a command all that it says.
    options = [word.strip("[]") for word in words[1:] if word.startswith(("-", "[-"))]
    if usage or len(words) == 1:
        return next((f"no such option: {option}" for option in options if option.split("=")[0] not in _options(verb)), "")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _parser(verb).parse_args(words[1:])
    except Misuse as wrong:
        return str(wrong)
    except SystemExit:  # --help
        pass
    return ""


def _verbs() -> set[str]:
    return set(command_line._PLAIN + command_line._PACKAGED)


@cache
def _parser(verb: str) -> argparse.ArgumentParser:
    return command_line._parser(verb)


def _options(verb: str) -> set[str]:
    return {option for action in _parser(verb)._actions for option in action.option_strings}


@pytest.mark.parametrize(
    "command",
    [
        "make nothing",
        "make run NOTHING=1",
        "mdot nothing",
        "mdot build examples/hello --nothing",
        "mdot build [--nothing]",
        "python3 -m tools cert . --key sand",
        "cat examples/nothing.py",
    ],
)
def test_a_wrong_command_would_be_found(command: str) -> None:
    assert _complaint(command)


# Links


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_files_and_headings_that_there_are(name: str) -> None:
    for link in inline(name, "link_open"):
        target = str(link.attrGet("href"))
        if not target.startswith(("http://", "https://")):
            assert _leads_somewhere(name, target), f"{name}: {target}"


def _leads_somewhere(page: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    found = (ROOT / page).parent / path if path else ROOT / page
    if not found.exists() or not found.resolve().is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(found.resolve().relative_to(ROOT).as_posix())


@pytest.mark.parametrize("target", ["nothing.md", "limits.md#nothing", "../../elsewhere", "#nothing"])
def test_a_link_to_nowhere_would_be_found(target: str) -> None:
    assert not _leads_somewhere("docs/deploy.md", target)


# The reference

# Parts of the core, whose public names are those of `microdot` and `microdot.microdot`.
_CORE = {
    "__init__",
    "_types",
    "app",
    "body",
    "dicts",
    "errors",
    "helpers",
    "http",
    "microdot",
    "request",
    "response",
    "routing",
    "text",
}


def test_the_reference_has_every_public_module() -> None:
    page = (ROOT / "docs/reference.md").read_text()
    public = {path.stem for path in (ROOT / "lib/microdot").glob("*.pyi")} - _CORE
    assert len(public) > 10
    assert {name for name in public if f"automodule:: microdot.{name}\n" not in page} == set()


# Tables of facts


def test_messages_that_are_explained_are_ones_that_the_sources_have() -> None:
    templates = list(_messages())
    explained = _first_cells("docs/troubleshooting.md")
    assert len(explained) > 60
    for message in explained:
        pieces = [piece.strip(" :") for piece in message.split("…")]
        pattern = ".*".join(re.escape(piece) for piece in pieces if piece)
        assert any(re.search(pattern, template, re.DOTALL) for template in templates), message


def _messages() -> Iterator[str]:
    """Give the texts in the sources, with `…` for what is put into them."""
    for path in [path for top in ("tools", "lib", "board/modules") for path in (ROOT / top).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"%[-\d.]*[a-z]", "…", node.value)


_DEFAULTS = """
for name in {names!r}.split():
    path, _, attribute = name.rpartition(".")
    if path[:1].islower():
        owner = __import__(path, None, None, (attribute,))
    else:
        module, owner = {homes!r}[path]
        owner = getattr(__import__("microdot." + module, None, None, (owner,)), owner)
    print(name, getattr(owner, attribute))
"""
_HOMES = {
    "Request": ("request", "Request"),
    "": ("app", "Microdot"),
    "Microdot": ("app", "Microdot"),
    "FormDataIter": ("multipart", "FormDataIter"),
    "FileUpload": ("multipart", "FileUpload"),
    "OTA": ("ota", "OTA"),
    "WebSocket": ("websocket", "WebSocket"),
    "SSE": ("sse", "SSE"),
}


def test_the_limits_are_those_of_the_firmware(firmware: Path) -> None:
    rows = [row for row in _rows("docs/limits.md") if re.fullmatch(r"[\w.]+", row[0])]
    written = {_in_package(name): int(re.findall(r"-?\d+", value.replace(",", ""))[0]) for name, value, *_ in rows}
    assert len(written) > 25
    program = _DEFAULTS.format(names=" ".join(written), homes=_HOMES)
    variables = {**os.environ, "MICROPYPATH": f".frozen:{ROOT / 'board/modules'}"}
    done = subprocess.run([str(firmware), "-c", program], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {name: int(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    assert found == written


def _in_package(name: str) -> str:
    """Give a module of the framework its full name: the page leaves the package out."""
    return f"microdot.{name}" if re.match(r"[a-z_]+\.", name) and not name.startswith("onboard.") else name


def _rows(name: str) -> list[list[str]]:
    """Return the text of the cells of every row of a page's tables."""
    rows: list[list[str]] = []
    page = tokens(name)
    for at, token in enumerate(page):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "td_open":
            rows[-1].append("".join(child.content for child in page[at + 1].children or ()))
    return [row for row in rows if row]


def _first_cells(name: str) -> list[str]:
    """Return the first piece of code in the first cell of every row of a page's tables."""
    page = tokens(name)
    rows = [at for at, token in enumerate(page) if token.type == "tr_open" and page[at + 1].type == "td_open"]
    cells = [page[at + 2].children or [] for at in rows]
    return [child.content for cell in cells for child in cell[:1] if child.type == "code_inline"]
