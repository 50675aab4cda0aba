# The loaders: what is compiled when, what is left on the disk, and what names can reach.

import os
import sys
import unittest

from folder import NAME, Folder
from support import MICROPYTHON
from utemplate import automatic, compiled, recompile, source

LOADERS = compiled.Loader, source.Loader, recompile.Loader, automatic.Loader
OUTSIDE = [
    "",
    "/etc/passwd",
    "../secret.html",
    "a/../../b",
    "a//b",
    ".",
    "..",
    "./a",
    "a/.",
    ".hidden",
    "a\\b",
    "C:x",
    "a\0b",
    "a/",
]


def page(loader, name="page.html", *args):
    return "".join(list(loader.load(name)(*args)))


class Counting(source.Loader):
    compilations = 0

    def compile(self, name):
        self.compilations += 1
        return super().compile(name)


class CountingRecompile(recompile.Loader):
    compilations = 0

    def compile(self, name):
        self.compilations += 1
        return super().compile(name)


class TestSource(unittest.TestCase):
    def test_compiles_once_and_leaves_one_file(self):
        with Folder() as folder:
            folder.write("page.html", "{% args a %}<{{ a }}>")
            loader = Counting(None, NAME)
            self.assertEqual(page(loader, "page.html", 1), "<1>")
            self.assertEqual(page(loader, "page.html", 2), "<2>")
            self.assertEqual(folder.names(), ["page.html", "page_html.py"])
            again = Counting(None, NAME)
            self.assertEqual(page(again, "page.html", 3), "<3>")
            self.assertEqual((loader.compilations, again.compilations), (1, 0))

    def test_mistake_leaves_no_file_and_can_be_mended(self):
        with Folder() as folder:
            folder.write("page.html", "x\n{{ 1 + }}")
            loader = source.Loader(None, NAME)
            with self.assertRaises(source.TemplateError) as caught:
                loader.load("page.html")
            self.assertEqual(str(caught.exception), "page.html:2: invalid syntax")
            self.assertEqual(folder.names(), ["page.html"])
            folder.write("page.html", "good {")
            self.assertEqual(page(loader), "good {")

    def test_half_written_and_foreign_files_do_not_count(self):
        with Folder() as folder:
            folder.write("page.html", "good")
            loader = source.Loader(None, NAME)
            loader.load("page.html")
            whole = folder.read("page_html.py")
            for end in list(range(len(whole))) + [None]:
                folder.write("page_html.py", "def render():\n    yield 'old'\n" if end is None else whole[:end])
                with self.subTest(end=end):
                    self.assertEqual(page(source.Loader(None, NAME)), "good")
                    self.assertEqual(folder.read("page_html.py"), whole)

    def test_file_that_cannot_be_written(self):
        with Folder() as folder:
            folder.write("page.html", "good")
            folder.mkdir("page_html.py")
            loader = Counting(None, NAME)
            self.assertEqual((page(loader), page(loader)), ("good", "good"))
            self.assertEqual(loader.compilations, 1)
            self.assertEqual(folder.names(), ["page.html", "page_html.py"])

    def test_subdirectories(self):
        with Folder() as folder:
            folder.mkdir("sub")
            folder.write("sub/page.html", "below")
            for loader in (source.Loader(None, NAME), compiled.Loader(None, NAME)):
                self.assertEqual(page(loader, "sub/page.html"), "below")

    def test_two_templates_that_compile_to_one_file(self):
        with Folder() as folder:
            folder.write("a.b.html", "one")
            folder.write("a_b.html", "two")
            loader = source.Loader(None, NAME)
            self.assertEqual(page(loader, "a.b.html"), "one")
            with self.assertRaises(ValueError) as caught:
                loader.load("a_b.html")
            self.assertIn("compile to one file", str(caught.exception))

    def test_switch_of_escaping_compiles_again(self):
        with Folder() as folder:
            folder.write("page.html", "{{ '<' }}")
            self.assertEqual(page(source.Loader(None, NAME)), "<")
            self.assertEqual(page(source.Loader(None, NAME, autoescape=True)), "&lt;")
            self.assertEqual(page(source.Loader(None, NAME)), "<")

    def test_include_by_expression(self):
        with Folder() as folder:
            folder.write("page.html", "{% args name %}{% include {{ name + '.html' }} 7 %}")
            folder.write("part.html", "{% args n %}part {{ n }}")
            for cls in reversed(LOADERS):
                self.assertEqual(page(cls(None, NAME), "page.html", "part"), "part 7")
                with self.assertRaises(ValueError):
                    page(cls(None, NAME), "page.html", "../part")

    def test_package_and_directories_written_in_other_ways(self):
        with Folder() as folder:
            folder.mkdir("inner")
            folder.write("inner/page.html", "in")
            for cls in reversed(LOADERS):
                self.assertEqual(page(cls(NAME, "inner")), "in")
                self.assertEqual(page(cls("__main__", NAME + "/inner/")), "in")
                self.assertEqual(page(cls(None, "./" + NAME + "/inner")), "in")
                self.assertEqual(page(cls(None, os.getcwd() + "/" + NAME + "/inner")), "in")
            self.assertNotIn("/", sys.path)


