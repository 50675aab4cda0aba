"""Certificates for boards: making them, and finding what a board or its clients would refuse.

A board's TLS takes EC keys on three curves and RSA, plain, and sends one certificate.  It loads a certificate and a key that
are no pair without a word, and then every handshake fails: so both are looked at here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Union

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .console import Failure

DAYS = 824  # and the day before: the most that Apple's clients take of a certificate that the user trusts
_DAYS_OF_A_CA = 3650
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_RSA_BITS = 2048
_LONGEST_NAME = 64  # characters, RFC 5280's ub-common-name
_AGAIN = "make another with mdot cert"

Key = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey]
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key


# Making


def new_key(kind: str) -> Key:
    """Make a key: `ec` on P-256, or `rsa`, with which a small board needs seconds for each handshake."""
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, _RSA_BITS)


def new_ca(now: datetime) -> Pair:
    """Make a certificate authority of the user's own, which may sign certificates of servers and nothing else."""
    key = new_key("ec")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mdot private CA")])
    builder = _builder(name, name, key, now, _DAYS_OF_A_CA)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return Pair(_signed(builder, key, key), key)


def new_pair(hosts: Sequence[str], addresses: Sequence[Address], kind: str, now: datetime, days: int, ca: Pair | None) -> Pair:
    """Make a key and a certificate for a server, signed by `ca` or by itself."""
    key = new_key(kind)
    alternatives = [*(x509.DNSName(host) for host in hosts), *(x509.IPAddress(address) for address in addresses)]
    common = [*(host for host in hosts if len(host) <= _LONGEST_NAME), *map(str, addresses), "mdot"][0]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = _builder(name, ca.certificate.subject if ca else name, key, now, days)
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True, key_encipherment=kind == "rsa"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return Pair(_signed(builder, key, ca.key if ca else key), key)


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, now: datetime, days: int) -> x509.CertificateBuilder:
    # From yesterday on: the client's clock may be behind.
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(
    digital_signature: bool = False, key_encipherment: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature, False, key_encipherment, False, False, key_cert_sign, crl_sign, False, False)


def _signed(builder: x509.CertificateBuilder, key: Key, signing: Key) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    return builder.add_extension(identifier, critical=False).sign(signing, hashes.SHA256())


def key_bytes(key: Key, encoding: serialization.Encoding) -> bytes:
    """Write a key in the form that every release of MicroPython loads: SEC1 for EC, PKCS#1 for RSA."""
    return key.private_bytes(encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


# Reading


def certificate_of(data: bytes, name: str) -> x509.Certificate:
    """Read the one certificate of a file in PEM or DER; raise Failure."""
    try:
        if b"-----BEGIN " not in data:
            _check_end(data, name)
            return x509.load_der_x509_certificate(data)
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise Failure(f"{name}: no certificate in PEM or DER: {_AGAIN}") from None
    if len(found) > 1:
        raise Failure(f"{name}: holds {len(found)} certificates: a board sends one, so give it the server's own")
    return found[0]


def _check_end(data: bytes, name: str) -> None:
    """Raise Failure for what follows a DER value: clients of some releases see nothing of it, others refuse all."""
    octets = data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + octets], "big") if octets else data[1] if len(data) > 1 else 0
    if len(data) > 2 + octets + length and data[:1] == b"0":
        raise Failure(f"{name}: more follows the certificate: a DER file holds exactly one: give the server's own")


def key_of(data: bytes, name: str) -> Key:
    """Read a private key that a board's TLS can use, from a file in PEM or DER; raise Failure."""
    load = serialization.load_pem_private_key if b"-----BEGIN " in data else serialization.load_der_private_key
    try:
        key = load(data, None)
    except TypeError:
        raise Failure(f"{name}: the key is encrypted: boards take it plain, as `openssl pkey -in {name}` writes it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Failure(f"{name}: no private key in PEM or DER: {_AGAIN}") from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    kind = (
        key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey) else type(key).__name__.removesuffix("PrivateKey").lower()
    )
    raise Failure(f"{name}: a key of the kind {kind}: boards' TLS does not know it: {_AGAIN}")


def check_ca(pair: Pair, name: str, now: datetime) -> None:
    """Raise Failure for an authority that cannot sign."""
    _check_pair_and_dates(pair, name, now)
    try:
        is_ca = pair.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        is_ca = False
    if not is_ca:
        raise Failure(f"{name}: no certificate of an authority: give another folder as --ca")


def check(pair: Pair, name: str, now: datetime, hosts: Sequence[str] = (), addresses: Sequence[Address] = ()) -> None:
    """Raise Failure for a certificate that clients would refuse from the server of this key at these names."""
    _check_pair_and_dates(pair, name, now)
    covered = names(pair.certificate)
    if not covered:
        raise Failure(f"{name}: without a subject alternative name no client takes it: {_AGAIN} --host NAME")
    missing = [host for host in hosts if not _covers(covered, host)] + [str(a) for a in addresses if str(a) not in covered]
    if missing:
        raise Failure(f"{name}: is for {', '.join(covered)}, not for {missing[0]}: {_AGAIN}")


def _check_pair_and_dates(pair: Pair, name: str, now: datetime) -> None:
    certificate = pair.certificate
    if _public(certificate.public_key()) != _public(pair.key.public_key()):
        raise Failure(f"{name}: certificate and key are no pair: {_AGAIN}, which makes both")
    if now < certificate.not_valid_before_utc:
        raise Failure(f"{name}: valid from {certificate.not_valid_before_utc:%Y-%m-%d} only: set the clock, or {_AGAIN}")
    if now > certificate.not_valid_after_utc:
        raise Failure(f"{name}: expired on {certificate.not_valid_after_utc:%Y-%m-%d}: {_AGAIN}")


def days_left(certificate: x509.Certificate, now: datetime) -> int:
    """Tell for how many days a certificate is still good."""
    return (certificate.not_valid_after_utc - now).days


def names(certificate: x509.Certificate) -> list[str]:
    """List the names and addresses that a certificate is for."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [*alternatives.get_values_for_type(x509.DNSName), *map(str, alternatives.get_values_for_type(x509.IPAddress))]


def described(pair: Pair) -> str:
    """Tell what a pair is, in a few words."""
    kind = f"RSA {pair.key.key_size}" if isinstance(pair.key, rsa.RSAPrivateKey) else f"EC P-{pair.key.key_size}"
    return f"{kind}, for {', '.join(names(pair.certificate))}, until {pair.certificate.not_valid_after_utc:%Y-%m-%d}"


def now() -> datetime:
    """Tell the time, in whole seconds, as certificates have it."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def _covers(covered: Sequence[str], host: str) -> bool:
    # RFC 6125 6.4.3: a star stands for one label, the first.
    host = host.lower().rstrip(".")
    return any(name.lower() in (host, f"*.{host.partition('.')[2]}") for name in covered)


def _public(key: object) -> bytes:
    assert hasattr(key, "public_bytes")
    data: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return data
