"""A device that is updated over the air, as processes: each restart is a new one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import bundles

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
KEY = bytes(range(32))
PATIENCE = 60.0


class Device:
    """A device with a flash of its own, started again each time that it ends by itself."""

    def __init__(self, folder: Path, interpreter: list[str], blocks: int = 0, tls: tuple[Path, ...] = ()) -> None:
        self.folder, self.port, self.starts = folder / "flash", _free_port(), 0
        self.folder.mkdir()
        (self.folder / "ota.key").write_text(KEY.hex())
        self._output = (folder / "printed").open("wb")
        self._command = [*interpreter, str(HERE / "device.py"), str(self.port), str(self.folder), str(blocks), *map(str, tls)]
        self._on, self._thread = True, threading.Thread(target=self._run)
        self._process: subprocess.Popen[bytes] | None = None
        self._thread.start()
        self.wait()

    def _run(self) -> None:
        while self._on:
            self.starts += 1
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, env=_environment(), stdout=self._output, stderr=subprocess.STDOUT
            )
            self._process.wait()

    def wait(self) -> None:
        """Wait until it listens."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.05)

    def wait_for_start(self, number: int) -> None:
        """Wait until it listens after so many starts."""
        deadline = time.monotonic() + PATIENCE
        while self.starts < number:
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.05)
        self.wait()

    def fail(self) -> None:
        """Let its power fail for a moment."""
        assert self._process
        self._process.kill()

    def off(self) -> None:
        """Switch it off."""
        self._on = False
        while self._thread.is_alive():
            if self._process:
                self._process.kill()
            self._thread.join(0.1)
        self._output.close()

    def printed(self) -> str:
        return (self.folder.parent / "printed").read_text(errors="replace")

    def files(self) -> dict[str, bytes]:
        """Read what lies there, but for what is the deploy's own and the key."""
        found = {f"/{path.relative_to(self.folder)}": path for path in self.folder.rglob("*") if path.is_file()}
        return {
            name: path.read_bytes() for name, path in found.items() if not name.startswith("/.mdot/") and name != "/ota.key"
        }

    def waiting(self) -> list[str]:
        folder = self.folder / ".mdot/new"
        return sorted(os.listdir(folder)) if folder.exists() else []

    # Talking to it

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """Send a request; give status and body, (0, b"") when the device just hangs up."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.request(method, path, body, headers or {})
            response = client.getresponse()
            return response.status, response.read()
        except (http.client.HTTPException, ConnectionError):
            return 0, b""
        finally:
            client.close()

    def nonce(self) -> str:
        return str(json.loads(self.ask("GET", "/ota")[1])["nonce"])

    def signed(self, head: bytes, key: bytes = KEY) -> dict[str, str]:
        """Give the header that signs an update."""
        import hashlib

        return {"Authorization": bundles.signature(key, "install", self.nonce(), hashlib.sha256(head).hexdigest())}

    def update(self, data: bytes, key: bytes = KEY) -> tuple[int, bytes]:
        """Send a bundle, signed."""
        return self.ask("POST", "/ota", self.signed(head_of(data), key), data)


def head_of(data: bytes) -> bytes:
    length = data[14:20]
    return data[: int(length)] if length.isdigit() else data


@contextmanager
def device(folder: Path, interpreter: list[str], blocks: int = 0, tls: tuple[Path, ...] = ()) -> Iterator[Device]:
    """Switch a device on, and off with the end of the block; it may not have failed in secret."""
    folder.mkdir(exist_ok=True)
    started = Device(folder, interpreter, blocks, tls)
    try:
        yield started
    finally:
        started.off()
    assert "Traceback" not in started.printed(), started.printed()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    ours = {"PYTHONPATH": f"{ROOT / 'lib'}{os.pathsep}{ROOT / 'board/modules'}", "MICROPYPATH": ".frozen"}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}, **ours}


def interpreters(firmware: Path) -> dict[str, list[str]]:
    return {"micropython": [str(firmware)], "cpython": [sys.executable, "-B", "-u"]}
