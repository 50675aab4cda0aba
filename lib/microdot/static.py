# Files below a directory, for clients to fetch: what `Microdot.static` registers, and loaded by it.
#
# `Folder` alone knows the directory. A client's path is decoded once, cut into segments and refused if one of them is empty,
# begins with a dot or holds a backslash, colon or NUL, so that nothing in it can lead up. On CPython the file must also lie
# below the directory once symbolic links are followed. The file systems of boards have no links; MicroPython's unix port
# follows them anywhere.
#
# Cost of a request: two calls of `os.stat`, one for the compressed sibling; a response with its headers; the sender's buffer.
import os
import sys
import time

from microdot.conditions import byte_range, precondition, takes_gzip
from microdot.files import type_of
from microdot.http import ClientError, HTTPException, http_date
from microdot.request_lazy import field
from microdot.response import Response

_MISSING = 2, 13  # ENOENT, EACCES
_CLOCK_SET = 2025  # a file from before was written while no clock was set
_MAX_SUMMED = 256 * 1024  # bytes of a file that is read through for its tag: a blink on a board
_MAX_SUMS = 32

_sums = {}  # path -> (size, mtime, checksum)


class Folder:
    """Answers requests for the files below a directory; see ``Microdot.static``."""

    def __init__(self, directory, max_age, gzip, index, hidden):
        self.root = _root(str(directory))
        self.max_age = max_age
        self.gzip = gzip
        self.index = index
        self.hidden = hidden

    def serve(self, request, path=""):
        """Answer GET or HEAD; ``path`` is what follows the prefix in the URL's path, as the client sent it."""
        if "%" in path and request.path_decoded:
            path = path.replace("%", "%25")
        if self.index and path[-1:] in ("", "/"):
            if request.path[-1:] != "/":
                return _add_slash(request)
            path += self.index
        name = safe_name(path, self.hidden)
        found = self.find(name)
        if found == () and self.index:
            return _add_slash(request)
        try:
            return self._answer(request, name, found)
        except OSError as e:
            if e.args[0] not in _MISSING:
                raise
            _refuse()

    def find(self, name):
        """Return ``(path, size, mtime)`` of the file that a safe name stands for, () for a directory, else None."""
        path = self.root + "/" + name
        try:
            status = os.stat(path) if _is_below(self.root, path) else (0,)
        except (OSError, ValueError):
            return None
        kind = status[0] & 0xF000
        if kind == 0x8000:
            return path, status[6], status[8]
        return () if kind == 0x4000 else None

    def _answer(self, request, name, found):
        # Choose between the file and its compressed sibling.
        zipped = self.find(name + ".gz") if self.gzip else None
        coding = "gzip" if zipped and takes_gzip(field(request, b"accept-encoding"), not found) else None
        if coding:
            found = zipped
        if not found:
            _refuse()
        res = Response()
        res.headers["Cache-Control"] = self._cache_control()
        if zipped:
            res.headers["Vary"] = "Accept-Encoding"
        return _respond(request, res, found, _type_of(name), coding)

    def _cache_control(self):
        # Without an age clients ask each time, which a 304 answers: left to guess, they would show what was there last week.
        max_age = Response.default_send_file_max_age if self.max_age is None else self.max_age
        return "no-cache" if max_age is None else "max-age=%d" % max_age


# Paths


def safe_name(path, hidden=False):
    """Return a client's path decoded, for use below a directory.

    Raises ``ClientError`` for a malformed escape, ``HTTPException`` with 404 for a path that is refused; with ``hidden`` names
    that begin with a dot are not.
    """
    name = _decode(path) if "%" in path else path
    if "\\" in name or ":" in name or "\0" in name or name.count("/") != path.count("/"):  # "%2f" is no separator
        _refuse()
    for segment in name.split("/"):
        if not segment or (segment[0] == "." and (not hidden or segment in (".", ".."))):
            _refuse()
    return name


def _refuse():
    raise HTTPException(404, "Not found")


def _decode(path):
    from microdot.grammar import is_hex
    from microdot.text import urldecode

    for piece in path.split("%")[1:]:  # `urldecode` lets a lonely percent sign pass, as forms have it
        if len(piece) < 2 or not is_hex(piece[:2].encode()):
            raise ClientError("malformed escape in path")
    try:
        return urldecode(path.replace("+", "%2B"))  # in a path a plus is a plus
    except ValueError:
        raise ClientError("malformed utf-8 in path")


