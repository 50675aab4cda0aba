# The part of CPython's unittest that the portable tests use, for MicroPython, which has none.
#
# Same names, same results: a test file cannot tell the two apart; `test_unittest.py` holds this one to that.
# Tests and classes run in the order of their names. Nothing here prints: a TestResult is told what happened.


class SkipTest(Exception):
    """Raised by a test, a fixture or a module that cannot run here; the text is the reason."""


def skip(reason):
    """Decorate a test or a class that is never run."""

    def decorate(thing):
        if isinstance(thing, type):
            thing._skipped_because = reason
            return thing

        def skipped(*args):
            raise SkipTest(reason)

        return skipped

    return decorate


def skipIf(condition, reason):
    return skip(reason) if condition else _unchanged


def skipUnless(condition, reason):
    return _unchanged if condition else skip(reason)


def _unchanged(thing):
    return thing


def _is_skip(exc):
    return isinstance(exc, SkipTest)


class _AssertRaises:
    """Context manager of assertRaises; `exception` is what was caught."""

    def __init__(self, expected):
        self._expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, exc, trace):
        if exc is None:
            raise AssertionError("{} not raised".format(_names(self._expected)))
        self.exception = exc
        return isinstance(exc, self._expected)


def _names(classes):
    if isinstance(classes, tuple):
        return " or ".join([cls.__name__ for cls in classes])
    return classes.__name__


class _SubTest:
    """Context manager of subTest: a failure inside is reported with its parameters, and the test goes on."""

    def __init__(self, test, params):
        self.test = test
        self.params = params

    def id(self):
        params = ", ".join(["{}={!r}".format(name, self.params[name]) for name in sorted(self.params)])
        return "{} ({})".format(self.test.id(), params)

    def __enter__(self):
        return self

    def __exit__(self, kind, exc, trace):
        if exc is None:
            return False
        if _is_skip(exc):
            self.test._result.addSkip(self, str(exc))
            return True
        if not isinstance(exc, Exception):
            return False
        self.test._failed = True
        self.test._result.addSubTest(self.test, self, (type(exc), exc, None))
        return True


class TestCase:
    """One test: the method of this name, between its fixtures."""

    failureException = AssertionError
    _skipped_because = None

    def __init__(self, method="runTest"):
        self._method = method
        self._cleanups = []
        self._result = None
        self._failed = False

    def id(self):
        cls = type(self)
        return "{}.{}.{}".format(cls.__module__, cls.__name__, self._method)

    # fixtures, for tests to override
    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def addCleanup(self, function, *args, **kwargs):
        self._cleanups.append((function, args, kwargs))

    def doCleanups(self):
        while self._cleanups:
            function, args, kwargs = self._cleanups.pop()
            self._guard(function, *args, **kwargs)

    # running
    def run(self, result):
        self._result = result
        result.startTest(self)
        if self._skipped_because is not None:
            result.addSkip(self, self._skipped_because)
        else:
            self._run_with_fixtures()
        result.stopTest(self)

    def _run_with_fixtures(self):
        self._failed = False
        if self._guard(self.setUp):
            self._guard(getattr(self, self._method))
            self._guard(self.tearDown)
        self.doCleanups()
        if not self._failed:
            self._result.addSuccess(self)

    def _guard(self, function, *args, **kwargs):
        # An interrupt ends the run; all else is this test's result (CancelledError is no Exception).
        try:
            function(*args, **kwargs)
            return True
        except KeyboardInterrupt:
            raise
        except BaseException as exc:
            self._failed = True
            _record(self._result, self, exc)
            return False

    # outcome
    def skipTest(self, reason):
        raise SkipTest(reason)

    def fail(self, msg=None):
        raise AssertionError(msg or "failed")

    def subTest(self, msg=None, **params):
        if msg is not None:
            params["msg"] = msg
        return _SubTest(self, params)

    def _check(self, condition, text, *values, msg=None):
        if condition:
            return
        text = text.format(*[repr(value) for value in values])
        raise AssertionError("{} : {}".format(text, msg) if msg else text)

    # assertions
    def assertEqual(self, first, second, msg=None):
        self._check(first == second, "{} != {}", first, second, msg=msg)

    def assertNotEqual(self, first, second, msg=None):
        self._check(first != second, "{} == {}", first, second, msg=msg)

    def assertTrue(self, value, msg=None):
        self._check(value, "{} is not true", value, msg=msg)

    def assertFalse(self, value, msg=None):
        self._check(not value, "{} is not false", value, msg=msg)

    def assertIs(self, first, second, msg=None):
        self._check(first is second, "{} is not {}", first, second, msg=msg)

    def assertIsNot(self, first, second, msg=None):
        self._check(first is not second, "{} is {}, both the same object", first, second, msg=msg)

    def assertIsNone(self, value, msg=None):
        self._check(value is None, "{} is not None", value, msg=msg)

    def assertIsNotNone(self, value, msg=None):
        self._check(value is not None, "unexpectedly None", msg=msg)

    def assertIn(self, member, container, msg=None):
        self._check(member in container, "{} not found in {}", member, container, msg=msg)

    def assertNotIn(self, member, container, msg=None):
        self._check(member not in container, "{} unexpectedly found in {}", member, container, msg=msg)

    def assertIsInstance(self, value, classes, msg=None):
        self._check(isinstance(value, classes), "{} is not an instance of {}", value, classes, msg=msg)

    def assertGreater(self, first, second, msg=None):
        self._check(first > second, "{} not greater than {}", first, second, msg=msg)

    def assertGreaterEqual(self, first, second, msg=None):
        self._check(first >= second, "{} not greater than or equal to {}", first, second, msg=msg)

    def assertLess(self, first, second, msg=None):
        self._check(first < second, "{} not less than {}", first, second, msg=msg)

    def assertLessEqual(self, first, second, msg=None):
        self._check(first <= second, "{} not less than or equal to {}", first, second, msg=msg)

    def assertRaises(self, expected, function=None, *args, **kwargs):
        context = _AssertRaises(expected)
        if function is None:
            return context
        with context:
            function(*args, **kwargs)


