"""Applications made for a test, and running what the tools make of one on the unix firmware."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HELLO = 'from microdot import Microdot\n\napp = Microdot()\n\n\n@app.get("/")\nasync def index(request):\n    return "hello"\n'

# What a board does with main.py, but on a port of the test's choice.
_SERVE = """
import sys
from microdot import Microdot
run = Microdot.run
def serve(self, host=None, port=None, ssl=None, **more):
    return run(self, "127.0.0.1", %d, ssl=ssl)
Microdot.run = serve
import %s as main
context = getattr(main, "context", None)
if %s:
    from microdot.tls import server_context
    context = server_context("cert.pem", "key.pem")
main.app.run(ssl=context)
"""


def application(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write an application; without a main.py it gets one."""
    for name, content in {"main.py": HELLO, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def run_verb(
    *arguments: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python3 -m tools …` as a user does."""
    # A make that the verb starts is no child of the one that started the tests.
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    variables = {**inherited, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **(env or {})}
    command = [sys.executable, "-m", "tools", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=200)


def complaint(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """Check that a verb failed as it should, and give its only line about it."""
    lines = [line for line in done.stderr.splitlines() if not line.endswith("…")]
    assert (done.returncode, len(lines)) == (status, 1), done.stderr
    assert lines[0].startswith("mdot: ")
    return lines[0].split(": ", 2)[2]


@cache
def unix_firmware() -> Path:
    """Give the unix firmware, up to date with the checkout."""
    done = run_verb("firmware")
    assert done.returncode == 0, done.stderr
    return ROOT / "build/unix/micropython"


def micropython(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the unix firmware in a folder."""
    command = [str(unix_firmware()), *arguments]
    return subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=100)


@contextmanager
def serving(folder: Path, module: str = "main", tls: bool = False) -> Iterator[int]:
    """Serve the application in a folder with the unix firmware, with `tls` by its cert.pem; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(unix_firmware()), "-c", _SERVE % (port, module, tls)]
    with (folder / ".printed").open("w+") as printed:
        process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=printed, stderr=printed)
        try:
            _wait(process, port, folder / ".printed")
            yield port
        finally:
            process.kill()
            process.wait(20)
            (folder / ".printed").unlink()


def _wait(process: subprocess.Popen[bytes], port: int, printed: Path) -> None:
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        assert process.poll() is None, printed.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens: {printed.read_text()}")


def page(port: int, path: str, cafile: Path | None = None, **headers: str) -> tuple[int, str | None, str | None, bytes]:
    """Fetch a page: its status, type, coding and body."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if cafile:
        context = ssl.create_default_context(cafile=str(cafile))
        # Boards close without TLS's own word for it.
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        connection: http.client.HTTPConnection = http.client.HTTPSConnection("localhost", port, timeout=100, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
    try:
        # Of itself http.client would ask for "identity".
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for field in fields.items():
            connection.putheader(*field)
        connection.endheaders()
        reply = connection.getresponse()
        return reply.status, reply.getheader("Content-Type"), reply.getheader("Content-Encoding"), reply.read()
    finally:
        connection.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MICROPY")}
