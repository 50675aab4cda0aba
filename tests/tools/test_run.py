"""Running an application for once: with the unix firmware on this machine, and on a stand-in for a board."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from app_folders import HELLO, application, complaint, page, run_verb, unix_firmware
from bridge import Bridge
from deploys import app, deploy, lying
from verb_process import Running, running

_GUARDED = HELLO + "\n\nif __name__ == '__main__':\n    app.run(host='0.0.0.0', port=80)\n"
_UNGUARDED = HELLO + "\n\napp.run(port=80)\n"
_OWN_LOOP = HELLO + "\n\nimport asyncio\nasyncio.run(app.start_server(port=80, debug=True))\n"
_TLS = (
    "from microdot.tls import server_context\n"
    + HELLO
    + "\n\nif __name__ == '__main__':\n    app.run(port=443, ssl=server_context('cert.der', 'key.der'))\n"
)


@pytest.fixture(autouse=True)
def firmware() -> None:
    unix_firmware()


@pytest.fixture
def port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_page(process: Running, port: int, cafile: Path | None = None) -> tuple[int, bytes]:
    deadline = time.monotonic() + 100
    while True:
        try:
            status, _, _, body = page(port, "/", cafile)
            return status, body
        except OSError:
            assert time.monotonic() < deadline, process.said("stderr")
            assert process.process.poll() is None, process.said("stderr")
            time.sleep(0.05)


@pytest.mark.parametrize("main", [HELLO, _GUARDED, _UNGUARDED, _OWN_LOOP], ids=["app", "guarded", "unguarded", "own loop"])
def test_main_serves_on_the_port_that_was_asked_for(main: str, port: int, tmp_path: Path) -> None:
    folder = application(tmp_path / "app", {"main.py": main})
    with running(tmp_path / "out", "run", folder, "--port", port) as process:
        assert _wait_for_page(process, port) == (200, b"hello")
        assert process.said("stderr").endswith(f"serving {folder} on http://127.0.0.1:{port} (Ctrl-C ends it)\n")
        assert process.interrupt() == 0


def test_main_serves_over_tls_when_it_says_so(port: int, tmp_path: Path) -> None:
    folder = application(tmp_path / "app", {"main.py": _TLS})
    assert run_verb("cert", folder, "--host", "localhost").returncode == 0
    with running(tmp_path / "out", "run", "--app", folder, "--port", port) as process:
        assert _wait_for_page(process, port, folder / "cert.pem") == (200, b"hello")
        process.wait_for(f"on https://127.0.0.1:{port} ", "stderr")


def test_a_second_server_keeps_its_own_port(port: int, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = probe.getsockname()[1]
    start = f"asyncio.gather(app.start_server(port=80), Microdot().start_server(port={other}))"
    main = f"{HELLO}\nimport asyncio\nasync def both():\n    await {start}\nasyncio.run(both())\n"
    with running(tmp_path / "out", "run", application(tmp_path / "app", {"main.py": main}), "--port", port) as process:
        assert _wait_for_page(process, port) == (200, b"hello")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{other}/", timeout=60)


def test_a_program_that_serves_nothing_runs_as_well(port: int, tmp_path: Path) -> None:
    folder = application(
        tmp_path / "app", {"main.py": "import helper\nprint(__name__, __file__, helper.X)\n", "helper.py": "X = 1\n"}
    )
    done = run_verb("run", folder, "--port", str(port))
    assert (done.returncode, done.stdout) == (0, "__main__ main.py 1\n")


def test_an_exception_ends_it_with_the_line_of_main(port: int, tmp_path: Path) -> None:
    done = run_verb("run", application(tmp_path / "app", {"main.py": "\n1 / 0\n"}), "--port", str(port))
    assert done.returncode == 1
    assert 'File "main.py", line 2' in done.stderr


@pytest.mark.parametrize("port", ["/dev/ttyACM0", "x", "-1"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    done = run_verb("run", application(tmp_path / "app", {}), f"--port={port}")
    assert complaint(done, 2).startswith(f"port {port} is no number: give one of TCP")


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_out_of_range_is_refused(port: str, tmp_path: Path) -> None:
    done = run_verb("run", application(tmp_path / "app", {}), f"--port={port}")
    assert complaint(done, 2) == f"port {port}: out of range: give one of 1 to 65535, as in PORT=5001"


@pytest.mark.usefixtures("quick")
def test_on_a_board_it_leaves_no_trace_and_the_deployed_one_goes_on(board: Bridge, tmp_path: Path) -> None:
    before = deploy(board, app(tmp_path / "one", "deployed"))
    board.said = b""
    main = "import helper\nprint('tried', helper.NAME)\nwhile True:\n    pass\n"
    folder = app(tmp_path / "two", "tried", {"main.py": main})
    with running(tmp_path / "out", "run", folder, "--on", "board", "--port", board.port) as process:
        process.wait_for("tried tried\n")
        assert process.interrupt() == 0
    board.wait_for(b"started deployed deployed")
    assert lying(board) == {file.path: before.build.local(file).read_bytes() for file in before.build.files}


def test_on_a_board_an_exception_is_told_with_the_files_of_this_machine(board: Bridge, tmp_path: Path) -> None:
    folder = application(tmp_path / "app", {"main.py": "print('begun')\nimport bad\n", "bad.py": "\n\n[][1]\n"})
    done = run_verb("run", folder, "--on", "board", "--port", board.port)
    assert f"  {folder}/main.py:2, in <module>\n  {folder}/bad.py:3, in <module>\nIndexError" in done.stdout
    assert done.stdout.startswith("begun\n")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "the application failed: IndexError" in last
    assert last.endswith(": see its traceback above")
    assert lying(board) == {}


def test_on_a_board_an_application_that_ends_is_no_failure(board: Bridge, tmp_path: Path) -> None:
    done = run_verb("run", application(tmp_path / "app", {"main.py": "print('done')\n"}), "--on", "board", "--port", board.port)
    assert (done.returncode, done.stdout) == (0, "done\n")
