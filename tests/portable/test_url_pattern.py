# URLPattern: every converter, patterns that are refused, types that applications add, paths of any length.

import unittest

from microdot import URLPattern

# pattern: [(path, arguments or None)]
PATTERNS = {
    "/": [("/", {}), ("//", None), ("/x", None)],
    "": [("/", {}), ("/x", None)],
    "/foo": [
        ("/foo", {}),
        ("/foo/", None),
        ("/fo", None),
        ("/fooo", None),
        ("/foo/bar", None),
        ("//foo", None),
    ],
    "foo": [("/foo", {}), ("/foo/", None)],
    "/foo/": [("/foo/", {}), ("/foo", None), ("/foo//", None)],
    "/foo//bar": [("/foo//bar", {}), ("/foo/bar", None)],
    "/foo/bar": [("/foo/bar", {}), ("/foo", None), ("/foo/bar/baz", None), ("/FOO/BAR", None)],
    "/a.b": [("/a.b", {}), ("/axb", None)],
    "/a+b(c)*": [("/a+b(c)*", {}), ("/aab(c)*", None)],
    "/<name>": [("/x", {"name": "x"}), ("/", None), ("/x/", None), ("/x/y", None), ("/é", {"name": "é"})],
    "/<string:name>": [("/x y", {"name": "x y"}), ("/", None)],
    "/users/<name>": [("/users/susan", {"name": "susan"}), ("/users/", None), ("/users", None)],
    "/users/<name>/": [("/users/susan/", {"name": "susan"}), ("/users/susan", None)],
    "/<a>/<b>": [
        ("/1/2", {"a": "1", "b": "2"}),
        ("/1", None),
        ("/1/", None),
        ("//2", None),
        ("/1/2/3", None),
    ],
    "/users/<a>/x/<b>": [("/users/1/x/2", {"a": "1", "b": "2"}), ("/users/1/y/2", None)],
    "/users/<int:id>": [
        ("/users/123", {"id": 123}),
        ("/users/0", {"id": 0}),
        ("/users/007", {"id": 7}),
        ("/users/-5", {"id": -5}),
        ("/users/", None),
        ("/users/-", None),
        ("/users/--5", None),
        ("/users/+5", None),
        ("/users/1_0", None),
        ("/users/ 1", None),
        ("/users/1.0", None),
        ("/users/abc", None),
        ("/users/1a", None),
        ("/users/-1-1", None),
        ("/users/٣", None),
        ("/users/²", None),
    ],
    "/users/<int:id>/<int:id2>": [("/users/1/2", {"id": 1, "id2": 2}), ("/users/1/x", None)],
    "/files/<path:name>": [
        ("/files/a", {"name": "a"}),
        ("/files/a/b/c.txt", {"name": "a/b/c.txt"}),
        ("/files/a/", {"name": "a/"}),
        ("/files//a", {"name": "/a"}),
        ("/files/", None),
        ("/files", None),
    ],
    "/<path:p>": [("/", None), ("/a", {"p": "a"}), ("/a/b", {"p": "a/b"}), ("//", {"p": "/"})],
    "/users/<path:p>/foo": [
        ("/users/a/foo", {"p": "a"}),
        ("/users/a/b/foo", {"p": "a/b"}),
        ("/users/foo/foo", {"p": "foo"}),
        ("/users/a/foo/b/foo", {"p": "a/foo/b"}),
        ("/users/foo", None),
        ("/users/a/bar", None),
        ("/users/a/foo/", None),
    ],
    "/<path:a>/<b>": [("/1/2", {"a": "1", "b": "2"}), ("/1/2/3", {"a": "1/2", "b": "3"}), ("/1", None)],
    "/<path:a>/x/<int:b>": [
        ("/1/x/2", {"a": "1", "b": 2}),
        ("/x/x/x/3", {"a": "x/x", "b": 3}),
        ("/1/x/y", None),
    ],
    "/<path:a>/-/<path:b>": [("/1/-/2/3", {"a": "1", "b": "2/3"}), ("/1/-/2/-/3", {"a": "1/-/2", "b": "3"})],
    "/<re:[a-c]+:id>": [("/abc", {"id": "abc"}), ("/abcd", None), ("/", None), ("/dabc", None)],
    "/<re:[a-z]+[0-9]:id>/x": [("/ab1/x", {"id": "ab1"}), ("/ab/x", None)],
    "/<re:a:b|c:id>": [("/a:b", {"id": "a:b"}), ("/c", {"id": "c"}), ("/a", None), ("/cc", None)],
    "/<path:p>/<re:[0-9]+:n>": [("/a/b/12", {"p": "a/b", "n": "12"}), ("/a/b", None)],
    "/x-<id>": [("/x-<id>", {}), ("/x-1", None)],
}

