"""make a TLS certificate for a board, or check one

Writes cert.pem, cert.der, key.pem and key.der into FOLDER: a key, EC on P-256 unless told otherwise, and a certificate for
the names and addresses that clients use.  Boards load DER, CPython loads PEM.  The keys are for their owner's eyes alone,
nothing is overwritten, and a key that git keeps is refused.

With --ca the certificate is signed by your own authority, made in that folder when there is none: trust its ca.pem once, in
the browser or by `curl --cacert`, and every certificate that it signs is trusted.  Keep that folder away from the board.

`check` looks for what a board or its clients would refuse: a pair that is none, dates, names, the kind of key, more than one
certificate in a file.  It takes the folder of a pair, or a certificate and its key.

  mdot cert . --host pico.local --ip 192.168.4.1
  mdot cert . --host pico.local --ca ~/my-ca
  mdot cert check . --host pico.local
  mdot cert check cert.der key.der
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from . import certificates, private_keys
from .certificates import Address, Pair
from .console import Failure, Misuse, say

_SOON = 30  # days before its end that a certificate is worth a word
_LONGEST_HOST = 253  # RFC 1035 2.3.4, written with dots


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", metavar="FOLDER", help="where to write, or `check` and what to check")
    parser.add_argument("--host", action="append", default=[], metavar="NAME", help="a name in URLs; may be given again")
    parser.add_argument("--ip", action="append", default=[], metavar="ADDRESS", help="an address in URLs; may be given again")
    parser.add_argument(
        "--key", choices=("ec", "rsa"), default="ec", help="the kind of key (default: ec, as rsa is slow on boards)"
    )
    parser.add_argument(
        "--days", type=int, default=certificates.DAYS, help=f"how long it is valid (default: {certificates.DAYS})"
    )
    parser.add_argument("--ca", type=Path, metavar="FOLDER", help="sign it with the private authority that is kept here")


def do(arguments: argparse.Namespace) -> None:
    hosts, addresses = [_host(name) for name in arguments.host], [_address(text) for text in arguments.ip]
    if arguments.what[0] == "check":
        for cert, key in _pairs([Path(name) for name in arguments.what[1:]]):
            print(f"{cert} and {key.name}: {certificates.described(checked(cert, key, hosts, addresses))}")
        return
    if len(arguments.what) > 1:
        raise Misuse("more than one folder: give one to write to, or `check` first")
    if not hosts and not addresses:
        raise Misuse("no names: say what clients call the board, as in --host pico.local or --ip 192.168.4.1")
    if not 1 <= arguments.days <= 36500:
        raise Misuse(f"--days {arguments.days}: out of range: give 1 to 36500")
    _make(Path(arguments.what[0]), arguments, hosts, addresses)


def checked(cert: Path, key: Path, hosts: Sequence[str] = (), addresses: Sequence[Address] = ()) -> Pair:
    """Read a certificate and its key; raise Failure for what a board or its clients would refuse, or what is no secret."""
    pair = Pair(certificates.certificate_of(_read(cert), str(cert)), certificates.key_of(_read(key), str(key)))
    now = certificates.now()
    certificates.check(pair, str(cert), now, hosts, addresses)
    refuse_tracked(key)
    left = certificates.days_left(pair.certificate, now)
    if left < _SOON:
        say(f"{cert}: expires in {left} days: make another with mdot cert")
    return pair


def refuse_tracked(key: Path) -> None:
    """Raise Failure for a private key that git keeps."""
    if private_keys.is_tracked(key):
        raise Failure(f"{key}: a private key that git keeps: make a new one, and take this one out with `git rm --cached`")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Failure(f"{path}: no such file: make it with mdot cert") from None


def _pairs(what: Sequence[Path]) -> list[tuple[Path, Path]]:
    if len(what) == 1 and what[0].is_dir():
        found = [(what[0] / f"cert.{form}", what[0] / f"key.{form}") for form in ("pem", "der")]
        there = [pair for pair in found if pair[0].exists() or pair[1].exists()]
        if there:
            return there
        raise Failure(f"{what[0]}: no cert.pem or cert.der there: give a certificate and its key")
    if len(what) == 2 and not any(path.is_dir() for path in what):
        return [(what[0], what[1])]
    if len(what) == 1 and not what[0].exists():
        raise Failure(f"{what[0]}: no such folder: give the folder of a pair, or a certificate and its key")
    raise Misuse("check: give the folder of a pair, or a certificate and its key")


# Making


def _make(folder: Path, arguments: argparse.Namespace, hosts: Sequence[str], addresses: Sequence[Address]) -> None:
    now = certificates.now()
    folder.mkdir(parents=True, exist_ok=True)
    names = [folder / name for name in ("cert.pem", "cert.der", "key.pem", "key.der")]
    _refuse_present(names)
    pair = certificates.new_pair(hosts, addresses, arguments.key, now, arguments.days, _authority(arguments.ca))
    _write(_forms(folder, pair, "cert", "key"))
    print(f"{folder}/cert.pem, cert.der, key.pem and key.der: {certificates.described(pair)}")
    if arguments.key == "rsa":
        say("with rsa a handshake takes a small board several seconds; ec takes one or so")


def _authority(folder: Path | None) -> Pair | None:
    """Open the user's own authority, making it when there is none."""
    if folder is None:
        return None
    folder = folder.expanduser()
    cert, key = folder / "ca.pem", folder / "ca-key.pem"
    if cert.exists() or key.exists():
        refuse_tracked(key)
        pair = Pair(certificates.certificate_of(_read(cert), str(cert)), certificates.key_of(_read(key), str(key)))
        certificates.check_ca(pair, str(cert), certificates.now())
        return pair
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pair = certificates.new_ca(certificates.now())
    _write({path: data for path, data in _forms(folder, pair, "ca", "ca-key").items() if path.suffix == ".pem"})
    say(f"{cert}: a new private authority: trust this file where the clients are, and keep {key} secret")
    return pair


