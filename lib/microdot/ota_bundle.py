# Bundles: an application in one stream of bytes, and its way into a board's flash: checked, staged, and committed to by
# `onboard.journal`.  docs/architecture.md ("A bundle") has the format.  In memory are the bundle's head and a byte for each of
# its files; contents pass through BLOCK bytes.
#
# Both lists of files, the bundle's and that of the deploy before, are sorted by path: they are read side by side.
import os
import sys

from onboard import journal

from microdot.ota import Refused

BLOCK = 1024  # bytes of a content in memory at a time
FIRST = 21  # bytes of the first line, which says how long the head is

_OWNED, _UNDO, _TRIAL = "/.mdot/owned", "/.mdot/undo", "/.mdot/trial"
_NEW, _OLD, _PART = "/.mdot/new", "/.mdot/old", "/.mdot/new/part"
_LAST = "/main.py"
_HEX = "0123456789abcdef"
_MAX_LINE = 1 + 1 + 64 + 1 + 9 + 1 + journal.MAX_PATH + 1
# What becomes of a path: the last three are of paths that the bundle does not have, GONE of a file that was removed already.
_SAME, _ADD, _REPLACE, _REMOVE, _GONE, _HOLD = b"=+~-.#"
# Blocks for what littlefs and the journal need beside the files, and for a new folder.
_SPARE, _FOLDER = 8, 2
# Bytes that the name of a file takes in folders, journal and lists: so often its own length, and so many beside it.
_NAMED, _ENTRY = 4, 100


class Head:
    """The head of a bundle: the application's name and build, what it was compiled for, and its files."""

    def __init__(self, data):
        self._data = data
        end = data.find(b"\n", FIRST)
        parts = _text(data[FIRST:end]).split(" ") if end > 0 else ()
        if len(parts) != 4 or not _is_name(parts[0]) or not _is_hash(parts[1]) or not _is_number(parts[2]):
            raise Refused(400, "bundle: line 2 is malformed")
        self.app, self.build = parts[:2]
        self.mpy = int(parts[2])
        self.force = parts[3] == "force"
        self._files = end + 1

    def files(self):
        """Give (SHA-256, size, path, whether its content follows) of each file, as they are in the bundle."""
        number, start, before = 2, self._files, ""
        above = []  # the paths before that the next one begins with: they come just ahead of it
        while start < len(self._data):
            number += 1
            end = self._data.find(b"\n", start)
            parts = _text(self._data[start:end]).split(" ", 3) if end > 0 else ()
            if len(parts) != 4 or parts[0] not in ("+", "=") or not _is_hash(parts[1]) or not _is_number(parts[2]):
                raise Refused(400, "bundle: line %d is malformed" % number)
            if not journal.is_safe(parts[3]):
                raise Refused(400, "bundle: line %d: a path that no update may touch" % number)
            if parts[3] <= before:
                raise Refused(400, "bundle: line %d: not in the order of paths" % number)
            while above and not parts[3].startswith(above[-1]):
                above.pop()
            if any(parts[3].startswith(path + "/") for path in above):
                raise Refused(400, "bundle: line %d: a file is in the place of its folder" % number)
            above.append(parts[3])
            start, before = end + 1, parts[3]
            yield parts[1], int(parts[2]), parts[3], parts[0] == "+"


async def read_head(stream, most):
    """Read the head of a bundle of no more than ``most`` bytes; return them all."""
    first = await _read(stream, bytearray(FIRST), 0)
    if not first.startswith(b"mdot-bundle 1 ") or not first[14:20].isdigit() or first[20:] != b"\n":
        raise Refused(400, "not a bundle: make one with mdot build --bundle")
    length = int(first[14:20])
    if length > most:
        raise Refused(413, "bundle: its list of files has over %d bytes" % most)
    if length <= FIRST:
        raise Refused(400, "bundle: no list of files")
    head = bytearray(length)
    head[:FIRST] = first
    return bytes(await _read(stream, head, FIRST))


async def _read(stream, buffer, at):
    while at < len(buffer):
        piece = await stream.read(min(len(buffer) - at, BLOCK))
        if not piece:
            raise Refused(400, "the bundle ends early")
        buffer[at : at + len(piece)] = piece
        at += len(piece)
    return buffer


def owned_head():
    """Return the name and the build of the application that lies there by deploy, two empty texts without one."""
    try:
        with open(journal.root + _OWNED, "rb") as file:
            parts = _text(file.readline()).split()
    except OSError:
        return "", ""
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "#" else ("", "")


