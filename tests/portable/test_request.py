# Request: what its attributes say about a head, and what `Request.create` reads and refuses.

import unittest

from microdot import Request
from microdot.body import MAX_CHUNK_LINE
from microdot.microdot import MultiDict, NoCaseDict
from support import LineReader, make_request, run


def create(data, **kwargs):
    return run(Request.create("app", LineReader(data), "writer", ("192.168.4.2", 5555), **kwargs))


class TestHead(unittest.TestCase):
    def test_get(self):
        request = create(b"GET /foo HTTP/1.0\r\nHost: foo.com:1234\r\nX-Other: value\r\n\r\n")
        self.assertEqual(request.app, "app")
        self.assertEqual(request.client_addr, ("192.168.4.2", 5555))
        self.assertEqual(request.method, "GET")
        self.assertEqual(request.scheme, "http")
        self.assertEqual(request.url, "/foo")
        self.assertEqual(request.path, "/foo")
        self.assertIsNone(request.query_string)
        self.assertEqual(request.http_version, "1.0")
        self.assertEqual(request.headers, {"Host": "foo.com:1234", "X-Other": "value"})
        self.assertIsInstance(request.headers, NoCaseDict)
        self.assertEqual(request.content_length, 0)
        self.assertIsNone(request.content_type)
        self.assertEqual(request.body, b"")

    def test_what_dispatch_sets_is_empty_before(self):
        request = make_request()
        self.assertEqual(request.url_prefix, "")
        self.assertIsNone(request.subapp)
        self.assertIsNone(request.route)
        self.assertIsNone(request.files)
        self.assertFalse(request.body_used)
        self.assertEqual(request.after_request_handlers, [])

    def test_method_keeps_its_case(self):
        self.assertEqual(make_request("Get").method, "Get")

    def test_version(self):
        self.assertEqual(create(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").http_version, "1.1")

    def test_scheme_can_be_given(self):
        self.assertEqual(create(b"GET / HTTP/1.0\r\n\r\n", scheme="https").scheme, "https")

    def test_lines_may_end_in_line_feed_alone(self):
        request = create(b"POST /foo HTTP/1.0\nHost: a\nContent-Length: 3\n\nabc")
        self.assertEqual((request.path, request.headers["host"], request.body), ("/foo", "a", b"abc"))

    def test_path_and_query(self):
        table = [
            ("/", "/", None),
            ("/?", "/", ""),
            ("/a/b?c=d", "/a/b", "c=d"),
            ("/a?b?c", "/a", "b?c"),
            ("/a%20b%2Fc", "/a%20b%2Fc", None),
            ("//a//", "//a//", None),
        ]
        for url, path, query in table:
            with self.subTest(url=url):
                request = make_request("GET", url)
                self.assertEqual((request.url, request.path, request.query_string), (url, path, query))

    def test_header_names_match_in_any_case(self):
        request = make_request(headers=[("X-Some-THING", "1")])
        self.assertEqual(request.headers["x-some-thing"], "1")
        self.assertIn("X-SOME-THING", request.headers)
        self.assertIn("X-Some-THING", list(request.headers))

    def test_last_of_repeated_headers_wins(self):
        request = make_request(headers=[("X-A", "1"), ("x-a", "2")])
        self.assertEqual(request.headers["X-A"], "2")

    def test_header_values_are_stripped(self):
        request = create(b"GET / HTTP/1.0\r\nA:  x y \t\r\nB:\r\nC:z:1\r\n\r\n")
        self.assertEqual(request.headers, {"A": "x y", "B": "", "C": "z:1"})

    def test_header_values_need_not_be_ascii(self):
        request = create(b"GET / HTTP/1.0\r\nA: \xc3\xa9\r\nB: \xff\r\n\r\n")
        self.assertEqual(request.headers["A"], "é")
        self.assertEqual(len(request.headers["B"]), 1)

    def test_content_length_and_type(self):
        request = make_request("POST", headers=[("Content-Type", "text/plain; charset=x")], body=b"abc")
        self.assertEqual((request.content_length, request.content_type), (3, "text/plain; charset=x"))

    def test_each_request_has_a_g_of_its_own(self):
        first, second = make_request(), make_request()
        first.g.user = "susan"
        self.assertIsInstance(first.g, Request.G)
        self.assertEqual(first.g.user, "susan")
        self.assertFalse(hasattr(first.g, "other"))
        self.assertFalse(hasattr(second.g, "user"))

    def test_unknown_attribute(self):
        with self.assertRaises(AttributeError):
            make_request().no_such_attribute  # noqa: B018

    def test_after_request_appends_and_returns_the_function(self):
        request = make_request()

        def handler(request, response):
            pass

        self.assertIs(request.after_request(handler), handler)
        self.assertEqual(request.after_request_handlers, [handler])


class TestConstructor(unittest.TestCase):
    def make(self, *args, **kwargs):
        return Request("app", ("a", 1), "PUT", "/x?y=1", "1.1", {"Content-Type": "a/b"}, *args, **kwargs)

    def test_positional_arguments(self):
        request = self.make()
        self.assertEqual((request.app, request.client_addr, request.method), ("app", ("a", 1), "PUT"))
        self.assertEqual((request.url, request.path, request.query_string), ("/x?y=1", "/x", "y=1"))
        self.assertEqual((request.http_version, request.content_type), ("1.1", "a/b"))
        self.assertEqual(request.args, {"y": ["1"]})
        self.assertEqual(request.body, b"")

    def test_keyword_arguments(self):
        request = self.make(body=b"b", sock=("r", "w"), url_prefix="/p", subapp="s", scheme="https", route=len)
        self.assertEqual((request.body, request.sock), (b"b", ("r", "w")))
        self.assertEqual((request.url_prefix, request.subapp, request.scheme), ("/p", "s", "https"))
        self.assertIs(request.route, len)

    def test_stream(self):
        stream = LineReader(b"data")
        self.assertIs(self.make(stream=stream).stream, stream)


class TestArguments(unittest.TestCase):
    def test_query(self):
        table = [
            ("", {}),
            ("a=1", {"a": ["1"]}),
            ("a=1&b=2", {"a": ["1"], "b": ["2"]}),
            ("a=1&a=2", {"a": ["1", "2"]}),
            ("a", {"a": [""]}),
            ("a=", {"a": [""]}),
            ("=a", {"": ["a"]}),
            ("a=b=c", {"a": ["b=c"]}),
            ("&&a=1&", {"a": ["1"]}),
            ("a+b=c+d", {"a b": ["c d"]}),
            ("%61=%41%26%3D", {"a": ["A&="]}),
            ("a=%C3%A9", {"a": ["é"]}),
            ("a=1;b=2", {"a": ["1;b=2"]}),
        ]
        for query, expected in table:
            with self.subTest(query=query):
                request = make_request("GET", "/?" + query)
                self.assertEqual(request.args, expected)
                self.assertIsInstance(request.args, MultiDict)

    def test_no_query_gives_an_empty_multidict(self):
        args = make_request().args
        self.assertEqual(args, {})
        self.assertEqual(args.getlist("a"), [])
        self.assertIsNone(args.get("a"))

    def test_same_object_each_time(self):
        for url in ("/", "/?a=1"):
            request = make_request("GET", url)
            self.assertIs(request.args, request.args)

    def test_bad_escape_is_a_value_error(self):
        for query in ("a=%zz", "a=%ff", "%c3=1", "a=%-1"):
            with self.subTest(query=query), self.assertRaises(ValueError):
                make_request("GET", "/?" + query).args  # noqa: B018


class TestCookies(unittest.TestCase):
    def test_cookie_header(self):
        table = [
            ("a=1", {"a": "1"}),
            ("a=1; b=2", {"a": "1", "b": "2"}),
            ("a=1;b=2", {"a": "1", "b": "2"}),
            ("  a=1 ;  b=2 ", {"a": "1", "b": "2"}),
            ("a=1;", {"a": "1", "": ""}),
            ("a", {"a": ""}),
            ("a=b=c", {"a": "b=c"}),
            ("a=%20+", {"a": "%20+"}),
            ('a="1"', {"a": '"1"'}),
        ]
        for header, expected in table:
            with self.subTest(header=header):
                self.assertEqual(make_request(headers=[("Cookie", header)]).cookies, expected)

    def test_several_lines_are_one_header(self):
        for data in (b"Cookie: a=1\r\nX: y\r\ncookie: b=2", b"X: y\r\nCOOKIE: a=1\r\nCookie: b=2"):
            with self.subTest(data=data):
                request = create(b"GET / HTTP/1.0\r\n" + data + b"\r\n\r\n")
                self.assertEqual(request.cookies, {"a": "1", "b": "2"})
                self.assertEqual(request.headers["Cookie"], "a=1; b=2")

    def test_no_cookies(self):
        self.assertEqual(make_request().cookies, {})

    def test_same_object_each_time(self):
        request = make_request(headers=[("cookie", "a=1")])
        self.assertIs(request.cookies, request.cookies)


MALFORMED = [
    ("two parts", b"GET /\r\n\r\n"),
    ("four parts", b"GET / x HTTP/1.0\r\n\r\n"),
    ("no colon", b"GET / HTTP/1.0\r\nnonsense\r\n\r\n"),
    ("length of letters", b"GET / HTTP/1.0\r\nContent-Length: x\r\n\r\n"),
    ("negative length", b"GET / HTTP/1.0\r\nContent-Length: -1\r\n\r\n"),
    ("signed length", b"GET / HTTP/1.0\r\nContent-Length: +1\r\n\r\nx"),
    ("space before the colon", b"GET / HTTP/1.0\r\nA : x\r\n\r\n"),
    ("folded line", b"GET / HTTP/1.0\r\nA: x\r\n y\r\n\r\n"),
    ("nul", b"GET / HTTP/1.0\r\nA: x\0\r\n\r\n"),
    ("two lengths", b"GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
]


class TestCreate(unittest.TestCase):
    def test_nothing_gives_none(self):
        self.assertIsNone(create(b""))

    def test_malformed_is_a_value_error(self):
        for name, data in MALFORMED:
            with self.subTest(name=name), self.assertRaises(ValueError):
                create(data)

    def test_line_limit(self):
        # (before, after, length of the rest of the line with its end)
        request_line = (b"GET /", b" HTTP/1.0\r\n\r\n", len(b"GET / HTTP/1.0\r\n"))
        header_line = (b"GET / HTTP/1.0\r\nA: ", b"\r\n\r\n", len(b"A: \r\n"))
        for before, after, fixed in (request_line, header_line):
            fitting = b"x" * (Request.max_readline - fixed)
            with self.subTest(before=before):
                self.assertIsNotNone(create(before + fitting + after))
                with self.assertRaises(ValueError):
                    create(before + fitting + b"x" + after)

    def test_chunk_line_limit(self):
        head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        for length, good in ((MAX_CHUNK_LINE, True), (MAX_CHUNK_LINE + 1, False)):
            line = b"1;" + b"x" * (length - 4) + b"\r\n"
            request = create(head + line + b"a\r\n0\r\n\r\n")
            if good:
                self.assertEqual(run(request.stream.read()), b"a")
            else:
                with self.assertRaises(ValueError):
                    run(request.stream.read())

    def test_limit_is_read_from_the_class_at_run_time(self):
        self.addCleanup(setattr, Request, "max_readline", Request.max_readline)
        Request.max_readline = 32
        self.assertIsNotNone(create(b"GET /1234567890123 HTTP/1.0\r\n\r\n"))
        with self.assertRaises(ValueError):
            create(b"GET /123456789012345678 HTTP/1.0\r\n\r\n")

    def test_safe_readline(self):
        self.assertEqual(run(Request._safe_readline(LineReader(b"one\ntwo"))), b"one\n")
        with self.assertRaises(ValueError):
            run(Request._safe_readline(LineReader(b"x" * (Request.max_readline + 1) + b"\n")))
