"""A deploy over the network, to a device that serves `microdot.ota`: only what changed is sent, and the outcome awaited.

The device says what it is and what lies on it, takes a bundle that is signed with its key, restarts, and has the new
application on trial until that has run for a while; what fails three starts is taken back by the device itself.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from . import build, bundles, bytecode, deploy_toml, known_boards
from .bundles import Bundle
from .console import Failure, Misuse, say
from .ota import read_key
from .plan import PROTECTED, is_protected
from .transfer import Progress

# Seconds for one answer; of a device that hashes all of its files, or writes them.
_PATIENCE = 120.0
# Seconds for the same while it may be restarting, and be gone in the middle of an answer.
_SOON = 20.0
# Seconds until a device is confirmed, or back with the application of before: three starts, and the time of each.
_OUTCOME = 600.0
_ASK_EVERY = 1.0
_PEM = "-----BEGIN CERTIFICATE-----"


class Address(NamedTuple):
    """Where a device listens, and by what certificate it is known."""

    host: str
    port: int
    cert: Path | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Outcome(NamedTuple):
    """What came of a deploy."""

    address: Address
    bundle: Bundle
    before: str
    """The build that was there."""
    sent: int
    seconds: float
    dry: bool
    same: bool
    """The device had it all, confirmed: nothing was done."""

    @property
    def text(self) -> str:
        name, count = self.bundle.build.app, len(self.bundle.sent)
        if self.same:
            return f"{self.address}: {name}: the device had it all"
        if self.dry:
            return f"{self.address}: {name}: {count} files, {self.bundle.size} bytes to send; nothing was changed"
        return f"{self.address}: {name}: {count} files, {self.sent} bytes, in {self.seconds:.1f} s: confirmed"

    @property
    def json(self) -> str:
        done = {
            "host": str(self.address),
            "app": self.bundle.build.app,
            "build": self.bundle.build.build,
            "before": self.before,
        }
        rest = {
            "dry_run": self.dry,
            "committed": not (self.dry or self.same),
            "bytes": self.sent,
            "seconds": round(self.seconds, 3),
        }
        return json.dumps({**done, **rest})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a deploy over the network."""
    parser.add_argument("--host", help="a device that serves updates over the network, NAME[:PORT], in place of a --port")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the device's key for that (see `ota`)")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="its certificate, in PEM: the update goes over https")


def do(arguments: argparse.Namespace, progress: Callable[[str], Progress]) -> None:
    """Do the verb `deploy` over the network."""
    for option in ("port", "all", "then", "adopt", "keep-previous"):
        if getattr(arguments, option.replace("-", "_")):
            raise Misuse(f"--{option} is for boards on a cable: leave it out, or --host")
    if not arguments.key:
        raise Misuse("--host needs the device's key: add --key FILE; mdot ota key makes one")
    where = address(arguments.host, arguments.cert)
    outcome = deployed(
        arguments.app, where, arguments.key, arguments.source, arguments.force, arguments.dry_run, progress(str(where))
    )
    print(outcome.json if arguments.json else outcome.text)


def address(text: str, cert: Path | None) -> Address:
    """Read NAME, NAME:PORT or [ADDRESS]:PORT, or these as a URL."""
    found = re.fullmatch(r"(?:(https?)://)?(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(?::(\d{1,5}))?/?", text)
    if not found or not 0 < int(found[3] or 80) < 65536 or not _is_name(found[2]):
        raise Misuse(f"--host {text!a}: no host: give a name or an address, as in pico.local or 192.168.4.1:8080")
    if (found[1] == "https") != bool(cert) and found[1]:
        raise Misuse("--host: https needs the device's certificate, and http has none: add --cert FILE, or take it away")
    if cert:
        _certificate(cert)
    return Address(found[2].strip("[]"), int(found[3] or (443 if cert else 80)), cert)


def _is_name(host: str) -> bool:
    try:
        return bool(host.encode("idna"))  # as it is done to look it up
    except UnicodeError:  # a part of it is empty, or longer than 63 letters
        return False