def _forms(folder: Path, pair: Pair, cert: str, key: str) -> dict[Path, bytes]:
    forms = {"pem": Encoding.PEM, "der": Encoding.DER}
    written = {folder / f"{cert}.{name}": pair.certificate.public_bytes(form) for name, form in forms.items()}
    return {**written, **{folder / f"{key}.{name}": certificates.key_bytes(pair.key, form) for name, form in forms.items()}}


def _refuse_present(names: Sequence[Path]) -> None:
    for path in names:
        if path.exists() or path.is_symlink():
            raise Failure(f"{path}: is there already, and is not overwritten: remove it, or give another folder")
        if path.name.startswith("key"):
            refuse_tracked(path)


def _write(contents: Mapping[Path, bytes]) -> None:
    """Write all files or none, the keys for their owner alone from the first byte on."""
    made: list[Path] = []
    try:
        for path, data in contents.items():
            secret = "key" in path.name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
            made.append(path)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
    except FileExistsError as error:
        _remove(made)
        raise Failure(
            f"{error.filename}: is there already, and is not overwritten: remove it, or give another folder"
        ) from None
    except BaseException:
        _remove(made)
        raise
    _tell_git(made)


def _remove(made: Sequence[Path]) -> None:
    for path in made:
        path.unlink(missing_ok=True)


def _tell_git(made: Sequence[Path]) -> None:
    for path in made:
        if "key" in path.name and _could_be_added(path):
            say(f"{path}: git does not ignore it: write {path.name} into .gitignore, so that it is never kept there")


def _could_be_added(path: Path) -> bool:
    command = ["git", "-C", str(path.parent), "check-ignore", "--quiet", "--", path.name]
    try:
        # 1 is for a file that is not ignored, 128 for no repository.
        return subprocess.run(command, capture_output=True).returncode == 1
    except FileNotFoundError:
        return False


# Arguments


def _host(name: str) -> str:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        raise Misuse(f"--host {name}: an address: give it as --ip {name}")
    try:
        host = name.encode("idna").decode().lower().rstrip(".")
    except UnicodeError:
        host = ""
    label = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
    if len(host) > _LONGEST_HOST or not re.fullmatch(rf"(\*\.)?{label}(\.{label})*", host):
        raise Misuse(f"--host {name!a}: no name of a host: give one as in pico.local, without a scheme or a port")
    return host


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise Misuse(f"--ip {text!a}: no address: give one as in 192.168.4.1; names go to --host") from None
