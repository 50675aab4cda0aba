# The life of a WebSocket: clients that leave, servers that stop, several tasks at once, cancelled waits, pings, broadcast.

import asyncio
import sys

from microdot.websocket import WebSocket, WebSocketError, broadcast, with_websocket
from served import Served, ServedCase
from support import MICROPYTHON, Complaints, run, until
from ws_client import BINARY, CLOSE, PING, TEXT, connect, frame, text

FILLER = b"filler" * 500


class LifeCase(ServedCase):
    def setUp(self):
        super().setUp()
        self.seen = []


class TestDepartures(LifeCase):
    def leaves(self, leave, ending):
        @self.app.get("/ws")
        @with_websocket
        async def receiver(request, ws):
            try:
                await ws.receive()
            except (WebSocketError, OSError) as e:
                self.seen.append((e, ws.closed, ws.close_code))
                raise

        async def test(server):
            with Complaints() as complaints:
                ws = await connect(server)
                await ws.send(ending)
                await leave(ws.client)
                await until(lambda: self.seen)
                self.assertEqual(self.seen[0][1:], (True, 1006))
            self.assertEqual(complaints, [])

        self.serve(test, count_files=True)

    def test_receiving_handler_is_told_of_the_end(self):
        self.leaves(lambda client: client.close(), b"")

    def test_in_the_middle_of_a_frame(self):
        self.leaves(lambda client: client.close(), text("hello")[:3])

    def test_in_the_middle_of_a_large_frame(self):
        self.leaves(lambda client: client.close(), frame(BINARY, b"x" * 6000)[:5000])

    def test_by_reset(self):
        self.leaves(lambda client: client.reset(), b"")

    def test_behind_what_can_not_be_read(self):
        @self.app.get("/ws")
        @with_websocket
        async def brief(request, ws):
            pass

        async def test(server):
            with Complaints() as complaints:
                client = (await connect(server)).client
                await client.send(b"\xff" * 20)
                await asyncio.sleep(0.1)
                sock = client._writer.s if MICROPYTHON else client._writer.get_extra_info("socket")
                sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER, no time: closing it resets the connection
                await client.reset()
                await until(lambda: not self.app._server.connections)
            self.assertEqual(complaints, [])

        self.serve(test, count_files=True)

    def test_of_a_handler_that_leaves_a_receiver_behind(self):
        @self.app.get("/ws/<int:timeout>")
        @with_websocket
        async def left(request, ws, timeout):
            self.seen.append(asyncio.create_task(ws.receive(timeout or None)))
            await asyncio.sleep(0.02)

        async def test(server):
            with Complaints() as complaints:
                for path in ("/ws/0", "/ws/60"):
                    ws = await connect(server, path)
                    self.assertEqual(await ws.frame(), (CLOSE, b"\x03\xe8"))
                    await ws.send(frame(CLOSE, b"\x03\xe8"))
                    self.assertEqual(await ws.client.rest(), b"")
            self.assertEqual(complaints, [])

        self.serve(test, count_files=True)

    def test_sending_handler_is_told_by_an_error(self):
        @self.app.get("/ws")
        @with_websocket
        async def sender(request, ws):
            try:
                while True:
                    await ws.send("x" * 1000)
            except OSError:
                self.seen.append(ws.closed)
                raise

        async def test(server):
            with Complaints() as complaints:
                ws = await connect(server)
                await ws.message()
                await ws.client.close()
                await until(lambda: self.seen)
            self.assertEqual((self.seen, complaints), ([True], []))

        self.serve(test, count_files=True)

    def test_sending_to_a_client_that_does_not_read_ends_after_the_write_timeout(self):
        @self.app.get("/ws")
        @with_websocket
        async def sender(request, ws):
            try:
                while True:
                    await ws.send("x" * 10000)
            finally:
                self.seen.append(True)

        async def test(server):
            await connect(server)
            await until(lambda: self.seen)

        self.serve(test, count_files=True)

    def test_a_waiting_websocket_has_no_deadline(self):
        self.app.body_timeout = self.app.idle_timeout = self.app.head_timeout = 0.2

        @self.app.get("/ws")
        @with_websocket
        async def echo(request, ws):
            await ws.send(await ws.receive())

        async def test(server):
            ws = await connect(server)
            await asyncio.sleep(0.7)
            await ws.send(text("late"))
            self.assertEqual(await ws.message(), "late")

        self.serve(test)


