# The scanner of multipart bodies, without I/O: every body whole, byte by byte and cut in two at every place, and with buffers
# of several sizes; and the parameters of the headers in it.

import unittest

from microdot.form_parts import Scanner, add_field, disposition, parameters
from microdot.http import ClientError

FIELD = b'Content-Disposition: form-data; name="a"\r\n'

# (name, body with boundary "b", parts as (lines of the head, data))
BODIES = [
    ("one part", b"--b\r\n" + FIELD + b"\r\ndata\r\n--b--\r\n", [([FIELD[:-2]], b"data")]),
    ("no final line end", b"--b\r\nX: y\r\n\r\ndata\r\n--b--", [([b"X: y"], b"data")]),
    ("preamble", b"see --b\r\nand --b--\r\n--b\r\nX: y\r\n\r\ndata\r\n--b--", [([b"X: y"], b"data")]),
    ("empty line first", b"\r\n--b\r\nX: y\r\n\r\ndata\r\n--b--", [([b"X: y"], b"data")]),
    ("epilogue", b"--b\r\nX: y\r\n\r\ndata\r\n--b--\r\nmore\r\n--b\r\nX: z\r\n\r\n", [([b"X: y"], b"data")]),
    ("padding", b"--b \t \r\nX: y\r\n\r\ndata\r\n--b\t\r\nX: z\r\n\r\n2\r\n--b--", [([b"X: y"], b"data"), ([b"X: z"], b"2")]),
    ("no part", b"--b--\r\n", []),
    ("empty data", b"--b\r\nX: y\r\n\r\n\r\n--b--\r\n", [([b"X: y"], b"")]),
    ("no data, RFC 2046's [CRLF *OCTET] left out", b"--b\r\nX: y\r\n\r\n--b--\r\n", [([b"X: y"], b"")]),
    ("no head", b"--b\r\n\r\ndata\r\n--b--\r\n", [([], b"data")]),
    ("line ends", b"--b\r\nX: y\r\n\r\n\r\n\r\n\r\r\n\n\r\n--b--", [([b"X: y"], b"\r\n\r\n\r\r\n\n")]),
    ("begun delimiters", b"--b\r\nX: y\r\n\r\n\r\n-\r\n--\r\n-\r\n--\r\n--b--", [([b"X: y"], b"\r\n-\r\n--\r\n-\r\n--")]),
    ("boundary in a line", b"--b\r\nX: y\r\n\r\na --b--\n--b--\r--b--\r\n--b--", [([b"X: y"], b"a --b--\n--b--\r--b--")]),
    ("many parts", b"--b\r\nX: 1\r\n\r\na\r\n--b\r\nX: 2\r\nY: 3\r\n\r\n\r\n--b\r\nX: 4\r\n\r\nc\r\n--b--", None),
    ("longer than the buffer", b"--b\r\nX: y\r\n\r\n" + b"0123456789" * 20 + b"\r\n--b--", [([b"X: y"], b"0123456789" * 20)]),
]
MANY = [([b"X: 1"], b"a"), ([b"X: 2", b"Y: 3"], b""), ([b"X: 4"], b"c")]
SIZE = 64


class Feeder:
    """Gives a scanner the pieces of a body, and does what it asks for until the body's end."""

    def __init__(self, pieces, size=SIZE):
        self.scanner = Scanner(b"b", size)
        self.pieces = [piece for piece in pieces if piece]

    def feed(self):
        room = self.scanner.room()
        piece = self.pieces.pop(0) if self.pieces else b""
        n = min(len(piece), len(room))
        room[:n] = piece[:n]
        if n < len(piece):
            self.pieces.insert(0, piece[n:])
        self.scanner.fed(n)

    def ask(self, step):
        result = step()
        while result is None:
            self.feed()
            result = step()
        return result

    def data(self):
        scanner = self.scanner
        pieces = []
        n = scanner.data()
        while n >= 0:
            if not n:
                self.feed()
            pieces.append(bytes(scanner.buf[scanner.start : scanner.start + n]))
            scanner.start += n
            n = scanner.data()
        return b"".join(pieces)

    def parts(self):
        self.data()
        parts = []
        while self.ask(self.scanner.next_part):
            lines = []
            line = self.ask(self.scanner.line)
            while line:
                lines.append(line)
                line = self.ask(self.scanner.line)
            parts.append((lines, self.data()))
        return parts


def bytewise(body):
    return [body[i : i + 1] for i in range(len(body))]


