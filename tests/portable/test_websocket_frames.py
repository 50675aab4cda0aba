# The rules of frames, without a connection: heads, masks, close frames.

import os
import unittest

from microdot import websocket_frames as frames
from microdot.websocket import WebSocket, WebSocketError
from support import MICROPYTHON, run
from ws_client import masked, size_bytes

MASK = b"\x01\x02\x03\x04"
GOOD = [  # first byte, length
    (first, n)
    for first in (0x81, 0x82, 0x01, 0x02, 0x00, 0x80)
    for n in (0, 1, 125, 126, 127, 65535, 65536, 100000, (1 << 63) - 1)
] + [(first, n) for first in (0x88, 0x89, 0x8A) for n in (0, 1, 125)]
BAD = [
    ("not masked", b"\x81\x00"),
    ("first reserved bit", b"\xc1\x80" + MASK),
    ("second reserved bit", b"\xa1\x80" + MASK),
    ("third reserved bit", b"\x91\x80" + MASK),
    ("control frame in parts", b"\x09\x80" + MASK),
    ("close frame in parts", b"\x08\x80" + MASK),
    ("control frame of 126 bytes", b"\x89\xfe\x00\x7e" + MASK),
    ("control frame of 65536 bytes", b"\x8a\xff" + (65536).to_bytes(8, "big") + MASK),
    ("125 in two bytes", b"\x81\xfe\x00\x7d" + MASK),
    ("0 in two bytes", b"\x82\xfe\x00\x00" + MASK),
    ("65535 in eight bytes", b"\x81\xff" + (65535).to_bytes(8, "big") + MASK),
    ("length with its highest bit set", b"\x81\xff\x80" + bytes(7) + MASK),
] + [("opcode %d" % n, bytes((0x80 | n, 0x80)) + MASK) for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)]


class TestHeads(unittest.TestCase):
    def test_good_ones_at_any_place_in_the_buffer(self):
        for first, n in GOOD:
            head = bytes((first,)) + size_bytes(n) + MASK
            for before in (b"", b"x", b"xxxx"):
                buf = bytearray(before + head + b"rest")
                with self.subTest(first=first, n=n, before=before):
                    found = frames.parse_head(buf, len(before), len(buf), 0x70)
                    self.assertEqual(found, (len(head), n))

    def test_cut_at_each_byte_asks_for_more(self):
        for first, n in GOOD:
            head = bytearray(bytes((first,)) + size_bytes(n) + MASK)
            for end in range(len(head)):
                with self.subTest(first=first, n=n, end=end):
                    self.assertIsNone(frames.parse_head(head, 0, end, 0x70))

    def test_bad_ones_end_with_1002(self):
        for name, head in BAD:
            with self.subTest(name=name):
                with self.assertRaises(WebSocketError) as raised:
                    frames.parse_head(bytearray(head), 0, len(head), 0x70)
                self.assertEqual(raised.exception.code, 1002)

    def test_the_bit_of_an_extension_only_where_it_is_allowed(self):
        for first in (0xC1, 0xC2, 0x41):
            head = bytearray(bytes((first, 0x80)) + MASK)
            self.assertEqual(frames.parse_head(head, 0, 6, 0x30), (6, 0))
        for first in (0xC0, 0xC8, 0xC9, 0xA1, 0x91):
            head = bytearray(bytes((first, 0x80)) + MASK)
            with self.assertRaises(WebSocketError):
                frames.parse_head(head, 0, 6, 0x30)


class TestMasks(unittest.TestCase):
    def check(self, unmask):
        for n in list(range(0, 35)) + [1023, 1024, 1025, 1027, 2048, 5000]:
            payload = os.urandom(n)
            for mask in (b"\0\0\0\0", b"\xff\0\xff\0", os.urandom(4)):
                buf = bytearray(b"ab" + mask + masked(payload, mask) + b"yz")
                unmask(buf, 2, 6, 6 + n)
                self.assertEqual(bytes(buf[6:]), payload + b"yz", n)
                self.assertEqual(bytes(buf[:6]), b"ab" + mask)

    def test_portable(self):
        self.check(frames.unmask_portable)

    def test_chosen(self):
        self.check(frames.unmask)

    @unittest.skipUnless(MICROPYTHON, "native code is for MicroPython")
    def test_native_is_there(self):
        from microdot import _unmask

        self.check(_unmask.unmask)


