# Forms with files (multipart/form-data, RFC 7578): an iterator over fields and files as they arrive, and a decorator that
# gathers them. A file of any size passes through one buffer, straight from the connection to where the handler wants it; the
# scanner of the format is `form_parts.py`.
#
# A client that leaves ends the parse at once (OSError), a body that ends early or is malformed is answered with 400, one over
# the limits below with 413. `Request.max_content_length` bounds the whole body: raise it for uploads. Names come from the
# client and are text to show, never paths: `save` and `copy` take none of them.
from microdot.form_parts import Scanner, add_field, disposition, parameters
from microdot.helpers import iscoroutine, wraps
from microdot.http import ClientError
from microdot.text import decode_utf8


class FormDataIter:
    """An async iterator over a form's ``(name, value)``: text for a field, a ``FileUpload`` for a file.

    There is nothing in it when the request brings no such form. A file must be read before the next step: what is left of it
    then is skipped. The class attributes may be reassigned: ``buffer_size`` is the room for a line of a part's head (400 when
    it doesn't fit), ``max_part_head`` for all of them (400), ``max_fields_size`` for the names and values of all fields (413),
    each in bytes; there are ``max_parts`` parts at most (413).
    """

    buffer_size = 1024
    max_part_head = 2048
    max_parts = 64
    max_fields_size = 16 * 1024

    def __init__(self, request):
        self._scanner = None
        self._stream = request.stream
        self._part = None
        self._parts = self.max_parts
        self._room = self.max_fields_size
        kind = request.content_type or ""
        if kind[:19].lower() == "multipart/form-data":
            kind, options = parameters(kind)
            if kind == "multipart/form-data" and "boundary" in options:
                self._scanner = Scanner(options["boundary"].encode(), self.buffer_size)
                self._part = _Part(self)  # what stands before the first boundary

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._part or not await self._next_part():
            self._part = None
            raise StopAsyncIteration
        self._parts -= 1
        if self._parts < 0:
            raise ClientError("more than %d parts" % self.max_parts, 413)
        head = await self._head()
        name, filename = disposition(head)
        self._part = part = _Part(self)
        if filename is None:
            return name, await self._field(name, part)
        return name, FileUpload(filename, head.get("content-type"), part.read, part.readinto)

    async def _next_part(self):
        await self._part.skip()
        return await self._wait(self._scanner.next_part)

    async def _head(self):
        head = {}
        room = self.max_part_head
        line = await self._wait(self._scanner.line)
        while line:
            room -= len(line)
            if room < 0:
                raise ClientError("head of a part over %d bytes" % self.max_part_head)
            add_field(head, line)
            line = await self._wait(self._scanner.line)
        return head

    async def _field(self, name, part):
        self._room -= len(name)
        data = await part.read(max(0, self._room) + 1)
        self._room -= len(data)
        if self._room < 0:
            raise ClientError("fields over %d bytes" % self.max_fields_size, 413)
        try:
            return decode_utf8(data)
        except ValueError:
            raise ClientError("malformed utf-8")

    async def _wait(self, step):
        # Feed the scanner until a step of it has a result.
        result = step()
        while result is None:
            await self._feed()
            result = step()
        return result

    async def _feed(self):
        room = self._scanner.room()
        if hasattr(self._stream, "readinto"):
            self._scanner.fed(await self._stream.readinto(room))
        else:
            data = await self._stream.read(len(room))
            room[: len(data)] = data
            self._scanner.fed(len(data))


class _Part:
    # The data of one part, empty from the moment when the iterator is past it.
    def __init__(self, form):
        self.form = form

    async def available(self):
        # Wait for data; return how many bytes the scanner has, 0 at the end.
        form = self.form
        if form is None or form._part is not self:
            return 0
        n = form._scanner.data()
        while not n:
            await form._feed()
            n = form._scanner.data()
        if n < 0:
            self.form = None
            return 0
        return n

    async def readinto(self, buf):
        # Fill buf, or as much of it as there is data.
        at = 0
        n = await self.available() if len(buf) else 0
        while n:
            scanner = self.form._scanner
            n = min(n, len(buf) - at)
            buf[at : at + n] = memoryview(scanner.buf)[scanner.start : scanner.start + n]
            scanner.start += n
            at += n
            n = await self.available() if at < len(buf) else 0
        return at

    async def read(self, n=-1):
        pieces = []
        while n:
            size = FormDataIter.buffer_size
            buf = bytearray(size if n < 0 else min(n, size))
            got = await self.readinto(buf)
            if not got:
                break
            pieces.append(bytes(memoryview(buf)[:got]))
            n -= got if n > 0 else 0
        return b"".join(pieces)

    async def skip(self):
        n = await self.available()
        while n:
            self.form._scanner.start += n
            n = await self.available()


