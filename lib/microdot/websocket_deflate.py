# permessage-deflate (RFC 7692), each message on its own: a window kept between messages would cost a board 32 KB for each
# client. What is decompressed is bounded like any message, so that a small frame can't fill the memory.
#
# CPython compresses what it sends; boards decompress, with a window of at most 1 KB that the client must agree to, and
# send uncompressed, as the extension allows: their `deflate` module has no end of block to stop at.
import io

from microdot.server import MICROPYTHON
from microdot.websocket_frames import BINARY, COMPRESSED, FIN, TEXT, WebSocketError, encode

_WINDOW = 10  # bits, on boards
_SMALL = 64  # bytes of a message that are not worth it
_TAIL = b"\0\0\xff\xff"  # what a sender leaves off (RFC 7692 7.2.1)
_END = b"\1\0\0\xff\xff"  # an empty last block
_PARAMETERS = "client_no_context_takeover", "server_no_context_takeover", "client_max_window_bits", "server_max_window_bits"


def negotiate(ws, header):
    """Choose the first offer that can be met; return the extension that answers it, None without one."""
    for offer in header.split(","):
        parts = [part.strip() for part in offer.split(";")]
        if parts[0] == "permessage-deflate":
            accepted = _accept(parts[1:])
            if accepted:
                ws._deflate = Deflate(accepted[1])
                ws._reserved = 0x30
                return accepted[0]
    return None


def _accept(parameters):
    bits = 15
    answer = ["permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"]
    seen = []
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        value = value.strip().strip('"')
        if name.strip() not in _PARAMETERS or name in seen or not _is_value(name, value):
            return None
        seen.append(name)
        if name == "server_max_window_bits":
            if value == "8":
                return None  # zlib has no such window
            bits = int(value)
            answer.append("server_max_window_bits=" + value)
        if name == "client_max_window_bits" and MICROPYTHON:
            answer.append("client_max_window_bits=%d" % min(int(value or 15), _WINDOW))
    if MICROPYTHON and "client_max_window_bits" not in seen:
        return None
    return "; ".join(answer), bits


def _is_value(name, value):
    if "window" not in name:
        return not value
    if not value:
        return name == "client_max_window_bits"
    return value in ("8", "9", "10", "11", "12", "13", "14", "15")


class Deflate:
    """Compresses, with a window of so many ``bits``, and decompresses the messages of one connection."""

    def __init__(self, bits=15):
        self.bits = bits

    def inflate(self, payload, limit):
        """Return a message that came compressed; raise ``WebSocketError`` for a malformed one or more than ``limit`` bytes."""
        try:
            message = _inflate(bytes(payload) + _TAIL, limit + 1 if limit else 0)
        except (ValueError, OSError, EOFError):
            raise WebSocketError("malformed compression", 1007)
        if limit and len(message) > limit:
            raise WebSocketError("Message too large", 1009)
        return message

    def encode(self, data):
        """Return the frame of a message, compressed if that makes it shorter."""
        opcode = TEXT if isinstance(data, str) else BINARY
        payload = data.encode() if isinstance(data, str) else data
        if len(payload) > _SMALL:
            shorter = _deflate(payload, self.bits)
            if shorter and len(shorter) < len(payload):
                return encode(FIN | COMPRESSED | opcode, shorter)
        return encode(FIN | opcode, payload)


if MICROPYTHON:
    import deflate

    def _inflate(data, most):
        stream = deflate.DeflateIO(io.BytesIO(data + _END), deflate.RAW, _WINDOW)
        if not most:
            return stream.read()
        parts = []
        while most > 0:
            part = stream.read(min(most, 512))
            if not part:
                break
            parts.append(part)
            most -= len(part)
        return b"".join(parts)

    def _deflate(payload, bits):
        return None

else:
    import zlib

    def _inflate(data, most):
        try:
            return zlib.decompressobj(-15).decompress(data, most)
        except zlib.error:
            raise ValueError("malformed compression")

    def _deflate(payload, bits):
        compressor = zlib.compressobj(wbits=-bits)
        return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
