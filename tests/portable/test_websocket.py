# WebSockets over a real socket: handshake, messages, fragments, faults and their close codes.

import asyncio
import os

from client import Truncated, request
from microdot.websocket import WebSocket, WebSocketError, websocket_upgrade, with_websocket
from served import ServedCase
from support import MICROPYTHON, Complaints
from ws_client import ACCEPT, BINARY, CLOSE, CONT, FIELDS, PING, PONG, TEXT, close, connect, frame, handshake, text, upgraded

LIMIT = 1000


class WebSocketCase(ServedCase):
    def setUp(self):
        super().setUp()
        self.ended = []

        @self.app.get("/ws")
        @with_websocket(max_message_length=LIMIT)
        async def echo(request, ws):
            try:
                while True:
                    await ws.send(await ws.receive())
            except Exception as e:
                self.ended.append((type(e), ws.closed, ws.close_code, ws.close_reason))
                raise


class TestHandshake(WebSocketCase):
    def refused(self, status, *fields, method="GET", version="1.1", body=None, headers=()):
        async def test(server):
            client = await server.connect()
            await client.send(request(method, "/ws", *fields, version=version, body=body))
            reply = await client.reply()
            self.assertEqual(reply.status, status)
            for name, value in headers:
                self.assertEqual(reply.headers[name], value)

        self.serve(test)

    def test_reply_byte_for_byte(self):
        async def test(server):
            client = await server.connect()
            await client.send(handshake())
            head = await client._until(b"\r\n\r\n")
            self.assertEqual(
                head.decode(),
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: " + ACCEPT + "\r\n\r\n",
            )

        self.serve(test)

    def test_names_in_any_case_and_other_connection_options(self):
        async def test(server):
            client = await server.connect()
            await client.send(request("GET", "/ws", "upgrade: WebSocket", "connection: keep-alive, UPGRADE", *FIELDS[2:]))
            await upgraded(client)

        self.serve(test)

    def test_without_upgrade(self):
        self.refused(400)
        self.refused(400, *FIELDS[1:])
        self.refused(400, FIELDS[0], *FIELDS[2:])
        self.refused(400, *FIELDS[:3])
        self.refused(400, "Upgrade: h2c", *FIELDS[1:])

    def test_version(self):
        for version in ((), ("Sec-WebSocket-Version: 8",), ("Sec-WebSocket-Version: 013",)):
            fields = FIELDS[:2] + FIELDS[3:] + version
            told = [("sec-websocket-version", "13"), ("upgrade", "websocket"), ("connection", "Upgrade")]
            self.refused(426, *fields, headers=told)

    def test_key(self):
        for key in ("x", "dGhlIHNhbXBsZSBub25jZ", "dGhlIHNhbXBsZSBub25jZTE=", "dGhlIHNhbXBsZSBub25jZQ==="):
            self.refused(400, *FIELDS[:3], "Sec-WebSocket-Key: " + key)

    def test_http_1_0_and_bodies(self):
        self.refused(400, *FIELDS, version="1.0")
        self.refused(400, *FIELDS, body=b"body")

    def test_origins(self):
        @self.app.get("/mine")
        @with_websocket(origins=["https://me.example", "http://localhost"])
        async def mine(request, ws):
            await ws.send("hello")

        @self.app.get("/others")
        @with_websocket(origins=["https://me.example", None])
        async def others(request, ws):
            await ws.send("hello")

        async def test(server):
            for path, origin, accepted in (
                ("/mine", "https://me.example", True),
                ("/mine", "http://localhost", True),
                ("/mine", "https://me.example.evil", False),
                ("/mine", "null", False),
                ("/mine", None, False),
                ("/others", None, True),
                ("/others", "null", False),
            ):
                fields = ("Origin: " + origin,) if origin else ()
                try:
                    ws = await connect(server, path, *fields)
                    self.assertEqual(await ws.message(), "hello")
                    self.assertTrue(accepted, origin)
                except Truncated as e:
                    self.assertEqual((e.args[0], accepted), (403, False))

        self.serve(test)

    def test_subprotocols(self):
        @self.app.get("/chat")
        @with_websocket(protocols=["chat.v2", "chat"])
        async def chat(request, ws):
            await ws.send(str(ws.subprotocol))

        async def test(server):
            for offered, chosen in (
                ("chat", "chat"),
                ("chat, chat.v2", "chat.v2"),
                ("soap,chat.v2", "chat.v2"),
                ("soap", None),
                (None, None),
            ):
                ws = await connect(server, "/chat", *(("Sec-WebSocket-Protocol: " + offered,) if offered else ()))
                self.assertEqual(ws.headers.get("sec-websocket-protocol"), chosen)
                self.assertEqual(await ws.message(), str(chosen))

        self.serve(test)

    def test_frames_right_behind_the_handshake(self):
        async def test(server):
            client = await server.connect()
            await client.send(handshake() + text("early") + text("bird")[:4])
            ws = await upgraded(client)
            self.assertEqual(await ws.message(), "early")
            await ws.send(text("bird")[4:])
            self.assertEqual(await ws.message(), "bird")

        self.serve(test)

    def test_path_arguments_and_other_routes(self):
        @self.app.get("/rooms/<int:n>")
        @with_websocket
        async def room(request, ws, n):
            await ws.send("room %d" % n)

        async def test(server):
            self.assertEqual(await (await connect(server, "/rooms/7")).message(), "room 7")
            self.assertEqual((await server.get("/")).text, "index")

        self.serve(test)


