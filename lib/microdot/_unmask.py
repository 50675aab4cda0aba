# Unmasking in native code, in place and without heap; what websocket_frames.py does portably (RFC 6455 5.3). Frozen with the
# port's -march; where there is no native emitter the import fails.
import micropython


@micropython.viper
def unmask(buf: ptr8, key: int, start: int, end: int):  # noqa: F821
    i = 0
    while start < end:
        buf[start] = int(buf[start]) ^ int(buf[key + (i & 3)])
        i += 1
        start += 1
