# Connections: with what it loads on demand (`connection_*.py`, `sender.py`, `streaming.py`) the only code that knows sockets.
#
# A connection owns one buffer. The head is parsed where it lies, the body is read through it, and a reply leaves in one write.
# Nothing is made for each wait: a single reaper looks at all connections once a tick and ends those past their deadline.
# Cost: a task, a buffer of 512 bytes or more and one object a connection; the last one's buffer and object serve the next.
import asyncio
import sys
import time

from microdot.helpers import borrow, fill
from microdot.http import EXPECT, KEEP, ClientError, http_date, parse_head
from microdot.request import Request

MICROPYTHON = sys.implementation.name == "micropython"
BUFFER = 512 if MICROPYTHON else 4096  # bytes a connection begins with; a longer head doubles them
SMALL = 4096  # bytes of body that are joined to the head
# what a connection does: wait for a head, read a body or run a handler, reply, let the last reply reach the client
WAITING, HANDLING, SENDING, LINGERING = 0, 1, 2, 3
BUSY = b"HTTP/1.1 503 N/A\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server:
    """Accepts connections for an application, watches their deadlines, and ends them in order."""

    spare = None  # a Connection to use again
    stopping = False
    ssl = None  # the SSLContext of a server that speaks TLS
    listener = None
    watcher = None  # the task of the reaper
    main = None  # the task that serves until shutdown
    closing = None
    refusing = 0  # clients that are being turned away
    now = 0  # the present tick; deadlines are counted in ticks
    date = None  # the Date header line of this tick

    def __init__(self, app):
        self.app = app
        self.connections = []  # oldest first
        self.plain = {}  # Content-Type -> the head of a plain reply up to its length, for this tick
        self.max_connections = app.max_connections or (6 if MICROPYTHON else 1000)
        self.tick = max(0.05, min(1, min(app.head_timeout, app.body_timeout, app.idle_timeout, app.write_timeout) / 4))
        self.head_ticks = self.ticks(app.head_timeout)
        self.idle_ticks = self.ticks(app.idle_timeout)

    def ticks(self, seconds):
        """Return how many ticks have passed when at least ``seconds`` have."""
        return int(seconds / self.tick) + 2

    def accept(self, reader, writer):
        """Return the coroutine that serves a new connection."""
        if self.watcher is None:
            self.watcher = asyncio.create_task(self.watch())
        if len(self.connections) >= self.max_connections and not self.evict((WAITING, LINGERING)):
            return self.refuse(writer)
        if not MICROPYTHON:
            writer.transport.set_write_buffer_limits(0)  # so that `drain` waits for the very last byte
        connection = self.spare or Connection(self)
        self.spare = None
        self.connections.append(connection)
        return connection.run(reader, writer)

    async def refuse(self, writer):
        """Turn a client away from a constant: too many connections, and none of them idle."""
        try:
            if not self.ssl:  # a handshake costs more than there is
                say(writer, BUSY)
            if self.refusing < self.max_connections:  # let the request arrive
                self.refusing += 1
                try:
                    await asyncio.sleep(0.1)
                finally:
                    self.refusing -= 1
            unread(writer)
        except (OSError, MemoryError):
            pass
        finally:
            close_writer(writer, False)

    def evict(self, phases):
        """End the oldest connection that is in one of the phases; tell whether there was one."""
        for connection in self.connections:
            if connection.phase in phases and not connection.expired:
                connection.expire()
                return True
        return False

    async def start(self, host, port, ssl, start_serving):
        """Listen, and serve until shutdown; see ``Microdot.start_server``."""
        if ssl:  # each connection has its own handshake, under its own deadline
            from microdot.connection_tls import prepare

            prepare(self)
            self.ssl = ssl
        if self.app.debug:
            print("Starting async server on %s:%d..." % (host, port))
        self.app.server = self.listener = await listen(self, host, port, start_serving)
        self.app._server = self
        if not start_serving:
            return self.listener
        self.main = self.watcher = asyncio.current_task()
        try:
            await self.watch()
        finally:
            self.main = None
            self.closing = True
            await self.close()

    def shutdown(self):
        """Stop; safe from any thread."""
        if self.stopping:
            return
        self.stopping = True
        if not MICROPYTHON:  # there the end of a connection or the next tick wakes the watcher
            self.listener.get_loop().call_soon_threadsafe(self.wake)

    def wake(self):
        """Go on to the end, once, when the server is to stop."""
        if self.main:
            self.main.cancel()
            self.main = None
            self.closing = True
        elif not self.closing:  # listening for somebody else's serve_forever
            self.closing = asyncio.create_task(self.close())

    async def close(self):
        """Accept no more, end who waits, give the others ``shutdown_timeout`` for the replies they are at."""
        self.stopping = True
        self.app._server = None
        self.listener.close()
        if MICROPYTHON:
            await self.listener.wait_closed()
        for connection in self.connections:
            if connection.guest:
                connection.guest.hang_up()
        while self.evict((WAITING,)):
            pass
        if not await self.all_gone(self.app.shutdown_timeout):
            for connection in self.connections:
                connection.expire()
            await self.all_gone(1)

    async def all_gone(self, seconds):
        """Wait for the connections to end, no longer than that; tell whether they did."""
        for _ in range(int(seconds * 50)):
            if not self.connections:
                return True
            await asyncio.sleep(0.02)
        return not self.connections

    async def watch(self):
        """Once a tick, end every connection that is past its deadline, until the server is to stop."""
        try:
            while not self.stopping:
                await asyncio.sleep(self.tick)
                self.now += 1
                self.date = None
                self.plain.clear()
                for connection in self.connections:
                    if 0 < connection.deadline <= self.now or 0 < connection.patience <= self.now:
                        connection.expire()
        except asyncio.CancelledError:
            if not self.stopping:
                raise

    def date_line(self):
        """Return the ``Date`` header line, empty while the clock is not set (RFC 9110 6.6.1)."""
        if self.date is None:
            now = time.gmtime()
            self.date = ""
            if now[0] >= 2025:  # an earlier year means a clock that nobody has set
                self.date = "Date: %s\r\n" % http_date(*now[:7])
        return self.date

    def plain_head(self, kind):
        """Return the head of a reply with status 200 and no other header than its type, up to its length."""
        head = self.plain.get(kind)
        if head is None:
            if "\r" in kind or "\n" in kind:
                raise ValueError("line break in default content type")
            text = "HTTP/1.1 200 OK\r\n" + self.date_line() + "Content-Type: " + kind + "\r\nContent-Length: "
            self.plain[kind] = head = text.encode()
        return head