class TestShutdown(LifeCase):
    def stops(self, handler, answers=True):
        self.app.get("/ws")(with_websocket(handler))

        async def test():
            async with Served(self.app) as server:
                ws = await connect(server)
                await ws.message()
                self.app.shutdown()
                if answers:
                    self.assertEqual(await ws.close_code(), 1001)
                else:
                    self.assertEqual(await ws.frame(), (CLOSE, b"\x03\xe9"))
                    self.assertEqual(await ws.client.rest(), b"")
                await server.task

        run(test())

    def test_open_ones_are_closed_with_1001(self):
        async def receiver(request, ws):
            await ws.send("ready")
            async for _message in ws:
                pass
            self.seen.append(ws.close_code)

        self.stops(receiver)
        self.assertEqual(self.seen, [1001])

    def test_handler_that_does_not_end_is_cancelled(self):
        self.app.shutdown_timeout = 0.2

        async def sleeper(request, ws):
            await ws.send("ready")
            try:
                await asyncio.sleep(1000)
            finally:
                self.seen.append("ended")

        self.stops(sleeper, answers=False)
        self.assertEqual(self.seen, ["ended"])


class TestTasks(LifeCase):
    async def fill(self, ws):
        """Send until the client's system and ours take no more; return how many messages that were."""
        n = 0
        while True:
            n += 1
            try:
                await asyncio.wait_for(ws.send(FILLER), 0.1)
            except asyncio.TimeoutError:
                return n

    async def skip_filler(self, ws):
        """Read the filler; return the first message that is none."""
        while True:
            message = await ws.message()
            if message[:6] != b"filler":
                return message
            self.assertEqual(message, FILLER)

    def test_several_may_send_large_and_small(self):
        tasks, messages = 5, 20

        @self.app.get("/ws")
        @with_websocket
        async def senders(request, ws):
            async def sender(n):
                for i in range(messages):
                    await ws.send(b"%d %d " % (n, i) + b"%d" % n * (5000 if n % 2 else 10))

            await self.fill(ws)
            await asyncio.gather(*[sender(n) for n in range(tasks)])

        async def test(server):
            self.app.write_timeout = 10
            ws = await connect(server)
            await asyncio.sleep(0.5)
            message = await self.skip_filler(ws)
            counts = [0] * tasks
            for left in range(tasks * messages, 0, -1):
                n, i, rest = message.split(b" ", 2)
                self.assertEqual(int(i), counts[int(n)])  # in the order in which each task sent them
                self.assertEqual(rest.replace(n, b""), b"")
                counts[int(n)] += 1
                if left > 1:
                    message = await ws.message()
            self.assertEqual(counts, [messages] * tasks)
            self.assertEqual(await ws.close_code(), 1000)

        self.serve(test)

    def test_cancelled_sender_leaves_whole_frames(self):
        @self.app.get("/ws")
        @with_websocket
        async def senders(request, ws):
            await self.fill(ws)
            for n in range(20):
                sending = asyncio.create_task(ws.send(b"%d:" % n + b"x" * 5000))
                await asyncio.sleep(0.002)
                sending.cancel()
                try:
                    await sending
                except asyncio.CancelledError:
                    self.seen.append(n)
            await ws.send("then")

        async def test(server):
            self.app.write_timeout = 10
            ws = await connect(server)
            await until(lambda: len(self.seen) > 10)
            data = await self.skip_filler(ws)
            for n in range(20):
                head, _, rest = data.partition(b":")
                self.assertEqual((head, rest), (b"%d" % n, b"x" * 5000))
                data = await ws.message()
            self.assertEqual(data, "then")

        self.serve(test)

    def test_cancelled_receive_loses_nothing(self):
        self.receives_all(lambda ws: asyncio.wait_for(ws.receive(), 0.003))

    def test_receive_with_a_timeout_loses_nothing(self):
        self.receives_all(lambda ws: ws.receive(timeout=0.003))

    def receives_all(self, receive):
        count = 300

        @self.app.get("/ws")
        @with_websocket
        async def receiver(request, ws):
            await ws.send("ready")
            while len(self.seen) < count:
                try:
                    message = await receive(ws)
                    self.seen.append(int(message.split(" ")[0]))  # 300 messages would leave no long piece of the heap
                except asyncio.TimeoutError:
                    self.timeouts += 1
            await ws.send("done")

        self.timeouts = 0

        async def test(server):
            ws = await connect(server)
            await ws.message()
            for n in range(count):
                data = text("%d " % n + "x" * (n * 7 % 900))
                cut = n * 5 % len(data)
                await ws.send(data[:cut])
                await asyncio.sleep(0.001 * (n % 5))
                await ws.send(data[cut:])
            self.assertEqual(await ws.message(), "done")
            self.assertEqual(self.seen, list(range(count)))
            self.assertTrue(self.timeouts)

        self.serve(test)

    def test_cancelled_receive_leaves_a_sender_alone(self):
        @self.app.get("/ws")
        @with_websocket
        async def both(request, ws):
            async def sender():
                await ws.send(b"x" * 10000)
                self.seen.append("sent")

            await self.fill(ws)
            sending = asyncio.create_task(sender())
            while not self.seen:
                try:
                    await asyncio.wait_for(ws.receive(), 0.01)
                except asyncio.TimeoutError:
                    pass
            await sending

        async def test(server):
            self.app.write_timeout = 10
            ws = await connect(server)
            await asyncio.sleep(0.5)
            self.assertEqual(await self.skip_filler(ws), b"x" * 10000)
            self.assertEqual(await ws.close_code(), 1000)

        self.serve(test)

    def test_two_receivers_take_turns(self):
        @self.app.get("/ws")
        @with_websocket
        async def receivers(request, ws):
            messages = await asyncio.gather(ws.receive(), ws.receive())
            await ws.send(" ".join(sorted(messages)))

        async def test(server):
            ws = await connect(server)
            await ws.send(text("a") + text("b"))
            self.assertEqual(await ws.message(), "a b")

        self.serve(test)

    def test_handler_that_only_sends_lets_others_run(self):
        @self.app.get("/ws")
        @with_websocket
        async def sender(request, ws):
            while not self.seen:
                await ws.send("")

        async def test(server):
            self.app.write_timeout = 5
            ws = await connect(server)
            self.assertEqual((await server.get("/")).text, "index")
            self.seen.append("stop")
            while (await ws.frame())[0] != CLOSE:
                pass

        self.serve(test)

    def test_task_that_outlives_the_connection_meets_a_closed_one(self):
        @self.app.get("/ws")
        @with_websocket
        async def leaver(request, ws):
            self.seen.append(ws)

        async def test(server):
            ws = await connect(server)
            await ws.close_code()
            other = await server.connect()
            self.assertEqual((await other.get("/")).text, "index")
            for call in (self.seen[0].send("x"), self.seen[0].receive()):
                with self.assertRaises(WebSocketError):
                    await call
            with self.assertRaises(OSError):
                await self.seen[0]._out.awrite(b"x")
            self.assertEqual((await other.get("/")).text, "index")

        self.serve(test)


