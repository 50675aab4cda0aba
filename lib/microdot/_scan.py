# One pass over a request head in native code: vouches for what browsers and clients send every day, judges nothing.
#
# Anything unusual (an empty line ahead, absolute-form, Transfer-Encoding, Expect, a length of ten digits, a `Connection`
# other than close or keep-alive, and of course every fault) is answered -1 and goes to http.parse_head_portable. It takes
# no heap. Frozen with the port's -march; where there is no native emitter the import fails and http.py does without.
# Three functions, as a branch of ARMv6-M reaches 2 KB and mpy-cross refuses what is longer.
from array import array

import micropython

# Filled by `scan`: start and end of the target, minor version, body length, flags, start of the fields, length of the
# longest line with its end, number of fields, 1 if the method is GET.
layout = array("i", [0] * 9)


@micropython.viper
def _line(buf: ptr8, start: int, end: int, out: ptr32) -> int:  # noqa: F821
    version = ptr8(b" HTTP/1.")  # noqa: F821
    i = start
    while i < end and buf[i] >= 65 and buf[i] <= 90:  # a method of capital letters
        i += 1
    if i == end:
        return 0
    if i == start or buf[i] != 32:
        return -1
    out[8] = int(i - start == 3 and buf[start] == 71 and buf[start + 1] == 69 and buf[start + 2] == 84)
    i += 1
    out[0] = i
    while i < end and buf[i] > 32 and buf[i] < 127:
        i += 1
    out[1] = i
    if i == end:
        return 0
    if i == out[0] or buf[out[0]] != 47:
        return -1
    k = 0
    while k < 8:
        if i + k == end:
            return 0
        if buf[i + k] != version[k]:
            return -1
        k += 1
    i += 8
    if i == end:
        return 0
    minor = int(buf[i]) - 48
    if minor < 0 or minor > 1:
        return -1
    i += 1
    if i + 1 < end:
        if buf[i] != 13 or buf[i + 1] != 10:
            return -1
    elif i == end or buf[i] == 13:
        return 0
    else:
        return -1
    i += 2
    out[2] = minor
    out[3] = 0
    out[4] = minor
    out[5] = i
    out[6] = i - start
    return i


@micropython.viper
def _value(buf: ptr8, at: int, value: int, stop: int, seen: int, out: ptr32) -> int:  # noqa: F821
    while stop > value and (buf[stop - 1] == 32 or buf[stop - 1] == 9):
        stop -= 1
    size = stop - value
    if at == 0:
        if seen & 1:
            return -1
        seen |= 1
        least = 45
        while value < stop:
            c = int(buf[value]) | 32
            if (c < 97 or c > 122 or least > 45) and (buf[value] < least or buf[value] > 58 or buf[value] == 47):
                return -1  # more than letters, digits, dots, dashes and a port
            if buf[value] == 58:
                if least > 45:
                    return -1
                least = 48
            value += 1
    elif at == 14:
        if seen & 2 or size < 1 or size > 9:
            return -1
        seen |= 2
        n = 0
        while value < stop:
            c = int(buf[value]) - 48
            if c < 0 or c > 9:
                return -1
            n = n * 10 + c
            value += 1
        out[3] = n
    else:
        if size == 10:
            at = 0
        elif size == 5:
            at = 10
            out[4] = 0
        else:
            return -1
        words = ptr8(b"keep-aliveclose")  # noqa: F821
        k = 0
        while k < size:
            if (int(buf[value + k]) | 32) != int(words[at + k]):
                return -1
            k += 1
    return seen


@micropython.viper
def scan(buf, start: int, end: int, out, kinds: ptr8) -> int:  # noqa: F821
    names = ptr8(b"hostconnectioncontent-length")  # noqa: F821
    i = int(_line(buf, start, end, out))
    if i <= 0:
        return i
    data = ptr8(buf)  # noqa: F821
    known = ptr32(out)  # noqa: F821
    longest = int(known[6])
    minor = int(known[2])
    count = 0
    seen = 0  # bit 0: host, bit 1: content-length
    while i < end:
        first = i
        while i < end and kinds[data[i]] & 1:
            i += 1
        if i == end:
            return 0
        name = i - first
        if name == 0:
            if data[i] != 13:
                return -1
            if i + 1 == end:
                return 0
            if data[i + 1] != 10 or (seen & 1) != minor:
                return -1
            known[6] = longest
            known[7] = count
            return i + 2 - start
        if data[i] != 58:
            return -1
        i += 1
        while i < end and (data[i] == 32 or data[i] == 9):
            i += 1
        value = i
        while i < end and kinds[data[i]] & 2:
            i += 1
        if i == end:
            return 0
        if data[i] != 13:
            return -1
        if i + 1 == end:
            return 0
        if data[i + 1] != 10:
            return -1
        stop = i
        i += 2
        count += 1
        if i - first > longest:
            longest = i - first
        c = int(data[first]) | 32
        if name == 4 and c == 104:  # host
            at = 0
        elif name == 10 and c == 99:  # connection
            at = 4
        elif name == 14 and c == 99:  # content-length
            at = 14
        elif (name == 17 and c == 116) or (name == 6 and c == 101):  # transfer-encoding, expect
            return -1
        else:
            continue
        k = 0
        while k < name and (int(data[first + k]) | 32) == int(names[at + k]):
            k += 1
        if k < name:
            continue
        seen = int(_value(buf, at, value, stop, seen, out))
        if seen < 0:
            return -1
    return 0
