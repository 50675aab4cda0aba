"""What users download, used as they use it: checked, hosted by a server of static files, installed, and run."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
import websockets.sync.client
from app_folders import HELLO, ROOT, application, complaint, page, run_verb, unix_firmware
from bridge import Bridge, tree

sys.path += [str(ROOT / "tests/board"), str(ROOT / "tests/host")]
import esp32
import pico

from tools import dist, dist_page, esp32_image, framework, mip

Boards = Callable[..., Bridge]
# Nothing is imported from the firmware but what MicroPython's own has, too; of that only asyncio is asked for late.
_WITHOUT_OURS = """
import asyncio, sys
sys.path[:] = ["", {library!r}]
import microdot
assert microdot.__file__.startswith({library!r}), microdot.__file__
"""
_SERVE = "\nfrom main import app\napp.run('127.0.0.1', {port})\n"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a distribution of the checkout as it is."""
    return make(tmp_path_factory.mktemp("dist") / "made")


def make(folder: Path, **env: str) -> Path:
    done = run_verb("dist", "--output", folder, env=env)
    assert done.returncode == 0, done.stderr
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of static files that writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(made: Path) -> Iterator[str]:
    """Offer the distribution; give its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(made))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# The files


def test_the_sums_are_those_of_all_files(made: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=made, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    listed = {line.partition("  ")[2] for line in (made / "SHA256SUMS").read_text().splitlines()}
    assert listed == contents(made).keys() - {"SHA256SUMS"}


def test_the_same_source_makes_the_same_files(made: Path, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        again = make(tmp_path / "again", TZ="Asia/Tokyo", PYTHONHASHSEED="7", LC_ALL="C")
    finally:
        os.umask(old)
    assert contents(again) == contents(made)
    modes = {path: path.stat().st_mode for path in made.rglob("*")}
    assert {again / path.relative_to(made): mode for path, mode in modes.items()} == {
        path: path.stat().st_mode for path in again.rglob("*")
    }


def test_archives_are_dated_as_asked_for_and_name_no_place(made: Path, tmp_path: Path) -> None:
    dated = make(tmp_path / "dated", SOURCE_DATE_EPOCH="1700000000")
    differing = {path for path, content in contents(dated).items() if content != (made / path).read_bytes()}
    archives = {path for path in differing if path.endswith((".zip", ".whl"))}
    assert differing - archives == {"SHA256SUMS", "index.html"}
    assert len(archives) == 5
    for path in archives:
        with zipfile.ZipFile(dated / path) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}
            assert {entry.external_attr >> 16 & 0o777 for entry in archive.infolist()} <= {0o644, 0o664}
            assert not [name for name in archive.namelist() if str(ROOT).encode() in archive.read(name)]
    assert not [path for path, content in contents(made).items() if str(ROOT).encode() in content]


def test_each_licence_is_there(made: Path) -> None:
    assert (made / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    for board, parts in (("RPI_PICO", ("Raspberry Pi", "lwIP", "tinyusb", "MicroPython", "ChaN")), ("unix", ("MicroPython",))):
        text = (made / f"firmware/licences/{board}.txt").read_text()
        assert not [part for part in (*parts, (ROOT / "LICENSE").read_text().strip()) if part.lower() not in text.lower()]
    for path in [*made.glob("mpy/*.zip"), *made.glob("wheels/*.whl")]:
        with zipfile.ZipFile(path) as archive:
            assert [name for name in archive.namelist() if name.rpartition("/")[2] == "LICENSE"], path


class Links(HTMLParser):
    """Collects the links of a page, and checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attributes if name in ("href", "src") and value != "data:,"]
        self.open += [] if tag in ("meta", "link") else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_links_what_is_there_and_nothing_elsewhere(made: Path) -> None:
    links = Links()
    links.feed((made / "index.html").read_text())
    assert not links.open
    assert not [path for path in links.found if not (made / path).is_file()]
    assert {path for path in contents(made) if not path.startswith("mip/")} - set(links.found) == {"index.html"}


