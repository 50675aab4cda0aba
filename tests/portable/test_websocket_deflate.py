# permessage-deflate: what is negotiated, what is decompressed, and what compressed frames do on a connection.

import unittest

from microdot import websocket_deflate
from microdot.websocket import WebSocket, WebSocketError, with_websocket
from served import ServedCase
from support import MICROPYTHON
from ws_client import BINARY, CONT, PING, TEXT, connect, frame

# "Hello", as RFC 7692 7.2.3 has it: one block, the same with a last block, without compression, in two blocks
HELLO = [
    b"\xf2\x48\xcd\xc9\xc9\x07\x00",
    b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
    b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
    b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
]
ZEROS = b"\xec\xc11\x01\x00\x00\x00\xc2\xa0\xf5Om\n?\xa0\x00\x00\x00\x00\x80\xb7\x01"  # 5,000 zeros
BASE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
EXTENSION = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
BITS = "; client_max_window_bits=10" if MICROPYTHON else ""
OFFERS = [  # offer, answer; where clients must agree to a small window, those that do not are served without
    ("permessage-deflate; client_max_window_bits", BASE + BITS),
    ("permessage-deflate; client_max_window_bits=15", BASE + BITS),
    ("permessage-deflate; client_max_window_bits=9", BASE + BITS.replace("10", "9")),
    ('permessage-deflate; client_max_window_bits="12"', BASE + BITS),
    ("permessage-deflate", None if MICROPYTHON else BASE),
    ("x-other, permessage-deflate; client_max_window_bits", BASE + BITS),
    ("permessage-deflate; unknown, permessage-deflate; client_max_window_bits", BASE + BITS),
    ("permessage-deflate; client_no_context_takeover; client_max_window_bits", BASE + BITS),
    ("permessage-deflate; server_max_window_bits=9; client_max_window_bits", BASE + "; server_max_window_bits=9" + BITS),
    ("permessage-deflate; server_max_window_bits=8; client_max_window_bits", None),
    ("permessage-deflate; server_max_window_bits; client_max_window_bits", None),
    ("permessage-deflate; client_max_window_bits=16", None),
    ("permessage-deflate; client_max_window_bits=07", None),
    ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
    ("permessage-deflate; client_no_context_takeover=1; client_max_window_bits", None),
    ("x-webkit-deflate-frame", None),
    ("", None),
]


class TestNegotiation(unittest.TestCase):
    def test_each_offer(self):
        for offer, answer in OFFERS:
            with self.subTest(offer=offer):
                ws = WebSocket(None)
                self.assertEqual(websocket_deflate.negotiate(ws, offer), answer)
                self.assertEqual(ws._deflate is None, answer is None)
                self.assertEqual(ws._reserved, 0x30 if answer else 0x70)


class TestInflate(unittest.TestCase):
    def setUp(self):
        self.deflate = websocket_deflate.Deflate()

    def test_examples_of_the_rfc(self):
        for data in HELLO:
            self.assertEqual(self.deflate.inflate(data, 100), b"Hello")
            self.assertEqual(self.deflate.inflate(memoryview(data), 0), b"Hello")
        self.assertEqual(self.deflate.inflate(b"\x00", 100), b"")

    def test_limit(self):
        self.assertEqual(self.deflate.inflate(HELLO[0], 5), b"Hello")
        with self.assertRaises(WebSocketError) as raised:
            self.deflate.inflate(HELLO[0], 4)
        self.assertEqual(raised.exception.code, 1009)

    def test_noise_is_refused(self):
        for data in (b"\xff\xff\xff", b"\x07", b"\x00\x05\x00\xff\xffHello"):
            with self.assertRaises(WebSocketError) as raised:
                self.deflate.inflate(data, 100)
            self.assertEqual(raised.exception.code, 1007)


class TestConnection(ServedCase):
    def setUp(self):
        super().setUp()

        @self.app.get("/ws")
        @with_websocket(compress=True, max_message_length=4000)
        async def echo(request, ws):
            async for message in ws:
                await ws.send(message)

        @self.app.get("/plain")
        @with_websocket
        async def plain(request, ws):
            await ws.receive()

    def test_compressed_messages_whole_and_in_fragments(self):
        async def test(server):
            ws = await connect(server, "/ws", EXTENSION)
            self.assertEqual(ws.headers["sec-websocket-extensions"], BASE + BITS)
            for data in HELLO:
                await ws.send(frame(TEXT, data, reserved=0x40))
                self.assertEqual(await ws.message(), "Hello")
                await ws.send(frame(BINARY, data[:3], fin=False, reserved=0x40) + frame(PING) + frame(CONT, data[3:]))
                self.assertEqual(await ws.frame(), (10, b""))
                self.assertEqual(await ws.message(), b"Hello")
            await ws.send(frame(TEXT, b"plain"))
            self.assertEqual(await ws.message(), "plain")

        self.serve(test)

    def test_faults(self):
        async def test(server):
            for data, code in (
                (frame(TEXT, b"\xff\xff\xff", reserved=0x40), 1007),
                (frame(CONT, b"", reserved=0x40), 1002),
                (frame(PING, b"", reserved=0x40), 1002),
                (frame(TEXT, b"", reserved=0x20), 1002),
                (frame(TEXT, b"a", fin=False) + frame(CONT, b"b", reserved=0x40), 1002),
                (frame(TEXT, ZEROS, reserved=0x40), 1009),
            ):
                ws = await connect(server, "/ws", EXTENSION)
                await ws.send(data)
                self.assertEqual(await ws.close_code(), code)

        self.serve(test)

    def test_not_offered_or_not_wanted(self):
        async def test(server):
            for path, fields in (("/ws", ()), ("/plain", (EXTENSION,))):
                ws = await connect(server, path, *fields)
                self.assertNotIn("sec-websocket-extensions", ws.headers)
                await ws.send(frame(TEXT, HELLO[0], reserved=0x40))
                self.assertEqual(await ws.close_code(), 1002)

        self.serve(test)