class TestClose(unittest.TestCase):
    def test_good_ones(self):
        self.assertEqual(frames.parse_close(b""), (1005, ""))
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
            for reason in ("", "é" * 61, "x" * 123):
                payload = code.to_bytes(2, "big") + reason.encode()
                self.assertEqual(frames.parse_close(payload), (code, reason))
                self.assertEqual(frames.parse_close(memoryview(payload)), (code, reason))

    def test_bad_ones(self):
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            with self.assertRaises(WebSocketError) as raised:
                frames.parse_close(code.to_bytes(2, "big"))
            self.assertEqual(raised.exception.code, 1002)
        with self.assertRaises(WebSocketError) as raised:
            frames.parse_close(b"\x03")
        self.assertEqual(raised.exception.code, 1002)
        for reason in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce"):
            with self.assertRaises(WebSocketError) as raised:
                frames.parse_close(b"\x03\xe8" + reason)
            self.assertEqual(raised.exception.code, 1007)


class TestEncode(unittest.TestCase):
    def test_lengths(self):
        for n in (0, 1, 125, 126, 127, 65535, 65536):
            self.assertEqual(frames.encode(0x82, b"x" * n), b"\x82" + size_bytes(n, False) + b"x" * n)

    def test_types(self):
        self.assertEqual(WebSocket.encode("é"), b"\x81\x02\xc3\xa9")
        self.assertEqual(WebSocket.encode(b"\xc3"), b"\x82\x01\xc3")
        self.assertEqual(WebSocket.encode(bytearray(b"ab")), b"\x82\x02ab")
        self.assertEqual(WebSocket.encode(b"ab", WebSocket.TEXT), b"\x81\x02ab")
        self.assertEqual(WebSocket.encode("ab", WebSocket.PING), b"\x89\x02ab")

    def test_long_control_frame_is_refused(self):
        with self.assertRaises(ValueError):
            WebSocket.encode(b"x" * 126, WebSocket.PING)


class TestHooks(unittest.TestCase):
    def test_frames_without_a_connection(self):
        ws = WebSocket(None)
        self.assertEqual(ws._process_websocket_frame(WebSocket.TEXT, b"foo"), (None, "foo"))
        self.assertEqual(ws._process_websocket_frame(WebSocket.BINARY, b"foo"), (None, b"foo"))
        self.assertEqual(ws._process_websocket_frame(WebSocket.PING, b"foo"), (WebSocket.PONG, b"foo"))
        self.assertEqual(ws._process_websocket_frame(WebSocket.PONG, b"foo"), (None, None))
        with self.assertRaises(WebSocketError):
            ws._process_websocket_frame(WebSocket.CLOSE, b"")

    def test_heads(self):
        self.assertEqual(WebSocket._parse_frame_header(b"\x81\x85"), (True, 1, True, 5))
        self.assertEqual(WebSocket._parse_frame_header(b"\x02\x05"), (False, 2, False, 5))
        self.assertEqual(WebSocket._parse_frame_header(b"\x81\xfe"), (True, 1, True, -2))
        self.assertEqual(WebSocket._parse_frame_header(b"\x81\x7f"), (True, 1, False, -8))

    def test_frames(self):
        self.assertEqual(WebSocket._encode_websocket_frame(WebSocket.TEXT, "foo"), b"\x81\x03foo")
        self.assertEqual(WebSocket._encode_websocket_frame(WebSocket.BINARY, b"x" * 126), b"\x82\x7e\x00\x7e" + b"x" * 126)

    def test_unknown_option_is_refused(self):
        with self.assertRaises(TypeError):
            WebSocket(None, pings=1)

    def test_close_before_the_handshake_sends_nothing(self):
        ws = WebSocket(None)
        run(ws.close())
        self.assertFalse(ws.closed)
