"""The verb `build` as users run it, and what it builds running on the unix firmware as the source does."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import stat
from pathlib import Path

import pytest
from app_folders import HELLO, ROOT, application, complaint, micropython, page, run_verb, serving, unix_firmware

# Those for CPython alone say so by what they import.
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/main.py") if "microdot.asgi" not in path.read_text())
TEXT = "body { color: green } " * 50


def build(app: Path, tmp_path: Path, *options: str) -> Path:
    """Build an application of the test's; give the folder with the board's files, moved out of the checkout."""
    done = run_verb("build", app, "--json", *options)
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["folder"])
    shutil.rmtree(tmp_path / "built", ignore_errors=True)
    shutil.move(folder / "files", tmp_path / "built")
    shutil.rmtree(folder.parent)
    return tmp_path / "built"


def named(app: Path, name: str) -> Path:
    """Give an application a name that no build in the checkout has."""
    settings = app / "deploy.toml"
    settings.write_text(f'name = "test-{name}"\n' + (settings.read_text() if settings.exists() else ""))
    return app


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.name))
def test_examples_serve_the_same_when_built(tmp_path: Path, example: Path) -> None:
    app = named(shutil.copytree(example, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__")), example.name)
    cafile = None
    if "ssl=" in (app / "main.py").read_text():
        assert run_verb("cert", app, "--host", "localhost").returncode == 0
        cafile = app / "cert.pem"
    built = build(app, tmp_path)
    names = [str(path.relative_to(app)) for path in app.rglob("*.*") if path.is_file() and path.suffix != ".py"]
    urls = ["/", "/nothing", *("/" + name.partition("/")[2] for name in names if "/" in name)]
    replies = []
    for folder, module in ((app, "main"), (built, "_main")):
        with serving(folder, module, tls=cafile is not None) as port:
            replies.append([page(port, url, cafile) for url in urls])
            if cafile is None:
                replies[-1] += [page(port, url, Accept_Encoding="gzip") for url in urls]
    for source, board in zip(*replies):
        assert (source[0], source[1], unzipped(source)) == (board[0], board[1], unzipped(board))
    assert replies[0][0][0] in (200, 302, 401)


def unzipped(reply: tuple[int, str | None, str | None, bytes]) -> bytes:
    return gzip.decompress(reply[3]) if reply[2] == "gzip" else reply[3]


PAGES = {
    "main.py": """
from microdot import Microdot
from microdot.utemplate import Template

Template.initialize("pages", autoescape=True)
app = Microdot()
app.static("/static", "static")


@app.get("/")
async def index(request):
    return Template("sub/index.html").generate("<b>", "rows.html"), {"Content-Type": "text/html"}


@app.get("/loaded")
async def loaded(request):
    import sys

    return {"compiler": "utemplate.source" in sys.modules}