class TestUpgrade(WebSocketCase):
    def test_handler_without_the_decorator(self):
        @self.app.get("/plain")
        async def plain(request):
            ws = await websocket_upgrade(request)
            await ws.send(await ws.receive())
            await ws.close()
            return "not sent"

        async def test(server):
            ws = await connect(server, "/plain")
            await ws.send(text("hello"))
            self.assertEqual(await ws.message(), "hello")
            self.assertEqual(await ws.close_code(), 1000)

        self.serve(test)

    def test_failure_after_the_upgrade_writes_no_response(self):
        @self.app.errorhandler(ZeroDivisionError)
        async def failed(request, exc):
            return "failed", 200

        @self.app.get("/plain")
        async def plain(request):
            await websocket_upgrade(request)
            raise ZeroDivisionError

        async def test(server):
            with Complaints() as complaints:
                ws = await connect(server, "/plain")
                self.assertEqual(await ws.client.rest(), b"")
            self.assertEqual(len(complaints), 1)

        self.serve(test)


class TestMessages(WebSocketCase):
    def talk(self, test, *fields):
        async def connected(server):
            await test(await connect(server, "/ws", *fields))

        self.serve(connected)

    def test_each_length_around_each_limit(self):
        @self.app.get("/long")
        @with_websocket(max_message_length=0)
        async def long(request, ws):
            async for message in ws:
                await ws.send(message)

        async def test(server):
            ws = await connect(server, "/long")
            for n in (0, 1, 124, 125, 126, 127, 128, 499, 504, 505, 506, 511, 512, 513, 520, 4090, 4096, 4097):
                payload = os.urandom(n)
                await ws.send(frame(BINARY, payload))
                self.assertEqual(await ws.message(), payload, n)
                await ws.send(text("x" * n))
                self.assertEqual(await ws.message(), "x" * n, n)
            # Client and server together are too much for the firmware's heap; tests/host/test_websocket_peers.py asks it alone.
            for n in () if MICROPYTHON else (65535, 65536):
                payload = os.urandom(256) * 256
                await ws.send(frame(BINARY, payload[:n]))
                self.assertTrue(await ws.message() == payload[:n])

        self.serve(test)

    def test_text_of_every_kind(self):
        async def test(ws):
            for message in ("", "a", "é", "\0", "\U0001f600", "\uffff", "\U0010ffff", "日本語" * 100):
                await ws.send(text(message))
                self.assertEqual(await ws.message(), message)

        self.talk(test)

    def test_cut_at_each_byte(self):
        messages = frame(TEXT, b"short") + frame(PING, b"?") + frame(BINARY, b"x" * 130) + frame(TEXT, b"", mask=b"\0\0\0\0")

        async def test(ws):
            for at in range(len(messages) + 1):
                await ws.send(messages[:at])
                await asyncio.sleep(0.001)
                await ws.send(messages[at:])
                self.assertEqual(await ws.message(), "short")
                self.assertEqual(await ws.frame(), (PONG, b"?"))
                self.assertEqual(await ws.message(), b"x" * 130)
                self.assertEqual(await ws.message(), "")

        self.talk(test)

    def test_one_byte_at_a_time(self):
        async def test(ws):
            await ws.client.send_bytewise(frame(BINARY, b"y" * 600) + text("end"))
            self.assertEqual((await ws.message(), await ws.message()), (b"y" * 600, "end"))

        self.talk(test)

    def test_many_in_one_piece(self):
        async def test(ws):
            messages = ["message %d" % n + "." * (n % 97) for n in range(100)]
            await ws.send(b"".join([text(message) for message in messages]))
            for message in messages:
                self.assertEqual(await ws.message(), message)

        self.talk(test)

    def test_fragments_with_control_frames_between(self):
        async def test(ws):
            for size in (1, 2, 3, 7, 400):
                data = "añb\U0001f600c" * 10
                raw = data.encode()
                pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
                for i, piece in enumerate(pieces):
                    await ws.send(frame(CONT if i else TEXT, piece, fin=i == len(pieces) - 1))
                    await ws.send(frame(PONG, b"nobody asked"))
                    await ws.send(frame(PING, b"%d" % i))
                for i in range(len(pieces) - 1):
                    self.assertEqual(await ws.frame(), (PONG, b"%d" % i))
                self.assertEqual(await ws.message(), data)
                self.assertEqual(await ws.frame(), (PONG, b"%d" % (len(pieces) - 1)))

        self.talk(test)

    def test_fragments_up_to_the_limit_and_empty_ones(self):
        async def test(ws):
            await ws.send(frame(BINARY, fin=False) + frame(CONT, fin=False) + frame(CONT))
            self.assertEqual(await ws.message(), b"")
            await ws.send(frame(BINARY, b"x" * (LIMIT - 1), fin=False) + frame(CONT, b"y"))
            self.assertEqual(await ws.message(), b"x" * (LIMIT - 1) + b"y")

        self.talk(test)

    def test_pings_of_each_size(self):
        async def test(ws):
            for n in (0, 1, 125):
                await ws.send(frame(PING, b"p" * n))
                self.assertEqual(await ws.frame(), (PONG, b"p" * n))

        self.talk(test)

    def test_send_with_an_opcode(self):
        @self.app.get("/opcodes")
        @with_websocket
        async def opcodes(request, ws):
            await ws.send("text as bytes", WebSocket.BINARY)
            await ws.send(b"bytes as text", ws.TEXT)
            await ws.send(b"?", ws.PING)

        async def test(server):
            ws = await connect(server, "/opcodes")
            self.assertEqual(await ws.message(), b"text as bytes")
            self.assertEqual(await ws.message(), "bytes as text")
            self.assertEqual(await ws.frame(), (PING, b"?"))

        self.serve(test)


