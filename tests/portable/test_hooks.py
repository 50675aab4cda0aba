# before_request, after_request and after_error_request: their order, and what their results do.

import unittest

from microdot import Microdot, Response, abort
from microdot.test_client import TestClient
from support import run


class HooksCase(unittest.TestCase):
    def setUp(self):
        self.app = Microdot()
        self.log = []

        @self.app.get("/")
        async def index(request):
            self.log.append("handler")
            return "foo"

        @self.app.get("/abort")
        def aborted(request):
            abort(406, "Not acceptable")

        @self.app.get("/raise")
        def broken(request):
            raise ValueError("broken by a test")

    def noting(self, text, result=None):
        def function(*args):
            self.log.append(text)
            return result

        return function

    def noting_async(self, text, result=None):
        async def function(*args):
            self.log.append(text)
            return result

        return function

    def get(self, path="/", method="GET"):
        self.log.clear()
        return run(TestClient(self.app).request(method, path))


class TestBefore(HooksCase):
    def test_decorators_return_the_function(self):
        for name in ("before_request", "after_request", "after_error_request"):
            function = self.noting(name)
            self.assertIs(getattr(self.app, name)(function), function)
            self.assertEqual(getattr(self.app, name + "_handlers"), [function])

    def test_run_in_order_before_the_handler(self):
        self.app.before_request(self.noting("one"))
        self.app.before_request(self.noting_async("two"))
        self.assertEqual(self.get().text, "foo")
        self.assertEqual(self.log, ["one", "two", "handler"])

    def test_get_the_request(self):
        @self.app.before_request
        def before(request):
            request.g.path = request.path

        self.app.get("/g/<x>")(lambda request, x: request.g.path)
        self.assertEqual(self.get("/g/a").text, "/g/a")

    def test_know_the_route(self):
        @self.app.before_request
        async def before(request):
            return "known" if request.route is self.app.url_map[0][2] else "unknown"

        self.assertEqual(self.get().text, "known")

    def test_truthy_result_replaces_the_handler(self):
        for result, status, body in (
            ("stop", 200, b"stop"),
            (("stop", 403), 403, b"stop"),
            ({"a": 1}, 200, b'{"a": 1}'),
            (402, 402, b""),
            (Response("stop", 404), 404, b"stop"),
        ):
            for make in (self.noting, self.noting_async):
                self.app.before_request_handlers.clear()
                self.app.before_request(self.noting("one"))
                self.app.before_request(make("two", result))
                self.app.before_request(self.noting("three"))
                response = self.get()
                self.assertEqual((response.status_code, response.body), (status, body))
                self.assertEqual(self.log, ["one", "two"])

    def test_falsy_result_of_the_last_hook_replaces_the_handler(self):
        for result, status, body in (("", 200, b""), (b"", 200, b""), ([], 200, b"[]"), ({}, 200, b"{}")):
            with self.subTest(result=result):
                self.app.before_request_handlers.clear()
                self.app.before_request(self.noting("one"))
                self.app.before_request(self.noting("two", result))
                response = self.get()
                self.assertEqual((response.status_code, response.body), (status, body))
                self.assertEqual(self.log, ["one", "two"])

    def test_falsy_result_lets_later_hooks_decide(self):
        self.app.before_request(self.noting("one", ""))
        self.app.before_request(self.noting("two"))
        self.assertEqual(self.get().text, "foo")
        self.assertEqual(self.log, ["one", "two", "handler"])

    def test_do_not_run_without_a_route(self):
        self.app.before_request(self.noting("before", "stop"))
        for method, path, status in (("GET", "/none", 404), ("PUT", "/", 405), ("OPTIONS", "/", 200)):
            with self.subTest(status=status):
                self.assertEqual(self.get(path, method).status_code, status)
                self.assertEqual(self.log, [])

    def test_may_abort(self):
        self.app.before_request(lambda request: abort(401))
        response = self.get()
        self.assertEqual((response.status_code, response.text, self.log), (401, "401 error", []))


