# examples/static: every file of the site arrives, and the compressed style sheet is the one beside it.

import os
import sys
import unittest

from microdot.test_client import TestClient
from support import MICROPYTHON, run

HERE = __file__.rpartition("/")[0] or "."
EXAMPLE = HERE + "/../../examples/static"

# (path, file, type)
FILES = [
    ("/", "index.html", "text/html; charset=UTF-8"),
    ("/about/", "about/index.html", "text/html; charset=UTF-8"),
    ("/style.css", "style.css", "text/css; charset=UTF-8"),
    ("/app.mjs", "app.mjs", "application/javascript; charset=UTF-8"),
    ("/icon.svg", "icon.svg", "image/svg+xml"),
]


def contents(name):
    with open(EXAMPLE + "/site/" + name, "rb") as file:
        return file.read()


def unzipped(data):
    if not MICROPYTHON:
        import gzip

        return gzip.decompress(data)
    import io

    import deflate

    return deflate.DeflateIO(io.BytesIO(data), deflate.GZIP).read()


class TestExample(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, EXAMPLE)
        cls.app = __import__("main").app
        sys.path.remove(EXAMPLE)

    def get(self, path, headers=None):
        return run(TestClient(self.app).get(path, headers))

    def test_files(self):
        for path, name, kind in FILES:
            with self.subTest(path=path):
                res = self.get(path)
                self.assertEqual((res.status_code, res.body), (200, contents(name)))
                self.assertEqual(res.headers["Content-Type"], kind)
                again = self.get(path, {"If-None-Match": res.headers["ETag"]})
                self.assertEqual(again.status_code, 304)

    def test_every_file_is_in_the_table(self):
        known = {name for _, name, _ in FILES}
        for folder in ("", "about/"):
            for name in os.listdir(EXAMPLE + "/site/" + folder):
                if "." in name and not name.endswith(".gz"):
                    self.assertIn(folder + name, known)

    def test_compressed_style_sheet(self):
        res = self.get("/style.css", {"Accept-Encoding": "gzip"})
        self.assertEqual(res.headers["Content-Encoding"], "gzip")
        self.assertEqual(unzipped(res.body), contents("style.css"))
        self.assertLess(len(res.body), len(contents("style.css")))

    def test_route_beside_the_files(self):
        first = self.get("/visits").json["visits"]
        self.assertEqual(self.get("/visits").json, {"visits": first + 1})

    def test_the_program_is_no_part_of_the_site(self):
        for path in ("/main.py", "/../main.py", "/%2e%2e/main.py"):
            self.assertEqual(self.get(path).status_code, 404)
