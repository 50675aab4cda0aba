# What the fields of a request ask of a file: preconditions, dates, byte ranges, encodings.

import unittest

from microdot.conditions import byte_range, parse_date, precondition, takes_gzip

TAG = '"a-1"'
TIME = (2026, 11, 20, 18, 36, 25)
SAME = "Fri, 20 Nov 2026 18:36:25 GMT"
EARLIER = "Fri, 20 Nov 2026 18:36:24 GMT"
LATER = "Sat, 21 Nov 2026 00:00:00 GMT"
BROKEN = "Friday, 20-Nov-26 18:36:25 GMT"  # one of the obsolete forms

# (fields, status)
PRECONDITIONS = [
    ({}, 0),
    ({"if-none-match": '"a-1"'}, 304),
    ({"if-none-match": '  "a-1"  '}, 304),
    ({"if-none-match": 'W/"a-1"'}, 304),
    ({"if-none-match": '"x", "a-1"'}, 304),
    ({"if-none-match": '"x","y" ,W/"a-1", "z"'}, 304),
    ({"if-none-match": '"x,y", "a-1"'}, 304),
    ({"if-none-match": "*"}, 304),
    ({"if-none-match": '"x"'}, 0),
    ({"if-none-match": '"a-12"'}, 0),
    ({"if-none-match": '"xa-1"'}, 0),
    ({"if-none-match": "a-1"}, 0),
    ({"if-none-match": 'w/"a-1"'}, 0),  # RFC 9110 8.8.3: the W is case-sensitive
    ({"if-none-match": '"A-1"'}, 0),
    ({"if-none-match": '"x", *'}, 0),
    ({"if-none-match": ""}, 0),
    ({"if-modified-since": SAME}, 304),
    ({"if-modified-since": LATER}, 304),
    ({"if-modified-since": EARLIER}, 0),
    ({"if-modified-since": BROKEN}, 0),
    ({"if-modified-since": ""}, 0),
    ({"if-none-match": '"x"', "if-modified-since": SAME}, 0),  # 13.1.3: the tag decides
    ({"if-none-match": '"a-1"', "if-modified-since": EARLIER}, 304),
    ({"if-match": '"a-1"'}, 0),
    ({"if-match": '"x", "a-1"'}, 0),
    ({"if-match": "*"}, 0),
    ({"if-match": '"x"'}, 412),
    ({"if-match": 'W/"a-1"'}, 412),  # 13.1.1: compared as a strong one
    ({"if-match": ""}, 412),
    ({"if-match": '"a-1"', "if-none-match": '"a-1"'}, 304),
    ({"if-match": '"x"', "if-none-match": '"a-1"'}, 412),
    ({"if-unmodified-since": SAME}, 0),
    ({"if-unmodified-since": LATER}, 0),
    ({"if-unmodified-since": EARLIER}, 412),
    ({"if-unmodified-since": BROKEN}, 0),
    ({"if-match": '"a-1"', "if-unmodified-since": EARLIER}, 0),
    ({"if-unmodified-since": SAME, "if-modified-since": SAME}, 304),
]
# The same for a file whose tag and time can't be told.
UNKNOWN = [
    ({}, 0),
    ({"if-none-match": '"a-1"'}, 0),
    ({"if-none-match": "None"}, 0),
    ({"if-none-match": "*"}, 304),
    ({"if-match": "*"}, 0),
    ({"if-match": '"a-1"'}, 412),
    ({"if-modified-since": LATER}, 0),
    ({"if-unmodified-since": EARLIER}, 0),
]

