# One message for the clients of all workers: each worker publishes to a Redis channel, and delivers what comes from it.
#
# Redis keeps nothing of what is published: what comes while a worker has no connection, it never sees. Clients keep theirs.
import asyncio
import sys

from redis.asyncio import from_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

ANSWER = 5  # seconds that Redis may take to answer
QUIET = 10  # seconds without a message after which Redis is asked whether it is still there
AGAIN = 1  # seconds between attempts to connect


class Relay:
    """A channel of the Redis server at ``url``; the coroutine ``deliver(text)`` gets what any worker publishes.

    ``start`` and ``stop`` are functions for the lifespan of an ASGI application.
    """

    task = None
    connected = None  # not known yet

    def __init__(self, url, channel, deliver):
        # One attempt each: what fails is reported at once, and `run` is what tries again.
        self.redis = from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=ANSWER,
            socket_timeout=ANSWER,
            health_check_interval=QUIET,
        )
        self.channel = channel
        self.deliver = deliver

    async def start(self, scope):
        self.task = asyncio.create_task(self.run())

    async def stop(self, scope):
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.redis.aclose()

    async def publish(self, text):
        """Send a text to the clients of all workers; raise ``OSError`` when Redis can't be reached."""
        try:
            await self.redis.publish(self.channel, text)
        except RedisError as e:
            raise OSError("no connection to Redis") from e

    async def run(self):
        """Deliver until cancelled; connect again as often as needed."""
        while True:
            try:
                async with self.redis.pubsub() as pubsub:
                    await pubsub.subscribe(self.channel)
                    while True:
                        await self._take(await pubsub.get_message(timeout=QUIET))
            except (RedisError, OSError) as e:
                self._note(False, f"redis: no connection ({type(e).__name__}): trying again every {AGAIN} s")
                await self.redis.connection_pool.disconnect(inuse_connections=False)  # those for `publish` are dead as well
            await asyncio.sleep(AGAIN)

    async def _take(self, message):
        if message and message["type"] == "subscribe":
            self._note(True, "redis: connected")
        elif message and message["type"] == "message":
            await self.deliver(message["data"].decode("utf-8", "replace"))

    def _note(self, connected, line):
        if connected != self.connected:
            self.connected = connected
            print(line, file=sys.stderr, flush=True)