BROKEN = ["/<a", "/users/<int:id", "/<a>b", "/<unknown:a>", "/x/<INT:a>", "/<string:a>-<string:b", "/<a>/<b"]
LENGTHS = (2000, 20000)


class TestMatching(unittest.TestCase):
    def test_patterns(self):
        for pattern in sorted(PATTERNS):
            compiled = URLPattern(pattern)
            for path, expected in PATTERNS[pattern]:
                with self.subTest(pattern=pattern, path=path):
                    self.assertEqual(compiled.match(path), expected)

    def test_pattern_text_is_kept(self):
        for text in ("/", "/users/<int:id>"):
            self.assertEqual(URLPattern(text).url_pattern, text)

    def test_attributes(self):
        pattern = URLPattern("/users/<int:id>")
        self.assertIsNone(pattern.regex)
        pattern.compile()
        self.assertEqual(len(pattern.segments), 2)
        self.assertIsInstance(URLPattern.segment_patterns, dict)
        self.assertIsInstance(URLPattern.segment_parsers, dict)

    def test_types_of_arguments(self):
        arguments = URLPattern("/<int:a>/<b>/<path:c>").match("/1/2/3")
        self.assertIsInstance(arguments["a"], int)
        self.assertIsInstance(arguments["b"], str)
        self.assertIsInstance(arguments["c"], str)

    def test_each_match_gives_arguments_of_its_own(self):
        for text, path in (("/<a>", "/1"), ("/x", "/x")):
            pattern = URLPattern(text)
            first = pattern.match(path)
            first["other"] = 1
            self.assertNotIn("other", pattern.match(path))


class TestCompile(unittest.TestCase):
    def test_broken_patterns_are_refused_at_compile(self):
        for text in BROKEN:
            with self.subTest(pattern=text):
                pattern = URLPattern(text)
                with self.assertRaises(ValueError):
                    pattern.compile()

    def test_broken_pattern_is_refused_at_first_match(self):
        with self.assertRaises(ValueError):
            URLPattern("/<unknown:a>").match("/x")

    def test_compile_then_match(self):
        pattern = URLPattern("/users/<int:id>")
        pattern.compile()
        self.assertEqual(pattern.match("/users/3"), {"id": 3})


