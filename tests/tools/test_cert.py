"""The verb `cert`: what it makes serves TLS on CPython and on MicroPython, and what would not is told in one line."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from app_folders import application, complaint, micropython, page, run_verb, serving
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tools import cert, certificates
from tools.certificates import Pair
from tools.console import Failure

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
FILES = ("cert.pem", "cert.der", "key.pem", "key.der")
SERVER = """
from microdot import Microdot
from microdot.tls import server_context

app = Microdot()
context = server_context("cert.%s", "key.%s")


@app.get("/")
async def index(request):
    return "hello over " + request.scheme
"""


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def made(folder: Path, *options: str) -> Path:
    done = run_verb("cert", folder, "--host", "localhost", "--ip", "127.0.0.1", *options)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("form", ["pem", "der"])
@pytest.mark.parametrize("options", [(), ("--key", "rsa"), ("--ca",)], ids=["ec", "rsa", "ca"])
def test_micropython_serves_with_it(tmp_path: Path, options: tuple[str, ...], form: str) -> None:
    trusted = tmp_path / "app/cert.pem"
    if options == ("--ca",):
        options, trusted = ("--ca", str(tmp_path / "ca")), tmp_path / "ca/ca.pem"
    app = made(application(tmp_path / "app", {"main.py": SERVER % (form, form)}), *options)
    with serving(app) as port:
        assert page(port, "/", trusted) == (200, "text/plain; charset=UTF-8", None, b"hello over https")


@pytest.mark.parametrize("options", [(), ("--key", "rsa"), ("--ca", "ca")], ids=["ec", "rsa", "ca"])
def test_openssl_and_cpython_take_it(tmp_path: Path, options: tuple[str, ...]) -> None:
    app = made(tmp_path / "app", *(str(tmp_path / option) if option == "ca" else option for option in options))
    trusted = tmp_path / "ca/ca.pem" if "--ca" in options else app / "cert.pem"
    strict = ("verify", "-x509_strict", "-CAfile", trusted, "-purpose", "sslserver", "-verify_hostname", "localhost")
    assert openssl(*strict, app / "cert.pem").endswith("OK\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(app / "cert.pem", app / "key.pem")
    client = ssl.create_default_context(cafile=str(trusted))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert shaken(client, context, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(client, context, "another")


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> bool:
    """Let a client and a server shake hands in memory."""
    wires = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(wires[0], wires[1], server_hostname=name), server.wrap_bio(wires[1], wires[0], server_side=True)
    for turn in range(10):
        try:
            ends[turn % 2].do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ends[0].version() is not None


def test_the_forms_are_those_that_every_release_loads(tmp_path: Path) -> None:
    for kind, label, head in (("ec", "EC PRIVATE KEY", b"\x02\x01\x01"), ("rsa", "RSA PRIVATE KEY", b"\x02\x01\x00\x02")):
        app = made(tmp_path / kind, "--key", kind)
        assert (app / "key.pem").read_text().startswith(f"-----BEGIN {label}-----\n")
        der = (app / "key.der").read_bytes()
        # SEC1 and PKCS#1 begin with their version and then a text or a number; PKCS#8 with a sequence.
        assert der[2 if der[1] < 0x80 else 4 :].startswith(head)
        assert openssl("x509", "-inform", "DER", "-in", app / "cert.der") == openssl("x509", "-in", app / "cert.pem")
        assert openssl("pkey", "-inform", "DER", "-in", app / "key.der") == openssl("pkey", "-in", app / "key.pem")


def test_keys_are_for_their_owner_and_certificates_for_all(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        app = made(tmp_path / "app", "--ca", str(tmp_path / "ca"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (*app.iterdir(), *(tmp_path / "ca").iterdir())}
    secret = {"key.pem": 0o600, "key.der": 0o600, "ca-key.pem": 0o600}
    assert modes == {**secret, "cert.pem": 0o644, "cert.der": 0o644, "ca.pem": 0o644}
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_an_authority_is_made_once_and_signs_for_all(tmp_path: Path) -> None:
    first = made(tmp_path / "a", "--ca", str(tmp_path / "ca"))
    ca = (tmp_path / "ca/ca.pem").read_bytes()
    second = made(tmp_path / "b", "--ca", str(tmp_path / "ca"))
    assert (tmp_path / "ca/ca.pem").read_bytes() == ca
    for app in (first, second):
        assert openssl("verify", "-CAfile", tmp_path / "ca/ca.pem", app / "cert.pem").endswith("OK\n")


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    expected = f"{tmp_path}/{name}: is there already, and is not overwritten: remove it, or give another folder"
    assert complaint(run_verb("cert", tmp_path, "--host", "pico.local")) == expected
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_of_files_that_cannot_all_be_written_none_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def full(path: Path, *arguments: int) -> int:
        if path.name == "key.der":
            raise OSError(28, "No space left on device", str(path))
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(OSError, match="No space"):
        cert._write({tmp_path / name: b"x" for name in FILES})
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_git_keeps_is_refused(tmp_path: Path) -> None:
    app = made(tmp_path / "app", "--ca", str(tmp_path / "ca"))
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "app/key.der", "app/key.pem", "ca/ca-key.pem"], check=True)
    kept = "a private key that git keeps: make a new one, and take this one out with `git rm --cached`"
    assert complaint(run_verb("cert", "check", app / "cert.der", app / "key.der")) == f"{app}/key.der: {kept}"
    signing = run_verb("cert", tmp_path / "new", "--host", "a", "--ca", tmp_path / "ca")
    assert complaint(signing) == f"{tmp_path}/ca/ca-key.pem: {kept}"
    for name in FILES:
        (app / name).unlink()
    assert complaint(run_verb("cert", app, "--host", "a")) == f"{app}/key.pem: {kept}"
    assert list(app.iterdir()) == []


def test_a_key_that_git_would_keep_is_told(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("key.der\n")
    said = run_verb("cert", tmp_path, "--host", "a").stderr
    assert (
        said == f"{tmp_path}/key.pem: git does not ignore it: write key.pem into .gitignore, so that it is never kept there\n"
    )


def pair(key: certificates.Key, days: int = 100, hosts: tuple[str, ...] = ("pico.local",), begin: datetime = NOW) -> Pair:
    """Make a pair as `openssl` would, good or not."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pico.local")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=days))
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)
    return Pair(builder.sign(key, hashes.SHA256()), key)


