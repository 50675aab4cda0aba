# Forms with files as handlers see them: the iterator, uploads, the decorator, the limits, and what is refused.

import io
import os
import unittest

from forms import TYPE, form, part
from microdot import Microdot, Request
from microdot.body import AsyncBytesIO
from microdot.multipart import FileUpload, FormDataIter, with_form_data
from microdot.test_client import TestClient
from support import Complaints, run

LIMITS = [(FormDataIter, name) for name in ("buffer_size", "max_part_head", "max_parts", "max_fields_size")]
LIMITS += [(FileUpload, "max_memory_size"), (Request, "max_content_length"), (Request, "max_body_length")]


class ReadOnly:
    """A stream with nothing but `read`, which gives a few bytes at a time."""

    def __init__(self, data):
        self.stream = io.BytesIO(data)

    async def read(self, n=-1):
        return self.stream.read(min(n, 11))


class Cut(AsyncBytesIO):
    """A stream that ends before the body does."""

    def __init__(self, data):
        super().__init__(data[:3000])


class Leaving:
    """A stream whose client leaves in the middle of the body."""

    def __init__(self, data):
        self.stream = io.BytesIO(data[:3000])

    async def readinto(self, buf):
        n = self.stream.readinto(buf)
        if not n:
            raise OSError(104)
        return n


def request_of(body, content_type=TYPE, stream=AsyncBytesIO):
    headers = {"Content-Length": str(len(body))}
    if content_type:
        headers["Content-Type"] = content_type
    return Request("app", None, "POST", "/", "1.1", headers, stream=stream(body))


def pairs_of(body, content_type=TYPE, stream=AsyncBytesIO):
    """Return what the iterator yields: text, or (file name, type, data)."""

    async def read():
        found = []
        async for name, value in FormDataIter(request_of(body, content_type, stream)):
            if isinstance(value, FileUpload):
                value = value.filename, value.content_type, await value.read()
            found.append((name, value))
        return found

    return run(read())


class FormCase(unittest.TestCase):
    def setUp(self):
        for cls, name in LIMITS:
            self.addCleanup(setattr, cls, name, getattr(cls, name))

    def status(self, body, content_type=TYPE, f=None):
        """Return the status of the reply to a body, having made sure that nothing is printed."""
        app = Microdot()

        @app.post("/")
        async def index(request):
            async for _, value in FormDataIter(request):
                if isinstance(value, FileUpload):
                    await value.read()

        with Complaints() as printed:
            res = run(TestClient(app).post("/", {"Content-Type": content_type}, body))
        self.assertEqual(printed, [])
        return res.status_code


class TestIterator(FormCase):
    def test_fields_and_files(self):
        body = form(
            part("a", "b"),
            part("ä", "€ and\r\nmore"),
            part("file", b"\0\xff", "name.bin", "application/x"),
            part("file", b"", "", None),
            part("", ""),
        )
        found = [
            ("a", "b"),
            ("ä", "€ and\r\nmore"),
            ("file", ("name.bin", "application/x", b"\0\xff")),
            ("file", ("", None, b"")),
            ("", ""),
        ]
        for stream in (AsyncBytesIO, ReadOnly):
            self.assertEqual(pairs_of(body, stream=stream), found)

    def test_content_types(self):
        body = form(part("a", "b"))
        boundary = TYPE[30:]
        for text in (
            "multipart/form-data;boundary=" + boundary,
            'multipart/form-data; boundary="%s"' % boundary,
            'Multipart/Form-Data ; charset=utf-8 ; Boundary="%s"; x=y' % boundary,
        ):
            with self.subTest(text=text):
                self.assertEqual(pairs_of(body, text), [("a", "b")])

    def test_no_form(self):
        for text in (
            None,
            "",
            "text/plain",
            "multipart/form-data",
            "multipart/mixed; boundary=x",
            "multipart/form-data2; boundary=x",
        ):
            with self.subTest(text=text):
                self.assertEqual(pairs_of(b"hello", text), [])

    def test_epilogue_is_not_looked_at(self):
        self.assertEqual(pairs_of(form(part("a", "b")) + b"more\r\n" + part("c", "d")), [("a", "b")])

    def test_iterator_stays_at_its_end(self):
        async def test():
            iterator = FormDataIter(request_of(form(part("a", "b"))))
            self.assertEqual(await iterator.__anext__(), ("a", "b"))
            for _ in range(2):
                with self.assertRaises(StopAsyncIteration):
                    await iterator.__anext__()

        run(test())

    def test_file_that_is_not_read_is_skipped(self):
        body = form(part("f", b"x" * 5000, "f"), part("a", "b"), part("g", b"y" * 5000, "g"))

        async def test():
            seen = []
            files = []
            async for name, value in FormDataIter(request_of(body)):
                seen.append(name)
                if name != "a":
                    self.assertEqual(len(await value.read(10)), 10)
                    files.append(value)
            self.assertEqual(seen, ["f", "a", "g"])
            for file in files:  # the iterator is past them: they must not read from the next part
                self.assertEqual(await file.read(), b"")
                self.assertEqual(await file.readinto(bytearray(10)), 0)

        run(test())

    def test_file_that_was_passed_reads_nothing_of_the_next(self):
        async def test():
            iterator = FormDataIter(request_of(form(part("f", b"first", "f"), part("g", b"second", "g"))))
            _, first = await iterator.__anext__()
            _, second = await iterator.__anext__()
            self.assertEqual(await first.read(), b"")
            self.assertEqual(await second.read(), b"second")

        run(test())


