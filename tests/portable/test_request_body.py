# Request bodies: in memory or streamed, as form and as JSON; a client's mistakes are answered 400.

import unittest

from microdot import Microdot, Request
from microdot.microdot import MultiDict
from microdot.test_client import TestClient
from support import LineReader, make_request, run

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def posted(body, content_type=None):
    headers = [("Content-Type", content_type)] if content_type else []
    return make_request("POST", "/", headers, body)


class TestBody(unittest.TestCase):
    def test_body_in_memory(self):
        request = posted(b"some\r\n\0bytes")
        self.assertEqual((request.body, request.content_length), (b"some\r\n\0bytes", 12))

    def test_body_ends_at_content_length(self):
        data = b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabcdef"
        self.assertEqual(run(Request.create("app", LineReader(data), None, None)).body, b"abc")

    def test_stream_over_a_body_in_memory(self):
        async def read(stream):
            return [
                await stream.readline(),
                await stream.readexactly(2),
                await stream.read(1),
                await stream.read(),
            ]

        request = posted(b"one\ntwo three")
        self.assertEqual(run(read(request.stream)), [b"one\n", b"tw", b"o", b" three"])
        self.assertEqual(request.body, b"one\ntwo three")

    def test_stream_without_body_is_empty(self):
        self.assertEqual(run(make_request().stream.read()), b"")


class TestStreamedBody(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, Request, "max_body_length", Request.max_body_length)

    def test_default_limits(self):
        self.assertEqual((Request.max_content_length, Request.max_body_length), (16384, 16384))

    def test_body_at_the_limit_is_in_memory(self):
        Request.max_body_length = 5
        self.assertEqual(posted(b"12345").body, b"12345")

    def test_body_beyond_the_limit_is_streamed(self):
        Request.max_body_length = 5
        request = posted(b"123456")
        self.assertEqual((request.body, request.content_length), (b"", 6))
        self.assertEqual(run(request.stream.read()), b"123456")

    def test_limit_of_zero_streams_everything(self):
        Request.max_body_length = 0
        request = posted(b"one\ntwo")
        self.assertEqual(request.body, b"")

        async def read(stream):
            return [await stream.readline(), await stream.readexactly(2), await stream.read(10)]

        self.assertEqual(run(read(request.stream)), [b"one\n", b"tw", b"o"])

    def test_stream_ends_where_the_body_ends(self):
        Request.max_body_length = 0
        data = b"POST / HTTP/1.0\r\nContent-Length: 7\r\n\r\none\ntwoGET /next HTTP/1.0\r\n\r\n"
        for read in ("all", "sized", "lines"):
            with self.subTest(read=read):
                request = run(Request.create("app", LineReader(data), None, None))
                self.assertEqual(run(self.drain(request.stream, read)), b"one\ntwo")

    async def drain(self, stream, how):
        pieces = []
        while True:
            if how == "all":
                piece = await stream.read()
            else:
                piece = await (stream.read(2) if how == "sized" else stream.readline())
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)


class TestForm(unittest.TestCase):
    def test_form(self):
        request = posted(b"foo=bar&abc=def&x=%2f%%&foo=2", FORM)
        self.assertEqual(request.form, {"foo": ["bar", "2"], "abc": ["def"], "x": ["/%%"]})
        self.assertIsInstance(request.form, MultiDict)

    def test_pairs_without_value(self):
        request = posted(b"a&b=&=c&&", FORM)
        self.assertEqual(request.form, {"a": [""], "b": [""], "": ["c"]})
        self.assertIsInstance(request.form["a"], str)

    def test_content_type_with_parameter(self):
        self.assertEqual(posted(b"a=1", FORM + "; charset=utf-8").form, {"a": ["1"]})

    def test_utf8(self):
        self.assertEqual(posted("é=%E2%82%AC".encode(), FORM).form, {"é": ["€"]})

    def test_empty_form(self):
        self.assertEqual(posted(b"", FORM).form, {})

    def test_same_object_each_time(self):
        request = posted(b"a=1", FORM)
        self.assertIs(request.form, request.form)

    def test_other_types_have_no_form(self):
        for content_type in (None, "text/plain", JSON, "application/x-www-form-urlencoded-not"):
            with self.subTest(content_type=content_type):
                self.assertIsNone(posted(b"a=1", content_type).form)