P256 = ec.generate_private_key(ec.SECP256R1())
GOOD = pair(P256)


def test_check_takes_what_is_good() -> None:
    for key in (P256, ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        certificates.check(pair(key), "cert.pem", NOW, ["pico.local", "PICO.local."])
    wild = pair(P256, hosts=("*.home.lan",))
    certificates.check(wild, "cert.pem", NOW, ["pico.home.lan"])


WRONG: list[tuple[str, Pair, str]] = [
    (
        "pair",
        Pair(GOOD.certificate, ec.generate_private_key(ec.SECP256R1())),
        "certificate and key are no pair: make another with mdot cert, which makes both",
    ),
    ("expired", pair(P256, begin=NOW - timedelta(days=200)), "expired on 2026-02-21: make another with mdot cert"),
    (
        "not yet",
        pair(P256, begin=NOW + timedelta(days=2)),
        "valid from 2026-06-03 only: set the clock, or make another with mdot cert",
    ),
    (
        "no name",
        pair(P256, hosts=()),
        "without a subject alternative name no client takes it: make another with mdot cert --host NAME",
    ),
    ("name", pair(P256, hosts=("a", "b")), "is for a, b, not for pico.local: make another with mdot cert"),
    ("deep star", pair(P256, hosts=("*.local.lan",)), "is for *.local.lan, not for pico.local: make another with mdot cert"),
]


@pytest.mark.parametrize(("wrong", "reason"), [pytest.param(*row[1:], id=row[0]) for row in WRONG])
def test_check_finds_what_clients_refuse(wrong: Pair, reason: str) -> None:
    with pytest.raises(Failure) as caught:
        certificates.check(wrong, "cert.pem", NOW, ["pico.local"])
    assert str(caught.value) == f"cert.pem: {reason}"


PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, PLAIN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
SECRET = serialization.BestAvailableEncryption(b"secret")
CERT_PEM, CERT_DER = GOOD.certificate.public_bytes(PEM), GOOD.certificate.public_bytes(DER)
ONE_MORE = "more follows the certificate: a DER file holds exactly one: give the server's own"
NO_CERT = "no certificate in PEM or DER: make another with mdot cert"
NO_KEY = "no private key in PEM or DER: make another with mdot cert"
ENCRYPTED = "the key is encrypted: boards take it plain, as `openssl pkey -in x` writes it"
READ: list[tuple[str, Callable[[bytes, str], object], bytes, str]] = [
    ("two in DER", certificates.certificate_of, CERT_DER * 2, ONE_MORE),
    ("a byte behind DER", certificates.certificate_of, CERT_DER + b"\n", ONE_MORE),
    (
        "two in PEM",
        certificates.certificate_of,
        CERT_PEM * 2,
        "holds 2 certificates: a board sends one, so give it the server's own",
    ),
    ("cut DER", certificates.certificate_of, CERT_DER[:-1], NO_CERT),
    ("cut PEM", certificates.certificate_of, CERT_PEM[:-40], NO_CERT),
    ("no certificate", certificates.certificate_of, b"hello", NO_CERT),
    ("nothing", certificates.certificate_of, b"", NO_CERT),
    ("a key for a certificate", certificates.certificate_of, P256.private_bytes(PEM, PKCS8, PLAIN), NO_CERT),
    ("encrypted PEM", certificates.key_of, P256.private_bytes(PEM, PKCS8, SECRET), ENCRYPTED),
    ("encrypted DER", certificates.key_of, P256.private_bytes(DER, PKCS8, SECRET), ENCRYPTED),
    ("no key", certificates.key_of, b"hello", NO_KEY),
    ("a certificate for a key", certificates.key_of, CERT_PEM, NO_KEY),
    (
        "ed25519",
        certificates.key_of,
        ed25519.Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN),
        "a key of the kind ed25519: boards' TLS does not know it: make another with mdot cert",
    ),
    (
        "another curve",
        certificates.key_of,
        ec.generate_private_key(ec.SECP256K1()).private_bytes(DER, PKCS8, PLAIN),
        "a key of the kind secp256k1: boards' TLS does not know it: make another with mdot cert",
    ),
]