def test_installers_in_browsers_are_told_of_an_esp32_image() -> None:
    # No ESP-IDF is here to build a real one: the image is made up from the documented formats.
    chip = esp32_image.parsed(esp32.firmware("esp32s3")).chip
    path = "firmware/ESP32_GENERIC_S3.bin"
    image = dist_page.Image("ESP32_GENERIC_S3", "ESP32-S3", path, "1.26.0", chip=chip.family, offset=chip.offset)
    manifest = json.loads(dist.installer(image, chip))
    assert manifest["version"] == framework.version()
    assert manifest["builds"] == [{"chipFamily": "ESP32-S3", "parts": [{"path": "ESP32_GENERIC_S3.bin", "offset": 0}]}]
    shown = dist_page.made("1", [image], {}).decode()
    assert "write-flash 0x0 ESP32_GENERIC_S3.bin" in shown
    assert 'href="firmware/ESP32_GENERIC_S3.manifest.json"' in shown


WRONG = [
    (("--output", "lib"), {}, "lib: a folder of something else: remove it, or choose another with --output"),
    (("--output", "LICENSE"), {}, "LICENSE: a file, not a folder: choose another with --output"),
    ((), {"SOURCE_DATE_EPOCH": "today"}, "SOURCE_DATE_EPOCH: no date: give seconds since 1970, or take it away"),
    ((), {"SOURCE_DATE_EPOCH": "99999999999"}, "SOURCE_DATE_EPOCH: no date: give seconds since 1970, or take it away"),
]


@pytest.mark.parametrize(("arguments", "env", "expected"), WRONG)
def test_wrong_arguments(arguments: tuple[str, ...], env: dict[str, str], expected: str) -> None:
    assert complaint(run_verb("dist", *arguments, env=env)).startswith(expected)


def test_an_older_distribution_is_replaced_whole(tmp_path: Path) -> None:
    output = tmp_path / "dist"
    make(output, SOURCE_DATE_EPOCH="1600000000")
    (output / "left.txt").touch()
    done = run_verb("dist", "--output", output, "--board", "unix")
    assert done.returncode == 0, done.stderr
    assert not (output / "left.txt").exists()
    assert not list(output.glob("firmware/RPI_PICO*"))
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


# The packages for mip


def test_packages_have_every_portable_module_once_for_whoever_installs_all() -> None:
    host_only = framework._named_in_manifest("_HOST_ONLY") | framework._named_in_manifest("_NATIVE")
    library = {f"{path.parent.name}/{path.stem}" for path in (ROOT / "lib").glob("*/*.py") if path.name not in host_only}
    library = {name.removeprefix("shims/") for name in library}
    packed = {module for package in framework.packages() for module in package.modules}
    # Updates over the air need the firmware that finishes them.
    assert library - packed == {"microdot/ota", "microdot/ota_bundle"}
    assert packed <= library
    for package in framework.packages():
        modules = [module for part in framework.closure(package.name) for module in part.modules]
        assert len(modules) == len(set(modules))


def test_an_index_entry_names_files_by_what_is_in_them(made: Path) -> None:
    entries = list(made.glob("mip/package/*/*/latest.json"))
    known = {path.parent.name for path in entries}
    assert {"microdot", "microdot-websocket", "microdot-armv6m", "utemplate"} <= known
    for path in entries:
        entry = json.loads(path.read_text())
        assert (path.parent / f"{entry['version']}.json").read_bytes() == path.read_bytes()
        assert not [name for name, _ in entry["deps"] if name not in known]
        for name, digits in entry["hashes"]:
            content = (made / "mip/file" / digits[:2] / digits).read_bytes()
            assert hashlib.sha256(content).hexdigest().startswith(digits)
            assert content.startswith(b"M\x06") is name.endswith(".mpy")


def installed(made: Path, package: str, folder: Path) -> Path:
    """Put a package's files where mip would, read from its description as mip does."""
    described = json.loads((made / f"mip/{package}.json").read_text())
    for path, url in described["urls"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / "mip" / url, folder / path)
    return folder