def deployed(
    app: Path,
    where: Address,
    key_file: Path,
    as_source: bool = False,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda done, of: None,
) -> Outcome:
    """Deploy an application over the network; raise Failure with the old one running unless it says otherwise."""
    began, link = time.monotonic(), Link(where, read_key(key_file))
    state = link.state()
    settings = deploy_toml.read(app)
    _check_id(where, str(state.get("id", "")), known_boards.pinned_id(settings.board, Path.cwd()))
    made = _built(app, state, as_source)
    present = link.files()
    _check_protected(where, made, present, settings.protect, force)
    bundle = bundles.made(made, present, force)
    same = not bundle.sent and state["build"] == made.build and not state["trial"]
    sent = 0
    if not (dry_run or same):
        sent = link.install(bundle, progress)
        say(f"{where}: installed, restarting: on trial until it has run for a while …")
        _await(Link(where, read_key(key_file), _SOON), state["build"], made.build)
    return Outcome(where, bundle, state["build"], sent, time.monotonic() - began, dry_run, same)


def _check_protected(
    where: Address, made: build.Build, present: set[tuple[str, str]], protect: Sequence[str], force: bool
) -> None:
    """Refuse what would cost the device a protected file: it knows of none, and --force has it replace all."""
    brought = {file.path: file.sha256 for file in made.files}
    for path, sha256 in sorted(present):
        lost = path not in brought or (force and brought[path] != sha256)
        if lost and sha256 != "-" and is_protected(path, (*PROTECTED, *protect)):
            what = "replaced" if path in brought else "removed"
            raise Failure(f"{where}: {path} is protected, and would be {what}: deploy over a cable, which leaves it there")


def _check_id(where: Address, found: str, wanted: str) -> None:
    if wanted and found != wanted:
        said = f"this device is {found!a}" if found else "this device does not tell who it is"
        raise Failure(f"{where}: {said}, and {wanted} is wanted: choose the other one, or change the application's deploy.toml")


def _built(app: Path, state: dict[str, Any], as_source: bool) -> build.Build:
    if not state["mpy"]:
        return build.built(app, "unix", None, as_source=True)
    board = "unix" if state["platform"] in ("linux", "darwin") else state["board"] or state["platform"]
    return build.built(app, board, bytecode.of_implementation(state["mpy"]), as_source)