class TestAfter(HooksCase):
    def test_run_in_order_after_the_handler(self):
        self.app.after_request(self.noting("one"))
        self.app.after_request(self.noting_async("two"))
        self.assertEqual(self.get().text, "foo")
        self.assertEqual(self.log, ["handler", "one", "two"])

    def test_run_after_a_hook_that_replaced_the_handler(self):
        self.app.before_request(self.noting("before", "stop"))
        self.app.after_request(self.noting("after"))
        self.assertEqual(self.get().text, "stop")
        self.assertEqual(self.log, ["before", "after"])

    def test_may_change_the_response(self):
        @self.app.after_request
        def after(request, response):
            response.headers["X-Path"] = request.path
            response.body += b"bar"

        response = self.get()
        self.assertEqual((response.text, response.headers["X-Path"]), ("foobar", "/"))
        self.assertEqual(response.headers["Content-Length"], "6")

    def test_may_replace_the_response(self):
        @self.app.after_request
        async def replace(request, response):
            return Response(response.body + b"!", 201)

        @self.app.after_request
        def see(request, response):
            self.log.append(response.status_code)

        response = self.get()
        self.assertEqual((response.status_code, response.text), (201, "foo!"))
        self.assertEqual(self.log, ["handler", 201])

    def test_may_return_what_a_handler_may(self):
        self.app.after_request(lambda request, response: ("replaced", 202))
        self.app.after_error_request(lambda request, response: {"sorry": response.status_code})
        response = self.get()
        self.assertEqual((response.status_code, response.text), (202, "replaced"))
        response = self.get("/none")
        self.assertEqual((response.status_code, response.json), (200, {"sorry": 404}))

    def test_a_response_whose_hook_fails_is_closed(self):
        class Body:
            def close(body):
                self.log.append("closed")

        @self.app.get("/body")
        def body(request):
            return Body()

        @self.app.after_request
        def fail(request, response):
            raise ValueError

        self.assertEqual(self.get("/body").status_code, 500)
        self.assertEqual(self.log, ["closed"])

    def test_hooks_of_the_request_run_last(self):
        @self.app.get("/own")
        def own(request):
            @request.after_request
            def first(request, response):
                self.log.append("own one")
                response.headers["X-Own"] = "1"

            @request.after_request
            async def second(request, response):
                self.log.append("own two")
                return Response("replaced")

            return "original"

        self.app.after_request(self.noting("after"))
        self.assertEqual(self.get("/own").text, "replaced")
        self.assertEqual(self.log, ["after", "own one", "own two"])

    def test_hooks_of_a_request_are_its_own(self):
        @self.app.get("/once")
        def once(request):
            if request.args:
                request.after_request(lambda request, response: Response("hooked"))
            return "plain"

        self.assertEqual(self.get("/once?x=1").text, "hooked")
        self.assertEqual(self.get("/once").text, "plain")

    def test_do_not_run_after_an_error(self):
        self.app.after_request(self.noting("after"))
        for path, status in (("/none", 404), ("/abort", 406), ("/raise", 500)):
            with self.subTest(path=path):
                self.assertEqual(self.get(path).status_code, status)
                self.assertEqual(self.log, [])

    def test_hooks_of_the_request_do_not_run_after_an_error(self):
        @self.app.get("/own")
        def own(request):
            request.after_request(self.noting("own"))
            abort(400)

        self.assertEqual(self.get("/own").status_code, 400)
        self.assertEqual(self.log, [])

    def test_that_raise_end_in_500(self):
        @self.app.after_request
        def after(request, response):
            raise ValueError("broken by a test")

        self.assertEqual(self.get().status_code, 500)


class TestAfterError(HooksCase):
    def setUp(self):
        super().setUp()

        @self.app.after_error_request
        def after_error(request, response):
            self.log.append((request.path if request else None, response.status_code))
            response.headers["X-Error"] = "1"

    def test_run_after_errors(self):
        table = [("GET", "/none", 404), ("PUT", "/", 405), ("GET", "/abort", 406), ("GET", "/raise", 500)]
        for method, path, status in table:
            with self.subTest(status=status):
                response = self.get(path, method)
                self.assertEqual((response.status_code, response.headers["X-Error"]), (status, "1"))
                self.assertEqual(self.log, [(path, status)])

    def test_run_after_options(self):
        self.assertEqual(self.get("/", "OPTIONS").headers["X-Error"], "1")

    def test_run_after_an_unreadable_request(self):
        response = run(self.app.dispatch_request(None))
        self.assertEqual((response.status_code, response.headers["X-Error"]), (400, "1"))
        self.assertEqual(self.log, [(None, 400)])

    def test_do_not_run_after_success(self):
        self.assertNotIn("X-Error", self.get().headers)
        self.assertEqual(self.log, ["handler"])

    def test_see_what_the_error_handler_made_and_may_replace_it(self):
        self.app.errorhandler(404)(lambda request: ("custom", 410))

        @self.app.after_error_request
        async def replace(request, response):
            return Response(response.body + b"!", response.status_code)

        response = self.get("/none")
        self.assertEqual((response.status_code, response.text, self.log), (410, "custom!", [("/none", 410)]))
