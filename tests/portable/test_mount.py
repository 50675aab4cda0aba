# mount: routes under a prefix, and hooks and error handlers that move along or stay with the sub-application.

import unittest

from microdot import Microdot, abort
from microdot.test_client import TestClient
from support import run


def get(app, path, method="GET"):
    response = run(TestClient(app).request(method, path))
    return response.status_code, response.text


class MountCase(unittest.TestCase):
    def setUp(self):
        self.log = []

    def app(self, name):
        """Return an application of one route, `/name`, with every hook noting its name."""
        app = Microdot()
        app.get("/" + name)(lambda request: name)
        app.get("/" + name + "/abort")(lambda request: abort(406))
        app.get("/" + name + "/raise")(self.broken)
        app.before_request(self.noting("before " + name))
        app.after_request(self.noting("after " + name))
        app.after_error_request(self.noting("error " + name))
        return app

    def broken(self, request):
        raise ValueError("broken by a test")

    def noting(self, text):
        def function(*args):
            self.log.append(text)

        return function

    def logged(self, app, path, method="GET"):
        self.log.clear()
        get(app, path, method)
        return self.log


class TestRoutes(MountCase):
    def test_prefix(self):
        app, sub = Microdot(), Microdot()
        sub.get("/")(lambda request: "index")
        sub.get("/foo/<int:n>")(lambda request, n: "foo" + str(n))
        app.get("/foo/1")(lambda request: "outer")
        app.mount(sub, url_prefix="/sub")
        self.assertEqual(get(app, "/sub/"), (200, "index"))
        self.assertEqual(get(app, "/sub/foo/1"), (200, "foo1"))
        self.assertEqual(get(app, "/foo/1"), (200, "outer"))
        self.assertEqual(get(app, "/foo/2")[0], 404)
        self.assertEqual(get(app, "/sub")[0], 404)

    def test_no_prefix(self):
        app, sub = Microdot(), Microdot()
        sub.get("/foo")(lambda request: "foo")
        app.mount(sub)
        self.assertEqual(get(app, "/foo"), (200, "foo"))

    def test_methods_are_kept(self):
        app, sub = Microdot(), Microdot()
        sub.post("/foo")(lambda request: "posted")
        app.mount(sub, "/sub")
        self.assertEqual(get(app, "/sub/foo", "POST"), (200, "posted"))
        self.assertEqual(get(app, "/sub/foo")[0], 405)

    def test_request_knows_application_prefix_and_owner(self):
        outer, middle, inner = Microdot(), Microdot(), Microdot()
        seen = []

        def handler(request):
            seen.append((request.app, request.url_prefix, request.subapp))

        inner.get("/x")(handler)
        middle.get("/x")(handler)
        outer.get("/x")(handler)
        middle.mount(inner, "/inner")
        outer.mount(middle, "/middle")
        for path in ("/middle/inner/x", "/middle/x", "/x"):
            get(outer, path)
        expected = [(outer, "/middle/inner", inner), (outer, "/middle", middle), (outer, "", None)]
        self.assertEqual([item[1] for item in seen], [item[1] for item in expected])
        for got, wanted in zip(seen, expected):
            self.assertIs(got[0], wanted[0])
            self.assertIs(got[2], wanted[2])

    def test_routes_added_later_are_not_seen(self):
        app, sub = Microdot(), Microdot()
        app.mount(sub, "/sub")
        sub.get("/late")(lambda request: "late")
        self.assertEqual(get(app, "/sub/late")[0], 404)

    def test_sub_application_still_works_alone(self):
        app, sub = Microdot(), Microdot()
        sub.get("/foo")(lambda request: "foo")
        app.mount(sub, "/sub", local=True)
        self.assertEqual(get(sub, "/foo"), (200, "foo"))

    def test_same_sub_application_under_two_prefixes(self):
        app, sub = Microdot(), Microdot()
        sub.get("/foo")(lambda request: request.url_prefix)
        app.mount(sub, "/a")
        app.mount(sub, "/b")
        self.assertEqual([get(app, "/a/foo")[1], get(app, "/b/foo")[1]], ["/a", "/b"])


