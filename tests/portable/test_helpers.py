# The core's small functions: percent-encoding, exception order, handler calls, the in-memory stream.

import asyncio
import unittest

from microdot import AsyncBytesIO, Microdot, Response, abort, iscoroutine
from microdot.microdot import HTTPException, invoke_handler, mro, print_exception, urldecode, urlencode
from support import MICROPYTHON, collect, run

# (encoded, decoded)
DECODED = [
    ("", ""),
    ("plain", "plain"),
    ("a+b", "a b"),
    ("+", " "),
    ("%2B", "+"),
    ("%2f%%", "/%%"),
    ("%", "%"),
    ("100%", "100%"),
    ("%%%", "%%%"),
    ("%%41", "%A"),
    ("%41%42c", "ABc"),
    ("%a", "\n"),
    ("%C3%A9", "é"),
    ("%e2%82%ac", "€"),
    ("%F0%9F%98%80", "😀"),
    ("é", "é"),
    ("a%00b", "a\0b"),
    ("%25+%26", "% &"),
]
NOT_HEX = ["%zz", "a%g1", "%1g", "%é1", "% 1", "%+1", "%-1", "%_1", "%0x41", "%1_"]
NOT_UTF8 = ["%ff", "%c3", "%c3%28", "%80", "%e2%82", "%f8%88%80%80%80"]
# Python's own decoder refuses these; MicroPython's does not look that closely.
FORGED_UTF8 = ["%c0%af", "%e0%80%af", "%ed%a0%80", "%f4%90%80%80"]

# (text, encoded)
ENCODED = [
    ("", ""),
    ("?foo=bar&x", "%3Ffoo%3Dbar%26x"),
    ("/a/b", "/a/b"),
    ("a b", "a+b"),
    ("+", "%2B"),
    ("1 + 1", "1+%2B+1"),
    ("%", "%25"),
    ("100%#", "100%25%23"),
    ('"é"', '"é"'),
]


class TestPercentEncoding(unittest.TestCase):
    def test_decode(self):
        for encoded, decoded in DECODED:
            with self.subTest(encoded=encoded):
                self.assertEqual(urldecode(encoded), decoded)
                self.assertEqual(urldecode(encoded.encode()), decoded)

    def test_decode_gives_str(self):
        self.assertIsInstance(urldecode(b"x"), str)
        self.assertIsInstance(urldecode(b"%41"), str)

    def test_decode_refuses_what_is_not_hexadecimal(self):
        for encoded in NOT_HEX:
            with self.subTest(encoded=encoded), self.assertRaises(ValueError):
                urldecode(encoded)

    def test_decode_refuses_what_is_not_utf8(self):
        for encoded in NOT_UTF8:
            with self.subTest(encoded=encoded), self.assertRaises(UnicodeError):
                urldecode(encoded)

    def test_decode_refuses_forged_utf8(self):
        for encoded in FORGED_UTF8:
            with self.subTest(encoded=encoded), self.assertRaises(ValueError):
                urldecode(encoded)

    def test_encode(self):
        for text, encoded in ENCODED:
            with self.subTest(text=text):
                self.assertEqual(urlencode(text), encoded)

    def test_decode_undoes_encode(self):
        for text in ("", "a+b c", "%41", "?#&=%+ /", "é€😀", "100% + more"):
            with self.subTest(text=text):
                self.assertEqual(urldecode(urlencode(text)), text)

    def test_decode_long_text(self):
        self.assertEqual(urldecode("%41+" * 4096), "A " * 4096)


class TestExceptions(unittest.TestCase):
    def test_abort_raises_http_exception(self):
        for function in (abort, Microdot.abort):
            with self.assertRaises(HTTPException) as caught:
                function(418, "teapot")
            self.assertEqual((caught.exception.status_code, caught.exception.reason), (418, "teapot"))

    def test_reason_defaults_to_the_code(self):
        self.assertEqual(HTTPException(404).reason, "404 error")

    def test_mro_starts_at_the_class_and_reaches_exception(self):
        order = list(mro(ZeroDivisionError))
        self.assertEqual(order[:3], [ZeroDivisionError, ArithmeticError, Exception])

    def test_mro_is_most_derived_first(self):
        class Mixin:
            pass

        class Base(Exception):
            pass

        class Derived(Mixin, Base):
            pass

        order = [cls for cls in mro(Derived) if cls is not object]
        self.assertEqual(order[:4], [Derived, Mixin, Base, Exception])

    def test_print_exception_takes_a_caught_exception(self):
        try:
            raise ValueError("printed by a test")
        except ValueError as exc:
            print_exception(exc)


class TestInvokeHandler(unittest.TestCase):
    def invoke(self, handler, *args, **kwargs):
        return run(invoke_handler(handler, *args, **kwargs))

    def test_function_with_arguments(self):
        self.assertEqual(self.invoke(lambda a, b: (a, b), 1, b=2), (1, 2))

    def test_coroutine_function_is_awaited(self):
        async def handler(a, b):
            return a, b

        self.assertEqual(self.invoke(handler, 1, b=2), (1, 2))

    def test_exception_reaches_the_caller(self):
        def handler():
            raise KeyError("x")

        with self.assertRaises(KeyError):
            self.invoke(handler)

    def test_generator_of_a_function_is_not_consumed(self):
        def handler():
            yield "a"
            yield b"b"

        result = self.invoke(handler)
        self.assertEqual(run(collect(Response(result).body_iter())), ["a", b"b"])

    @unittest.skipIf(MICROPYTHON, "a generator without a value and a coroutine are the same here")
    def test_empty_generator_of_a_function_is_not_awaited(self):
        def handler():
            return
            yield

        self.assertIsNotNone(self.invoke(handler))

    @unittest.skipIf(MICROPYTHON, "no threads: functions run in the event loop")
    def test_function_runs_outside_the_loop_thread(self):
        import threading

        self.assertIsNot(self.invoke(threading.current_thread), threading.current_thread())

    def test_iscoroutine(self):
        async def coroutine():
            pass

        made = coroutine()
        self.assertTrue(iscoroutine(made))
        self.assertFalse(iscoroutine(coroutine))
        self.assertFalse(iscoroutine("text"))
        run(made)


class TestWaits(unittest.TestCase):
    def test_any_number_may_end_by_an_exception(self):
        # On MicroPython every wait_for ends so: a call for each would exhaust the stack.
        async def nothing():
            await asyncio.sleep(0)

        async def handler():
            for _ in range(3000):
                await asyncio.wait_for(nothing(), 1)
            return "done"

        self.assertEqual(run(invoke_handler(handler)), "done")


class TestAsyncBytesIO(unittest.TestCase):
    def test_reads(self):
        async def read():
            stream = AsyncBytesIO(b"one\ntwo\nthree\nfour")
            return [
                await stream.readline(),
                await stream.read(2),
                await stream.readexactly(2),
                await stream.readuntil(),
                await stream.read(),
                await stream.read(),
            ]

        self.assertEqual(run(read()), [b"one\n", b"tw", b"o\n", b"three\n", b"four", b""])

    def test_writes_and_closes(self):
        async def write():
            stream = AsyncBytesIO(b"")
            await stream.awrite(b"one")
            await stream.awrite(b"two")
            written = stream.stream.getvalue()
            await stream.aclose()
            return written

        self.assertEqual(run(write()), b"onetwo")


class TestWraps(unittest.TestCase):
    def test_decorated_function_is_called(self):
        from microdot.helpers import wraps

        def original(a):
            """Original."""

        @wraps(original)
        def wrapper(a):
            return a + 1

        self.assertEqual(wrapper(1), 2)