""",
    "pages/sub/index.html": "{% args name, row %}{% include 'head.html' %}{{ name }}\\n{% include {{ row }} 2 %}\n",
    "pages/head.html": "<h1>é {</h1>",
    "pages/rows.html": "{% args n %}{% for i in range(n) %}{{ i }},{% endfor %}",
    "static/style.css": TEXT,
}


@pytest.mark.parametrize("options", [(), ("--source",)], ids=["bytecode", "source"])
def test_templates_are_used_without_their_compiler(tmp_path: Path, options: tuple[str, ...]) -> None:
    app = named(application(tmp_path / "app", PAGES), "pages")
    built = build(app, tmp_path, *options)
    assert not list(built.rglob("*.html"))
    with serving(built, "main" if options else "_main") as port:
        assert page(port, "/")[3].decode() == "<h1>é {</h1>&lt;b&gt;\\n0,1,"
        assert json.loads(page(port, "/loaded")[3]) == {"compiler": False}


@pytest.mark.parametrize("only", [False, True], ids=["beside", "only"])
def test_clients_get_static_files_with_and_without_gzip(tmp_path: Path, only: bool) -> None:
    app = named(
        application(tmp_path / "app", {**PAGES, "deploy.toml": '[static]\nfolders = ["static"]\n' + "gzip = 'only'" * only}),
        "gzip",
    )
    built = build(app, tmp_path)
    assert (built / "static/style.css").exists() is not only
    with serving(built, "_main") as port:
        status, kind, coding, body = page(port, "/static/style.css", Accept_Encoding="gzip")
        assert (status, kind, coding, gzip.decompress(body).decode()) == (200, "text/css; charset=UTF-8", "gzip", TEXT)
        status, _, coding, body = page(port, "/static/style.css", Accept_Encoding="identity")
        assert (status, coding) == ((404, None) if only else (200, None))
        assert only or body.decode() == TEXT
        # A client that says nothing takes what there is (RFC 9110 12.5.3).
        assert page(port, "/static/style.css")[:3:2] == (200, "gzip" if only else None)


def test_bytecode_loads_on_the_unix_firmware_for_older_boards_too(tmp_path: Path) -> None:
    app = named(application(tmp_path / "app", {"a.py": "x = 7\n"}), "older")
    for version in ("6.0", "6.2", "6.3"):
        built = build(app, tmp_path, "--board", "another", "--mpy", version)
        assert micropython(built, "-c", "import a\nprint(a.x)").stdout == "7\n"


def test_machine_code_for_this_machine_runs(tmp_path: Path) -> None:
    code = "import micropython\n@micropython.native\ndef f(x):\n    return x + 1\nprint(f(1))\n"
    app = named(application(tmp_path / "app", {"a.py": code}), "native")
    assert micropython(build(app, tmp_path, "--board", "unix"), "-c", "import a").stdout == "2\n"


def test_report(tmp_path: Path) -> None:
    unix_firmware()
    settings = 'name = "test-report"\n[budget]\nflash = "200K"\nheap = 1000000\n'
    app = application(
        tmp_path / "app",
        {"main.py": "import machine\nimport lib.a\n" + HELLO, "lib/a.py": "x = [0] * 5000\n", "deploy.toml": settings},
    )
    done = run_verb("build", app)
    shutil.rmtree(ROOT / "build/test-report")
    assert done.stderr == ""
    number = r" *[\d,]+"
    expected = [
        "   source     flash  file",
        rf"{number}{number}  /_main\.mpy",
        rf" *15{number}  /lib/a\.mpy",
        rf"{number}{number}  /main\.py",
        rf"{number}  in all; in blocks of 4096 at most 12,288, of a budget of 204,800",
        "",
        "     heap  module",
        rf"{number}  \(the firmware's modules\)",
        rf"{number}  lib\.a",
        rf"{number}  main",
        rf"{number}  in all, with what they import, of a budget of 1,000,000",
        *([r" +with pointers of 64 bits: .*"] if "64 bits" in done.stdout else []),
        r" +without the board's machine: stood in for",
        "",
        r"build/test-report/RPI_PICO is ready, for bytecode 6\.3",
    ]
    lines = done.stdout.splitlines()
    assert len(lines) == len(expected), done.stdout
    for line, pattern in zip(lines, expected):
        assert re.fullmatch(pattern, line), (pattern, line)
    # A list of so many words cannot take less.
    taken = re.search(r"([\d,]+)  lib\.a", done.stdout)
    assert taken
    assert 20_000 <= int(taken[1].replace(",", "")) <= 42_000


BUDGETS = [
    (
        "heap = 1000",
        HELLO,
        r"budget: heap: \d+ bytes of heap after its import with (32|64) bits, \d+ over the budget: import less, or later.*",
    ),
    ("heap = '1M'", "raise OSError(5)\n", r"budget: heap: measured up to main\.py's end with OSError: .*"),
    ("flash = 100", HELLO, r"test-budget: \d+ bytes of flash, \d+ over its budget: make it smaller, or the budget larger"),
]


@pytest.mark.parametrize(("budget", "main", "expected"), BUDGETS, ids=["heap", "not measured", "flash"])
def test_over_budget_is_one_line_and_no_build(tmp_path: Path, budget: str, main: str, expected: str) -> None:
    unix_firmware()
    app = application(tmp_path / "app", {"main.py": main, "deploy.toml": f'name = "test-budget"\n[budget]\n{budget}\n'})
    assert re.fullmatch(expected, complaint(run_verb("build", app)))
    assert not (ROOT / "build/test-budget/RPI_PICO").exists()
    shutil.rmtree(ROOT / "build/test-budget", ignore_errors=True)


NO_APPLICATIONS = [
    ("none", "no such folder"),
    ("LICENSE", "is no folder"),
    ("lib", "no main.py there"),
]


@pytest.mark.parametrize(("path", "reason"), NO_APPLICATIONS)
def test_what_is_no_application_is_refused(path: str, reason: str) -> None:
    expected = f"{path}: {reason}: give the folder of an application, as in examples/hello"
    assert complaint(run_verb("build", path)) == expected


def test_what_is_its_owners_alone_stays_so(tested: Path) -> None:
    app = application(tested, {"secret.bin": "secret", "open.bin": "open"})
    made = ROOT / "build" / app.name / "RPI_PICO"
    modes = []
    for mode in (0o644, 0o600):
        (app / "secret.bin").chmod(mode)
        for verb in (("build", app, "--bundle"), ("romfs", "build", app)):
            done = run_verb(*verb, "--board", "RPI_PICO")
            assert done.returncode == 0, done.stderr
        paths = [made / name for name in ("files/open.bin", "files/secret.bin", f"{app.name}.bundle", f"{app.name}.romfs")]
        modes.append([stat.S_IMODE(path.stat().st_mode) & 0o077 != 0 for path in paths])
    assert modes == [[True] * 4, [True, False, False, False]]


def test_an_application_that_never_serves_is_built_and_said_to_be_unmeasured(tmp_path: Path) -> None:
    unix_firmware()
    app = named(application(tmp_path / "app", {"main.py": "import sys\nsys.exit(3)\n"}), "exit")
    done = run_verb("build", app)
    shutil.rmtree(ROOT / "build/test-exit")
    assert done.returncode == 0
    assert "not measured: the firmware ended with 3" in done.stdout
