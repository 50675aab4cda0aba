# Server-sent events (the HTML standard, 9.2): a handler sends events, the response streams them.
#
# Events wait in a bounded queue and leave together, one write for all that are there. The handler runs in a task of its own
# and is cancelled as soon as the client has left or the server stops; on our server the connection is watched for that.
# Refused: line breaks in ids, names and the like, which would let data make up events. Cost: two tasks a client.
import asyncio

from microdot.helpers import load, wraps


class SSE:
    """Sends events to one client. The class attributes are defaults; an application may reassign them.

    ``max_queue`` events wait for the client before ``send`` does. After ``heartbeat`` seconds without an event a comment is
    sent, which keeps proxies from closing the connection and finds out clients that went without a word.
    """

    max_queue = 8
    heartbeat = None
    request = None
    running = True  # the handler, or who else sends
    silent = True  # no event since the last heartbeat
    room = None  # set when the queue is empty again
    task = None  # the handler's

    def __init__(self):
        self.event = asyncio.Event()  # set when there is something to do for the response
        self.queue = []  # bytes of events

    @property
    def last_event_id(self):
        """The id of the last event that a client saw before it connected again, None if it did not say."""
        return load("request_lazy").field(self.request, b"last-event-id")

    async def send(self, data, event=None, event_id=None, retry=None, comment=False):
        """Send an event, and wait while too many wait for the client.

        ``data`` is text, bytes, a dict or list (sent as JSON) or anything else (sent as ``str`` of it); ``retry`` is in
        seconds. With ``comment`` the text is a comment, which clients ignore. After the end of the stream nothing is sent.
        Raises ``ValueError`` for a line break in ``event`` or ``event_id``.
        """
        queue = self.queue
        encoded = self.encode(data, event, event_id, retry, comment)
        if not self.running:
            return  # nobody would ever take it
        queue.append(encoded)
        self.event.set()
        while len(queue) >= self.max_queue and self.running:
            if self.room is None:
                self.room = asyncio.Event()
            self.room.clear()
            await self.room.wait()

    @staticmethod
    def encode(data, event=None, event_id=None, retry=None, comment=False):
        """Return the bytes of an event, as ``send`` takes it."""
        if isinstance(data, (dict, list)):
            data = load("json_text").dumps(data)
        if not isinstance(data, bytes):
            data = (data if isinstance(data, str) else str(data)).encode()
        if b"\n" in data or b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\n: " if comment else b"\ndata: ")
        if comment:
            return b": %s\n\n" % data
        if event is None and event_id is None and retry is None:
            return b"data: %s\n\n" % data
        head = "" if retry is None else "retry: %d\n" % int(retry * 1000)
        head += _line("event: ", event) + _line("id: ", event_id)
        return b"%sdata: %s\n\n" % (head.encode(), data)

    def offer(self, event):
        """Send an encoded event without waiting; give up the client if it is too slow. Tell whether it was sent."""
        if len(self.queue) >= self.max_queue or not self.running:
            self.hang_up()
            return False
        self.queue.append(event)
        self.event.set()
        return True

    def hang_up(self):
        """End the stream and cancel the handler."""
        if self.running:
            self.end()
            if self.task:
                self.task.cancel()

    def end(self):
        """End the stream when the events in the queue are sent."""
        self.running = False
        self.event.set()
        if self.room:
            self.room.set()


def _line(name, value):
    if value is None:
        return ""
    value = str(value)
    if "\n" in value or "\r" in value or "\0" in value:
        raise ValueError("line break or NUL in event name or id")
    return name + value + "\n"


class Events:
    # The body of the response: an async iterator over what the handler sends, in pieces of one or more events.
    error = None
    beat = None

    def __init__(self, sse, f, args, kwargs):
        self.sse = sse
        self.hang_up = sse.hang_up  # called when the client has left, and when the server stops
        sse.task = asyncio.create_task(self._run(f, args, kwargs))
        if sse.heartbeat:
            self.beat = asyncio.create_task(self._beat())

    async def _run(self, f, args, kwargs):
        sse = self.sse
        try:
            await f(sse.request, sse, *args, **kwargs)
        except Exception as e:
            self.error = e
        finally:
            sse.end()

    async def _beat(self):
        sse = self.sse
        while sse.running:
            sse.silent = True
            await asyncio.sleep(sse.heartbeat)
            if sse.silent and not sse.queue:
                sse.queue.append(b":\n\n")
                sse.event.set()

    def __aiter__(self):
        return self

    async def __anext__(self):
        sse = self.sse
        queue = sse.queue
        while not queue:
            if not sse.running:
                error = self.error or StopAsyncIteration()
                self.error = None
                raise error
            sse.event.clear()
            await sse.event.wait()
        sse.silent = False
        chunk = b"".join(queue)
        queue.clear()
        if sse.room:
            sse.room.set()
        return chunk

    async def aclose(self):
        """Cancel the handler if it runs."""
        if self.beat:
            self.beat.cancel()
        self.hang_up()


def sse_response(request, event_function, *args, **kwargs):
    """Return the response that streams what ``event_function(request, sse, *args, **kwargs)``, a coroutine, sends."""
    return _respond(request, SSE(), event_function, args, kwargs)


def _respond(request, sse, event_function, args, kwargs):
    sse.request = request
    return Events(sse, event_function, args, kwargs), 200, {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


def with_sse(f=None, heartbeat=None, max_queue=None):
    """Decorate a handler ``f(request, sse, **arguments)``, a coroutine whose events are the response; may be given options.

    The handler is cancelled when the client leaves.
    """
    if f is None:
        return lambda f: with_sse(f, heartbeat, max_queue)

    @wraps(f)
    async def wrapper(request, *args, **kwargs):
        sse = SSE()
        if heartbeat:
            sse.heartbeat = heartbeat
        if max_queue:
            sse.max_queue = max_queue
        return _respond(request, sse, f, args, kwargs)

    return wrapper


async def broadcast(clients, data, **options):
    """Send an event to many clients, encoded once; see ``microdot.broadcast``."""
    return await load("broadcast").broadcast(clients, data, **options)
