# Runs one test module on the interpreter that starts it and tells tests/run_portable.py what happened.
#
#     run_module.py MODULE [FILTER…]     FILTER: a part of module.Class.test
#
# Each event is a line of its own: a record separator, then JSON `[event, test, text]`. Everything else on the
# standard output was printed by tests or framework. A report that does not end with `end` was cut by a crash.

import io
import json
import sys
import unittest

_RECORD = "\x1e"

# The tests compare JSON text as `json` writes it, so a faster library on this machine must not be found.
sys.modules["orjson"] = None


def tell(event, test="", text=""):
    print("\n" + _RECORD + json.dumps([event, test, text]))


def describe(exc):
    if hasattr(sys, "print_exception"):
        text = io.StringIO()
        sys.print_exception(exc, text)
        return text.getvalue()
    import traceback

    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if not is_machinery(frame.filename)]
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(type(exc), exc))


def is_machinery(filename):
    return "/unittest/" in filename or "/asyncio/" in filename


class Reporter(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        tell("start", test.id())

    def addSuccess(self, test):
        tell("passed", test.id())

    def addFailure(self, test, err):
        tell("failed", test.id(), describe(err[1]))

    def addError(self, test, err):
        tell("failed", test.id(), describe(err[1]))

    def addSkip(self, test, reason):
        tell("skipped", test.id(), reason)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            tell("failed", test.id(), subtest.id() + "\n" + describe(err[1]))


def tests_of(suite):
    found = []
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            found.extend(tests_of(item))
        else:
            found.append(item)
    return found


def selected(test, filters):
    return not filters or any(text in test.id() for text in filters)


def run(name, filters):
    try:
        module = __import__(name)
    except unittest.SkipTest as exc:
        tell("skipped", name, str(exc))
        return
    tests = tests_of(unittest.defaultTestLoader.loadTestsFromModule(module))
    unittest.TestSuite([test for test in tests if selected(test, filters)]).run(Reporter())


def interpreter():
    name = "MicroPython" if sys.implementation.name == "micropython" else "CPython"
    return "{} {}.{}.{}".format(name, *sys.implementation.version[:3])


tell("interpreter", interpreter())
try:
    run(sys.argv[1], sys.argv[2:])
except Exception as exc:
    tell("failed", sys.argv[1], describe(exc))
tell("end")
