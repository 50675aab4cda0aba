# How long a head may be: each limit at its value and one beyond, whole and while it is still arriving.

import unittest

from microdot import Request, http

PARSERS = (("parse_head", http.parse_head), ("parse_head_portable", http.parse_head_portable))
LINE, HEAD, FIELDS = Request.max_readline, Request.max_head, Request.max_fields
START = b"GET / HTTP/1.1\r\nHost: a\r\n"


def request_line(length):
    """Return a head whose request line has this length, line end included."""
    fixed = len(b"GET / HTTP/1.1\r\n")
    return b"GET /" + b"a" * (length - fixed) + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def header_line(length):
    """Return a head with one header line of this length, line end included."""
    return START + b"X: " + b"v" * (length - 5) + b"\r\nY: z\r\n\r\n"


def total(length):
    """Return a head of this length, blank line included, of lines within their limit."""
    line = b"X: " + b"v" * 995 + b"\r\n"
    head = START
    while len(head) + len(line) + 10 < length:
        head += line
    return head + b"Y: " + b"v" * (length - len(head) - 7) + b"\r\n\r\n"


def fields(count):
    """Return a head of this many fields, Host included."""
    return START + b"X: y\r\n" * (count - 1) + b"\r\n"


# (name, function of a size, limit, status beyond)
LIMITS = [
    ("request line", request_line, LINE, 414),
    ("header line", header_line, LINE, 431),
    ("total", total, HEAD, 431),
    ("number of fields", fields, FIELDS, 431),
]


class TestLimits(unittest.TestCase):
    def parse(self, parse, data):
        """Return the size of the head, or the status of its refusal as a negative number."""
        try:
            head = parse(data, 0, len(data))
            return None if head is None else head[0]
        except http.ClientError as exc:
            return -exc.status_code

    def each(self, case):
        for parser, parse in PARSERS:
            for name, make, limit, status in LIMITS:
                with self.subTest(name=name, parser=parser):
                    case(parse, make, limit, status)

    def test_defaults(self):
        self.assertEqual((LINE, HEAD, FIELDS), (2048, 8192, 64))

    def test_heads_have_the_size_they_are_meant_to_have(self):
        self.assertEqual(request_line(100).find(b"\r\n"), 98)
        self.assertEqual(header_line(100).split(b"\r\n")[2], b"X: " + b"v" * 95)
        self.assertEqual(len(total(HEAD)), HEAD)
        self.assertEqual(fields(5).count(b": "), 5)

    def test_at_the_limit(self):
        def case(parse, make, limit, status):
            data = make(limit)
            self.assertEqual(self.parse(parse, data), len(data))

        self.each(case)

    def test_one_beyond(self):
        def case(parse, make, limit, status):
            self.assertEqual(self.parse(parse, make(limit + 1)), -status)

        self.each(case)

    def test_far_beyond(self):
        def case(parse, make, limit, status):
            self.assertEqual(self.parse(parse, make(limit * 4)), -status)

        self.each(case)

    def test_sizes_around_the_limits(self):
        def case(parse, make, limit, status):
            for size in range(limit - 8, limit + 9):
                data = make(size)
                self.assertEqual(self.parse(parse, data), len(data) if size <= limit else -status)

        self.each(case)

    def test_line_that_never_ends_is_refused_as_soon_as_it_is_too_long(self):
        endless = b"GET /" + b"a" * LINE * 2
        for parser, parse in PARSERS:
            with self.subTest(parser=parser):
                self.assertIsNone(parse(endless, 0, LINE - 10))
                self.assertEqual(self.parse(parse, endless[: LINE + 1]), -414)

    def test_head_that_never_ends_is_refused_as_soon_as_it_is_too_long(self):
        endless = START + (b"X: " + b"v" * 95 + b"\r\n") * 100
        for parser, parse in PARSERS:
            with self.subTest(parser=parser):
                self.assertIsNone(parse(endless, 0, HEAD // 2))
                self.assertEqual(self.parse(parse, endless[: HEAD + 1]), -431)

    def test_arriving_head_within_limits_is_never_refused(self):
        for parser, parse in PARSERS:
            for name, make, limit, _ in LIMITS:
                data = make(limit)
                with self.subTest(name=name, parser=parser):
                    for end in range(len(data) - 40, len(data)):
                        self.assertIsNone(parse(data, 0, end))


# (attribute, value, head that is too long for it)
REASSIGNED = [
    ("max_readline", 100, request_line(101)),
    ("max_readline", 100, header_line(101)),
    ("max_head", 100, total(101)),
    ("max_fields", 3, fields(4)),
]


class TestReassignedLimits(unittest.TestCase):
    def test_application_sets_them_on_the_class(self):
        for parser, parse in PARSERS:
            for name, value, data in REASSIGNED:
                with self.subTest(name=name, parser=parser):
                    self.assertEqual(parse(data, 0, len(data))[0], len(data))
                    usual = getattr(Request, name)
                    setattr(Request, name, value)
                    try:
                        with self.assertRaises(http.ClientError):
                            parse(data, 0, len(data))
                    finally:
                        setattr(Request, name, usual)
