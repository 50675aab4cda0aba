# Unmasking in native code, in place and without heap; what websocket_frames.py does portably (RFC 6455 5.3). Frozen with the
# port's -march; where there is no native emitter the import fails.  `short_frame` takes the frames that nearly all clients
# send nearly always, and leaves every other one to the portable code: it returns -1 for those, else the length of the payload,
# plus 128 if it is not all ASCII.
import micropython


@micropython.viper
def unmask(buf: ptr8, key: int, start: int, end: int):  # noqa: F821
    i = 0
    while start < end:
        buf[start] = int(buf[start]) ^ int(buf[key + (i & 3)])
        i += 1
        start += 1


@micropython.viper
def short_frame(buf: ptr8, start: int, end: int) -> int:  # noqa: F821
    if end - start < 6:
        return -1
    first = int(buf[start])
    n = int(buf[start + 1]) - 128
    if (first != 0x81 and first != 0x82) or n < 0 or n > 125 or end - start < 6 + n:
        return -1
    key = start + 2
    at = start + 6
    i = 0
    bits = 0
    while i < n:
        byte = int(buf[at + i]) ^ int(buf[key + (i & 3)])
        buf[at + i] = byte
        bits |= byte
        i += 1
    return n | (bits & 128)