class TestPings(LifeCase):
    def ping(self, handler, test):
        self.app.get("/ws")(with_websocket(ping_interval=0.05, ping_timeout=0.1)(handler))

        async def served(server):
            ws = await connect(server)
            self.assertEqual(await ws.frame(), (PING, b""))
            await test(ws)

        self.serve(served, count_files=True)

    async def answer(self, ws):
        for _ in range(4):
            await ws.send(frame(10))
            self.assertEqual(await ws.frame(), (PING, b""))
        self.assertEqual(self.seen, [])
        await ws.send(frame(10))

    async def receiver(self, request, ws):
        try:
            async for message in ws:
                await ws.send(message)
        finally:
            self.seen.append(ws.close_code)

    async def sleeper(self, request, ws):
        try:
            await asyncio.sleep(1000)
        finally:
            self.seen.append(ws.close_code)

    async def _goes_on(self, ws):
        await self.answer(ws)

    async def _is_given_up(self, ws):
        await until(lambda: self.seen)
        self.assertEqual(self.seen, [1006])
        await ws.client.rest()

    async def _is_given_up_after_a_while(self, ws):
        await self.answer(ws)
        await self._is_given_up(ws)

    def test_client_that_answers_is_kept_while_receiving(self):
        self.ping(self.receiver, self._goes_on)

    def test_client_that_is_silent_is_given_up_while_receiving(self):
        self.ping(self.receiver, self._is_given_up)

    def test_client_that_answers_is_kept_by_a_handler_that_does_not_receive(self):
        self.ping(self.sleeper, self._is_given_up_after_a_while)