class TestRecompile(unittest.TestCase):
    def test_edited_template_is_compiled_again(self):
        with Folder() as folder:
            folder.write("page.html", "one")
            loader = CountingRecompile(None, NAME)
            self.assertEqual((page(loader), page(loader), loader.compilations), ("one", "one", 1))
            folder.write("page.html", "another")
            self.assertEqual((page(loader), loader.compilations), ("another", 2))
            self.assertEqual(page(source.Loader(None, NAME)), "another")

    def test_edited_include_is_compiled_again(self):
        with Folder() as folder:
            folder.write("page.html", "<{% include 'a' %}>")
            folder.write("a", "{% include 'b' %}")
            folder.write("b", "one")
            loader = CountingRecompile(None, NAME)
            self.assertEqual((page(loader), page(loader), loader.compilations), ("<one>", "<one>", 1))
            folder.write("b", "two, longer")
            self.assertEqual((page(loader), loader.compilations), ("<two, longer>", 2))

    def test_compiled_before_and_unchanged(self):
        with Folder() as folder:
            folder.write("page.html", "one")
            page(recompile.Loader(None, NAME))
            loader = CountingRecompile(None, NAME)
            self.assertEqual((page(loader), loader.compilations), ("one", 0))

    def test_mistake_while_editing_and_back(self):
        with Folder() as folder:
            folder.write("page.html", "one")
            loader = recompile.Loader(None, NAME)
            page(loader)
            folder.write("page.html", "{{ x")
            for _ in range(2):
                with self.assertRaises(source.TemplateError):
                    loader.load("page.html")
            folder.write("page.html", "mended")
            self.assertEqual(page(loader), "mended")


class TestCompiled(unittest.TestCase):
    def test_loads_without_the_source(self):
        with Folder() as folder:
            folder.write("page.html", "{% args a %}<{{ a }}>")
            source.Loader(None, NAME).load("page.html")
            folder.remove("page.html")
            for cls in LOADERS:
                self.assertEqual(page(cls(None, NAME), "page.html", 1), "<1>")

    def test_autoescape_must_have_been_compiled_in(self):
        with Folder() as folder:
            folder.write("page.html", "{{ '<' }}")
            source.Loader(None, NAME).load("page.html")
            with self.assertRaises(ValueError):
                compiled.Loader(None, NAME, autoescape=True).load("page.html")

    def test_imports_nothing_of_the_compiler(self):
        code = "import sys; import microdot.utemplate, utemplate.compiled; print('utemplate.source' in sys.modules)"
        command = '%s -c "%s" > out' % (sys.executable, code)
        self.assertEqual(os.system(command), 0)
        with open("out") as file:
            printed = file.read()
        os.remove("out")
        self.assertEqual(printed, "False\n")


class TestAutomatic(unittest.TestCase):
    def test_edited_template_is_compiled_again(self):
        with Folder() as folder:
            folder.write("page.html", "one")
            loader = automatic.Loader(None, NAME)
            self.assertEqual(page(loader), "one")
            folder.write("page.html", "another")
            self.assertEqual(page(loader), "another")

    def test_what_was_compiled_is_imported_once_and_without_the_compiler(self):
        with Folder() as folder:
            folder.write("page_html.py", "def render(a):\n    yield str(a)\n")
            loader = automatic.Loader(None, NAME)
            self.assertEqual(page(loader, "page.html", 1), "1")
            folder.remove("page_html.py")
            self.assertEqual(page(loader, "page.html", 2), "2")
            self.assertIsNone(loader._compiling)

    def test_includes_what_was_compiled_before(self):
        with Folder() as folder:
            folder.write("page.html", "<{% include {{ 'part.html' }} %}>")
            folder.write("part_html.py", "def render():\n    yield 'part'\n")
            self.assertEqual(page(automatic.Loader(None, NAME)), "<part>")


class TestNames(unittest.TestCase):
    def test_names_never_leave_the_directory(self):
        with Folder() as folder:
            folder.write("a", "in")
            with open("secret.html", "w") as file:
                file.write("secret")
            try:
                for cls in LOADERS:
                    for name in OUTSIDE:
                        with self.subTest(loader=cls.__module__ if not MICROPYTHON else 0, name=name):
                            with self.assertRaises(ValueError):
                                cls(None, NAME).load(name)
            finally:
                os.remove("secret.html")

    def test_missing_template_and_missing_directory(self):
        for cls in LOADERS:
            with Folder():
                with self.assertRaises(OSError) as caught:
                    cls(None, NAME).load("none.html")
                self.assertIn("no template none.html in templates", str(caught.exception))
            with self.assertRaises(OSError) as caught:
                cls(None, NAME).load("none.html")
            self.assertIn("no directory templates", str(caught.exception))