@pytest.mark.parametrize(("read", "data", "reason"), [pytest.param(*row[1:], id=row[0]) for row in READ])
def test_reading_what_is_no_use(read: Callable[[bytes, str], object], data: bytes, reason: str) -> None:
    with pytest.raises(Failure) as caught:
        read(data, "x")
    assert str(caught.value) == f"x: {reason}"


def test_what_check_refuses_micropython_refuses_too(tmp_path: Path) -> None:
    """Kinds of keys are ours to know: hold the list to the firmware's own TLS."""
    program = "import ssl\nread = lambda name: open(name, 'rb').read()\n"
    program += "ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(read('c'), read('k'))"
    loaded = {}
    ed = ed25519.Ed25519PrivateKey.generate()
    keys = {
        "p256": P256.private_bytes(DER, PKCS8, PLAIN),
        "p521": ec.generate_private_key(ec.SECP521R1()).private_bytes(DER, PKCS8, PLAIN),
        "ed25519": ed.private_bytes(DER, PKCS8, PLAIN),
        "encrypted": P256.private_bytes(DER, PKCS8, SECRET),
    }
    (tmp_path / "c").write_bytes(CERT_DER)
    for name, data in keys.items():
        (tmp_path / "k").write_bytes(data)
        loaded[name] = micropython(tmp_path, "-c", program).returncode == 0
    assert loaded == {"p256": True, "p521": True, "ed25519": False, "encrypted": False}


def test_check_as_users_run_it(tmp_path: Path) -> None:
    app = made(tmp_path / "app")
    done = run_verb("cert", "check", "app", "--host", "localhost", "--ip", "127.0.0.1", cwd=tmp_path)
    until = f"{datetime.now(timezone.utc) + timedelta(days=certificates.DAYS):%Y-%m-%d}"
    lines = [f"app/cert.{form} and key.{form}: EC P-256, for localhost, 127.0.0.1, until {until}" for form in ("pem", "der")]
    assert (done.stdout.splitlines(), done.stderr) == (lines, "")
    (app / "cert.pem").unlink()
    assert complaint(run_verb("cert", "check", "app", cwd=tmp_path)) == "app/cert.pem: no such file: make it with mdot cert"
    other = made(tmp_path / "other")
    mixed = complaint(run_verb("cert", "check", app / "cert.der", other / "key.der"))
    assert mixed == f"{app}/cert.der: certificate and key are no pair: make another with mdot cert, which makes both"