class TestRegisteredTypes(unittest.TestCase):
    def test_default_is_a_segment_as_it_is(self):
        URLPattern.register_type("anything")
        self.assertEqual(URLPattern("/<anything:a>/x").match("/b-c/x"), {"a": "b-c"})

    def test_pattern(self):
        URLPattern.register_type("bit", "[01]")
        self.assertEqual(URLPattern("/<bit:a>/<bit:b>").match("/0/1"), {"a": "0", "b": "1"})
        self.assertIsNone(URLPattern("/<bit:a>").match("/2"))
        self.assertIsNone(URLPattern("/<bit:a>").match("/01"))

    def test_parser(self):
        URLPattern.register_type("hex", "[0-9a-f]+", parser=lambda text: int(text, 16))
        self.assertEqual(URLPattern("/<hex:a>").match("/ff"), {"a": 255})
        self.assertIsNone(URLPattern("/<hex:a>").match("/fg"))

    def test_parser_without_pattern_gets_the_segment(self):
        URLPattern.register_type("upper", parser=lambda text: text.upper())
        self.assertEqual(URLPattern("/<upper:a>/<upper:b>").match("/x/y"), {"a": "X", "b": "Y"})

    def test_parser_that_returns_none_does_not_match(self):
        URLPattern.register_type("even", "[0-9]+", lambda text: None if int(text) % 2 else int(text))
        self.assertEqual(URLPattern("/<even:n>").match("/4"), {"n": 4})
        self.assertEqual(URLPattern("/<even:n>").match("/0"), {"n": 0})
        self.assertIsNone(URLPattern("/<even:n>").match("/5"))

    def test_exception_of_a_parser_escapes(self):
        def parser(text):
            raise KeyError(text)

        URLPattern.register_type("bad", parser=parser)
        with self.assertRaises(KeyError):
            URLPattern("/<bad:a>").match("/x")

    def test_registering_again_affects_patterns_compiled_later(self):
        URLPattern.register_type("kind", "[a-z]+")
        before = URLPattern("/<kind:a>")
        before.compile()
        URLPattern.register_type("kind", "[0-9]+", parser=int)
        self.assertEqual(URLPattern("/<kind:a>").match("/12"), {"a": 12})
        self.assertIsNone(URLPattern("/<kind:a>").match("/x"))
        self.assertIsNone(before.match("/12"))

    def test_parser_is_looked_up_at_match_time(self):
        URLPattern.register_type("kind", "[0-9]+")
        pattern = URLPattern("/<kind:a>")
        self.assertEqual(pattern.match("/12"), {"a": "12"})
        URLPattern.register_type("kind", "[0-9]+", parser=int)
        self.assertEqual(pattern.match("/12"), {"a": 12})

    def test_builtin_type_can_be_replaced(self):
        self.addCleanup(URLPattern.register_type, "int", "-?[0-9]+", int)
        URLPattern.register_type("int", "[0-9]+", parser=lambda text: -int(text))
        self.assertEqual(URLPattern("/<int:a>").match("/5"), {"a": -5})

    def test_unregistered_type_can_be_registered_before_the_first_match(self):
        pattern = URLPattern("/<late:a>")
        URLPattern.register_type("late", "[a-z]")
        self.assertEqual(pattern.match("/x"), {"a": "x"})


class TestLongPaths(unittest.TestCase):
    def test_long_arguments_match(self):
        for length in LENGTHS:
            text = "a" * length
            with self.subTest(length=length):
                self.assertEqual(URLPattern("/u/<name>").match("/u/" + text), {"name": text})
                self.assertEqual(URLPattern("/u/<path:name>").match("/u/" + text), {"name": text})
                self.assertEqual(URLPattern("/u/<path:name>/x").match("/u/" + text + "/x"), {"name": text})
                self.assertIsNone(URLPattern("/u/<name>").match("/u/" + text + "/"))
                self.assertIsNone(URLPattern("/u/<int:name>").match("/u/" + text))

    def test_long_path_of_many_segments(self):
        for length in LENGTHS:
            text = "a/" * (length // 2)
            with self.subTest(length=length):
                self.assertEqual(URLPattern("/<path:p>").match("/" + text), {"p": text})
                self.assertEqual(URLPattern("/<path:p>/b").match("/" + text + "b"), {"p": text[:-1]})
                self.assertIsNone(URLPattern("/<path:p>/b").match("/" + text + "c"))
                self.assertIsNone(URLPattern("/<a>/<b>").match("/" + text))

    def test_long_static_path(self):
        for length in LENGTHS:
            text = "/" + "a" * length
            with self.subTest(length=length):
                self.assertEqual(URLPattern(text).match(text), {})
                self.assertIsNone(URLPattern("/a").match(text))

    def test_long_number_matches_or_not_but_does_not_raise(self):
        # CPython refuses to convert more than 4,300 digits.
        arguments = URLPattern("/u/<int:n>").match("/u/" + "1" * 20000)
        self.assertTrue(arguments is None or arguments["n"] > 0)

    def test_long_segment_for_a_regular_expression_does_not_crash(self):
        for pattern in ("/<re:[a-z]+:a>", "/<re:(a|b)*:a>", "/<re:.*x:a>"):
            for length in LENGTHS:
                with self.subTest(pattern=pattern, length=length):
                    path = "/" + "a" * length
                    self.assertIn(URLPattern(pattern).match(path), (None, {"a": path[1:]}))