class TestJson(unittest.TestCase):
    def test_values(self):
        table = [
            (b'{"foo": "bar"}', {"foo": "bar"}),
            (b'[1, "2", null, true, -1.5]', [1, "2", None, True, -1.5]),
            (b"[]", []),
            (b"{}", {}),
            (b"5", 5),
            (b'"x"', "x"),
            (b" \r\n[1]\n", [1]),
            (b'{"a": {"b": ["]", "}", "\\""]}}', {"a": {"b": ["]", "}", '"']}}),
            ('"é"'.encode(), "é"),
            (b'["\\\\", "\\\\\\"]", {"}": "\\u0041"}]', ["\\", '\\"]', {"}": "A"}]),
            (b' [ [ ] , { } , [ { "a" : [ 1 , 2 ] } ] ] ', [[], {}, [{"a": [1, 2]}]]),
        ]
        for body, expected in table:
            with self.subTest(body=body):
                self.assertEqual(posted(body, JSON).json, expected)

    def test_null_and_falsy_values(self):
        self.assertIsNone(posted(b"null", JSON).json)
        self.assertEqual(posted(b"0", JSON).json, 0)

    def test_content_type_with_parameter(self):
        self.assertEqual(posted(b"[1]", JSON + "; charset=utf-8").json, [1])
        self.assertEqual(posted(b"[1]", JSON + ";charset=utf-8").json, [1])

    def test_same_object_each_time(self):
        request = posted(b"[1]", JSON)
        self.assertIs(request.json, request.json)

    def test_characters_that_are_escaped_in_two_halves(self):
        for text, value in (
            (b'"\\ud83d\\ude00"', "\U0001f600"),
            (b'"a\\uD83D\\uDE00b\\u00e4\\udbff\\udfff"', "a\U0001f600b\xe4\U0010ffff"),
            (b'"\\\\ud83d\\\\ude00"', "\\ud83d\\ude00"),
            (b'"\\\\\\ud83d\\ude00"', "\\\U0001f600"),
            (b'"\\u00e4\\u20ac"', "\xe4\u20ac"),
            (b'{"\\ud83d\\ude00": 1}', {"\U0001f600": 1}),
        ):
            with self.subTest(text=text):
                self.assertEqual(posted(text, JSON).json, value)

    def test_other_types_have_no_json(self):
        for content_type in (None, "text/plain", FORM, "application/jsonx", "application/problem+json"):
            with self.subTest(content_type=content_type):
                self.assertIsNone(posted(b"[1]", content_type).json)


# Every parser sees the first; MicroPython's own takes the others for complete, or misses no separator.
MALFORMED_JSON = [
    b"",
    b" ",
    b"{",
    b"[",
    b"{a: 1}",
    b"]",
    b"nul",
    b"'x'",
    b"[1] x",
    b"{} {}",
    b"\xff",
    b'"\xff"',
]
UNFINISHED_JSON = [b"[1,2", b'{"a": 1', b'"x', b'[{"a": 1}', b"[[1]", b'{"a": [1, 2}', b"[1}", b'["x]']
UNSEPARATED_JSON = [
    b'{"a":}',
    b'{"a" 1}',
    b"[1 2]",
    b"[1,]",
    b"[,1]",
    b'{"a": 1,}',
    b"{1: 2}",
    b'{"a"}',
    b"[1:2]",
]


class TestClientMistakes(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()

        @self.app.post("/json")
        async def get_json(request):
            return {"json": request.json}

        @self.app.post("/form")
        def get_form(request):
            return {"form": len(request.form)}

        @self.app.get("/args")
        async def get_args(request):
            return {"args": len(request.args)}

    def status(self, method, path, content_type="", body=None):
        headers = {"Content-Type": content_type} if content_type else {}
        return run(TestClient(self.app).request(method, path, headers=headers, body=body)).status_code

    def test_good_requests_are_answered_200(self):
        self.assertEqual(self.status("POST", "/json", JSON, b"[1]"), 200)
        self.assertEqual(self.status("POST", "/form", FORM, b"a=%41"), 200)
        self.assertEqual(self.status("GET", "/args?a=%41"), 200)

    def refuses(self, bodies):
        for body in bodies:
            with self.subTest(body=body):
                self.assertEqual(self.status("POST", "/json", JSON, body), 400)

    def test_malformed_json_is_answered_400(self):
        self.refuses(MALFORMED_JSON)

    def test_unfinished_json_is_answered_400(self):
        self.refuses(UNFINISHED_JSON)

    def test_json_without_its_separators_is_answered_400(self):
        self.refuses(UNSEPARATED_JSON)

    def test_deeply_nested_json_is_answered_and_does_not_crash(self):
        self.assertIn(self.status("POST", "/json", JSON, b"[" * 10000), (400, 413, 500))

    def test_bad_escape_in_a_form_is_answered_400(self):
        for body in (b"a=%zz", b"%ff=1", b"a=%c3", b"a=\xff", b"\xc0\xaf=1"):
            with self.subTest(body=body):
                self.assertEqual(self.status("POST", "/form", FORM, body), 400)

    def test_bad_escape_in_arguments_is_answered_400(self):
        for query in ("a=%zz", "%ff=1", "a=%c3", "a=%c0%af", "a=%ed%a0%80"):
            with self.subTest(query=query):
                self.assertEqual(self.status("GET", "/args?" + query), 400)

    def test_application_can_handle_malformed_json(self):
        @self.app.post("/lenient")
        async def lenient(request):
            try:
                return {"json": request.json}
            except ValueError:
                return "not json", 422

        self.assertEqual(self.status("POST", "/lenient", JSON, b"{"), 422)

    def test_faults_of_the_handler_are_still_answered_500(self):
        @self.app.post("/broken")
        async def broken(request):
            return int("x")

        self.assertEqual(self.status("POST", "/broken", JSON, b"{"), 500)
