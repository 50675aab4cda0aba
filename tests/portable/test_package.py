# What `import microdot` offers, what it loads, and where it comes from.

import sys

import microdot

LOADED = sorted([name for name in sys.modules if name.startswith("microdot")])

import os  # noqa: E402
import unittest  # noqa: E402

import microdot.microdot as core  # noqa: E402
from support import MICROPYTHON  # noqa: E402

PUBLIC = ["Microdot", "Request", "Response", "abort", "redirect", "send_file", "URLPattern", "AsyncBytesIO"]
PUBLIC += ["iscoroutine"]
CORE = PUBLIC + ["MultiDict", "NoCaseDict", "HTTPException", "urlencode", "urldecode", "invoke_handler"]
CORE += ["mro", "print_exception", "MUTED_SOCKET_ERRORS"]
EXTENSIONS = ["asgi", "auth", "cors", "csrf", "jinja", "login", "multipart", "session", "sse", "static"]
EXTENSIONS += ["test_client", "utemplate", "websocket", "wsgi"]


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


class TestNames(unittest.TestCase):
    def test_public_names(self):
        for name in PUBLIC:
            with self.subTest(name=name):
                self.assertTrue(hasattr(microdot, name))

    def test_core_names(self):
        for name in CORE:
            with self.subTest(name=name):
                self.assertTrue(hasattr(core, name))

    def test_package_and_core_share_their_objects(self):
        for name in PUBLIC:
            with self.subTest(name=name):
                self.assertEqual(getattr(microdot, name), getattr(core, name))

    def test_star_import_brings_what_applications_use(self):
        names = {}
        exec("from microdot.microdot import *", names)
        for name in CORE:
            with self.subTest(name=name):
                self.assertIn(name, names)

    @unittest.skipIf(MICROPYTHON, "star imports know no __all__ on this interpreter")
    def test_star_import_of_the_package_brings_the_public_names_and_no_other(self):
        names = {}
        exec("from microdot import *", names)
        self.assertEqual({name for name in names if name[0] != "_"}, {name for name in PUBLIC if name[0] != "_"})

    def test_module_functions_are_those_of_the_classes(self):
        with self.assertRaises(core.HTTPException):
            microdot.abort(400)
        self.assertEqual(microdot.redirect("/x").headers, {"Location": "/x"})

    def test_muted_socket_errors_is_a_list_to_append_to(self):
        self.assertIsInstance(core.MUTED_SOCKET_ERRORS, list)
        for number in (32, 54, 104, 128):
            self.assertIn(number, core.MUTED_SOCKET_ERRORS)

    def test_version_is_dotted_numbers(self):
        self.assertTrue(microdot.__version__.split(".")[0].isdigit())

    def test_unknown_name_is_an_attribute_error(self):
        with self.assertRaises(AttributeError):
            microdot.no_such_name  # noqa: B018


class TestImport(unittest.TestCase):
    def test_core_imports_no_extension(self):
        for name in EXTENSIONS:
            with self.subTest(name=name):
                self.assertNotIn("microdot." + name, LOADED)

    @unittest.skipUnless(MICROPYTHON, "the framework is frozen on MicroPython only")
    def test_framework_is_frozen(self):
        self.assertFalse(exists(microdot.__file__), microdot.__file__)

    @unittest.skipUnless(MICROPYTHON, "the framework is frozen on MicroPython only")
    def test_no_source_of_the_framework_is_on_the_path(self):
        self.assertIn(".frozen", sys.path)
        for folder in sys.path:
            with self.subTest(folder=folder):
                self.assertFalse(exists(folder + "/microdot") or exists(folder + "/microdot.py"))