def owned():
    """Give (SHA-256, size, path) of each file that lies there by deploy."""
    if not _there(_OWNED):
        return
    with open(journal.root + _OWNED, "rb") as file:
        file.readline(_MAX_LINE)
        before = ""
        while True:
            line = file.readline(_MAX_LINE + 1)
            if not line:
                return
            parts = _text(line[:-1]).split(" ", 2)
            if len(parts) != 3 or not _is_hash(parts[0]) or not _is_number(parts[1]) or parts[2] <= before:
                raise Refused(409, "/.mdot/owned is damaged: deploy over a cable")
            before = parts[2]
            yield parts[0], int(parts[1]), parts[2]


def actual(path):
    """Return the SHA-256 of a file's present content, None when there is no such file."""
    try:
        return journal.digest(path)
    except OSError:
        return None


def on_trial():
    """Tell whether the deploy that lies there waits for its first good start."""
    return _there(_TRIAL)


def free():
    """Return the size of a block of the filesystem in bytes, and how many of them are free."""
    numbers = os.statvfs(journal.root or "/")
    return numbers[1], numbers[3]


class Install:
    """One update, from its head to the commit.  ``key_file`` is a path that it leaves alone."""

    _weighed = ""  # the path before

    def __init__(self, head, key_file, max_files, max_size):
        self.head = Head(head)
        self._key_file = key_file
        self._max_files = max_files
        self._max_size = max_size
        self._actions = bytearray()
        self._needed = 0
        self._names = 0

    def check(self):
        """Decide on every file, before anything is changed; return the number of bytes that follow the head."""
        self._check_bytecode()
        if on_trial():
            raise Refused(409, "the update before is still on trial: wait until it is confirmed or taken back")
        count = following = 0
        for old, new in self._pairs():
            action = self._decided(old, new)
            self._actions.append(action)
            if action != _SAME:
                self._names += _NAMED * len((old or new)[2].encode()) + _ENTRY
            if new:
                count += 1
                following += new[1] if new[3] else 0
                self._weigh(action, new)
        if count > self._max_files:
            raise Refused(413, "bundle: over %d files" % self._max_files)
        if following > self._max_size:
            raise Refused(413, "bundle: over %d bytes" % self._max_size)
        return following

    def _check_bytecode(self):
        # What other bytecode would come to is three failed starts.  Machine code needs the same processor too.
        mine, its = getattr(sys.implementation, "_mpy", 0), self.head.mpy
        if mine and its and ((mine ^ its) & 0xFF or (its >> 10 and (mine ^ its) & 0x3FFF)):
            raise Refused(409, "compiled for another firmware: build it for this board")

    def _pairs(self):
        olds, news = owned(), self.head.files()
        old, new = next(olds, None), next(news, None)
        while old or new:
            if not new or (old and old[2] < new[2]):
                yield old, None
                old = next(olds, None)
            elif not old or new[2] < old[2]:
                yield None, new
                new = next(news, None)
            else:
                yield old, new
                old, new = next(olds, None), next(news, None)

    def _decided(self, old, new):
        path = (old or new)[2]
        if path.lower() == self._key_file.lower():
            if new:
                raise Refused(400, "the key of this endpoint is never sent over the air")
            return _HOLD
        if new and path.endswith(".mpy"):
            self._check_rival(path[:-3] + "py")
        present = actual(path)
        if new and present == new[0]:
            return _SAME
        if new and not new[3]:
            raise Refused(409, path + " is not as the bundle expects: send a whole one")
        if present is None:
            return _ADD if new else _GONE
        if not self.head.force and not old:
            raise Refused(409, path + " was not deployed: force replaces it")
        if not self.head.force and present != old[0]:
            raise Refused(409, path + " was changed on the board since its deploy: force replaces it")
        return _REPLACE if new else _REMOVE

    def _check_rival(self, path):
        # MicroPython imports the source first.  One that a deploy brought goes with the update.
        if _there(path) and path not in [old[2] for old in owned()]:
            raise Refused(409, path + " would be imported in place of the new module: remove it over a cable")

    def _weigh(self, action, new):
        before, self._weighed = self._weighed, new[2]
        if action == _SAME:
            return
        block = free()[0]
        self._needed += (new[1] + block - 1) // block
        end = new[2].find("/", 1)
        while action == _ADD and end > 0:
            # The folders of the path before it are there, or counted.
            if not (before.startswith(new[2][: end + 1]) or _there(new[2][:end])):
                self._needed += _FOLDER
            end = new[2].find("/", end + 1)

    def make_room(self):
        """Remove what uploads and deploys before have left, the way back among it."""
        # Its mark goes first, so that nobody takes half of it.
        for path in (_UNDO, _UNDO + ".new"):
            _remove(path)
        for folder in (_OLD, _NEW):
            _clear(folder)
        journal._make_folders(journal.root + _PART)
        block, blocks = free()
        needed = self._needed + self._names // block + _SPARE
        if needed > blocks:
            raise Refused(
                507, "no room: %d KiB of flash are needed and %d are free" % (needed * block >> 10, blocks * block >> 10)
            )

    async def stage(self, stream):
        """Bring the contents to where they wait for the commit, each checked against its hash."""
        for action, _, new in self._files():
            if not new or not new[3]:
                continue
            if action == _SAME:
                await self._copy(stream, new[1], None)
                continue
            path = _NEW + "/" + journal.name_of(new[2], new[0])
            with open(journal.root + path, "wb") as file:
                await self._copy(stream, new[1], file)
            # As it lies in the flash, which may be worn.
            if journal.digest(path) != new[0]:
                raise Refused(400, new[2] + ": its content is not what the bundle says")
        if await stream.read(1):
            raise Refused(400, "the bundle goes on after its end")

    def _files(self):
        for (old, new), action in zip(self._pairs(), self._actions):
            yield action, old, new

    async def _copy(self, stream, left, file):
        while left:
            piece = await stream.read(min(left, BLOCK))
            if not piece:
                raise Refused(400, "the bundle ends early")
            left -= len(piece)
            if file:
                file.write(piece)

    def commit(self):
        """Make the board hold the application, on trial; ``Refused`` leaves the one before as it was."""
        own = [(self._written(_OWNED, self._record()), _OWNED)]
        own.append((self._written(_UNDO, journal.lines(self._way_back())), _UNDO))
        own.append((self._written(_TRIAL, (self.head.build.encode(),)), _TRIAL))
        try:
            journal.commit(self._operations(own))
        except ValueError as e:
            raise Refused(409, str(e))

    def _written(self, path, lines):
        with open(journal.root + _PART, "wb") as file:
            for line in lines:
                file.write(line)
        name = journal.name_of(path, journal.digest(_PART))
        os.rename(journal.root + _PART, journal.root + _NEW + "/" + name)
        return name

    def _record(self):
        yield "# {} {}\n".format(self.head.app, self.head.build).encode()
        for action, old, new in self._files():
            if new or action == _HOLD:
                yield "{} {} {}\n".format(*(new or old)[:3]).encode()

    def _in_order(self):
        # The program that starts all comes last.
        for last in (False, True):
            for action, old, new in self._files():
                if ((new or old)[2] == _LAST) == last:
                    yield action, old, new

    def _operations(self, own):
        for action, old, new in self._in_order():
            path = (new or old)[2]
            if action in (_REPLACE, _REMOVE):
                yield "keep", _kept(old, path), path
            if action == _REMOVE:
                yield "del", "-", path  # for the folders that are empty now
            elif action in (_ADD, _REPLACE):
                yield "put", journal.name_of(path, new[0]), path
        if _there(_OWNED):
            yield "keep", _kept(None, _OWNED), _OWNED
        for name, path in own:
            yield "put", name, path

    def _way_back(self):
        for action, old, new in self._in_order():
            path = (new or old)[2]
            if action == _ADD:
                yield "del", "-", path
            elif action in (_REPLACE, _REMOVE):
                yield "back", _kept(old, path), path
        if _there(_OWNED):
            yield "back", _kept(None, _OWNED), _OWNED
        else:
            yield "del", "-", _OWNED


def clear_uploads():
    """Remove what an update that failed has left."""
    _clear(_NEW)


def _kept(old, path):
    # The name of a file of the deploy before; nothing else lies in that folder then.
    return journal.name_of(path, old[0] if old else "")


def _clear(folder):
    if _there(folder):
        for name in os.listdir(journal.root + folder):
            os.remove(journal.root + folder + "/" + name)


def _remove(path):
    if _there(path):
        os.remove(journal.root + path)


def _there(path):
    try:
        os.stat(journal.root + path)
    except OSError:
        return False
    return True


def _text(data):
    try:
        return str(data, "utf-8")
    except ValueError:
        return ""


def _is_name(text):
    return 0 < len(text) <= 64 and all(c in "._-" or "0" <= c <= "9" or "a" <= c.lower() <= "z" for c in text)


def _is_hash(text):
    return len(text) == 64 and all(c in _HEX for c in text)


def _is_number(text):
    return 0 < len(text) <= 9 and all("0" <= c <= "9" for c in text)