@pytest.mark.parametrize("package", [package.name for package in framework.packages()])
def test_a_package_has_all_that_its_modules_import(made: Path, tmp_path: Path, package: str) -> None:
    library = installed(made, package, tmp_path / "lib")
    (modules,) = [part.modules for part in framework.packages() if part.name == package]
    names = [module.removesuffix("/__init__").replace("/", ".") for module in modules]
    program = f"import asyncio, sys\nsys.path[:] = [{str(library)!r}]\n" + "".join(f"import {name}\n" for name in names)
    done = subprocess.run([str(unix_firmware()), "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


EXTENSIONS = """
from microdot import Microdot
from microdot.multipart import with_form_data
from microdot.session import Session, with_session
from microdot.sse import with_sse
from microdot.utemplate import Template
from microdot.websocket import with_websocket

Template.initialize("pages")
app = Microdot()
Session(app, secret_key="a secret of the test's, and long enough")
app.static("/static", "static")


@app.get("/page")
async def templated(request):
    return Template("page.html").render("you")


@app.post("/form")
@with_form_data
async def form(request):
    return request.form


@app.get("/count")
@with_session
async def count(request, session):
    session["count"] = session.get("count", 0) + 1
    session.save()
    return str(session["count"])


@app.get("/events")
@with_sse
async def events(request, sse):
    await sse.send({"some": "thing"})


@app.get("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())
"""


@contextmanager
def running(command: list[str], folder: Path, port: int, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server until the block ends; begin when it listens."""
    with (folder / "printed").open("w") as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=printed, env=env)
        try:
            deadline = time.monotonic() + 100
            while True:
                assert process.poll() is None, (folder / "printed").read_text()
                assert time.monotonic() < deadline, "nothing listens"
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=100).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield
        finally:
            process.kill()
            process.wait()


def test_extensions_serve_from_their_packages(made: Path, tmp_path: Path, port: int) -> None:
    library = tmp_path / "lib"
    for name in ("multipart", "session", "sse", "utemplate", "websocket"):
        installed(made, f"microdot-{name}", library)
    app = application(
        tmp_path / "app",
        {"main.py": EXTENSIONS, "static/a.txt": "a file", "pages/page.html": "{% args name %}hello {{ name }}"},
    )
    program = _WITHOUT_OURS.format(library=str(library)) + _SERVE.format(port=port)
    with running([str(unix_firmware()), "-c", program], app, port):
        assert page(port, "/page")[3] == b"hello you"
        assert page(port, "/static/a.txt")[3] == b"a file"
        assert page(port, "/events")[3] == b'data: {"some": "thing"}\n\n'
        assert page(port, "/nothing")[0] == 404
        body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/form", body, {"Content-Type": "multipart/form-data; boundary=x"}
        )
        with urllib.request.urlopen(request, timeout=100) as reply:
            assert json.load(reply) in ({"a": "b"}, {"a": ["b"]})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=100) as reply:
            cookie = reply.headers["Set-Cookie"].partition(";")[0]
        assert page(port, "/count", Cookie=cookie)[3] == b"2"
        with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/echo", proxy=None) as ws:
            ws.send("there and back")
            assert ws.recv(100) == "there and back"


@pytest.fixture
def port() -> int:
    """Find a TCP port that nobody listens on."""
    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as probe:
        return probe.server_port


def mpremote(port: str, *arguments: str) -> str:
    """Run stock mpremote; give what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lying(flash: Path) -> set[str]:
    """List the modules in a chip's /lib."""
    return {path.removeprefix("/lib/").rpartition(".")[0] for path in tree(flash) if path.startswith("/lib/")}


def test_mpremote_installs_an_extension_by_name_with_what_it_needs(boards: Boards, site: str) -> None:
    board = boards(stock=True)
    command = ("mip", "--index", f"{site}/mip", "install", "microdot-broadcast")
    assert mpremote(board.port, *command).endswith("Done\n")
    again = mpremote(board.port, *command)
    assert "Exists: /lib/microdot/broadcast.mpy" in again
    assert "Installing: " not in again
    # Of the firmware asyncio alone is wanted.
    found = "import sys\nsys.path.append('.frozen')\nimport asyncio\nsys.path.remove('.frozen')\n"
    used = "from microdot import Microdot\nfrom microdot.broadcast import broadcast, __file__\nprint(Microdot, __file__)"
    assert mpremote(board.port, "exec", found + used).strip() == "<class 'Microdot'> /lib/microdot/broadcast.mpy"
    board.power_off()
    assert lying(board.flash) == {module for part in framework.closure("microdot-broadcast") for module in part.modules}


@pytest.mark.parametrize(("kind", "suffix"), [("index", "py"), ("url", "mpy")])
def test_mpremote_installs_source_by_name_and_bytecode_by_url(boards: Boards, site: str, kind: str, suffix: str) -> None:
    board = boards(stock=True)
    options = {"index": ("--no-mpy", "--index", f"{site}/mip", "utemplate"), "url": (f"{site}/mip/utemplate.json",)}
    mpremote(board.port, "mip", "install", *options[kind])
    said = mpremote(board.port, "exec", "import utemplate.source\nprint(utemplate.source.__file__)")
    assert said.strip() == f"/lib/utemplate/source.{suffix}"
    board.power_off()
    assert lying(board.flash) == {module for part in framework.closure("utemplate") for module in part.modules}


# Firmware, on the emulated board and here


_ON_THE_BOARD = """
import asyncio, gc, sys
sys.path[:] = [{library!r}, ".frozen"]
import microdot
from microdot import _scan, _unmask, Microdot
app = Microdot()
print(microdot.__file__, _scan.__file__, _unmask.__file__, type(_scan.scan).__name__)
from microdot.test_client import TestClient
app.get("/")(lambda request: {{"it": "works"}})
print(asyncio.run(TestClient(app).get("/")).json)
"""


def test_the_image_boots_and_the_set_of_its_processor_runs_from_romfs(made: Path) -> None:
    with pico.started(made / "firmware/RPI_PICO.uf2") as board:
        assert board.mpremote("exec", "import microdot; print(microdot.__version__)").strip() == framework.version()
        (image,) = made.glob("romfs/*-armv6m.romfs")
        board.mpremote("romfs", "deploy", str(image), seconds=240)
        said = board.mpremote("exec", _ON_THE_BOARD.format(library="/rom/lib")).splitlines()
    place = "/rom/lib/microdot"
    assert said == [f"{place}/__init__.mpy {place}/_scan.mpy {place}/_unmask.mpy function", "{'it': 'works'}"]


def test_mpremote_installs_machine_code_on_a_board(made: Path, site: str) -> None:
    with pico.started(made / "firmware/RPI_PICO.uf2") as board:
        said = board.mpremote("mip", "install", f"{site}/mip/microdot-armv6m.json", seconds=240)
        assert "Installing: /lib/microdot/_scan.mpy" in said
        program = "import sys\nsys.path[:] = ['/lib', '.frozen']\nfrom microdot import _scan\nprint(_scan.__file__)"
        assert board.mpremote("exec", program).strip() == "/lib/microdot/_scan.mpy"


def test_micropython_for_this_machine_runs_where_nothing_else_is(made: Path, tmp_path: Path) -> None:
    (program,) = made.glob("firmware/micropython-*")
    command = [str(program), "-c", "import microdot; print(microdot.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "microdot/__init__.py\n")


def test_an_archive_is_a_library(made: Path, tmp_path: Path) -> None:
    (archive,) = made.glob("mpy/*mpy6.3.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    program = _WITHOUT_OURS.format(library=str(tmp_path)) + "import microdot.websocket, utemplate.source, jwt"
    done = subprocess.run([str(unix_firmware()), "-c", program], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


# The wheels


def environment(folder: Path, wheel: Path, also: Path | None = None) -> Path:
    """Make an environment with one wheel in it; give its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=200)
    python = folder / "bin/python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        str(wheel),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    if also:
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "also.pth").write_text(f"{also}\n")
    return folder / "bin"


def outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MICROPY", "MDOT"))}


def test_the_framework_serves_and_has_its_types_where_its_wheel_is_installed(made: Path, tmp_path: Path, port: int) -> None:
    (wheel,) = made.glob("wheels/mdot_microdot-*.whl")
    python = environment(tmp_path / "venv", wheel) / "python"
    app = application(tmp_path / "app", {"pages/a.html": "{% args x %}<b>{{ x }}</b>"})
    program = """
import microdot, sys
from main import app
from microdot.utemplate import Template
assert sys.prefix in microdot.__file__
Template.initialize("pages")
app.get("/page")(lambda request: Template("a.html").render("text"))
app.run("127.0.0.1", %d)
"""
    with running([str(python), "-c", program % port], app, port, outside()):
        assert page(port, "/")[3] == b"hello"
        assert page(port, "/page")[3] == b"<b>text</b>"
    typed = tmp_path / "typed.py"
    typed.write_text("from microdot import Microdot\n\nreveal_type(Microdot().run)\nMicrodot().run(port='80')\n")
    command = [sys.executable, "-m", "mypy", "--python-executable", str(python), "--cache-dir", os.devnull, str(typed)]
    done = subprocess.run(command, cwd=tmp_path, env=outside(), capture_output=True, text=True, timeout=200)
    assert "Revealed type is" in done.stdout
    assert 'incompatible type "str"; expected "int"' in done.stdout


@pytest.fixture(scope="session")
def mdot(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the tools away from the checkout; what they depend on is that of the tests, which needs no network."""
    import mpremote as installed_packages

    (wheel,) = made.glob("wheels/mdot_tools-*.whl")
    also = Path(installed_packages.__file__).parent.parent
    return environment(tmp_path_factory.mktemp("mdot") / "venv", wheel, also) / "mdot"


def run(mdot: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(mdot), *arguments]
    return subprocess.run(command, cwd=folder, env=outside(), capture_output=True, text=True, timeout=200)


TESTED = """
import unittest
from main import app

class TestApp(unittest.TestCase):
    def test_app(self):
        self.assertEqual(len(app.url_map), 1)
"""


def test_the_wheel_of_the_tools_has_all_of_them(mdot: Path) -> None:
    (package,) = mdot.parent.parent.glob("lib/python*/site-packages/mdot")
    wanted = {path.relative_to(ROOT / "tools") for path in (ROOT / "tools").rglob("*") if path.is_file()}
    wanted = {path for path in wanted if "__pycache__" not in path.parts}
    assert not {str(path) for path in wanted if not (package / path).is_file()}


def test_installed_tools_build_test_and_certify(mdot: Path, tmp_path: Path) -> None:
    app = application(
        tmp_path / "app",
        {
            "main.py": "from microdot.utemplate import Template\n" + HELLO,
            "templates/a.html": "{{ 1 }}",
            "tests/test_app.py": TESTED,
        },
    )
    assert run(mdot, tmp_path, "--help").stdout.startswith("usage: mdot ")
    built = run(mdot, tmp_path, "build", "app", "--json")
    assert built.returncode == 0, built.stderr
    files = {str(path.relative_to(tmp_path / "build/app/RPI_PICO/files")) for path in tmp_path.glob("build/**/*.mpy")}
    assert files == {"_main.mpy", "templates/a_html.mpy"}
    tested = run(mdot, tmp_path, "test", "app")
    assert "1 passed" in tested.stdout, tested.stderr
    assert run(mdot, tmp_path, "cert", "app", "--host", "localhost").returncode == 0
    assert run(mdot, tmp_path, "cert", "check", "app").returncode == 0
    assert (app / "cert.der").exists()


def test_installed_tools_use_downloaded_firmware(mdot: Path, made: Path, tmp_path: Path) -> None:
    application(tmp_path / "app", {"tests/test_app.py": TESTED})
    told = complaint(run(mdot, tmp_path, "test", "app", "--on", "unix"))
    reason = "no firmware is there, and it is built in a checkout of mdot alone"
    assert told == f"build/unix/micropython: {reason}: put the downloaded one there"
    (tmp_path / "build/unix").mkdir(parents=True, exist_ok=True)
    shutil.copy(next(made.glob("firmware/micropython-*")), tmp_path / "build/unix/micropython")
    assert "1 passed" in run(mdot, tmp_path, "test", "app", "--on", "unix").stdout
    image = run(mdot, tmp_path, "image", "app", "--firmware", str(made / "firmware/RPI_PICO.uf2"))
    assert "build/app/RPI_PICO/app.uf2 is ready" in image.stdout, image.stderr


def test_installed_tools_deploy(mdot: Path, boards: Boards, tmp_path: Path) -> None:
    application(tmp_path / "app", {"main.py": "print('started')\n"})
    # Stock firmware has no journal of its own: the tools bring theirs.
    board = boards(identity="aa01", stock=True)
    done = run(mdot, tmp_path, "deploy", "app", "--port", board.port)
    assert done.returncode == 0, done.stderr
    board.power_off()
    assert "/_main.mpy" in tree(board.flash)


@pytest.mark.parametrize("verb", ["clean", "dist", "environment", "firmware", "types"])
def test_a_verb_that_makes_something_of_the_checkout_says_so(mdot: Path, tmp_path: Path, verb: str) -> None:
    packages = next(mdot.parent.parent.glob("lib/python*/site-packages"))
    before = sorted(packages.rglob("*.py"))
    told = complaint(run(mdot, tmp_path, verb))
    assert told == "this needs a checkout of mdot: get one with `git clone`, and run `make` there"
    assert sorted(packages.rglob("*.py")) == before
    assert not list(tmp_path.iterdir())


def test_an_unknown_verb_is_wrong_usage(mdot: Path, tmp_path: Path) -> None:
    assert run(mdot, tmp_path, "nothing").returncode == 2


def test_mip_s_folder_is_made_of_the_packages() -> None:
    files = mip.folder()
    assert files["package.json"] == files["microdot.json"]
    urls = json.loads(files["microdot-login.json"])["urls"]
    assert not [url for _, url in urls if url not in files]
    assert {"jwt.mpy", "hmac.mpy", "microdot/session.mpy", "microdot/app.mpy"} <= {path for path, _ in urls}
