# The SSLContext of `microdot.tls` on CPython, whose OpenSSL reads certificates and keys from PEM files only: they are put into
# one that its owner alone can read, and that is gone before the context is used.
import base64
import os
import ssl
import tempfile


def context(cert, key):
    """Return an ``SSLContext`` to serve with, from a certificate (or a chain) and a key as bytes, in PEM or DER."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    pem = _pem(cert, b"CERTIFICATE")
    if key != cert:
        pem += b"\n" + _pem(key, _kind(key))
    handle, name = tempfile.mkstemp(suffix=".pem")  # readable by this user only
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        made.load_cert_chain(name, password=_no_password)
    except ssl.SSLError as e:
        raise ValueError(_reason(e)) from None
    finally:
        os.unlink(name)
    return made


def _pem(data, label):
    if b"-----BEGIN " in data:
        return data
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, base64.encodebytes(data), label)


def _kind(der):
    # PKCS#8 begins with a version and a sequence, SEC1 (an EC key) with version 1, PKCS#1 (RSA) with a version and a number.
    fields = der[2 + (der[1] & 0x7F if der[1] & 0x80 else 0) :] if len(der) > 2 else b""
    if fields[:3] == b"\x02\x01\x01":
        return b"EC PRIVATE KEY"
    return b"RSA PRIVATE KEY" if fields[3:4] == b"\x02" else b"PRIVATE KEY"


def _no_password():
    raise ValueError("key is encrypted: give it plain, as `openssl pkey -in key.pem` writes it")


def _reason(error):
    if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
        return "certificate and key are no pair: make them again, together"
    return "invalid certificate or key: %s" % (error.reason or "unknown format").lower().replace("_", " ")