class FileUpload:
    """A file in a form.

    ``filename`` and ``content_type`` are what the client says, not to be trusted: the name may be empty, hold slashes or dots,
    or be that of a file of yours. Never make a path of it. ``content_type`` is None when the client says nothing.
    """

    max_memory_size = 1024
    _path = None  # of the temporary file
    _file = None

    def __init__(self, filename, content_type, read, readinto=None):
        self.filename = filename
        self.content_type = content_type
        self._read = read
        self._readinto = readinto

    async def read(self, n=-1):
        """Return ``n`` bytes, fewer at the end; all that is left when ``n`` is negative."""
        return await self._read(n)

    async def readinto(self, buf):
        """Fill the front of ``buf``; return the number of bytes, less than its length only at the end."""
        if self._readinto:
            return await self._readinto(buf)
        data = await self._read(len(buf))
        buf[: len(data)] = data
        return len(data)

    async def save(self, path_or_file):
        """Write what is left of the upload to a path of the application's own, or to an open file; return the number of bytes.

        A file at the path is replaced, and removed when the upload ends early. An open file stays open.
        """
        if hasattr(path_or_file, "write"):
            return await self._write(path_or_file)
        return await self._save_as(path_or_file)

    async def _save_as(self, path, begin=b""):
        total = None
        file = open(path, "wb")  # noqa: SIM115 - it must be closed before it is removed
        try:
            with file:
                file.write(begin)
                total = await self._write(file)
        finally:
            if total is None:
                _remove(path)
        return total

    async def _write(self, file):
        buf = bytearray(FormDataIter.buffer_size)
        total = 0
        n = await self.readinto(buf)
        while n:
            file.write(buf if n == len(buf) else memoryview(buf)[:n])
            total += n
            n = await self.readinto(buf)
        return total

    async def copy(self, max_memory_size=None):
        """Detach the upload from the request, so that it can be read later, and return it; free it with ``close``.

        Up to ``max_memory_size`` bytes (default: the class attribute) stay in memory, more go to a temporary file in the
        current directory.
        """
        from microdot.body import AsyncBytesIO

        limit = self.max_memory_size if max_memory_size is None else max_memory_size
        data = await self._read(limit + 1)
        source = AsyncBytesIO(data)
        if len(data) > limit:
            path = _random_name()
            await self._save_as(path, data)
            self._path = path
            source.stream = self._file = open(path, "rb")  # noqa: SIM115 - `close` closes it
        self._read = source.read
        self._readinto = source.readinto
        return self

    async def close(self):
        """Free what ``copy`` holds."""
        if self._file:
            self._file.close()
        if self._path:
            _remove(self._path)
        self._file = self._path = None


class _Last(dict):
    # A dictionary of the last value of each name; the others are in `getlist`. Its methods take what those of MultiDict take.
    def __init__(self):
        super().__init__()
        self._all = {}

    def add(self, name, value):
        self[name] = value
        self._all.setdefault(name, []).append(value)

    def get(self, name, default=None, type=None):
        return type(self[name]) if type and name in self else super().get(name, default)

    def getlist(self, name, type=None):
        values = self._all.get(name, ())
        return [type(value) for value in values] if type else list(values)


def with_form_data(f):
    """Decorate a handler whose request may bring a form: ``request.form`` and ``request.files`` hold it whole.

    They are dictionaries of text and of ``FileUpload``; where a name repeats they have the last value, and ``getlist(name)``
    has all of them. The files are copied, and closed when the handler has returned.
    """

    @wraps(f)
    async def handler(request, *args, **kwargs):
        files = []
        try:
            await _gather(request, files)
            result = f(request, *args, **kwargs)
            if iscoroutine(result):
                result = await result
            return result
        finally:
            for file in files:
                await file.close()

    return handler


async def _gather(request, copied):
    # Read the form into the request; every file that is copied goes to the list, to be closed whatever happens.
    form = _Last()
    files = _Last()
    async for name, value in FormDataIter(request):
        if isinstance(value, str):
            form.add(name, value)
        else:
            copied.append(value)
            files.add(name, await value.copy())
    if form or files:
        request.form = form
        request.files = files


def _random_name():
    import os

    return "".join([chr(97 + byte % 26) for byte in os.urandom(12)])


def _remove(path):
    import os

    try:
        os.remove(path)
    except OSError:
        pass
