# TLS for `app.run(ssl=...)`: one call makes the SSLContext, the same on CPython and on boards.
#
# Certificate and key are files or bytes, PEM or DER. Boards' mbedTLS takes DER, and one certificate, so PEM is converted here;
# CPython's OpenSSL takes PEM files, so `tls_host.py` writes some. An EC key on P-256 is the choice for boards: a handshake
# takes a second or so, with RSA many:
#
#     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=pico.local \
#         -addext subjectAltName=DNS:pico.local,IP:192.168.4.1 -keyout key.pem -out cert.pem
#     openssl x509 -in cert.pem -outform DER -out cert.der
#     openssl ec -in key.pem -outform DER -out key.der
import sys

_BEGIN = b"-----BEGIN "


def server_context(cert, key=None):
    """Return an ``SSLContext`` to serve with.

    ``cert`` and ``key`` are names of files or bytes, in PEM or DER; without ``key`` the certificate's PEM holds it too. Raises
    ``OSError`` for a file that can't be read and ``ValueError`` for what is no certificate, no key, or no pair.
    """
    cert = _contents(cert)
    key = cert if key is None else _contents(key)
    if sys.implementation.name != "micropython":
        from microdot.tls_host import context

        return context(cert, key)
    try:
        import ssl
    except ImportError:
        raise ImportError("this firmware has no tls: build it with MICROPY_PY_SSL and MICROPY_SSL_MBEDTLS set")
    cert = _der(cert, b"CERTIFICATE")
    key = _der(key, b"PRIVATE KEY")
    if _are_strangers(cert, key):
        raise ValueError("certificate and key are no pair: make them again, together")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def _contents(source):
    if not isinstance(source, str):
        return bytes(source)
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as e:
        raise OSError(e.args[0], "can't read %s: check the name and the current directory" % source)


def _der(data, label):
    # What a PEM block with this label holds; DER as it is.
    if _BEGIN not in data:
        return data
    blocks = [block for block in data.split(_BEGIN)[1:] if block[: block.find(b"-----")].endswith(label)]
    if not blocks:
        raise ValueError("no %s in the pem" % label.decode().lower())
    if len(blocks) > 1:
        raise ValueError("more than one certificate in the pem: a board sends one, so give it the server's own")
    block = blocks[0]
    if b"ENCRYPTED" in block:
        raise ValueError("key is encrypted: boards take it plain, as `openssl pkey -in key.pem` writes it")
    import binascii

    return binascii.a2b_base64(block[block.find(b"-----") + 5 : block.find(b"-----END")])


def _are_strangers(cert, key):
    # mbedTLS loads any two, and then every handshake fails without a word. A certificate holds its public key as it stands in
    # the private one: in RSA's early on, in an EC key as the point at the end, if it is there at all.
    if len(key) > 300:
        return key[40:72] not in cert
    for size in (65, 97, 133):  # points of P-256, P-384, P-521
        if key[-size - 2 : -size + 1] == bytes((size + 1, 0, 4)):
            return key[-size:] not in cert
    return False
