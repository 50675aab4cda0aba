# Heads with random faults: both parsers must agree on each, value or status, and neither may fail in another
# way. The generator is seeded, so that a failure comes back on every run and on both interpreters.

import unittest

from heads import ACCEPTED, REFUSED
from microdot import http
from support import Random

ROUNDS = 4000
# What faults are made of: separators, controls, digits and letters that matter, the first bytes above ASCII.
BYTES = b'\r\n\0\t :;,/*?%.-+_"(019Ax\x7f\x80\xff'
LINES = [
    b"Host: b\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b" folded\r\n",
    b"\r\n",
]


def flip(data, random):
    at = random.below(len(data))
    return data[:at] + bytes([random.choice(BYTES)]) + data[at + 1 :]


def insert(data, random):
    at = random.below(len(data) + 1)
    return data[:at] + bytes([random.choice(BYTES)]) + data[at:]


def remove(data, random):
    at = random.below(len(data))
    return data[:at] + data[at + 1 + random.below(3) :]


def cut(data, random):
    return data[: random.below(len(data)) + 1]


def swap_case(data, random):
    at = random.below(len(data))
    return data[:at] + bytes([data[at] ^ 32]) + data[at + 1 :]


def add_line(data, random):
    at = data.find(b"\r\n", random.below(len(data))) + 2
    return data[:at] + random.choice(LINES) + data[at:]


FAULTS = (flip, flip, insert, insert, remove, add_line, swap_case, cut)


def mutations():
    """Yield heads with one to three faults."""
    random = Random(2024)
    heads = [data for _, data, _ in ACCEPTED] + [data for _, data, _ in REFUSED]
    for _ in range(ROUNDS):
        data = random.choice(heads)
        for _ in range(1 + random.below(3)):
            data = random.choice(FAULTS)(data, random) or b"\r\n"
        yield data


def outcome(parse, data):
    """Return the values, None for more, or the status of the refusal."""
    try:
        return parse(data, 0, len(data))
    except http.ClientError as exc:
        return exc.status_code


def is_sound(result, data):
    """Tell whether a result is one of the three kinds, and what was accepted is a whole head."""
    if result is None:
        return True
    if isinstance(result, int):
        return result in (400, 413, 414, 417, 431, 501, 505)
    size, method, target, minor, length, flags = result[:6]
    whole = size <= len(data) and data[size - 4 : size] == b"\r\n\r\n"
    plain = method and " " not in method and " " not in target and target[0] in "/*"
    return bool(whole and plain and minor in (0, 1) and length >= -1 and 0 <= flags <= 3)


class TestMutations(unittest.TestCase):
    def test_every_mutation_is_judged_soundly(self):
        kinds = {}
        for data in mutations():
            result = outcome(http.parse_head_portable, data)
            if not is_sound(result, data):
                self.fail("{!r} gives {!r}".format(data, result))
            kind = result if isinstance(result, int) else type(result).__name__
            kinds[kind] = kinds.get(kind, 0) + 1
        # The generator must reach all kinds, or it proves nothing.
        for kind in (400, 417, 501, 505, "NoneType", "tuple"):
            self.assertGreater(kinds.get(kind, 0), 10, kind)

    @unittest.skipIf(getattr(http, "scan", None) is None, "no native scan on this interpreter")
    def test_native_and_portable_parser_agree(self):
        for data in mutations():
            native, portable = outcome(http.parse_head, data), outcome(http.parse_head_portable, data)
            if native != portable:
                self.fail("{!r}: native {!r}, portable {!r}".format(data, native, portable))

    @unittest.skipIf(getattr(http, "scan", None) is None, "no native scan on this interpreter")
    def test_parsers_agree_on_every_prefix(self):
        for _, data, _ in ACCEPTED:
            for end in range(len(data) + 1):
                part = data[:end]
                self.assertEqual(outcome(http.parse_head, part), outcome(http.parse_head_portable, part))
