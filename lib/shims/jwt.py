# JSON web tokens (RFC 7519) signed with HMAC-SHA256 (RFC 7515, HS256) for boards: the part of PyJWT that sessions and most
# applications use, under PyJWT's names. Each accepts the tokens of the other.
#
# Nothing of a token is parsed before its signature is found right, over the whole text and in constant time. The algorithm is
# pinned: a token that names another one is refused, and so are "crit" (RFC 7515 4.1.11) and "aud" (RFC 7519 4.1.3), which must
# not be ignored. "exp" and "nbf" are honoured by the board's clock. While nobody has set that, it counts the time since the
# board started: it judges tokens that it made itself, and refuses those whose times a clock that was set has written.
import hmac
import json
import sys
import time
from binascii import a2b_base64, b2a_base64

_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"  # {"alg":"HS256","typ":"JWT"}
_CLOCK_SET = 1735689600  # 1 January 2025: an earlier time means a clock that nobody has set
_EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0  # some ports count from 2000

exceptions = sys.modules[__name__]
_warned = False


class PyJWTError(Exception):
    """What every error of this module is."""


class InvalidTokenError(PyJWTError):
    """A token that is not to be trusted."""


class DecodeError(InvalidTokenError):
    """A token that is malformed."""


class InvalidSignatureError(DecodeError):
    """A token that was not signed with this key."""


class ExpiredSignatureError(InvalidTokenError):
    """A token whose time is over."""


class ImmatureSignatureError(InvalidTokenError):
    """A token whose time has not come."""


class InvalidAlgorithmError(InvalidTokenError):
    """A token with an algorithm that is not wanted here."""


def encode(payload, key, algorithm="HS256"):
    """Return the token of a dictionary, as text."""
    if algorithm != "HS256":
        raise InvalidAlgorithmError("algorithm other than HS256")
    signed = _HEADER + "." + _to_base64(json.dumps(payload, separators=(",", ":")).encode())
    return signed + "." + _signature(signed.encode(), key)


def decode(token, key, algorithms=None):
    """Return the dictionary of a token; raise ``InvalidTokenError`` if it is not to be trusted."""
    if not algorithms:
        raise DecodeError('missing algorithms, for example ["HS256"]')
    if isinstance(token, bytes):
        token = str(token, "utf-8")
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(signed.encode(), key).encode(), signature.encode()):
        raise InvalidSignatureError("signature verification failed")
    header, _, payload = signed.partition(".")
    header = _parse(header)
    if header.get("alg") != "HS256" or "HS256" not in algorithms:
        raise InvalidAlgorithmError("algorithm not allowed")
    payload = _parse(payload)
    if "crit" in header or "aud" in payload:
        raise InvalidTokenError("critical header or audience")
    _check_times(payload)
    return payload


def _signature(signed, key):
    global _warned
    if isinstance(key, str):
        key = key.encode()
    if not key:
        raise PyJWTError("empty key")
    if len(key) < 32 and not _warned:  # RFC 7518 3.2
        _warned = True
        print("jwt: key of %d bytes: use 32 random bytes or more" % len(key))
    return _to_base64(hmac.digest(key, signed, "sha256"))


def _to_base64(data):
    # Base64 for URLs, unpadded (RFC 7515 2).
    return b2a_base64(data).decode().rstrip("=\n").replace("+", "-").replace("/", "_")


def _parse(part):
    from microdot.json_text import loads

    try:
        value = loads(a2b_base64(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4)))
    except ValueError:
        raise DecodeError("malformed token")
    if not isinstance(value, dict):
        raise DecodeError("token without a dictionary")
    return value


def _check_times(payload):
    now = time.time() + _EPOCH
    for name in ("exp", "nbf"):
        if name not in payload:
            continue
        limit = payload[name]
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise DecodeError("time that is no number")
        if now < _CLOCK_SET <= limit:
            raise InvalidTokenError("clock not set")
        if name == "exp" and limit <= now:
            raise ExpiredSignatureError("token expired")
        if name == "nbf" and limit > now:
            raise ImmatureSignatureError("token not valid yet")