DATES = [
    ("Sun, 06 Nov 1994 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
    ("Thu, 01 Jan 1970 00:00:00 GMT", (1970, 1, 1, 0, 0, 0)),
    ("Fri, 31 Dec 9999 23:59:60 GMT", (9999, 12, 31, 23, 59, 60)),
    ("Thu, 29 Feb 2024 12:00:00 GMT", (2024, 2, 29, 12, 0, 0)),
]
NO_DATES = [
    None,
    "",
    "0",
    "never",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun; 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 Now 1994 08:49:37 GMT",
    "Sun, 06 anF 1994 08:49:37 GMT",  # between two names of months
    "nTu, 06 Nov 1994 08:49:37 GMT",
    "Sux, 06 Nov 1994 08:49:37 GMT",
    "Sun, 32 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1_94 08:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, ٠٦ Nov 1994 08:49:37 GMT",
]

# (Range, size, result)
RANGES = [
    (None, 100, None),
    ("", 100, None),
    ("bytes=0-0", 100, (0, 1)),
    ("bytes=0-99", 100, (0, 100)),
    ("bytes=0-100", 100, (0, 100)),
    ("bytes=10-19", 100, (10, 20)),
    ("bytes=99-", 100, (99, 100)),
    ("bytes=0-", 100, (0, 100)),
    ("bytes=100-", 100, ()),
    ("bytes=100-200", 100, ()),
    ("bytes=999999999999999-", 100, ()),
    ("bytes=0-999999999999999", 100, (0, 100)),
    ("bytes=-1", 100, (99, 100)),
    ("bytes=-100", 100, (0, 100)),
    ("bytes=-101", 100, (0, 100)),
    ("bytes=-0", 100, ()),
    ("BYTES=0-0", 100, (0, 1)),
    ("bytes= 0-0 ", 100, (0, 1)),
    ("bytes=007-008", 100, (7, 9)),
    # Malformed, or not for us: the whole file.
    ("bytes=", 100, None),
    ("bytes=-", 100, None),
    ("bytes=5", 100, None),
    ("bytes=5-4", 100, None),
    ("bytes=200-100", 100, None),
    ("bytes=a-b", 100, None),
    ("bytes=1-b", 100, None),
    ("bytes=--1", 100, None),
    ("bytes=1--1", 100, None),
    ("bytes=+1-2", 100, None),
    ("bytes=1_0-2_0", 100, None),
    ("bytes=1 0-20", 100, None),
    ("bytes=1 - 2", 100, None),
    ("bytes=٣-٤", 100, None),
    ("bytes=0x1-0x2", 100, None),
    ("bytes=1.0-2", 100, None),
    ("bytes=9999999999999999-", 100, None),
    ("bytes=0-" + "9" * 2000, 100, None),
    ("bytes 0-0", 100, None),
    ("lines=0-0", 100, None),
    ("0-0", 100, None),
    ("bytes=0-0,2-2", 100, None),
    ("bytes=0-0, -1", 100, None),
    # An empty file has no range to give.
    ("bytes=0-", 0, None),
    ("bytes=-1", 0, None),
    ("bytes=0-0", 1, (0, 1)),
    ("bytes=1-", 1, ()),
]

# (Accept-Encoding, where there is a choice, where there is gzip only)
ENCODINGS = [
    (None, False, True),
    ("", False, False),
    ("gzip", True, True),
    ("GZIP", True, True),
    ("x-gzip", True, True),
    ("gzip, deflate, br, zstd", True, True),
    ("br,gzip", True, True),
    ("br", False, False),
    ("identity", False, False),
    ("gzipped", False, False),
    ("gzip;q=1", True, True),
    ("gzip;q=0.001", True, True),
    ("gzip ; q=0.5", True, True),
    ("gzip;Q=0.5", True, True),
    ("gzip;q=0", False, False),
    ("gzip;q=0.0", False, False),
    ("gzip;q=0.000, *", False, False),
    ("deflate, gzip;q=0", False, False),
    ("*", True, True),
    ("*;q=0", False, False),
    ("*;q=0.1", True, True),
    ("gzip, *;q=0", True, True),
    ("identity;q=1, gzip;q=0.5", False, True),
    ("identity;q=0.5, gzip;q=1", True, True),
    ("identity;q=0.5, gzip;q=0.50", True, True),
    ("identity, gzip", True, True),
    ("identity;q=0, gzip;q=0.1", True, True),
    ("identity, *;q=0.5", False, True),
    ("gzip;q=nonsense", False, False),
    ("gzip;q=", False, False),
    ("gzip;level=9", False, False),
    ("gzip;q=-1", False, False),
    (",,gzip,,", True, True),
    (";q=1", False, False),
]


def status_of(fields, etag, modified):
    return precondition(lambda name: fields.get(name.decode()), etag, modified)


class TestPreconditions(unittest.TestCase):
    def test_of_a_file_with_tag_and_time(self):
        for fields, expected in PRECONDITIONS:
            with self.subTest(fields=fields):
                self.assertEqual(status_of(fields, TAG, TIME), expected)

    def test_of_a_file_without(self):
        for fields, expected in UNKNOWN:
            with self.subTest(fields=fields):
                self.assertEqual(status_of(fields, None, None), expected)


class TestDates(unittest.TestCase):
    def test_imf_fixdate(self):
        for text, expected in DATES:
            with self.subTest(text=text):
                self.assertEqual(parse_date(text), expected)

    def test_anything_else(self):
        for text in NO_DATES:
            with self.subTest(text=text):
                self.assertIsNone(parse_date(text))

    def test_every_change_of_one_character_is_refused_or_another_date(self):
        text, moment = DATES[0]
        for i in range(5, len(text)):  # the name of the day is not checked against the date
            for c in " -0159:,AGM":
                if c != text[i]:
                    with self.subTest(i=i, c=c):
                        self.assertNotEqual(parse_date(text[:i] + c + text[i + 1 :]), moment)


class TestRanges(unittest.TestCase):
    def test_table(self):
        for value, size, expected in RANGES:
            with self.subTest(value=value, size=size):
                self.assertEqual(byte_range(value, size), expected)

    def test_every_range_of_a_small_file(self):
        size = 4
        data = b"abcd"
        for first in range(6):
            for last in range(6):
                with self.subTest(first=first, last=last):
                    part = byte_range("bytes={}-{}".format(first, last), size)
                    if last < first:
                        self.assertIsNone(part)
                    elif first >= size:
                        self.assertEqual(part, ())
                    else:
                        self.assertEqual(data[part[0] : part[1]], data[first : last + 1])


class TestEncodings(unittest.TestCase):
    def test_where_there_is_a_choice(self):
        for value, expected, _ in ENCODINGS:
            with self.subTest(value=value):
                self.assertEqual(bool(takes_gzip(value, False)), expected)

    def test_where_there_is_gzip_only(self):
        for value, _, expected in ENCODINGS:
            with self.subTest(value=value):
                self.assertEqual(bool(takes_gzip(value, True)), expected)
