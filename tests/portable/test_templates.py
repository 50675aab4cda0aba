# microdot.utemplate: pages from templates, through the application.

import unittest

import microdot.utemplate as module
from folder import NAME, Folder
from microdot import Microdot
from microdot.test_client import TestClient
from microdot.utemplate import Template
from support import MICROPYTHON, collect, run
from utemplate import automatic, compiled, source


class TestTemplates(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.folder.__enter__()
        self.folder.write("hello.html", "{% args name %}\nHello, {{ name }}!\n")
        self.folder.write("long.html", "{% for i in range(2000) %}line {{ i }};{% endfor %}")
        module._loader = None

    def tearDown(self):
        module._loader = None
        self.folder.__exit__(None, None, None)

    def test_first_use_initializes(self):
        self.assertEqual(Template("hello.html").render("x"), "Hello, x!\n")
        self.assertIsInstance(module._loader, automatic.Loader)

    def test_attributes(self):
        template = Template("hello.html")
        self.assertEqual(template.name, "hello.html")
        self.assertEqual("".join(list(template.template(name="y"))), "Hello, y!\n")

    def test_generate(self):
        self.assertEqual("".join(list(Template("hello.html").generate(name="x"))), "Hello, x!\n")

    def test_async(self):
        template = Template("hello.html")
        self.assertEqual(run(template.render_async("x")), "Hello, x!\n")
        self.assertEqual("".join(run(collect(template.generate_async("x")))), "Hello, x!\n")

    def test_pieces_are_worth_sending(self):
        template = Template("long.html")
        pieces = list(template.generate())
        self.assertEqual("".join(pieces), template.render())
        self.assertGreater(len(pieces), 1)
        for piece in pieces[:-1]:
            self.assertTrue(template.piece_size <= len(piece) < template.piece_size + 20)

    def test_iterator_can_be_closed_early(self):
        events = []
        self.folder.write("end.html", "{% args events %}{% try %}x{% finally %}{% set _ = events.append(1) %}{% endtry %}")

        async def leave():
            pieces = Template("end.html").generate_async(events)
            await pieces.__anext__()
            await pieces.aclose()
            with self.assertRaises(StopAsyncIteration):
                await pieces.__anext__()

        run(leave())
        self.assertEqual(events, [1])

    def test_initialize_chooses_loader_directory_and_escaping(self):
        self.folder.mkdir("other")
        self.folder.write("other/x.html", "{{ '<' }}")
        Template.initialize(NAME + "/other", source.Loader, autoescape=True)
        self.assertEqual(Template("x.html").render(), "&lt;")
        Template.initialize(NAME + "/other", loader_class=compiled.Loader)
        self.assertEqual(Template("x.html").render(), "&lt;")

    def test_bodies(self):
        app = Microdot()
        template = Template("hello.html")

        @app.get("/<kind>")
        async def index(request, kind):
            headers = {"Content-Type": "text/html"}
            if kind == "async":
                return template.generate_async(name="é"), headers
            return (template.generate if kind == "generate" else template.render)(name="é"), headers

        client = TestClient(app)
        for kind in ("render", "generate", "async"):
            response = run(client.get("/" + kind))
            self.assertEqual((response.status_code, response.body), (200, "Hello, é!\n".encode()))

    @unittest.skipUnless(MICROPYTHON, "CPython's heap is no concern")
    def test_page_is_not_whole_in_memory(self):
        import gc

        self.folder.write("huge.html", "{% for i in range(5000) %}0123456789 line {{ i }}\n{% endfor %}")
        template = Template("huge.html")
        gc.collect()
        before = gc.mem_alloc()
        highest = size = 0
        for piece in template.generate():
            size += len(piece)
            gc.collect()
            highest = max(highest, gc.mem_alloc() - before)
        self.assertGreater(size, 100000)
        self.assertLess(highest, 8000)
