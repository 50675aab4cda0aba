# Response.set_cookie and delete_cookie: the exact text of the header, and what is refused.

import unittest

from microdot import Response
from support import MICROPYTHON

# (arguments, header text)
COOKIES = [
    ({}, "foo=bar"),
    ({"path": "/abc"}, "foo=bar; Path=/abc"),
    ({"domain": "example.com"}, "foo=bar; Domain=example.com"),
    (
        {"expires": "Wed, 02 Jan 2030 03:04:05 GMT"},
        "foo=bar; Expires=Wed, 02 Jan 2030 03:04:05 GMT",
    ),
    ({"max_age": 123}, "foo=bar; Max-Age=123"),
    ({"max_age": 0}, "foo=bar; Max-Age=0"),
    ({"secure": True}, "foo=bar; Secure"),
    ({"http_only": True}, "foo=bar; HttpOnly"),
    ({"partitioned": True}, "foo=bar; Partitioned"),
    ({"secure": False, "http_only": False, "partitioned": False}, "foo=bar"),
    (
        {
            "path": "/",
            "domain": "a.b",
            "expires": "now",
            "max_age": 5,
            "secure": True,
            "http_only": True,
            "partitioned": True,
        },
        "foo=bar; Path=/; Domain=a.b; Expires=now; Max-Age=5; Secure; HttpOnly; Partitioned",
    ),
]
EPOCH = "Expires=Thu, 01 Jan 1970 00:00:01 GMT"


class TestSetCookie(unittest.TestCase):
    def test_text(self):
        for arguments, text in COOKIES:
            with self.subTest(text=text):
                response = Response()
                response.set_cookie("foo", "bar", **arguments)
                self.assertEqual(response.headers, {"Set-Cookie": [text]})

    def test_positional_arguments(self):
        response = Response()
        response.set_cookie("foo", "bar", "/p", "d.e", "never", 7, True, True, True)
        text = "foo=bar; Path=/p; Domain=d.e; Expires=never; Max-Age=7; Secure; HttpOnly; Partitioned"
        self.assertEqual(response.headers["Set-Cookie"], [text])

    def test_cookies_add_up_in_order(self):
        response = Response()
        for n in range(3):
            response.set_cookie("c{}".format(n), str(n))
        self.assertEqual(response.headers["set-cookie"], ["c0=0", "c1=1", "c2=2"])

    def test_cookies_that_are_there_stay_and_those_of_a_constant_do_not_grow(self):
        for given in ("a=1", ["a=1"]):
            headers = {"Set-Cookie": given}
            for _ in range(2):
                response = Response("", headers=headers)
                response.set_cookie("b", "2")
                self.assertEqual(response.headers["Set-Cookie"], ["a=1", "b=2"])
            self.assertEqual(len(headers["Set-Cookie"]), len(given))

    @unittest.skipIf(MICROPYTHON, "no datetime on this interpreter")
    def test_datetime(self):
        from datetime import datetime, timezone

        for moment in (datetime(2030, 1, 2, 3, 4, 5), datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)):
            response = Response()
            response.set_cookie("foo", "bar", expires=moment)
            self.assertEqual(response.headers["Set-Cookie"], ["foo=bar; Expires=Wed, 02 Jan 2030 03:04:05 GMT"])

    def test_values_that_would_add_attributes_or_lines_are_refused(self):
        table = [
            ("foo", "bar; Secure", {}),
            ("foo", ";", {}),
            ("foo", "bar\r\nX: y", {}),
            ("foo", "bar\n", {}),
            ("foo\r", "bar", {}),
            ("foo\nX", "bar", {}),
            ("foo", "bar", {"path": "/\r\nX: y"}),
            ("foo", "bar", {"domain": "a\nb"}),
            ("foo", "bar", {"expires": "a\rb"}),
        ]
        for name, value, arguments in table:
            with self.subTest(name=name, value=value):
                response = Response()
                with self.assertRaises(ValueError):
                    response.set_cookie(name, value, **arguments)
                self.assertEqual(response.headers, {})

    def test_refused_cookie_leaves_earlier_ones(self):
        response = Response()
        response.set_cookie("a", "1")
        with self.assertRaises(ValueError):
            response.set_cookie("b", "2;")
        self.assertEqual(response.headers, {"Set-Cookie": ["a=1"]})


class TestDeleteCookie(unittest.TestCase):
    def test_text(self):
        table = [
            ({}, "foo=; " + EPOCH + "; Max-Age=0"),
            ({"http_only": True}, "foo=; " + EPOCH + "; Max-Age=0; HttpOnly"),
            ({"path": "/abc"}, "foo=; Path=/abc; " + EPOCH + "; Max-Age=0"),
            ({"max_age": 50, "expires": "never"}, "foo=; " + EPOCH + "; Max-Age=0"),
        ]
        for arguments, text in table:
            with self.subTest(text=text):
                response = Response()
                response.delete_cookie("foo", **arguments)
                self.assertEqual(response.headers, {"Set-Cookie": [text]})
