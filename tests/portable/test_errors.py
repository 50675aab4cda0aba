# Errors: abort, handlers for statuses and for exception classes, and handlers that fail themselves.

import unittest

from microdot import Microdot, Request, Response, abort
from microdot.test_client import TestClient
from support import run


class ErrorsCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()

    def raising(self, exc):
        @self.app.get("/")
        def handler(request):
            raise exc

    def result(self, method="GET", path="/", **kwargs):
        response = run(TestClient(self.app).request(method, path, **kwargs))
        return response.status_code, response.text


class TestAbort(ErrorsCase):
    def test_status_and_reason(self):
        for arguments, expected in (((406,), (406, "406 error")), ((406, "No!"), (406, "No!"))):
            for function in (abort, Microdot.abort, self.app.abort):
                app = self.app = Microdot()
                app.get("/")(lambda request, function=function, arguments=arguments: function(*arguments))
                self.assertEqual(self.result(), expected)

    def test_from_a_coroutine(self):
        @self.app.get("/")
        async def handler(request):
            abort(418, "teapot")

        self.assertEqual(self.result(), (418, "teapot"))

    def test_handler_for_the_status(self):
        self.app.get("/")(lambda request: abort(406, "reason"))

        @self.app.errorhandler(406)
        def handler(request):
            return "handled " + request.path, 407

        self.assertEqual(self.result(), (407, "handled /"))

    def test_handlers_for_exception_classes_are_not_asked(self):
        self.app.get("/")(lambda request: abort(406))
        self.app.errorhandler(Exception)(lambda request, exc: "exception")
        self.assertEqual(self.result(), (406, "406 error"))


class TestStatusHandlers(ErrorsCase):
    def test_decorator_returns_the_function(self):
        def handler(request):
            pass

        self.assertIs(self.app.errorhandler(404)(handler), handler)
        self.assertIs(self.app.error_handlers[404], handler)

    def test_plain_result_has_status_200(self):
        self.app.errorhandler(404)(lambda request: "custom")
        self.assertEqual(self.result(path="/none"), (200, "custom"))

    def test_results(self):
        table = [
            (("custom", 410), (410, "custom")),
            ({"a": 1}, (200, '{"a": 1}')),
            (("x", 411, {"X-A": "1"}), (411, "x")),
            (Response("custom", 412), (412, "custom")),
        ]
        for result, expected in table:
            self.app.errorhandler(404)(lambda request, result=result: result)
            with self.subTest(expected=expected):
                self.assertEqual(self.result(path="/none"), expected)

    def test_coroutine_function(self):
        @self.app.errorhandler(404)
        async def handler(request):
            return "async", 404

        self.assertEqual(self.result(path="/none"), (404, "async"))

    def test_last_registered_wins(self):
        self.app.errorhandler(404)(lambda request: "first")
        self.app.errorhandler(404)(lambda request: "second")
        self.assertEqual(self.result(path="/none"), (200, "second"))

    def test_method_not_allowed(self):
        self.app.get("/")(lambda request: "x")
        self.app.errorhandler(405)(lambda request: ("custom", 405))
        self.assertEqual(self.result("POST"), (405, "custom"))

    def test_unreadable_request_has_none(self):
        @self.app.errorhandler(400)
        def handler(request):
            return str(request), 400

        response = run(self.app.dispatch_request(None))
        self.assertEqual((response.status_code, response.body), (400, b"None"))

    def test_body_too_large(self):
        self.addCleanup(setattr, Request, "max_content_length", Request.max_content_length)
        Request.max_content_length = 1
        self.app.errorhandler(413)(lambda request: ("custom", 400))
        self.assertEqual(self.result("POST", body="xx"), (400, "custom"))

    def test_exception_without_handler_goes_to_the_handler_for_500(self):
        self.raising(ValueError("broken by a test"))
        self.app.errorhandler(500)(lambda request: ("custom", 501))
        self.assertEqual(self.result(), (501, "custom"))


