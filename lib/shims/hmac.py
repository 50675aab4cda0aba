# HMAC (RFC 2104) for boards, with the names of CPython's `hmac`: the part that applications and `jwt.py` use. Hashes are those
# of `hashlib`, all with blocks of 64 bytes. Refuses nothing; a key of any length is taken, as the RFC says.
import hashlib

_BLOCK = 64


class HMAC:
    """A keyed hash that grows with ``update``. ``digestmod`` is a hash of hashlib or its name."""

    def __init__(self, key, msg=None, digestmod=None):
        if digestmod is None:
            raise TypeError("missing digestmod, for example 'sha256'")
        make = getattr(hashlib, digestmod) if isinstance(digestmod, str) else digestmod
        if len(key) > _BLOCK:
            key = make(key).digest()
        key = key + bytes(_BLOCK - len(key))
        self._inner = make(bytes([c ^ 0x36 for c in key]))
        self._outer = make(bytes([c ^ 0x5C for c in key]))
        self._digest = None
        if msg is not None:
            self.update(msg)

    def update(self, msg):
        """Add bytes to what is hashed; not possible after ``digest``."""
        if self._digest:
            raise ValueError("the digest was taken already")
        self._inner.update(msg)

    def digest(self):
        """Return the keyed hash as bytes."""
        if self._digest is None:  # a hash of MicroPython's gives its digest once
            self._outer.update(self._inner.digest())
            self._digest = self._outer.digest()
        return self._digest

    def hexdigest(self):
        """Return the keyed hash in hexadecimal digits."""
        from binascii import hexlify

        return hexlify(self.digest()).decode()


def new(key, msg=None, digestmod=None):
    """Return an ``HMAC``."""
    return HMAC(key, msg, digestmod)


def digest(key, msg, digest):
    """Return the keyed hash of a message; ``digest`` is a hash of hashlib or its name."""
    return HMAC(key, msg, digest).digest()


def compare_digest(a, b):
    """Tell whether two texts, or two byte strings, are the same, in a time that doesn't tell where they differ."""
    if isinstance(a, str):
        a = a.encode()
        b = b.encode()
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return not difference