FAULTS = [
    ("frame without mask", b"\x81\x05hello", 1002),
    ("first reserved bit", frame(TEXT, b"a", reserved=0x40), 1002),
    ("second reserved bit", frame(TEXT, b"a", reserved=0x20), 1002),
    ("third reserved bit", frame(PING, b"a", reserved=0x10), 1002),
    ("reserved opcode", frame(3, b"a"), 1002),
    ("reserved control opcode", frame(11), 1002),
    ("continuation of nothing", frame(CONT, b"a"), 1002),
    ("open continuation of nothing", frame(CONT, b"a", fin=False), 1002),
    ("message inside a message", frame(TEXT, b"a", fin=False) + text("b"), 1002),
    ("ping in parts", frame(PING, b"a", fin=False), 1002),
    ("ping of 126 bytes", frame(PING, b"a" * 126), 1002),
    ("close of one byte", frame(CLOSE, b"\x03"), 1002),
    ("close with a code that is none", frame(CLOSE, b"\x03\xed"), 1002),
    ("close with broken text", frame(CLOSE, b"\x03\xe8\xff"), 1007),
    ("length not in its shortest form", b"\x81\xfe\x00\x01" + bytes(4) + b"a", 1002),
    ("length of 2 ** 63", b"\x82\xff\x80" + bytes(7) + bytes(4), 1002),
    ("text that is not utf-8", frame(TEXT, b"\xff"), 1007),
    ("overlong utf-8", frame(TEXT, b"\xc0\xaf"), 1007),
    ("surrogate", frame(TEXT, b"\xed\xa0\x80"), 1007),
    ("character cut off", frame(TEXT, "é".encode()[:1]), 1007),
    ("character cut off by the last fragment", frame(TEXT, b"a", fin=False) + frame(CONT, b"\xc3"), 1007),
    ("one byte too long", frame(BINARY, b"x" * (LIMIT + 1)), 1009),
    ("much too long, said by the head alone", frame(BINARY, b"x" * 65536)[:14], 1009),
    ("fragments too long together", frame(TEXT, b"x" * LIMIT, fin=False) + frame(CONT, b"x"), 1009),
]