def _record(result, test, exc):
    """Tell a result about what escaped from a test or a fixture."""
    if _is_skip(exc):
        result.addSkip(test, str(exc))
    elif isinstance(exc, AssertionError):
        result.addFailure(test, (type(exc), exc, None))
    else:
        result.addError(test, (type(exc), exc, None))


class TestResult:
    """Collect outcomes; subclass to print them."""

    def __init__(self):
        self.failures = []
        self.errors = []
        self.skipped = []
        self.testsRun = 0

    def startTest(self, test):
        self.testsRun += 1

    def stopTest(self, test):
        pass

    def addSuccess(self, test):
        pass

    def addFailure(self, test, err):
        self.failures.append((test, err[1]))

    def addError(self, test, err):
        self.errors.append((test, err[1]))

    def addSkip(self, test, reason):
        self.skipped.append((test, reason))

    def addSubTest(self, test, subtest, err):
        if err is None:
            return
        if isinstance(err[1], AssertionError):
            self.addFailure(subtest, err)
        else:
            self.addError(subtest, err)

    def wasSuccessful(self):
        return not self.failures and not self.errors


class _ClassFixture:
    """Stands for setUpClass or tearDownClass in a result."""

    def __init__(self, name, cls):
        self._id = "{} ({}.{})".format(name, cls.__module__, cls.__name__)

    def id(self):
        return self._id


class TestSuite:
    """Tests in order; those of one class run between its class fixtures."""

    def __init__(self, tests=()):
        self._tests = list(tests)

    def __iter__(self):
        return iter(self._tests)

    def countTestCases(self):
        return len(self._tests)

    def run(self, result):
        cls, ready = None, False
        for test in self._tests:
            if type(test) is not cls:
                self._leave(cls, ready, result)
                cls = type(test)
                ready = self._enter(cls, result)
            if ready:
                test.run(result)
        self._leave(cls, ready, result)
        return result

    def _enter(self, cls, result):
        return cls._skipped_because is not None or self._fixture("setUpClass", cls, result)

    def _leave(self, cls, ready, result):
        if ready and cls._skipped_because is None:
            self._fixture("tearDownClass", cls, result)

    def _fixture(self, name, cls, result):
        try:
            getattr(cls, name)()
            return True
        except KeyboardInterrupt:
            raise
        except BaseException as exc:
            _record(result, _ClassFixture(name, cls), exc)
            return False


class TestLoader:
    def getTestCaseNames(self, cls):
        return sorted([name for name in dir(cls) if name.startswith("test") and callable(getattr(cls, name))])

    def loadTestsFromTestCase(self, cls):
        return TestSuite([cls(name) for name in self.getTestCaseNames(cls)])

    def loadTestsFromModule(self, module):
        suite = []
        for name in sorted(dir(module)):
            thing = getattr(module, name)
            if isinstance(thing, type) and issubclass(thing, TestCase) and thing is not TestCase:
                suite.extend(self.loadTestsFromTestCase(thing))
        return TestSuite(suite)


defaultTestLoader = TestLoader()
