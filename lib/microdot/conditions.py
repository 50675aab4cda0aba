# What the fields of a request ask of the reply to a GET (RFC 9110): whether the client has the file already (13), which part of
# it is wanted (14), and whether compressed will do (12.5.3). Values in, values out: no file, no socket, no clock.
#
# A field that is malformed counts as absent, as the RFC wants it, and the file is sent whole; that also answers several ranges
# at once. Dates are tuples of six numbers: these compare without a calendar and whatever the board's epoch is.
from microdot.http import http_date

_DAYS = "MonTueWedThuFriSatSun"
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_DIGITS = 15  # of a position in a file: a longer number is a fault or an attack
_LARGEST = (9999, 12, 31, 23, 59, 60)


def precondition(ask, etag, modified):
    """Return 304, 412, or 0 to go on, in the order of RFC 9110 13.2.2.

    ``ask`` gives a field's value by its name in lower-case bytes. ``etag`` is the file's with its quotes, ``modified`` its
    time of change in UTC; each may be None.
    """
    value = ask(b"if-match")
    if value is None:
        date = modified and parse_date(ask(b"if-unmodified-since"))
        if date and modified > date:
            return 412
    elif not _lists(value, etag, False):
        return 412
    value = ask(b"if-none-match")
    if value is None:
        date = modified and parse_date(ask(b"if-modified-since"))
        return 304 if date and modified <= date else 0
    return 304 if _lists(value, etag, True) else 0


def _lists(value, etag, weak):
    # Tell whether a list of entity tags has this one. Our own have no comma, so that another's may be cut without harm.
    if value == "*":
        return True
    for item in value.split(","):
        item = item.strip()
        if weak and item[:2] == "W/":
            item = item[2:]
        if item == etag:
            return True
    return False


def parse_date(text):
    """Return an IMF-fixdate (RFC 9110 5.6.7) as ``(year, month, day, hour, minute, second)``, None for any other text."""
    if not text or len(text) != 29:
        return None
    month = _MONTHS.find(text[8:11]) // 3 + 1
    day = _DAYS.find(text[:3]) // 3
    numbers = [text[12:16], text[5:7], text[17:19], text[20:22], text[23:25]]
    if not month or day < 0 or not "".join(numbers).encode().isdigit():
        return None
    numbers = [int(number) for number in numbers]
    numbers.insert(1, month)
    if http_date(*(numbers + [day])) != text:  # whatever else stands there
        return None
    for number, largest in zip(numbers, _LARGEST):
        if number > largest:
            return None
    return tuple(numbers)


def byte_range(value, size):
    """Return ``(start, stop)`` of a single range in ``size`` bytes, None to send them all, () if there is no such part."""
    if not value or not size or value[:6].lower() != "bytes=":
        return None
    first, dash, last = value[6:].strip().partition("-")
    if not dash or not (first or last) or not _is_position(first) or not _is_position(last):
        return None
    if not first:
        return (max(0, size - int(last)), size) if int(last) else ()
    start = int(first)
    stop = int(last) + 1 if last else size
    if stop <= start and last:
        return None
    return (start, min(stop, size)) if start < size else ()


def _is_position(text):
    return not text or (len(text) <= _DIGITS and text.encode().isdigit())


def takes_gzip(value, alone):
    """Tell whether an ``Accept-Encoding`` wants gzip, and wants it no less than the file as it is.

    ``alone``: there is no other than the compressed one, so that gzip need not be liked better, nor asked for.
    """
    if value is None:
        return alone
    weights = {}
    for item in value.lower().split(","):
        coding, _, weight = item.partition(";")
        weights[coding.strip()] = _weight(weight.strip())
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0)))
    return gzip > 0 and (alone or gzip >= weights.get("identity", 0))


def _weight(text):
    # A weight that can't be read is none.
    if not text:
        return 1
    try:
        return float(text[2:]) if text[:2] == "q=" else 0
    except ValueError:
        return 0