class TestSizes(FormCase):
    def test_files_of_every_size_up_to_three_buffers(self):
        FormDataIter.buffer_size = 200
        data = bytes(range(256)) * 4
        for size in range(3 * 224 + 30):
            body = form(part("f", data[:size], "f"), part("a", "b"))
            self.assertEqual(pairs_of(body), [("f", ("f", None, data[:size])), ("a", "b")], size)

    def test_fields_of_every_size_up_to_three_buffers(self):
        FormDataIter.buffer_size = 200
        text = "äb€\r\n" * 200
        for size in range(0, 3 * 224 + 30, 3):
            self.assertEqual(pairs_of(form(part("a", text[:size]))), [("a", text[:size])], size)

    def test_sizes_at_which_others_hang(self):
        for size in (257, 258, 518, 1023, 1024, 1025, 1046, 1047, 1048, 2094):
            data = b"\r\n" * (size // 2) + b"x" * (size % 2)
            self.assertEqual(pairs_of(form(part("f", data, "f")))[0][1][2], data, size)

    def test_reads_of_every_size(self):
        data = bytes(range(256)) * 3
        body = form(part("f", data, "f"), part("a", "b"))

        async def read(size, how):
            pieces = []
            async for _, value in FormDataIter(request_of(body)):
                if isinstance(value, FileUpload):
                    buf = bytearray(size)
                    while True:
                        if how == "read":
                            piece = await value.read(size)
                        else:
                            piece = bytes(buf[: await value.readinto(buf)])
                        if not piece:
                            break
                        pieces.append(piece)
            return pieces

        FormDataIter.buffer_size = 128
        for how in ("read", "readinto"):
            for size in list(range(1, 60)) + [255, 256, 257, 767, 768, 769, 5000]:
                pieces = run(read(size, how))
                self.assertEqual(b"".join(pieces), data)
                self.assertEqual(len(pieces), (len(data) + size - 1) // size, size)  # all but the last are full

    def test_read_of_nothing(self):
        async def test():
            async for _, value in FormDataIter(request_of(form(part("f", b"data", "f")))):
                self.assertEqual(await value.read(0), b"")
                self.assertEqual(await value.readinto(bytearray(0)), 0)
                self.assertEqual(await value.read(), b"data")

        run(test())


class TestRefused(FormCase):
    def test_malformed_bodies(self):
        good = form(part("a", "b"))
        for body in (
            b"hello",
            good[:-5],
            good[:30],
            part("a", b"\xff") + good,
            part("a", b"\xed\xa0\x80") + good,  # a surrogate
            good.replace(b"form-data", b"attachment"),
            good.replace(b'; name="a"', b""),
            good.replace(b"Content-Disposition", b"Content Disposition"),
            good.replace(b"\r\n\r\nb", b"\r\nContent-Disposition: form-data; name=b\r\n\r\nb"),
            good.replace(b"\r\n\r\nb", b"\r\n folded\r\n\r\nb"),
            good.replace(b'"a"', b'"a'),
            good.replace(b'"a"', b'"\xff"'),
            good.replace(b"\r\n", b"\n"),
        ):
            with self.subTest(body=body):
                self.assertEqual(self.status(body), 400)

    def test_malformed_content_types(self):
        for text in (
            'multipart/form-data; boundary="x',
            "multipart/form-data; boundary=" + "x" * 71,
            "multipart/form-data; boundary=",
        ):
            with self.subTest(text=text):
                self.assertEqual(self.status(b"--x--", text), 400)

    def test_body_that_ends_at_any_byte(self):
        body = form(part("a", "b"), part("f", b"some data", "f"))
        for at in range(1, len(body) - 2):
            self.assertEqual(self.status(body[:at]), 400, at)
        self.assertEqual(self.status(body[:-2]), 204)

    def test_limit_of_parts(self):
        FormDataIter.max_parts = 3
        for count, status in ((3, 204), (4, 413)):
            self.assertEqual(self.status(form(*[part("a", "b")] * count)), status)

    def test_limit_of_fields(self):
        FormDataIter.max_fields_size = 100
        for size, status in ((97, 204), (98, 413), (5000, 413)):
            self.assertEqual(self.status(form(part("a", "x"), part("b", "y" * (size - 1) + "z"))), 204 if size < 98 else 413)
            self.assertEqual(self.status(form(part("a", "x"), part("f", b"x" * 5000, "f"), part("b", "y" * size))), status)
        self.assertEqual(self.status(form(part("a" * 101, ""))), 413)

    def test_limit_of_heads(self):
        FormDataIter.buffer_size = 100
        FormDataIter.max_part_head = 120
        line = 'Content-Disposition: form-data; name="a"'
        for more, status in ((0, 204), (1, 400)):
            second = "X: " + "x" * (120 - len(line) - 3 + more)
            body = form(part("a", "b")).replace(line.encode(), (line + "\r\n" + second).encode())
            self.assertEqual(self.status(body), status)

    def test_limit_of_lines(self):
        FormDataIter.buffer_size = 100
        boundary = len(TYPE) - 30 + 4
        for more, status in ((0, 204), (1, 400)):
            name = "a" * (100 + boundary - 2 - len('Content-Disposition: form-data; name=""') + more)
            self.assertEqual(self.status(form(part(name, "b"))), status)


class Recorder(io.BytesIO):
    """An open file that notes the sizes in which it is written."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def write(self, data):
        self.sizes.append(len(data))
        return super().write(data)


class FileCase(FormCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.remove_files)

    def remove_files(self):
        for name in os.listdir("."):
            os.remove(name)

    def file(self, data, stream=AsyncBytesIO, name="f"):
        """Return the upload of one file."""

        async def first():
            return (await FormDataIter(request_of(form(part("f", data, name)), stream=stream)).__anext__())[1]

        return run(first())

    def content(self, path):
        with open(path, "rb") as file:
            return file.read()


class TestSave(FileCase):
    def test_save_to_a_path(self):
        for size in (0, 1, 1023, 1024, 1025, 5000):
            data = b"x" * size
            self.assertEqual(run(self.file(data).save("saved")), size)
            self.assertEqual(self.content("saved"), data)

    def test_save_to_an_open_file(self):
        file = Recorder()
        self.assertEqual(run(self.file(b"x" * 2500).save(file)), 2500)
        self.assertEqual((file.getvalue(), file.sizes), (b"x" * 2500, [1024, 1024, 452]))
        file.write(b"still open")

    def test_save_what_is_left(self):
        async def test(upload):
            await upload.read(3)
            await upload.save("saved")

        run(test(self.file(b"abcdef")))
        self.assertEqual(self.content("saved"), b"def")

    def test_names_of_the_client_are_no_paths(self):
        for name in ("../x", "/etc/passwd", "a/b", "..", "C:\\x"):
            upload = self.file(b"x" * 2000, name=name)
            run(upload.copy())
            self.assertEqual(upload.filename, name)
            self.assertEqual(len(os.listdir(".")), 1)
            self.assertTrue(os.listdir(".")[0].isalpha())
            run(upload.close())

    def test_upload_that_ends_early_leaves_no_file(self):
        for error, stream in ((OSError, Leaving), (ValueError, Cut)):
            with self.assertRaises(error):
                run(self.file(b"x" * 5000, stream).save("saved"))
            with self.assertRaises(error):
                run(self.file(b"x" * 5000, stream).copy())
            self.assertEqual(os.listdir("."), [])

    def test_path_that_cannot_be_written(self):
        os.mkdir("folder")
        self.addCleanup(os.rmdir, "folder")
        with self.assertRaises(OSError):
            run(self.file(b"x").save("folder"))

    def test_upload_made_by_hand(self):
        upload = FileUpload("name", "type", AsyncBytesIO(b"x" * 3000).read)
        self.assertEqual((upload.filename, upload.content_type), ("name", "type"))
        self.assertEqual(run(upload.save("saved")), 3000)


class TestCopy(FileCase):
    def test_small_files_stay_in_memory(self):
        for size in (0, 1, 1024):
            upload = self.file(b"x" * size)
            self.assertIs(run(upload.copy()), upload)
            self.assertEqual(os.listdir("."), [])
            self.assertEqual(run(upload.read()), b"x" * size)
            run(upload.close())

    def test_larger_ones_go_to_a_temporary_file(self):
        for limit, size in ((None, 1025), (0, 1), (100, 101), (100, 5000)):
            upload = self.file(b"x" * size)
            run(upload.copy(limit))
            self.assertEqual(len(os.listdir(".")[0]), 12)
            self.assertEqual(run(upload.read(1)), b"x")
            self.assertEqual(run(upload.save("saved")), size - 1)
            os.remove("saved")
            run(upload.close())
            self.assertEqual(os.listdir("."), [])

    def test_copy_outlives_its_part(self):
        async def gather():
            files = []
            async for _, value in FormDataIter(request_of(form(part("f", b"first", "f"), part("g", b"x" * 3000, "g")))):
                files.append(await value.copy())
            first = await files[0].read()
            second = await files[1].read()
            for file in files:
                await file.close()
                await file.close()
            return first, second

        self.assertEqual(run(gather()), (b"first", b"x" * 3000))

    def test_limit_is_read_from_the_class(self):
        FileUpload.max_memory_size = 10
        upload = self.file(b"x" * 11)
        run(upload.copy())
        self.assertEqual(len(os.listdir(".")), 1)
        run(upload.close())


class TestWithFormData(FileCase):
    def setUp(self):
        super().setUp()
        self.app = Microdot()
        self.app.post("/")(with_form_data(self.index))
        self.client = TestClient(self.app)

    async def index(self, request):
        self.files = request.files
        self.seen = request.form
        texts = {}
        for name, file in (request.files or {}).items():
            texts[name] = (await file.read()).decode()
        return texts

    def post(self, body, content_type=TYPE):
        return run(self.client.post("/", {"Content-Type": content_type} if content_type else None, body))

    def test_fields_and_files(self):
        res = self.post(form(part("a", "b"), part("f", "text", "f.txt"), part("g", "x" * 3000, "g.txt")))
        self.assertEqual(res.json, {"f": "text", "g": "x" * 3000})
        self.assertEqual(self.seen, {"a": "b"})
        self.assertEqual(os.listdir("."), [])

    def test_repeated_names(self):
        res = self.post(form(part("a", "1"), part("f", "one", "f"), part("a", "2"), part("f", "x" * 2000, "f"), part("b", "3")))
        self.assertEqual(res.json, {"f": "x" * 2000})
        self.assertEqual(self.seen, {"a": "2", "b": "3"})
        self.assertEqual(self.seen.getlist("a"), ["1", "2"])
        self.assertEqual(self.seen.getlist("c"), [])
        self.assertEqual(len(self.files.getlist("f")), 2)
        self.assertEqual(os.listdir("."), [])

    def test_values_are_converted_as_those_of_other_forms(self):
        for body, content_type in (
            (form(part("a", "1"), part("a", "2")), TYPE),
            (b"a=1&a=2", "application/x-www-form-urlencoded"),
        ):
            self.post(body, content_type)
            self.assertIn(self.seen.get("a", type=int), (1, 2))  # the last, or the first
            self.assertEqual(self.seen.getlist("a", type=int), [1, 2])
            self.assertEqual(self.seen.get("b", 7, type=int), 7)
            self.assertEqual((self.seen.get("b"), self.seen.get("b", "c"), self.seen.getlist("b", int)), (None, "c", []))

    def test_other_requests_pass_as_they_are(self):
        self.assertEqual(self.post(b"a=b", "application/x-www-form-urlencoded").status_code, 200)
        self.assertEqual(self.seen["a"], "b")
        for content_type in (None, "text/plain", TYPE):
            self.post(form() if content_type == TYPE else b"a", content_type)
            self.assertEqual((self.seen, self.files), (None, None))

    def test_sync_handler(self):
        @self.app.post("/sync/<name>")
        @with_form_data
        def sync(request, name):
            return request.form["a"] + name

        res = run(self.client.post("/sync/c", {"Content-Type": TYPE}, form(part("a", "b"))))
        self.assertEqual(res.text, "bc")

    def test_files_are_freed_when_the_handler_fails(self):
        @self.app.post("/fail")
        @with_form_data
        async def fail(request):
            raise ValueError

        with Complaints() as printed:
            res = run(self.client.post("/fail", {"Content-Type": TYPE}, form(part("f", "x" * 3000, "f"))))
        self.assertEqual((res.status_code, len(printed), os.listdir(".")), (500, 1, []))

    def test_files_are_freed_when_the_form_is_malformed(self):
        body = form(part("f", "x" * 3000, "f"), part("g", "x" * 3000, "g"), part("a", b"\xff"))
        for cut in (len(body), len(body) - 40, 3500, 5000):
            self.assertEqual(self.post(body[:cut]).status_code, 400)
            self.assertEqual(os.listdir("."), [])