class Connection:
    """One client: reads requests, has them answered, sends the replies, one after the other."""

    # reader, writer, task
    # start, end: the unread bytes in buf
    # deadline: tick, 0 for none; patience: the same for the next bytes of a body, which may be awaited while a reply is sent
    # phase: SENDING until it runs, as there is no task yet that could be ended
    # expired: its time is over
    expects = 0  # the client waits for "100 Continue"
    at_once = False  # pieces leave as they are written
    departed = False  # the client left while its body was read
    idle = False  # nothing of the request is left to read, while a reply is sent
    guest = None  # what took the connection over, to be told with `hang_up` when the server stops
    lent = False  # to the stream of a body, which may outlive the connection

    def __init__(self, server, buf=None):
        self.server = server
        self.buf = buf or bytearray(BUFFER)
        # To set an attribute for the first time takes memory: what a connection needs to end is set now.
        self.reader = self.writer = self.task = None
        self.start = self.end = self.deadline = self.patience = 0
        self.phase = SENDING
        self.expired = False

    async def run(self, reader, writer):
        """Serve the connection until it ends; raises nothing but the cancellation of its task by others."""
        server = self.server
        self.reader = reader
        self.writer = writer
        self.task = asyncio.current_task()
        limit = server.app.max_requests
        idle = 0  # ticks that the client has for the beginning of a request, once it had a reply
        aborted = True
        try:
            if server.ssl:
                await self.secure()
                writer = self.writer
            while limit:
                self.phase = WAITING
                self.deadline = server.now + (server.head_ticks if self.end or not idle else idle)
                head = parse_head(self.buf, self.start, self.end) if self.end else None
                while head is None:
                    n = await self.fill()
                    if not n:
                        aborted = False
                        return
                    if idle and not self.end:
                        self.deadline = server.now + server.head_ticks
                    self.end += n
                    head = parse_head(self.buf, self.start, self.end)
                self.phase = HANDLING
                self.deadline = 0
                limit -= 1
                if not await self.exchange(head, limit) or server.stopping:
                    if self.phase == SENDING and not self.guest and (head[5] & KEEP or self.start < self.end):
                        await self.linger()  # the client may have sent more before it knew
                    break
                idle = server.idle_ticks
            aborted = False
        except ClientError as e:
            aborted = not await self.answer_error(e)
        except MemoryError:
            say(writer, BUSY)  # whatever else might be done needs memory
        except BaseException as e:
            aborted = self.phase != LINGERING
            self.ended_by(e)
        finally:
            server.connections.remove(self)
            close_writer(writer, aborted)  # ahead of all that may need memory
            if server.stopping:
                server.wake()
            self.recycle()

    async def exchange(self, head, keep):
        """Answer one request; tell whether the connection goes on."""
        server = self.server
        self.start += head[0]
        if self.start == self.end:
            self.start = self.end = 0
        request = Request.received(server.app, self, head)
        if server.ssl:
            request.scheme = "https"
        body = None
        writer = self.writer
        try:
            if head[4]:
                self.expects = head[5] & EXPECT
                body = await self.load_body(request, head[4])
            res = await server.app.dispatch_request(request)
            if server.app.debug:
                print(request.method, request.path, res.status_code)
            if not head[5] & KEEP or server.stopping:
                keep = False
            self.phase = SENDING
            data = res.body
            if body or not head[3] or not is_plain(res, data):
                return await self.reply(res, head[3], keep, body)
            head = server.plain_head(res.kind())
            writer.write(b"%s%d\r\n%s\r\n%s" % (head, len(data), b"" if keep else b"Connection: close\r\n", data))
            if pending(writer):
                await self.flush()
            return keep
        finally:
            request._connection = writer  # tells the client's address, when this object may serve another

    def recycle(self):
        """Let go of the client, and keep the buffer for the next; this object too, if no body or guest may hold on to it."""
        buf = self.buf
        try:
            self.reader = self.writer = self.task = None
            self.start = self.end = self.deadline = self.patience = self.expects = 0
            self.expired = self.departed = self.at_once = False
            self.phase = SENDING
            if len(buf) <= 4 * BUFFER and not self.guest:
                if self.lent:
                    self.buf = b""
                    self = Connection(self.server, buf)
                self.server.spare = self
        except MemoryError:
            pass

    def fill(self):
        """Return the coroutine that reads more bytes behind those in the buffer."""
        if self.end == len(self.buf):
            self.make_room()
        return read_into(self.reader, memoryview(self.buf)[self.end :] if self.end else self.buf)

    async def flush(self):
        """Wait until everything is written, and let others run; the client has ``write_timeout`` for it."""
        self.deadline = self.server.now + self.server.ticks(self.server.app.write_timeout)
        await self.writer.drain()
        self.deadline = 0

    def expire(self):
        """End the connection: its time is over."""
        self.expired = True
        self.deadline = self.patience = 0
        self.task.cancel()

    def __getattr__(self, name):
        if name == "secure":
            return borrow(self, name, "connection_tls")
        return borrow(self, name, "connection_body" if name in _READING else "connection_lazy")