class TestExceptionHandlers(ErrorsCase):
    def test_exception_without_handler(self):
        self.raising(ValueError("broken by a test"))
        self.assertEqual(self.result(), (500, "Internal server error"))

    def test_exact_class(self):
        self.raising(ZeroDivisionError("zero"))

        @self.app.errorhandler(ZeroDivisionError)
        async def handler(request, exc):
            return "{} {}".format(request.path, exc), 501

        self.assertEqual(self.result(), (501, "/ zero"))

    def test_base_class(self):
        for base in (ArithmeticError, Exception):
            app = self.app = Microdot()
            self.raising(ZeroDivisionError("zero"))
            app.errorhandler(base)(lambda request, exc: (type(exc).__name__, 501))
            with self.subTest(base=base.__name__):
                self.assertEqual(self.result(), (501, "ZeroDivisionError"))

    def test_most_derived_class_wins(self):
        self.raising(ZeroDivisionError("zero"))
        self.app.errorhandler(Exception)(lambda request, exc: "Exception")
        self.app.errorhandler(ArithmeticError)(lambda request, exc: "ArithmeticError")
        self.assertEqual(self.result(), (200, "ArithmeticError"))
        self.app.errorhandler(ZeroDivisionError)(lambda request, exc: "ZeroDivisionError")
        self.assertEqual(self.result(), (200, "ZeroDivisionError"))

    def test_class_of_the_application(self):
        class Base(Exception):
            pass

        class Mine(Base):
            pass

        self.raising(Mine())
        self.app.errorhandler(Base)(lambda request, exc: ("base", 503))
        self.assertEqual(self.result(), (503, "base"))

    def test_other_classes_are_not_asked(self):
        self.raising(ValueError("broken by a test"))
        self.app.errorhandler(KeyError)(lambda request, exc: "handled")
        self.app.errorhandler(UnicodeError)(lambda request, exc: "handled")
        self.assertEqual(self.result(), (500, "Internal server error"))

    def test_exceptions_of_hooks(self):
        self.app.get("/")(lambda request: "x")
        self.app.errorhandler(ValueError)(lambda request, exc: ("handled", 501))

        def broken(*args):
            raise ValueError("broken by a test")

        for hook in ("before_request", "after_request"):
            handlers = getattr(self.app, hook + "_handlers")
            handlers.append(broken)
            with self.subTest(hook=hook):
                self.assertEqual(self.result(), (501, "handled"))
            handlers.clear()


class TestFailingHandlers(ErrorsCase):
    def broken(self, *args):
        raise KeyError("error handler broken by a test")

    def test_handler_for_an_exception_raises(self):
        self.raising(ValueError("broken by a test"))
        self.app.errorhandler(ValueError)(self.broken)
        self.assertEqual(self.result(), (500, "Internal server error"))

    def test_handler_for_an_exception_returns_none(self):
        self.raising(ValueError("broken by a test"))
        self.app.errorhandler(ValueError)(lambda request, exc: None)
        self.assertEqual(self.result(), (500, "Internal server error"))

    def test_handler_for_500_raises(self):
        self.raising(ValueError("broken by a test"))
        self.app.errorhandler(500)(self.broken)
        self.assertEqual(self.result()[0], 500)

    def test_handler_for_a_status_raises(self):
        self.app.get("/")(lambda request: abort(406))
        for status in (404, 405, 406, 413):
            self.app.errorhandler(status)(self.broken)
        self.addCleanup(setattr, Request, "max_content_length", Request.max_content_length)
        Request.max_content_length = 1
        table = [("GET", "/none", ""), ("PUT", "/", ""), ("GET", "/", ""), ("POST", "/", "too long")]
        for method, path, body in table:
            with self.subTest(method=method, path=path):
                self.assertEqual(self.result(method, path, body=body or None)[0], 500)

    def test_handler_for_400_raises(self):
        self.app.errorhandler(400)(self.broken)
        self.assertEqual(run(self.app.dispatch_request(None)).status_code, 500)
