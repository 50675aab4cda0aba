# UTF-8 as RFC 3629 has it, on interpreters whose own decoder is less strict too.

import unittest

from microdot.utf8 import decode_utf8

GOOD = ["", "a", "\0", "\x7f", "\x80", "\u07ff", "\u0800", "\u0fff", "\u1000", "\ud7ff", "\ue000", "\uffff"]
GOOD += ["\U00010000", "\U0003ffff", "\U00040000", "\U0010ffff", "aéb\u0e01c\U0001f600d" * 50]
BAD = [
    b"\x80",
    b"\xbf",
    b"\xc2",
    b"\xe1\x80",
    b"\xf1\x80\x80",
    b"\xc2a",
    b"\xe1\x80a",
    b"\xff",
    b"\xfe",
    b"\xf8\x88\x80\x80\x80",
]
BAD += [b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf"]  # overlong
BAD += [b"\xed\xa0\x80", b"\xed\xbf\xbf"]  # surrogates
BAD += [b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf6\x80\x80\x80", b"\xf7\xbf\xbf\xbf"]  # beyond U+10FFFF


class TestDecode(unittest.TestCase):
    def test_good(self):
        for text in GOOD:
            for data in (text.encode(), bytearray(text.encode()), memoryview(text.encode())):
                self.assertEqual(decode_utf8(data), text)

    def test_bad_alone_and_inside_good_text(self):
        for data in BAD:
            for before, behind in ((b"", b""), (b"a", b""), ("é\u0e01\U0001f600".encode(), "é\U00010000".encode())):
                with self.subTest(data=data):
                    with self.assertRaises(UnicodeError):
                        decode_utf8(before + data + behind)