def _root(directory):
    directory = directory.rstrip("/")
    # A board's own programs and passwords lie at the top of its file system, and it works from there.
    if not directory.strip("./\\"):
        raise ValueError("static directory must have a name, not be the top or the working directory")
    try:
        kind = os.stat(directory)[0] & 0xF000
    except OSError:
        kind = 0
    if kind != 0x4000:
        raise ValueError("no static directory " + directory)
    return _resolved(directory)


if sys.implementation.name == "micropython":

    def _resolved(directory):
        return directory

    def _is_below(root, path):
        return True
else:
    from os.path import commonpath
    from os.path import realpath as _resolved

    def _is_below(root, path):
        # A symbolic link must not lead out.
        return commonpath((root, _resolved(path))) == root


def _add_slash(request):
    # With one slash ahead: two would name another host.
    path, mark, query = request.url.partition("?")
    return Response.redirect("/" + path.strip("/") + "/" + mark + query)


# Replies


def _respond(request, res, found, content_type, coding):
    # Make the response the file, a part of it, or word that the client has it already.
    path, size, mtime = found
    headers = res.headers
    etag, modified = validators(path, size, mtime)
    if etag:
        # The two forms of a file are not one another's (RFC 9110 8.8.3.3), were they of one length and time.
        headers["ETag"] = etag = etag[:-1] + '-gz"' if coding else etag
    if modified:
        headers["Last-Modified"] = http_date(*modified)
    ask = _asker(request)
    status = precondition(ask, etag, modified and modified[:6])
    if status == 412:
        raise HTTPException(412, "Precondition failed")
    if status:
        res.status_code = status
        res.body = None
        return res
    headers["Content-Type"] = content_type
    headers["Accept-Ranges"] = "bytes"
    if coding:
        headers["Content-Encoding"] = coding
    part = byte_range(ask(b"range"), size) if request.method != "HEAD" and _may_resume(ask(b"if-range"), headers) else None
    return _send_part(request, res, path, size, part)


def _send_part(request, res, path, size, part):
    if part == ():
        return Response("Range not satisfiable", 416, {"Content-Range": "bytes */%d" % size})
    start, stop = part or (0, size)
    if part:
        res.status_code = 206
        res.headers["Content-Range"] = "bytes %d-%d/%d" % (start, stop - 1, size)
    res.headers["Content-Length"] = str(stop - start)
    res.body = Part(open(path, "rb"), start, stop - start)  # noqa: SIM115 - the sender closes it
    if request.method == "HEAD":
        res.body.close()
    return res


def _may_resume(value, headers):
    # RFC 9110 13.1.5: what the client has a part of must be what is here, to the letter.
    return value is None or value in (headers.get("ETag"), headers.get("Last-Modified"))


def _asker(request):
    # Return what gives a header field by its name. To search for one copies the head: one copy tells which are worth it.
    known = request._fields.lower()

    def ask(name):
        return field(request, name) if not known or name in known else None

    return ask


def _type_of(name):
    kind = type_of(Response, name.lower())
    if kind[:5] == "text/" or kind == "application/javascript":
        return kind if "charset=" in kind else kind + "; charset=UTF-8"
    return kind


class Part:
    """A file as a body: ``length`` bytes from ``start`` on and no more, however it grows."""

    def __init__(self, file, start, length):
        self.file = file
        self.left = length
        if start:
            file.seek(start)

    def read(self, n=-1):
        data = self.file.read(self.left if n < 0 else min(n, self.left))
        self.left -= len(data)
        return data

    def readinto(self, buf):
        n = self.file.readinto(buf if self.left >= len(buf) else memoryview(buf)[: self.left])
        self.left -= n
        return n

    def close(self):
        self.file.close()


# Validators


def validators(path, size, mtime):
    """Return the entity tag of a file and its time of change in UTC; None for one that can't be trusted.

    Files that were written without a clock, put there by an image builder or lie in a ROMFS have a time that says nothing: two
    versions of one size would pass for the same, and a browser would keep the old one for good. The tag of these is made of
    what they hold, which is read once.
    """
    when = time.gmtime(mtime)[:7]
    if when[0] >= _CLOCK_SET:
        return '"%x-%x"' % (size, mtime), when if mtime <= time.time() else None
    if size > _MAX_SUMMED:
        return None, None
    known = _sums.get(path)
    if not known or known[:2] != (size, mtime):
        if len(_sums) >= _MAX_SUMS:
            _sums.clear()
        _sums[path] = known = size, mtime, _checksum(path)
    return '"%x.%x"' % (size, known[2]), None


def _checksum(path):
    from binascii import crc32

    buf = bytearray(512)
    view = memoryview(buf)
    total = 0
    with open(path, "rb") as file:
        n = file.readinto(buf)
        while n:
            total = crc32(view[:n], total)
            n = file.readinto(buf)
    return total