def test_a_certificate_that_ends_soon_is_told(tmp_path: Path) -> None:
    made(tmp_path, "--days", "20")
    said = run_verb("cert", "check", "cert.pem", "key.pem", cwd=tmp_path)
    assert said.returncode == 0
    assert said.stderr in [f"cert.pem: expires in {days} days: make another with mdot cert\n" for days in (19, 20)]


USAGE: list[tuple[tuple[str, ...], str]] = [
    (("f",), "no names: say what clients call the board, as in --host pico.local or --ip 192.168.4.1"),
    (("f", "g", "--host", "a"), "more than one folder: give one to write to, or `check` first"),
    (
        ("f", "--host", "http://a"),
        "--host 'http://a': no name of a host: give one as in pico.local, without a scheme or a port",
    ),
    (("f", "--host", "a:80"), "--host 'a:80': no name of a host: give one as in pico.local, without a scheme or a port"),
    (("f", "--host", "a..b"), "--host 'a..b': no name of a host: give one as in pico.local, without a scheme or a port"),
    (("f", "--host", "10.0.0.1"), "--host 10.0.0.1: an address: give it as --ip 10.0.0.1"),
    (("f", "--ip", "pico"), "--ip 'pico': no address: give one as in 192.168.4.1; names go to --host"),
    (("f", "--host", "a", "--days", "0"), "--days 0: out of range: give 1 to 36500"),
    (("check",), "check: give the folder of a pair, or a certificate and its key"),
    (("check", "a", "b", "c"), "check: give the folder of a pair, or a certificate and its key"),
]
NOWHERE = [
    (("check", "none"), "none: no such folder: give the folder of a pair, or a certificate and its key"),
    (("/dev/null", "--host", "a"), "/dev/null: file exists: give a folder, or another path"),
    (("check", "."), ".: no cert.pem or cert.der there: give a certificate and its key"),
]


@pytest.mark.parametrize(("arguments", "expected"), USAGE)
def test_wrong_arguments(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    assert complaint(run_verb("cert", *arguments, cwd=tmp_path), 2) == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "expected"), NOWHERE)
def test_what_is_not_there_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    assert complaint(run_verb("cert", *arguments, cwd=tmp_path)) == expected
    assert list(tmp_path.iterdir()) == []


def test_names_beyond_ascii_and_stars(tmp_path: Path) -> None:
    assert run_verb("cert", tmp_path, "--host", "küche.lan", "--host", "*.lan", "--ip", "fe80::1").returncode == 0
    said = openssl("x509", "-in", tmp_path / "cert.pem", "-noout", "-ext", "subjectAltName")
    assert "DNS:xn--kche-0ra.lan, DNS:*.lan, IP Address:FE80:0:0:0:0:0:0:1" in said


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    app = made(tmp_path / "app")
    (tmp_path / "ca").mkdir()
    shutil.copy(app / "cert.pem", tmp_path / "ca/ca.pem")
    missing = run_verb("cert", tmp_path / "b", "--host", "b", "--ca", tmp_path / "ca")
    assert complaint(missing) == f"{tmp_path}/ca/ca-key.pem: no such file: make it with mdot cert"
    shutil.copy(app / "key.pem", tmp_path / "ca/ca-key.pem")
    unable = run_verb("cert", tmp_path / "b", "--host", "b", "--ca", tmp_path / "ca")
    assert complaint(unable) == f"{tmp_path}/ca/ca.pem: no certificate of an authority: give another folder as --ca"


def test_help_has_examples() -> None:
    said = run_verb("cert", "--help").stdout
    assert "\n  mdot cert . --host pico.local --ip 192.168.4.1\n" in said
    assert "\n  mdot cert check cert.der key.der\n" in said
