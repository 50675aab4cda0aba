# mypy: ignore-errors
# Runs the tests of one module of an application, wherever it is run, and tells what happened: each event is a line of its
# own, a record separator and then JSON `[event, test, text]`; all else on the standard output the tests have printed.
# What does not end with `end` was cut by a crash.
import gc
import io
import json
import sys


def _tell(event, test="", text=""):
    print("\n\x1e" + json.dumps([event, test, text]))


def _described(exc):
    # Without the frames of unittest itself, which are of no use to anybody.
    text = io.StringIO()
    if hasattr(sys, "print_exception"):
        sys.print_exception(exc, text)
        lines = text.getvalue().split("\n")
        return "\n".join([line for line in lines if '  File "' not in line or "unittest." not in line])
    import traceback

    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if "/unittest/" not in frame.filename]
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(type(exc), exc))


def _reporter(unittest):
    class Reporter(unittest.TestResult):
        def startTest(self, test):
            super().startTest(test)
            gc.collect()
            _tell("start", test.id())

        def addSuccess(self, test):
            _tell("passed", test.id())

        def addFailure(self, test, err):
            _tell("failed", test.id(), _described(err[1]))

        def addError(self, test, err):
            _tell("failed", test.id(), _described(err[1]))

        def addSkip(self, test, reason):
            _tell("skipped", test.id(), reason)

        def addSubTest(self, test, subtest, err):
            if err is not None:
                _tell("failed", test.id(), subtest.id() + "\n" + _described(err[1]))

    return Reporter()


def _flat(suite, unittest):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _flat(item, unittest)
        else:
            yield item


def _run(name, filters):
    import unittest

    try:
        module = __import__(name)
    except unittest.SkipTest as exc:
        return _tell("skipped", name, str(exc))
    tests = _flat(unittest.defaultTestLoader.loadTestsFromModule(module), unittest)
    wanted = [test for test in tests if not filters or any(text in test.id() for text in filters)]
    unittest.TestSuite(wanted).run(_reporter(unittest))


def main(name, filters, path):
    """Run the tests of a module whose names have one of the filters in them; imports are looked for in `path` first."""
    sys.path[:0] = path
    try:
        _run(name, filters)
    except Exception as exc:
        _tell("failed", name, _described(exc))
    _tell("end")
