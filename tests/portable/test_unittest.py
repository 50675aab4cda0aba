# MicroPython's unittest is ours: it must give the results that CPython's gives, so these tests run on both.

import unittest

log = []


def results_of(cls):
    """Run a test case class; return sorted lists of who passed, who failed, and the reasons of skips."""
    outcome = Outcome()
    unittest.defaultTestLoader.loadTestsFromTestCase(cls).run(outcome)
    return sorted(outcome.passed), sorted(outcome.failed), sorted(outcome.skips)


def method_of(test):
    return test.id().split(" ")[0].split(".")[-1]


class Outcome(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = []
        self.failed = []
        self.skips = []

    def addSuccess(self, test):
        self.passed.append(method_of(test))

    def addFailure(self, test, err):
        self.failed.append("failure " + method_of(test))

    def addError(self, test, err):
        self.failed.append("error " + method_of(test))

    def addSkip(self, test, reason):
        self.skips.append(reason)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.failed.append("subtest " + method_of(test))


def make_outcomes():
    # Classes inside functions, so that the loader does not find tests that are meant to fail.
    class Outcomes(unittest.TestCase):
        def test_error(self):
            raise ValueError("broken")

        def test_fail(self):
            self.fail("no good")

        def test_pass(self):
            pass

        @unittest.skip("never")
        def test_skip(self):
            raise ValueError("ran")

        def test_skip_inside(self):
            self.skipTest("not now")

        @unittest.skipIf(True, "condition")
        def test_skip_if(self):
            raise ValueError("ran")

        @unittest.skipIf(False, "condition")
        def test_skip_if_not(self):
            pass

    return Outcomes


def make_fixtures(failing=""):
    class Fixtures(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            note("setUpClass")

        @classmethod
        def tearDownClass(cls):
            note("tearDownClass")

        def setUp(self):
            self.addCleanup(note, "cleanup 1")
            self.addCleanup(note, "cleanup 2")
            note("setUp")

        def tearDown(self):
            note("tearDown")

        def test_a(self):
            note("test_a")

        def test_b(self):
            note("test_b")

    def note(text):
        log.append(text)
        if text == failing:
            raise ValueError(text)

    return Fixtures


ONE_TEST = ["setUp", "test", "tearDown", "cleanup 2", "cleanup 1"]


class TestRunning(unittest.TestCase):
    def setUp(self):
        log.clear()

    def test_outcomes_are_told_apart(self):
        passed, failed, skips = results_of(make_outcomes())
        self.assertEqual(passed, ["test_pass", "test_skip_if_not"])
        self.assertEqual(failed, ["error test_error", "failure test_fail"])
        self.assertEqual(skips, ["condition", "never", "not now"])

    def test_fixtures_and_cleanups_run_in_order(self):
        results_of(make_fixtures())
        per_test = [[name.replace("test", "test_" + letter) for name in ONE_TEST] for letter in "ab"]
        self.assertEqual(log, ["setUpClass"] + per_test[0] + per_test[1] + ["tearDownClass"])

    def test_failing_setup_skips_test_and_teardown_but_not_cleanup(self):
        passed, failed, _ = results_of(make_fixtures("setUp"))
        self.assertEqual((passed, failed), ([], ["error test_a", "error test_b"]))
        self.assertEqual(log[:4], ["setUpClass", "setUp", "cleanup 2", "cleanup 1"])

    def test_failing_teardown_fails_the_test(self):
        self.assertEqual(results_of(make_fixtures("tearDown"))[1], ["error test_a", "error test_b"])

    def test_failing_cleanup_fails_the_test_and_others_still_run(self):
        self.assertEqual(results_of(make_fixtures("cleanup 2"))[0], [])
        self.assertIn("cleanup 1", log)

    def test_failing_class_fixture_runs_no_test(self):
        passed, failed, _ = results_of(make_fixtures("setUpClass"))
        self.assertEqual((passed, failed), ([], ["error setUpClass"]))
        self.assertEqual(log, ["setUpClass"])

    def test_skipped_class_runs_nothing(self):
        passed, failed, skips = results_of(unittest.skip("whole class")(make_fixtures()))
        self.assertEqual((passed, failed, skips), ([], [], ["whole class", "whole class"]))
        self.assertEqual(log, [])

    def test_subtests_go_on_after_a_failure(self):
        class Cases(unittest.TestCase):
            def test_many(self):
                for n in range(4):
                    with self.subTest(n=n):
                        log.append(n)
                        self.assertNotEqual(n % 2, 1)

            def test_none_fails(self):
                with self.subTest("fine"):
                    pass

        passed, failed, _ = results_of(Cases)
        self.assertEqual(log, [0, 1, 2, 3])
        self.assertEqual((passed, failed), (["test_none_fails"], ["subtest test_many"] * 2))


# (assertion, arguments that pass, arguments that fail)
ASSERTIONS = [
    ("assertEqual", (1, 1), (1, 2)),
    ("assertNotEqual", (1, 2), (1, 1)),
    ("assertTrue", ([0],), ([],)),
    ("assertFalse", ("",), ("x",)),
    ("assertIs", (log, log), ([], [])),
    ("assertIsNot", ([], []), (log, log)),
    ("assertIsNone", (None,), (0,)),
    ("assertIsNotNone", (0,), (None,)),
    ("assertIn", (1, [1]), (2, [1])),
    ("assertNotIn", (2, [1]), (1, [1])),
    ("assertIsInstance", (1, (str, int)), (1, str)),
    ("assertGreater", (2, 1), (1, 1)),
    ("assertGreaterEqual", (1, 1), (0, 1)),
    ("assertLess", (1, 2), (1, 1)),
    ("assertLessEqual", (1, 1), (2, 1)),
    ("assertRaises", (ValueError, int, "x"), (ValueError, int, "1")),
    ("assertRaises", ((TypeError, ValueError), int, "x"), (ValueError, int)),
]


class TestAssertions(unittest.TestCase):
    def test_each_assertion_passes_and_fails(self):
        for name, good, bad in ASSERTIONS:
            with self.subTest(name=name):
                getattr(self, name)(*good)
                try:
                    getattr(self, name)(*bad)
                except (AssertionError, TypeError):
                    continue
                raise ValueError(name + " does not fail")

    def test_raises_keeps_the_exception(self):
        with self.assertRaises(ValueError) as caught:
            raise ValueError("kept")
        self.assertEqual(caught.exception.args, ("kept",))

    def test_raises_lets_other_exceptions_through(self):
        with self.assertRaises(KeyError), self.assertRaises(ValueError):
            raise KeyError("other")

    def test_message_holds_values_and_words(self):
        with self.assertRaises(AssertionError) as caught:
            self.assertEqual("left", "right", "these words")
        text = str(caught.exception)
        for part in ("'left'", "'right'", "these words"):
            self.assertIn(part, text)