class TestScanner(unittest.TestCase):
    def test_bodies_whole(self):
        for name, body, parts in BODIES:
            with self.subTest(name=name):
                self.assertEqual(Feeder([body]).parts(), parts or (MANY if parts is None else []))

    def test_bodies_byte_by_byte(self):
        for name, body, parts in BODIES:
            with self.subTest(name=name):
                self.assertEqual(Feeder(bytewise(body)).parts(), parts or (MANY if parts is None else []))

    def test_bodies_cut_in_two_at_every_place(self):
        for name, body, parts in BODIES:
            for at in range(len(body)):
                with self.subTest(name=name, at=at):
                    found = Feeder([body[:at], body[at:]]).parts()
                    self.assertEqual(found, parts or (MANY if parts is None else []))

    def test_every_size_of_data_up_to_three_buffers(self):
        for fill in (b"x", b"\r", b"\r\n", b"\r\n-", b"\r\n--"):
            for size in range(3 * SIZE + 10):
                data = (fill * (size // len(fill) + 1))[:size]
                body = b"--b\r\nX: y\r\n\r\n" + data + b"\r\n--b--\r\n"
                self.assertEqual(Feeder([body]).parts(), [([b"X: y"], data)], (fill, size))

    def test_every_size_of_the_buffer(self):
        for size in range(40, 300):
            for name, body, parts in BODIES:
                self.assertEqual(Feeder([body], size).parts(), parts or (MANY if parts is None else []), (name, size))

    def test_body_that_ends_at_any_byte_is_refused(self):
        for name, body, _ in BODIES:
            end = body.find(b"\r\n--b--", 1) + 7 if body[:5] != b"--b--" else 5
            for at in range(end):
                with self.subTest(name=name, at=at), self.assertRaises(ClientError):
                    Feeder([body[:at]]).parts()

    def test_malformed_bodies(self):
        for body in (
            b"--bc\r\nX: y\r\n\r\ndata\r\n--b--",
            b"--b-\r\nX: y\r\n\r\ndata\r\n--b--",
            b"--b\nX: y\n\ndata\n--b--",
            b"--b\r\nX: y\r\n\r\ndata\r\n--b data\r\n--b--",
            b"--b\r\nX: " + b"y" * 2 * SIZE + b"\r\n\r\n--b--",
            b"--b" + b" " * 2 * SIZE + b"\r\n\r\n--b--",
            b"no boundary",
        ):
            with self.subTest(body=body), self.assertRaises(ClientError):
                Feeder([body]).parts()

    def test_line_at_the_size_of_the_buffer_and_one_more(self):
        room = SIZE + len(b"\r\n--b") - len(b"\r\n")
        for more in (0, 1):
            line = b"X: " + b"y" * (room - 3 + more)
            feeder = Feeder([b"--b\r\n" + line + b"\r\n\r\n\r\n--b--"])
            if more:
                with self.assertRaises(ClientError):
                    feeder.parts()
            else:
                self.assertEqual(feeder.parts(), [([line], b"")])

    def test_boundaries(self):
        self.assertTrue(Scanner(b"x" * 70, 10))
        for boundary in (b"", b"x" * 71):
            with self.subTest(boundary=boundary), self.assertRaises(ClientError):
                Scanner(boundary, 100)


# (header value, kind, parameters)
PARAMETERS = [
    ("form-data", "form-data", {}),
    ("Form-Data ; Name=a", "form-data", {"name": "a"}),
    ('form-data; name="a"', "form-data", {"name": "a"}),
    ('form-data;name="a";filename="b c; d=\'e\'.txt"', "form-data", {"name": "a", "filename": "b c; d='e'.txt"}),
    ('form-data; name="a \\"b\\" c"', "form-data", {"name": 'a "b" c'}),
    ('form-data; name="a\\\\"', "form-data", {"name": "a\\"}),
    ('form-data; name="a\\\\\\""', "form-data", {"name": 'a\\"'}),
    ('form-data; filename="C:\\dir\\file.txt"', "form-data", {"filename": "C:\\dir\\file.txt"}),
    ('form-data; name=""', "form-data", {"name": ""}),
    ('a/b; charset=utf-8; boundary="x y"; z=1', "a/b", {"charset": "utf-8", "boundary": "x y", "z": "1"}),
    ("a/b;; x=y;", "a/b", {"x": "y"}),
    ('a/b; x="y" ; z=1 ', "a/b", {"x": "y", "z": "1"}),
    ("", "", {}),
]
MALFORMED = [
    'a; name="b',
    'a; name="b\\"',
    'a; name="b"c',
    "a; name",
    "a; na me=b",
    "a; =b",
    "a; x=1; X=2",
    'a; name="b" c="d"',
]


class TestHeaders(unittest.TestCase):
    def test_parameters(self):
        for text, kind, found in PARAMETERS:
            with self.subTest(text=text):
                self.assertEqual(parameters(text), (kind, found))

    def test_malformed_parameters(self):
        for text in MALFORMED:
            with self.subTest(text=text), self.assertRaises(ClientError):
                parameters(text)

    def test_disposition(self):
        for options, found in (
            ('name="a"', ("a", None)),
            ('name="a"; filename=""', ("a", "")),
            ('name="a"; filename="b"', ("a", "b")),
            ("name=a; filename*=UTF-8''%e2%82%ac%20a+b", ("a", "€ a+b")),
            ("name=a; filename=\"x\"; filename*=utf-8'en'y", ("a", "y")),
        ):
            with self.subTest(options=options):
                self.assertEqual(disposition({"content-disposition": "form-data; " + options}), found)

    def test_malformed_dispositions(self):
        for text in (
            "form-data",
            'attachment; name="a"',
            "",
            "form-data; name=a; filename*=x",
            "form-data; name=a; filename*=latin-1''x",
            "form-data; name=a; filename*=UTF-8''%zz",
            "form-data; name=a; filename*=UTF-8''%ff",
        ):
            with self.subTest(text=text), self.assertRaises(ClientError):
                disposition({"content-disposition": text})
        with self.assertRaises(ClientError):
            disposition({})

    def test_fields(self):
        head = {}
        add_field(head, b"Content-Type:\ttext/plain ")
        add_field(head, "X: ä€".encode())
        self.assertEqual(head, {"content-type": "text/plain", "x": "ä€"})

    def test_malformed_fields(self):
        for line in (
            b"no colon",
            b": x",
            b"A b: c",
            b" folded: x",
            b"X : y",
            b"X: a\rb",
            b"X: a\0",
            b"X: \xff",
            b"content-type: x",
        ):
            with self.subTest(line=line), self.assertRaises(ClientError):
                add_field({"content-type": "a"}, line)
