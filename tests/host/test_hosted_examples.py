"""The examples for other servers: the page, the templates of both engines, and the chat, behind ASGI, WSGI and alone."""

from __future__ import annotations

import shutil
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from helpers import ROOT
from servers import PATIENCE, Server, serving
from websockets.sync.client import ClientConnection, connect

_COMMANDS = {
    "uvicorn": "-m uvicorn --port {port} --log-level warning {app}",
    "gunicorn": "-m gunicorn --threads 8 --bind {bind} --log-level warning {app}",
}


def _serving(folder: Path, server: str, example: str, module: str) -> AbstractContextManager[Server]:
    # A copy: templates are compiled beside their source.
    shutil.copytree(ROOT / "examples" / example, folder / example)
    command = f"/usr/bin/env -C {folder / example} {sys.executable} {_COMMANDS[server]}"
    return serving(server, f"{module}:app", command)


@pytest.mark.parametrize(("server", "module"), [("uvicorn", "hello_asgi"), ("gunicorn", "hello_wsgi")])
def test_the_page(tmp_path: Path, server: str, module: str) -> None:
    with _serving(tmp_path, server, "hello", module) as running:
        assert b"<h1>Hello from Microdot</h1>" in running.get("/")


@pytest.mark.parametrize(("server", "module"), [("uvicorn", "guests_asgi"), ("gunicorn", "guests_wsgi")])
def test_templates(tmp_path: Path, server: str, module: str) -> None:
    with _serving(tmp_path, server, "templates", module) as running:
        assert b"Nobody has been here yet." in running.get("/")


@pytest.mark.parametrize(("server", "module"), [("uvicorn", "jinja_asgi"), ("gunicorn", "jinja_wsgi")])
def test_jinja(tmp_path: Path, server: str, module: str) -> None:
    with _serving(tmp_path, server, "templates", module) as running:
        assert b"<dt>Host</dt><dd>127.0.0.1:%d</dd>" % running.port in running.get("/")


@pytest.mark.parametrize(("server", "module"), [("uvicorn", "chat_asgi"), ("gunicorn", "chat_wsgi")])
def test_the_chat(tmp_path: Path, server: str, module: str) -> None:
    with _serving(tmp_path, server, "websocket", module) as running, _joined(running) as ann, _joined(running) as bob:
        ann.send("hello")
        assert (ann.recv(PATIENCE), bob.recv(PATIENCE)) == ("hello", "hello")


def _joined(server: Server) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/chat", open_timeout=PATIENCE, proxy=None)