class TestBroadcast(LifeCase):
    def setUp(self):
        super().setUp()
        self.clients = []

        @self.app.get("/ws")
        @with_websocket
        async def member(request, ws):
            self.clients.append(ws)
            try:
                async for message in ws:
                    self.seen.append(message)
            finally:
                self.clients.remove(ws)

    async def connect(self, server, count):
        members = []
        for _ in range(count):
            members.append(await connect(server))
        return members

    def test_reaches_all_but_the_closed(self):
        async def test(server):
            members = await self.connect(server, 4)
            await until(lambda: len(self.clients) == 4)
            gone = self.clients[2]
            await gone.close()
            dropped = await broadcast(self.clients, "hello")
            self.assertEqual(dropped, [gone])
            self.assertEqual(await broadcast(set(self.clients) - {gone}, b"bytes"), [])
            for n in (0, 1, 3):
                self.assertEqual((await members[n].message(), await members[n].message()), ("hello", b"bytes"))
            self.assertEqual(await members[2].close_code(), 1000)

        self.serve(test)

    def test_encodes_once(self):
        class Counting(str):
            encoded = 0

            def encode(self, *args):
                Counting.encoded += 1
                return str.encode(self, *args)

        async def test(server):
            members = await self.connect(server, 3)
            await until(lambda: len(self.clients) == 3)
            await broadcast(self.clients, Counting("once"))
            for ws in members:
                self.assertEqual(await ws.message(), "once")
            self.assertEqual(Counting.encoded, 1)

        if not MICROPYTHON:  # whose subclasses of str are not strings
            self.serve(test)

    def test_who_does_not_read_is_dropped_and_nobody_waits(self):
        self.app.write_timeout = 30

        async def test(server):
            slow, quick = await connect(server), await connect(server)
            await until(lambda: len(self.clients) == 2)
            slow_ws = self.clients[0]
            data = b"x" * 20000
            dropped = []
            sent = 0
            while not dropped:
                dropped = await broadcast(self.clients, data)
                self.assertEqual(len(await quick.message()), len(data))
                sent += len(data)
                self.assertTrue(sent < 50000000)
            self.assertEqual(dropped, [slow_ws])
            self.assertTrue(slow_ws.closed)
            await until(lambda: slow_ws not in self.clients)  # its handler has ended
            self.assertEqual(await broadcast(self.clients, "still here"), [])
            self.assertEqual(await quick.message(), "still here")
            await slow.client.close()

        # The server looks for who is to be ended at each tick
        self.app.head_timeout = 0.4
        self.serve(test, count_files=True)

    def test_backlog_is_sent_when_the_client_reads_again(self):
        async def test(server):
            self.app.write_timeout = 5
            ws = await connect(server)
            await until(lambda: self.clients)
            self.clients[0].max_backlog = 10000000
            filled = 0
            while self.clients[0]._out.backlog() < 10000:
                await broadcast(self.clients, FILLER)
                filled += 1
                await asyncio.sleep(0)
            for n in range(10):
                self.assertEqual(await broadcast(self.clients, b"%d " % n + b"x" * 20000), [])
            for _ in range(filled):
                self.assertEqual(await ws.message(), FILLER)
            for n in range(10):
                self.assertEqual((await ws.message()).split(b" ")[0], b"%d" % n)

        self.serve(test)


class TestLoops(LifeCase):
    def test_nothing_is_bound_to_a_loop_at_construction(self):
        ws = WebSocket(None)
        self.assertFalse(ws.closed)
        self.assertTrue(sys.modules["microdot.websocket"])

    def test_limit_of_the_class_is_read_when_a_message_comes(self):
        @self.app.get("/ws")
        @with_websocket
        async def echo(request, ws):
            async for message in ws:
                await ws.send(message)

        async def test(server):
            for limit, n, fits in ((-1, 16384, True), (-1, 16385, False), (10, 10, True), (10, 11, False), (0, 100000, True)):
                WebSocket.max_message_length = limit
                ws = await connect(server)
                await ws.send(frame(TEXT, b"x" * n))
                if fits:
                    self.assertEqual(await ws.message(), "x" * n)
                else:
                    self.assertEqual(await ws.close_code(), 1009)

        try:
            self.serve(test)
        finally:
            WebSocket.max_message_length = -1