def say(writer, text):
    """Write a constant, without waiting and without memory."""
    try:
        writer.write(text)
    except OSError:
        pass


def is_plain(res, data):
    """Tell whether a reply needs no more than the head that the server knows by heart."""
    return (
        type(data) is bytes
        and res.status_code == 200
        and not res._headers
        and not res.reason
        and not res.is_head
        and len(data) <= SMALL
    )


if MICROPYTHON:

    async def listen(server, host, port, start_serving):
        """Open the listening socket; return what can close it."""
        from microdot.listener import Listener

        if not start_serving:
            raise ValueError("start_serving must be True")
        return Listener(server, host, port)

    def read_into(reader, buf):
        """Return the coroutine that reads into the front of ``buf`` and gives the number of bytes, 0 at the end."""
        return reader.readinto(buf)

    def pending(writer):
        """Tell whether something is still to be written."""
        return writer.out_buf

    def close_writer(writer, aborted):
        """Close the socket; without a coroutine, which would take memory."""
        if hasattr(writer, "end"):  # a stream under TLS has more to close
            writer.end()
        else:
            writer.s.close()

    def unread(writer):
        """Take what the client has sent, up to 8 KB, as it would turn the reply into a reset; return how much it was."""
        n = 0
        try:
            for _ in range(16):
                data = writer.s.read(512)
                if not data:
                    break
                n += len(data)
        except (OSError, MemoryError):  # it has left, or has its reply as it is
            pass
        return n
else:

    def listen(server, host, port, start_serving):
        """Return the coroutine that opens the listening socket and gives what can close it."""
        return asyncio.start_server(server.accept, host, port, start_serving=start_serving)

    def unread(writer):
        """Do nothing: asyncio has read what has arrived; tell that it is not known."""
        return 0

    async def read_into(reader, buf):
        """Read into the front of ``buf``; return the number of bytes, 0 at the end."""
        data = await reader.read(len(buf))
        buf[: len(data)] = data
        return len(data)

    def pending(writer):
        """Tell whether something is still to be written."""
        transport = writer.transport
        if transport.is_closing():
            raise OSError(104)
        return transport.get_write_buffer_size()

    def close_writer(writer, aborted):
        """Close the socket; with a reset if the reply was cut short."""
        if aborted:
            writer.transport.abort()
        else:
            writer.close()


# The methods that are in `connection_body.py`; but for `secure`, the others that a connection does not have yet are in
# `connection_lazy.py`.
_READING = "make_room", "load_body", "read", "readinto", "readline", "skip", "wait"

fill(Connection, "connection_body")
fill(Connection, "connection_lazy")
fill(Connection, "connection_tls")