class TestFaults(WebSocketCase):
    def test_each_ends_with_its_code_and_tells_the_handler(self):
        async def test(server):
            for name, data, code in FAULTS:
                self.ended.clear()
                ws = await connect(server)
                await ws.send(text("before") + data)
                self.assertEqual(await ws.message(), "before", name)
                with self.subTest(name=name):
                    self.assertEqual(await ws.close_code(), code)
                    self.assertEqual(self.ended[0][:2], (WebSocketError, True))

        self.serve(test, count_files=True)

    def test_too_large_is_told_in_the_documented_words(self):
        async def test(server):
            ws = await connect(server, "/words")
            await ws.send(frame(BINARY, b"x" * (16 * 1024 + 1)))
            await ws.close_code()
            self.assertEqual(self.words, "Message too large")

        @self.app.get("/words")
        @with_websocket
        async def words(request, ws):
            try:
                await ws.receive()
            except WebSocketError as e:
                self.words = str(e)

        self.serve(test)


class TestClosing(WebSocketCase):
    def test_by_the_client(self):
        async def test(server):
            for sent, answer, code, reason in (
                (close(), None, 1005, ""),
                (close(1000), 1000, 1000, ""),
                (close(1001, "leaving"), 1001, 1001, "leaving"),
                (close(4999, "é"), 4999, 4999, "é"),
            ):
                self.ended.clear()
                ws = await connect(server)
                await ws.send(sent + text("ignored"))
                self.assertEqual(await ws.close_code(), answer)
                self.assertEqual(self.ended, [(WebSocketError, True, code, reason)])

        self.serve(test)

    def test_by_the_handler(self):
        @self.app.get("/bye")
        @with_websocket
        async def bye(request, ws):
            await ws.close(4000, "enough")
            await ws.close(1000)
            for call in (ws.receive(), ws.send("late")):
                try:
                    await call
                except WebSocketError as e:
                    self.ended.append(str(e))

        async def test(server):
            ws = await connect(server, "/bye")
            self.assertEqual(await ws.frame(), (CLOSE, b"\x0f\xa0enough"))
            await ws.send(text("crossing") + frame(PING) + close(4000))
            self.assertEqual(await ws.client.rest(), b"")
            self.assertEqual(self.ended, ["Websocket connection closed"] * 2)

        self.serve(test, count_files=True)

    def test_by_the_handler_towards_a_client_that_does_not_answer(self):
        @self.app.get("/bye")
        @with_websocket
        async def bye(request, ws):
            ws.close_timeout = 0.1

        async def test(server):
            ws = await connect(server, "/bye")
            self.assertEqual(await ws.frame(), (CLOSE, b"\x03\xe8"))
            self.assertEqual(await ws.client.rest(), b"")

        self.serve(test)

    def test_codes_that_cannot_be_sent(self):
        @self.app.get("/bye")
        @with_websocket
        async def bye(request, ws):
            for code, reason in ((999, ""), (5000, ""), (1000, "é" * 62)):
                try:
                    await ws.close(code, reason)
                except ValueError:
                    self.ended.append(code)

        async def test(server):
            self.assertEqual(await (await connect(server, "/bye")).close_code(), 1000)
            self.assertEqual(self.ended, [999, 5000, 1000])

        self.serve(test)

    def test_failing_handler(self):
        @self.app.get("/fails")
        @with_websocket
        async def fails(request, ws):
            raise ZeroDivisionError

        async def test(server):
            with Complaints() as complaints:
                ws = await connect(server, "/fails")
                self.assertEqual(await ws.close_code(), 1011)
            self.assertEqual([type(e) for e in complaints], [ZeroDivisionError])

        self.serve(test)

    def test_iteration_ends_with_the_connection_and_raises_for_faults(self):
        @self.app.get("/iterate")
        @with_websocket
        async def iterate(request, ws):
            messages = []
            try:
                async for message in ws:
                    messages.append(message)
            except WebSocketError as e:
                messages.append(e.code)
            self.ended.append(messages)

        async def test(server):
            for data, expected in ((close(1000), ["a"]), (frame(3), ["a", 1002])):
                ws = await connect(server, "/iterate")
                await ws.send(text("a") + data)
                await ws.close_code()
                self.assertEqual(self.ended.pop(), expected)
            ws = await connect(server, "/iterate")
            await ws.send(text("a"))
            await ws.client.close()
            while not self.ended:
                await asyncio.sleep(0.005)
            self.assertEqual(self.ended.pop(), ["a"])

        self.serve(test)