class TestShared(MountCase):
    def setUp(self):
        super().setUp()
        self.outer = self.app("outer")
        self.sub = self.app("sub")
        self.sub.errorhandler(404)(lambda request: ("sub 404", 404))
        self.sub.errorhandler(ValueError)(lambda request, exc: ("sub ValueError", 500))
        self.outer.mount(self.sub, "/s")

    def test_hooks_apply_to_all(self):
        self.assertEqual(self.logged(self.outer, "/outer"), ["before outer", "before sub", "after outer", "after sub"])
        self.assertEqual(self.logged(self.outer, "/s/sub"), ["before outer", "before sub", "after outer", "after sub"])
        self.assertEqual(self.logged(self.outer, "/none"), ["error outer", "error sub"])

    def test_error_handlers_apply_to_all(self):
        self.assertEqual(get(self.outer, "/none"), (404, "sub 404"))
        self.assertEqual(get(self.outer, "/outer/raise"), (500, "sub ValueError"))

    def test_handlers_are_moved(self):
        sub = self.sub
        for handlers in (sub.before_request_handlers, sub.after_request_handlers):
            self.assertEqual(handlers, [])
        self.assertEqual((sub.after_error_request_handlers, sub.error_handlers), ([], {}))


class TestLocal(MountCase):
    def setUp(self):
        super().setUp()
        self.outer = self.app("outer")
        self.sub = self.app("sub")
        self.outer.mount(self.sub, "/s", local=True)

    def test_hooks_of_the_outer_application_run_for_all(self):
        self.assertEqual(self.logged(self.outer, "/outer"), ["before outer", "after outer"])

    def test_hooks_run_outer_first_before_and_local_first_after(self):
        self.assertEqual(self.logged(self.outer, "/s/sub"), ["before outer", "before sub", "after sub", "after outer"])

    def test_after_error_hooks_run_local_first(self):
        for path in ("/s/sub/abort", "/s/sub/raise"):
            with self.subTest(path=path):
                log = self.logged(self.outer, path)
                self.assertEqual(log, ["before outer", "before sub", "error sub", "error outer"])

    def test_not_found_belongs_to_the_outer_application(self):
        self.sub.errorhandler(404)(lambda request: "sub")
        self.outer.errorhandler(404)(lambda request: "outer")
        self.assertEqual(get(self.outer, "/s/none"), (200, "outer"))
        self.assertEqual(self.logged(self.outer, "/s/none"), ["error outer"])

    def test_method_not_allowed_belongs_to_the_sub_application(self):
        self.sub.errorhandler(405)(lambda request: ("sub", 405))
        self.assertEqual(get(self.outer, "/s/sub", "POST"), (405, "sub"))
        self.assertEqual(self.logged(self.outer, "/s/sub", "POST"), ["error sub", "error outer"])

    def test_local_error_handlers_come_first(self):
        table = [(406, "/s/sub/abort", "/outer/abort"), (ValueError, "/s/sub/raise", "/outer/raise")]
        for key, local, outer in table:
            self.sub.errorhandler(key)(lambda *args: ("sub", 500))
            self.outer.errorhandler(key)(lambda *args: ("outer", 500))
            with self.subTest(key=key):
                self.assertEqual(get(self.outer, local), (500, "sub"))
                self.assertEqual(get(self.outer, outer), (500, "outer"))

    def test_outer_error_handlers_stand_in(self):
        self.outer.errorhandler(406)(lambda request: ("outer", 500))
        self.outer.errorhandler(Exception)(lambda request, exc: ("outer exception", 500))
        self.assertEqual(get(self.outer, "/s/sub/abort"), (500, "outer"))
        self.assertEqual(get(self.outer, "/s/sub/raise"), (500, "outer exception"))

    def test_exact_class_of_the_outer_application_wins_over_a_local_base(self):
        self.sub.errorhandler(Exception)(lambda request, exc: ("sub base", 500))
        self.outer.errorhandler(ValueError)(lambda request, exc: ("outer exact", 500))
        self.assertEqual(get(self.outer, "/s/sub/raise"), (500, "outer exact"))

    def test_handlers_stay(self):
        self.assertEqual(len(self.sub.before_request_handlers), 1)
        self.assertEqual(len(self.outer.before_request_handlers), 1)

    def test_handlers_added_later_apply(self):
        self.sub.before_request(self.noting("late"))
        self.assertIn("late", self.logged(self.outer, "/s/sub"))

    def test_nested_local_mounts_run_innermost_and_outermost(self):
        inner = self.app("inner")
        middle = self.app("middle")
        outer = self.app("outer")
        middle.mount(inner, "/i", local=True)
        outer.mount(middle, "/m", local=True)
        self.assertEqual(self.logged(outer, "/m/i/inner"), ["before outer", "before inner", "after inner", "after outer"])
        self.assertEqual(self.logged(outer, "/m/middle"), ["before outer", "before middle", "after middle", "after outer"])
