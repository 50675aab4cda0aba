# Listening on MicroPython.  asyncio's own server ends for good when memory runs out while it accepts a connection, and a
# board that listens no more is a board that does not answer.  This one lets go of that client and goes on.
import asyncio
import socket
from asyncio import core

BACKLOG = 5  # connections that may wait to be accepted; lwIP on boards counts them against its few


class Listener:
    """A listening socket and the task that accepts from it; like asyncio's ``Server``."""

    def __init__(self, server, host, port):
        address = socket.getaddrinfo(host, port)[0][-1]
        self.server = server
        self.sock = socket.socket()
        try:
            self.sock.setblocking(False)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(address)
            self.sock.listen(BACKLOG)
            self.task = asyncio.create_task(self.run())
        except BaseException:
            self.sock.close()
            raise

    def close(self):
        """Accept no more, at once."""
        self.task.cancel()
        self.sock.close()

    async def wait_closed(self):
        """Wait until the task has ended."""
        await self.task

    async def run(self):
        """Accept connections until cancelled; without the memory for one, close it."""
        sock = self.sock
        accept = self.server.accept
        connections = self.server.connections
        queue_read = core._io_queue.queue_read
        create_task = core.create_task
        stream_of = asyncio.StreamReader
        try:
            while True:
                client = None
                try:
                    yield queue_read(sock)
                    client, address = sock.accept()
                    before = len(connections)
                    client.setblocking(False)
                    stream = stream_of(client, {"peername": address})
                    create_task(accept(stream, stream))
                except (OSError, MemoryError):
                    if client:
                        del connections[before:]
                        client.close()
                    await asyncio.sleep_ms(20)  # so that others may give back what was lacking
        except asyncio.CancelledError:
            pass
