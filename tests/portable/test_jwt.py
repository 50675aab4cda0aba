# Tokens: PyJWT on CPython, the board's own `jwt` on MicroPython. Both must take and refuse the same.

import hmac
import json
import sys
import time
import unittest
from binascii import b2a_base64

import jwt
from support import MICROPYTHON

KEY = "k" * 32


def base64(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return b2a_base64(data).decode().rstrip("=\n").replace("+", "-").replace("/", "_")


def signed(header, payload, key=KEY):
    """Return a token with any header and payload, rightly signed."""
    text = base64(header) + "." + base64(payload)
    return text + "." + base64(hmac.new(key.encode(), text.encode(), "sha256").digest())


def decode(token, key=KEY):
    return jwt.decode(token, key, algorithms=["HS256"])


class TestTokens(unittest.TestCase):
    def test_known_token(self):
        # The example of jwt.io, made by neither of the two.
        token = (
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
            "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
        )
        payload = {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}
        self.assertEqual(decode(token, "your-256-bit-secret"), payload)

    def test_round_trip(self):
        for payload in ({}, {"a": 1}, {"a": [1, 2, {"b": None}], "c": "ä€\n\"'", "d": 1.5, "e": True}, {"x": "y" * 500}):
            for key in (KEY, KEY.encode(), "ä" * 40, "long" * 50):
                token = jwt.encode(payload, key, algorithm="HS256")
                self.assertTrue(isinstance(token, str))
                self.assertEqual(decode(token, key), payload)
                self.assertEqual(decode(token.encode(), key), payload)

    def test_header_and_form(self):
        header, payload, signature = jwt.encode({"a": "b"}, KEY).split(".")
        self.assertEqual(header, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9")
        self.assertEqual(payload, base64(b'{"a":"b"}'))
        self.assertEqual(len(signature), 43)

    def test_header_in_another_order(self):
        for header in (b'{"typ":"JWT","alg":"HS256"}', b'{"alg":"HS256"}', b'{ "alg" : "HS256", "kid": "x" }'):
            self.assertEqual(decode(signed(header, {"a": 1})), {"a": 1})

    def test_other_key(self):
        with self.assertRaises(jwt.InvalidSignatureError):
            decode(jwt.encode({"a": 1}, KEY), "x" * 32)

    def test_any_change_is_noticed(self):
        token = jwt.encode({"a": 1}, KEY)
        for at in range(len(token)):
            for c in ("A", "x", ".", "-", "é"):
                if token[at] != c:
                    with self.assertRaises(jwt.InvalidTokenError):
                        decode(token[:at] + c + token[at + 1 :])
            with self.assertRaises(jwt.InvalidTokenError):
                decode(token[:at])

    def test_malformed_tokens(self):
        good = jwt.encode({"a": 1}, KEY)
        for token in ("", ".", "..", "...", "a", "a.b.c", good + ".x", "." + good, "\0.\0.\0", "=.=.=", good.replace(".", "")):
            with self.subTest(token=token), self.assertRaises(jwt.InvalidTokenError):
                decode(token)

    def test_malformed_contents(self):
        good = {"alg": "HS256"}
        for header, payload in (
            (b"", {}),
            (b"[]", {}),
            (b"{}", {}),
            (b"\xff", {}),
            (good, b""),
            (good, b"[1]"),
            (good, b"1"),
            (good, b"\xff"),
            (good, b"not json"),
        ):
            with self.subTest(header=header, payload=payload), self.assertRaises(jwt.InvalidTokenError):
                decode(signed(header, payload))

    def test_other_algorithms(self):
        for alg in ("none", "None", "HS512", "HS384", "RS256", "hs256", "", None, 1, ["HS256"]):
            for token in (signed({"alg": alg}, {"a": 1}), base64({"alg": alg}) + "." + base64({"a": 1}) + "."):
                with self.subTest(alg=alg), self.assertRaises(jwt.InvalidTokenError):
                    decode(token)

    def test_algorithms_must_be_named(self):
        token = jwt.encode({"a": 1}, KEY)
        with self.assertRaises(jwt.PyJWTError):
            jwt.decode(token, KEY)
        with self.assertRaises(jwt.PyJWTError):
            jwt.decode(token, KEY, algorithms=["HS512"])

    def test_expiry(self):
        now = int(time.time())
        for exp in (now + 60, now + 10**9, now + 60.5):
            self.assertEqual(decode(jwt.encode({"exp": exp}, KEY)), {"exp": exp})
        for exp in (now, now - 1, now - 10**9, 0, 1, -5):
            with self.subTest(exp=exp), self.assertRaises(jwt.ExpiredSignatureError):
                decode(jwt.encode({"exp": exp}, KEY))

    def test_not_before(self):
        now = int(time.time())
        self.assertEqual(decode(jwt.encode({"nbf": now - 1}, KEY)), {"nbf": now - 1})
        with self.assertRaises(jwt.ImmatureSignatureError):
            decode(jwt.encode({"nbf": now + 60}, KEY))

    def test_times_that_are_none(self):
        for name in ("exp", "nbf"):
            for value in ("soon", [], {}, None):
                with self.subTest(value=value), self.assertRaises(jwt.InvalidTokenError):
                    decode(signed({"alg": "HS256"}, {name: value}))

    def test_claims_that_must_not_be_ignored(self):
        with self.assertRaises(jwt.InvalidTokenError):
            decode(signed({"alg": "HS256", "crit": ["x"], "x": 1}, {"a": 1}))
        with self.assertRaises(jwt.InvalidTokenError):
            decode(signed({"alg": "HS256"}, {"aud": "somebody"}))

    def test_errors_are_of_one_family(self):
        for name in ("DecodeError", "InvalidSignatureError", "ExpiredSignatureError", "ImmatureSignatureError"):
            self.assertTrue(issubclass(getattr(jwt, name), jwt.InvalidTokenError))
        self.assertTrue(issubclass(jwt.InvalidTokenError, jwt.exceptions.PyJWTError))


@unittest.skipUnless(MICROPYTHON, "the board's own jwt is on boards only")
class TestBoardClock(unittest.TestCase):
    """What a board does with times while nobody has set its clock."""

    def setUp(self):
        self.addCleanup(setattr, jwt, "time", jwt.time)

    def at(self, now):
        class Clock:
            @staticmethod
            def time():
                return now - jwt._EPOCH

        jwt.time = Clock

    def test_unset_clock_judges_its_own_tokens(self):
        self.at(1609459200)  # where an RP2040 begins
        self.assertEqual(decode(jwt.encode({"exp": 1609459260}, KEY)), {"exp": 1609459260})
        with self.assertRaises(jwt.ExpiredSignatureError):
            decode(jwt.encode({"exp": 1609459200}, KEY))

    def test_unset_clock_refuses_what_a_set_clock_wrote(self):
        self.at(1609459200)
        for name in ("exp", "nbf"):
            with self.assertRaises(jwt.InvalidTokenError):
                decode(jwt.encode({name: int(time.time()) + jwt._EPOCH + 60}, KEY))

    def test_set_clock_refuses_what_an_unset_one_wrote(self):
        with self.assertRaises(jwt.ExpiredSignatureError):
            decode(jwt.encode({"exp": 1609459260}, KEY))

    def test_ports_that_count_from_2000(self):
        self.addCleanup(setattr, jwt, "_EPOCH", jwt._EPOCH)
        jwt._EPOCH = 946684800
        self.at(1800000000)
        self.assertEqual(jwt.time.time(), 853315200)
        self.assertEqual(decode(jwt.encode({"exp": 1800000001}, KEY)), {"exp": 1800000001})
        with self.assertRaises(jwt.ExpiredSignatureError):
            decode(jwt.encode({"exp": 1800000000}, KEY))


@unittest.skipUnless(MICROPYTHON, "PyJWT gives its own warnings")
class TestShortKeys(unittest.TestCase):
    def test_short_key_is_warned_about_once(self):
        printed = []
        jwt.print = lambda *args: printed.append(args)
        self.addCleanup(delattr, jwt, "print")
        jwt._warned = False
        for key in (KEY, "k" * 31, "short", b"short"):
            jwt.encode({}, key)
        self.assertEqual(printed, [("jwt: key of 31 bytes: use 32 random bytes or more",)])

    def test_empty_key_is_refused(self):
        for key in ("", b"", None):
            with self.assertRaises(jwt.PyJWTError):
                jwt.encode({}, key)


class TestHmac(unittest.TestCase):
    def test_vectors(self):
        # RFC 4231 4.2 to 4.8; the sixth and seventh have keys longer than a block
        for key, data, digest in (
            (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                b"\xaa" * 131,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                b"\xaa" * 131,
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
                b"hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ):
            self.assertEqual(hmac.new(key, data, "sha256").hexdigest(), digest)

    def test_ways_to_the_same_digest(self):
        import hashlib

        wanted = hmac.new(b"key", b"some data", "sha256").digest()
        grown = hmac.new(b"key", digestmod=hashlib.sha256)
        grown.update(b"some ")
        grown.update(b"data")
        self.assertEqual(grown.digest(), wanted)
        self.assertEqual(grown.digest(), wanted)
        self.assertEqual(hmac.digest(b"key", b"some data", "sha256"), wanted)
        with self.assertRaises(TypeError):
            hmac.new(b"key", b"data")

    def test_compare_digest(self):
        for a, b, same in (
            (b"", b"", True),
            (b"abc", b"abc", True),
            (b"abc", b"abd", False),
            (b"abc", b"ab", False),
            (b"\0", b"", False),
            ("abc", "abc", True),
            ("abc", "xbc", False),
        ):
            with self.subTest(a=a, b=b):
                self.assertEqual(hmac.compare_digest(a, b), same)


if not MICROPYTHON:
    import warnings

    warnings.filterwarnings("ignore", category=jwt.InsecureKeyLengthWarning)
    assert "shims" not in (sys.modules["jwt"].__file__ or "")
