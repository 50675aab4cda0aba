"""Certificates made for the test run, and the application of the TLS tests as a process."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
LIB = HERE.parent.parent.parent / "lib"
APPLICATION = HERE / "application.py"
INTERPRETERS = ("cpython", "micropython")
HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds


class Pair(NamedTuple):
    """A certificate and its key, as PEM and as DER."""

    cert_pem: Path
    key_pem: Path
    cert: Path
    key: Path

    def trust(self) -> ssl.SSLContext:
        """Return the context of clients that trust this certificate alone."""
        return ssl.create_default_context(cafile=str(self.cert_pem))

    def trust_of_threads(self) -> ssl.SSLContext:
        """Return a context for a client that reads in one thread and writes in another, as `websockets` does.

        TLS 1.3 sends tickets after its handshake. Where nothing locks a connection, as in CPython 3.11, reading them while the
        other thread writes loses what is written, once in some hundred connections of a busy machine.
        """
        context = self.trust()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context


def openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def make_pair(folder: Path, kind: str = "ec") -> Pair:
    """Make a certificate for this machine: with an EC key as SEC1, with "pkcs8" or with "rsa"."""
    folder.mkdir()
    pair = Pair(folder / "cert.pem", folder / "key.pem", folder / "cert.der", folder / "key.der")
    key = ("-newkey", "rsa:2048") if kind == "rsa" else ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-x509", *key, "-nodes", "-sha256", "-days", "30", *names, "-keyout", pair.key_pem, "-out", pair.cert_pem)
    openssl("x509", "-in", pair.cert_pem, "-outform", "DER", "-out", pair.cert)
    if kind == "ec":
        openssl("ec", "-in", pair.key_pem, "-outform", "DER", "-out", pair.key)
    elif kind == "rsa":
        openssl("rsa", "-traditional", "-in", pair.key_pem, "-outform", "DER", "-out", pair.key)
    else:
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", pair.key_pem, "-outform", "DER", "-out", pair.key)
    return pair


class Server:
    """A running server; its clients trust the certificate that it was started with."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, pair: Pair, output: Path) -> None:
        self.process = process
        self.port = port
        self.pair = pair
        self.output = output

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    def curl(self, *arguments: str) -> str:
        """Run curl; return what it prints, and fail when it does."""
        command = ["curl", "-sS", "--max-time", str(PATIENCE), "--cacert", str(self.pair.cert_pem), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answers(self) -> bool:
        return self.curl(self.url("/")) == "https 127.0.0.1"

    def connect(self, window: int = 0) -> socket.socket:
        """Connect; the system takes no more than about `window` bytes before the client reads."""
        connection = socket.socket()
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.connect((HOST, self.port))
        return connection

    def secure(self, window: int = 0) -> ssl.SSLSocket:
        context = self.pair.trust()
        # Boards close without TLS's own word for it, since MicroPython has no call for that.
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        return context.wrap_socket(self.connect(window), server_hostname="localhost")

    def printed(self) -> str:
        return self.output.read_text(errors="backslashreplace")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def settles_at(self, descriptors: int) -> bool:
        """Tell whether no more descriptors than these are open, now or soon."""
        deadline = time.monotonic() + PATIENCE
        while self.descriptors() > descriptors and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.descriptors() <= descriptors


@contextmanager
def serving(interpreter: str, firmware: Path, pair: Pair, *limits: str, pem: bool = False) -> Iterator[Server]:
    """Run the application; when it is left, nothing may have been printed, and no descriptor be open that was not before."""
    port = _free_port()
    files = (pair.cert_pem, pair.key_pem) if pem else (pair.cert, pair.key)
    command = [*_interpreter(interpreter, firmware), str(APPLICATION), str(port), *map(str, files), *limits]
    with tempfile.TemporaryDirectory(prefix="tls-") as folder:
        output = Path(folder, "printed")
        with output.open("wb") as file:
            process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=file, stderr=subprocess.STDOUT)
        server = Server(process, port, pair, output)
        try:
            _wait(server)
            before = server.descriptors()
            yield server
            assert server.settles_at(before)
            printed = server.printed()
            assert not printed, printed
        finally:
            process.kill()
            process.wait()


def _wait(server: Server) -> None:
    # By the port without TLS: the other one is to see no client but those of the test.
    deadline = time.monotonic() + PATIENCE
    for port in (server.port + 1, server.port):
        while not _listens(port):
            assert server.process.poll() is None, server.printed()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    before = -1
    while before != server.descriptors():  # the probes above are still being closed
        before = server.descriptors()
        time.sleep(0.2)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    """Find two ports in a row that nobody listens on."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind((HOST, 0))
            port = int(first.getsockname()[1])
            try:
                second.bind((HOST, port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _interpreter(name: str, firmware: Path) -> list[str]:
    if name == "micropython":
        return [str(firmware)]
    # What is dropped without being closed is a leak, even if the collector finds it in the end.
    return [sys.executable, "-u", "-B", "-W", "always::ResourceWarning"]


def _environment() -> dict[str, str]:
    ours = {"PYTHONPATH": str(LIB), "MICROPYPATH": ".frozen"}
    return {**{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}, **ours}