class Link:
    """A device, asked one thing at a time."""

    def __init__(self, where: Address, key: bytes, patience: float = _PATIENCE) -> None:
        self.where, self._key, self._patience = where, key, patience

    def state(self) -> dict[str, Any]:
        """Ask what the device is and what it runs."""
        told = self._json(self._signed("GET", "state"))
        kinds = {"app": str, "build": str, "trial": bool, "busy": bool, "board": str, "platform": str, "mpy": int}
        if not all(isinstance(told.get(name), kind) for name, kind in kinds.items()):
            raise self._strange()
        return told

    def files(self) -> set[tuple[str, str]]:
        """Ask for the files that lie there by deploy: path, and SHA-256 of what they hold now."""
        lines = self._signed("GET", "files").decode("utf-8", "replace").splitlines()
        split = [line.split(" ", 2) for line in lines]
        if any(len(parts) != 3 for parts in split):
            raise self._strange()
        return {(path, sha256) for sha256, _, path in split}

    def install(self, bundle: Bundle, progress: Progress) -> int:
        """Send a bundle; return its bytes once the device has committed to it."""

        def pieces() -> Iterator[bytes]:
            done = 0
            for piece in bundle.pieces():
                # Small ones, so that a bar moves on a slow line.
                for at in range(0, len(piece), 1024):
                    yield piece[at : at + 1024]
                    progress(done := done + len(piece[at : at + 1024]), bundle.size)

        told = self._json(self._signed("POST", "install", bundle.digest, pieces(), bundle.size))
        if told.get("build") != bundle.build.build:
            raise self._strange()
        return bundle.size

    def _signed(
        self, method: str, purpose: str, digest: str = "-", body: Iterator[bytes] | None = None, size: int = 0
    ) -> bytes:
        path = "/ota" if purpose == "install" else f"/ota/{purpose}"
        with self._connection() as connection:
            nonce = self._json(self._exchange(connection, "GET", "/ota", {})).get("nonce")
            if not isinstance(nonce, str) or not re.fullmatch("[0-9a-f]{32}", nonce):
                raise self._strange()
        headers = {"Authorization": bundles.signature(self._key, purpose, nonce, digest)}
        if body:
            headers["Content-Length"] = str(size)
            headers["Content-Type"] = "application/octet-stream"
        with self._connection() as connection:
            return self._exchange(connection, method, path, headers, body)

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> bytes:
        # Who is refused before all was sent finds the reason in the answer.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read(1 << 20)
        if response.status != 200:
            raise Failure(f"{self.where}: {self._reason(response.status, data)}")
        return data

    @staticmethod
    def _reason(status: int, data: bytes) -> str:
        try:
            reason = str(json.loads(data)["error"])
        except (ValueError, KeyError, TypeError, RecursionError):
            reason = "no updates are served there: add OTA(app) to the application" if status == 404 else f"status {status}"
        # A device is not trusted with the terminal.
        return "".join(c if c.isprintable() else "?" for c in reason[:300])

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = None
        try:
            connection = self._connected()
            yield connection
        except ssl.SSLCertVerificationError as error:
            raise Failure(f"{self.where}: not the device of {self.where.cert}: {error.verify_message}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Failure(f"{self.where}: no answer: {reason.lower()}: is it switched on?") from None
        finally:
            if connection:
                connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        if not self.where.cert:
            plain = http.client.HTTPConnection(self.where.host, self.where.port, timeout=self._patience)
            plain.connect()
            return plain
        # A certificate of the device's own is known by itself, whatever the device is called today; one that an authority
        # has signed is known by its name.
        wanted = ssl.PEM_cert_to_DER_cert(_certificate(self.where.cert))
        secure = self._secured(self.where.cert, False)
        if isinstance(secure.sock, ssl.SSLSocket) and secure.sock.getpeercert(binary_form=True) == wanted:
            return secure
        secure.close()
        return self._secured(self.where.cert, True)

    def _secured(self, cert: Path, by_name: bool) -> http.client.HTTPSConnection:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = by_name
        context.load_verify_locations(cadata=_certificate(cert))
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # Boards close without TLS's own word for it.
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        connection = http.client.HTTPSConnection(self.where.host, self.where.port, timeout=self._patience, context=context)
        connection.connect()
        return connection

    def _json(self, data: bytes) -> dict[str, Any]:
        try:
            told = json.loads(data)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise self._strange()
        return told

    def _strange(self) -> Failure:
        return Failure(f"{self.where}: the answer makes no sense: is that a device with microdot.ota?")


def _certificate(cert: Path) -> str:
    """Read the first certificate of a file in PEM."""
    text = cert.read_text(encoding="ascii", errors="replace")
    start, end = text.find(_PEM), text.find("-----END CERTIFICATE-----")
    pem = text[start : end + 25]
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=ssl.PEM_cert_to_DER_cert(pem))
    except (ValueError, ssl.SSLError):
        raise Failure(f"{cert}: no certificate in PEM: give the cert.pem or ca.pem that mdot cert has made") from None
    return pem


def _await(link: Link, before: str, build: str, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until the device has confirmed the new application; raise Failure if it has gone back, or does not answer."""
    deadline, reason = clock() + _OUTCOME, ""
    while clock() < deadline:
        time.sleep(_ASK_EVERY)
        try:
            state = link.state()
        except Failure as failure:
            reason = str(failure)  # it is starting, and may not have all of its parts yet
            continue
        if state["build"] == build and not state["trial"]:
            return
        if state["build"] != build:
            now = "the application before is back" if state["build"] == before else "it runs another application"
            raise Failure(f"{link.where}: the new application was not confirmed in three starts: {now}: test it over a cable")
        reason = "it is still on trial"
    raise Failure(f"{link.where}: not confirmed within {_OUTCOME:.0f} s: {reason}: look at it over a cable")
