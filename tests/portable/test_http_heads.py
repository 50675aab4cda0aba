# The parser of request heads, from tables: each case whole, a byte at a time, and among other requests. Each
# goes through both parsers: `parse_head`, which may use native code, and `parse_head_portable`.

import unittest

from heads import ACCEPTED, REFUSED
from microdot import http

PARSERS = (("parse_head", http.parse_head), ("parse_head_portable", http.parse_head_portable))
NEXT = b"POST /next HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nabc"


def status_of(parse, buf, start, end):
    """Return the status with which the head is refused, None when it is not."""
    try:
        parse(buf, start, end)
        return None
    except http.ClientError as exc:
        return exc.status_code


def first_status(parse, buf, length):
    """Feed one byte after the other; return the status of the first refusal."""
    for end in range(length + 1):
        status = status_of(parse, buf, 0, end)
        if status is not None:
            return status
    return None


class TestAccepted(unittest.TestCase):
    def check(self, case):
        for parser, parse in PARSERS:
            for name, data, expected in ACCEPTED:
                with self.subTest(name=name, parser=parser):
                    case(parse, data, (len(data),) + expected)

    def test_whole(self):
        def case(parse, data, expected):
            self.assertEqual(tuple(parse(data, 0, len(data)))[:6], expected)

        self.check(case)

    def test_whole_in_a_bytearray(self):
        def case(parse, data, expected):
            self.assertEqual(tuple(parse(bytearray(data), 0, len(data)))[:6], expected)

        self.check(case)

    def test_a_byte_at_a_time(self):
        # What lies behind `end` is left from earlier requests and must not be looked at.
        def case(parse, data, expected):
            buf = bytearray(data + NEXT)
            for end in range(len(data)):
                self.assertIsNone(parse(buf, 0, end))
            self.assertEqual(tuple(parse(buf, 0, len(data)))[:6], expected)

        self.check(case)

    def test_followed_by_another_request(self):
        def case(parse, data, expected):
            buf = data + NEXT
            self.assertEqual(tuple(parse(buf, 0, len(buf)))[:6], expected)
            self.assertEqual(tuple(parse(buf, len(data), len(buf)))[1:3], ("POST", "/next"))

        self.check(case)

    def test_between_other_requests(self):
        def case(parse, data, expected):
            buf = bytearray(NEXT + data + NEXT)
            start = len(NEXT)
            self.assertEqual(tuple(parse(buf, start, start + len(data)))[:6], expected)

        self.check(case)

    def test_values_outlive_the_buffer(self):
        def case(parse, data, expected):
            buf = bytearray(data)
            values = tuple(parse(buf, 0, len(buf)))
            before = repr(values)
            buf[:] = b"x" * len(buf)
            self.assertEqual(repr(values), before)

        self.check(case)

    def test_types(self):
        def case(parse, data, expected):
            values = parse(data, 0, len(data))
            self.assertEqual([type(value) for value in values[:6]], [int, str, str, int, int, int])

        self.check(case)

    def test_nothing_yet(self):
        for parser, parse in PARSERS:
            with self.subTest(parser=parser):
                self.assertIsNone(parse(b"", 0, 0))
                self.assertIsNone(parse(NEXT, 5, 5))


class TestRefused(unittest.TestCase):
    def check(self, case):
        for parser, parse in PARSERS:
            for name, data, expected in REFUSED:
                with self.subTest(name=name, parser=parser):
                    self.assertEqual(case(parse, data), expected)

    def test_whole(self):
        self.check(lambda parse, data: status_of(parse, data, 0, len(data)))

    def test_whole_in_a_bytearray(self):
        self.check(lambda parse, data: status_of(parse, bytearray(data), 0, len(data)))

    def test_a_byte_at_a_time(self):
        self.check(lambda parse, data: first_status(parse, bytearray(data + NEXT), len(data)))

    def test_followed_by_another_request(self):
        self.check(lambda parse, data: status_of(parse, data + NEXT, 0, len(data + NEXT)))

    def test_between_other_requests(self):
        start = len(NEXT)
        self.check(lambda parse, data: status_of(parse, NEXT + data + NEXT, start, start + len(data)))


class TestClientError(unittest.TestCase):
    def test_is_a_value_error(self):
        self.assertTrue(issubclass(http.ClientError, ValueError))

    def reasons(self):
        for _, data, _ in REFUSED:
            try:
                http.parse_head(data, 0, len(data))
            except http.ClientError as exc:
                yield str(exc)

    def test_reason_is_a_lower_case_line(self):
        reasons = list(self.reasons())
        self.assertEqual(len(reasons), len(REFUSED))
        for reason in reasons:
            with self.subTest(reason=reason):
                self.assertTrue(reason)
                self.assertEqual(reason, reason.lower())
                self.assertNotIn("\n", reason)

    def test_reason_holds_nothing_of_the_client(self):
        marked = [
            b"zqx\x01 / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET zqx HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / zqx\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nzqx\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nA: zqx\x01\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: zqx\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: zqx\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nExpect: zqx\r\n\r\n",
        ]
        for data in marked:
            with self.subTest(data=data):
                with self.assertRaises(http.ClientError) as caught:
                    http.parse_head(data, 0, len(data))
                self.assertNotIn("zqx", str(caught.exception))
