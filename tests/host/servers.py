"""Real ASGI and WSGI servers as processes on free ports."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIB = HERE.parent.parent / "lib"
PATIENCE = 60.0  # seconds after which a condition counts as one that will not come true

# What comes after `python -m`; `{bind}` is host:port, `{app}` module:name.
ASGI = {
    "uvicorn-h11": "uvicorn --http h11 --port {port} --log-level warning {app}",
    "uvicorn-httptools": "uvicorn --http httptools --port {port} --log-level warning {app}",
    "hypercorn": "hypercorn --bind {bind} --graceful-timeout 1 {app}",
    "daphne": "daphne --bind 127.0.0.1 --port {port} --verbosity 0 --application-close-timeout 1 {app}",
    "granian": "granian --interface asgi --port {port} --log-level warning {app}",
}
WSGI = {
    "gunicorn-sync": "gunicorn --bind {bind} --keep-alive 5 --log-level warning {app}",
    "gunicorn-gthread": "gunicorn --bind {bind} --threads 4 --log-level warning {app}",
    "uwsgi": "{scripts}/uwsgi --http-socket {bind} --master --need-app --enable-threads --disable-logging "
    "--die-on-term --module {app}",
    "waitress": "waitress --listen {bind} {app}",
    "wsgiref": "wsgiref_server {port} {app}",
}


class Server:
    """A running server: where it listens, and what it printed."""

    def __init__(self, name: str, command: list[str], output: Path, port: int, path: str | None) -> None:
        self.name, self.port, self.path, self._output = name, port, path, output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=HERE,
                env=_environment(output.parent),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def printed(self) -> str:
        return self._output.read_text(errors="replace")

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < deadline, f"{self.name} does not listen: {self.printed()}"
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX if self.path else socket.AF_INET) as probe:
            return probe.connect_ex(self.path or ("127.0.0.1", self.port)) == 0

    def connect(self) -> socket.socket:
        if not self.path:
            return socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(self.path)
        return sock

    def client(self) -> http.client.HTTPConnection:
        """Return a client with a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        client.sock = self.connect()
        return client

    def request(
        self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a request on a connection of its own."""
        client = self.client()
        try:
            client.request(method, target, body, dict(headers or {}))
            response = client.getresponse()
            return response, response.read()
        finally:
            client.close()

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> bytes:
        response, body = self.request("GET", target, headers=headers)
        assert response.status == 200, (response.status, body, self.printed())
        return body

    def json(self, target: str, headers: Mapping[str, str] | None = None) -> Any:
        return json.loads(self.get(target, headers))

    def prints(self, text: str, seconds: float = PATIENCE) -> bool:
        """Tell whether the server prints a text, soon."""
        deadline = time.monotonic() + seconds
        while text not in self.printed() and time.monotonic() < deadline:
            time.sleep(0.02)
        return text in self.printed()

    def logs(self, line: str, seconds: float = PATIENCE) -> bool:
        """Tell whether the application logs a line, soon."""
        seen: list[str] = []
        deadline = time.monotonic() + seconds
        while line not in seen and time.monotonic() < deadline:
            seen += self.json("/log")
            time.sleep(0.02)
        return line in seen

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)  # the session that was begun for it
            self.process.wait()


@contextmanager
def serving(name: str, app: str, command: str, unix: bool = False) -> Iterator[Server]:
    """Run a server's command, in which `{port}`, `{bind}` and `{app}` are filled in."""
    with tempfile.TemporaryDirectory(prefix="server-") as folder:
        port = free_port()
        path = f"{folder}/socket" if unix else None
        values = {"port": port, "bind": f"127.0.0.1:{port}", "app": app, "path": path, "scripts": Path(sys.executable).parent}
        words = command.format(**values).split()
        if not words[0].startswith("/"):
            words = [sys.executable, "-m", *words]
        server = Server(name, words, Path(folder, "output"), port, path)
        try:
            server.wait()
            yield server
        finally:
            server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    """Have files that the application leaves go with the server."""
    return {**os.environ, "PYTHONPATH": f"{LIB}{os.pathsep}{HERE}", "PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}
