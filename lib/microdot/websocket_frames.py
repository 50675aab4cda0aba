# WebSocket frames without I/O: bytes in, values out (RFC 6455 5).
#
# `encode` makes a frame of the server's, `parse_head` reads the head of a client's and refuses what the protocol does not
# allow: no mask, reserved bits and opcodes, long or fragmented control frames, lengths in more bytes than they need.
# Unmasking is native where that is possible; the portable way takes one large integer at a time, never a byte.
try:
    from microdot._unmask import short_frame, unmask
except (ImportError, SyntaxError):  # no native code on this interpreter, or none for this chip
    short_frame = unmask = None

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
COMPRESSED = 0x40  # the reserved bit that permessage-deflate uses (RFC 7692)
_PIECE = 1024  # bytes unmasked at once: more is hardly faster and needs as much heap again, five times


class WebSocketError(Exception):
    """The connection is closed, or was closed for what the client did; ``code`` is the close code that it was told."""

    def __init__(self, reason, code=None):
        super().__init__(reason)
        self.code = code


def encode(first, payload):
    """Return the frame with ``first`` as its first byte; masks are for clients."""
    n = len(payload)
    if n < 126:
        return bytes((first, n)) + payload
    if n < 65536:
        return bytes((first, 126, n >> 8, n & 255)) + payload
    return bytes((first, 127)) + n.to_bytes(8, "big") + payload


def parse_head(buf, start, end, reserved):
    """Return ``(size of the head, length of the payload)`` of the frame at ``start``, None if it needs more bytes.

    ``reserved`` are the bits that must not be set. Raises ``WebSocketError`` for a frame that a client must not send.
    """
    if end - start < 2:
        return None
    first = buf[start]
    n = buf[start + 1]
    opcode = first & 15
    if n < 128:
        raise WebSocketError("frame without mask", 1002)
    if first & reserved or (first & COMPRESSED and not 0 < opcode < 3):
        raise WebSocketError("reserved bit set", 1002)
    n -= 128
    if opcode > 2 and (not 8 <= opcode <= 10 or first < FIN or n > 125):
        raise WebSocketError("control frame over 125 bytes or in parts" if 8 <= opcode <= 10 else "reserved opcode", 1002)
    size = 6
    if n > 125:
        more = 2 if n == 126 else 8
        size += more
        if end - start < size:
            return None
        n = int.from_bytes(memoryview(buf)[start + 2 : start + 2 + more], "big")
        if n < (126 if more == 2 else 65536) or n >> 63:
            raise WebSocketError("frame length not in its shortest form", 1002)
    return (size, n) if end - start >= size else None


def unmask_portable(buf, key, start, end):
    """Unmask ``buf[start:end]`` in place with the four bytes at ``key``."""
    view = memoryview(buf)
    mask = bytes(view[key : key + 4])
    if mask == b"\0\0\0\0":
        return
    mask *= min(_PIECE, end - start + 3) // 4 or 1
    number = int.from_bytes(mask, "little")
    while end - start >= len(mask):
        n = int.from_bytes(view[start : start + len(mask)], "little") ^ number
        view[start : start + len(mask)] = n.to_bytes(len(mask), "little")
        start += len(mask)
    if start < end:
        n = int.from_bytes(view[start:end], "little") ^ int.from_bytes(mask[: end - start], "little")
        view[start:end] = n.to_bytes(end - start, "little")


unmask = unmask or unmask_portable


def parse_close(payload):
    """Return ``(code, reason)`` of a close frame, 1005 for none; raise ``WebSocketError`` for one that must not be sent."""
    from microdot.utf8 import decode_utf8

    if not payload:
        return 1005, ""
    code = int.from_bytes(payload[:2], "big")
    # RFC 6455 7.4: those that the protocol knows, then those of libraries and applications
    if len(payload) < 2 or not (1000 <= code <= 1014 or 3000 <= code < 5000) or 1004 <= code <= 1006:
        raise WebSocketError("malformed close frame", 1002)
    try:
        return code, decode_utf8(payload[2:])
    except ValueError:
        raise WebSocketError("malformed utf-8", 1007)
