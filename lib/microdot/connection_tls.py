# TLS on a connection that was accepted: a method of Connection (see helpers.py), loaded when a server with an SSLContext gets
# its first client.
#
# The handshake runs in the connection's own task, under `head_timeout`, and counts as waiting: it is among `max_connections`
# and may be ended to make room. A client that says nothing costs no TLS yet. What goes wrong in a handshake is the client's
# fault and ends as any departure does. On boards a connection holds about 20 KB from its first byte on (mbedTLS's buffers).
import asyncio

from microdot.server import MICROPYTHON, WAITING

METHODS = ("secure",)
_OTHERS = 32  # descriptors that may wait beside those of a server over TLS, on the unix port


async def secure(self):
    """Go on in TLS: replace reader and writer; raise ``OSError`` if the client is not up to it, or the heap is not."""
    self.phase = WAITING
    self.deadline = self.server.now + self.server.head_ticks
    self.reader, self.writer = await _secured(self.server, self.reader, self.writer)


if MICROPYTHON:
    import gc
    import sys

    def prepare(server):
        """Make the event loop ready for TLS; to be called before there are connections."""
        # The unix port's `poll` moves its table when it has to grow, and breaks the entries of streams without a descriptor,
        # as those over TLS are: let it grow before there is any.
        if sys.platform == "linux":
            from asyncio import core

            poller = core._io_queue.poller
            for change in (poller.register, poller.unregister):
                for descriptor in range(2 * server.max_connections + _OTHERS):
                    change(descriptor)

    class Secured(asyncio.StreamReader):
        """A stream over TLS; its first reads and writes are the handshake.

        What mbedTLS could not send it must be offered again, and just that: more bytes would count as sent, and be lost. So
        what is written meanwhile waits in ``more`` until ``out_buf`` is empty.
        """

        _out = more = b""

        def __init__(self, stream, context):
            self.plain = stream.s
            super().__init__(context.wrap_socket(stream.s, server_side=True, do_handshake_on_connect=False), stream.e)

        @property
        def out_buf(self):
            return self._out

        @out_buf.setter
        def out_buf(self, data):
            if not data:
                data = self.more
                self.more = b""
            self._out = data

        def write(self, buf):
            if self._out:
                self.more += buf
            else:
                super().write(buf)

        async def drain(self):
            await super().drain()
            while self._out:
                await super().drain()

        async def readinto(self, buf):
            n = None
            while n is None:  # a piece of the handshake, or of a record
                try:
                    n = await super().readinto(buf)
                except ValueError:  # a client's certificate that does not verify
                    raise OSError(104)
            return n

        def end(self):
            """Close the TLS stream and the socket under it."""
            self.s.close()
            # After a failed handshake mbedTLS has let go of the socket without closing it. This fails if it is closed;
            # closing it twice could close somebody else's.
            try:
                self.plain.setblocking(False)
                self.plain.close()
            except OSError:
                pass

        async def wait_closed(self):
            self.end()

        aclose = wait_closed

    async def _secured(server, reader, writer):
        await reader.read(0)
        gc.collect()  # fragments would do no good to two buffers of 16 and 4 KB
        if gc.mem_free() < server.app.tls_heap:
            raise OSError(104)
        try:
            stream = Secured(reader, server.ssl)
        except (MemoryError, OSError):
            raise OSError(104)
        return stream, stream

else:

    def prepare(server):
        """Do nothing: the event loop is ready for TLS."""

    class SecureWriter(asyncio.StreamWriter):
        """A writer over TLS, over another writer."""

        def __init__(self, transport, protocol, reader, loop, plain, patience):
            super().__init__(transport, protocol, reader, loop)
            self.plain = plain  # must live as long, since some versions of asyncio close what nobody holds
            self.patience = patience

        def close(self):
            """Say that nothing follows, and close without waiting for the same word from the client (RFC 8446 6.1)."""
            super().close()
            transport = self.plain.transport
            if transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(self.patience, transport.abort)
            else:
                transport.close()

    async def _secured(server, reader, writer):
        # Not by `asyncio.start_server`: there handshakes are neither counted nor ended to make room.
        app = server.app
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)  # a new one: nothing that came in the clear may be taken for more
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        options = {"server_side": True, "ssl_handshake_timeout": server.ticks(app.head_timeout) * server.tick}
        transport = await loop.start_tls(writer.transport, protocol, server.ssl, **options)
        if transport is None or transport.is_closing():
            raise OSError(104)
        protocol.connection_made(transport)
        transport.set_write_buffer_limits(1, 0)  # as near to 0 as works: asyncio takes a buffer as long as the limit for full
        return reader, SecureWriter(transport, protocol, reader, loop, writer, app.write_timeout)
