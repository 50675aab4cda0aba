# The journal of a deploy: the operations that turn what lies on the board into what a deploy wants there, done in order,
# each of a kind that may be done again.  So whatever interrupts them, doing all of them again ends the same way.
# docs/architecture.md ("A deploy") has the format.
#
# Needs nothing beside it and little memory: the deploy tool sends this source to boards whose firmware lacks it.
# Paths are the board's; `root` goes before each of them, for tests and for other mount points.

import binascii
import hashlib
import os

root = ""

MAX_PATH = 255  # bytes of a path in UTF-8
_MAX_LINE = 4 + 1 + 24 + 1 + MAX_PATH + 1
_HEX = "0123456789abcdef"

_JOURNAL = "/.mdot/journal"
_PREPARED = "/.mdot/journal.new"
_DAMAGED = "/.mdot/journal.bad"
_UNDO = "/.mdot/undo"
_BOOTS = "/.mdot/boots"
_NEW = "/.mdot/new/"
_OLD = "/.mdot/old/"
# The only files of our own that a journal may touch; the user's settings are never deployed.
_OWN = ("/.mdot/owned", _UNDO, "/.mdot/trial")
_SETTINGS = "/config.json"

_NO_ENTRY, _EXISTS, _NO_FOLDER = 2, 17, 20  # errno, by the numbers that every port uses
_FOLDER = 0x4000  # of the file types in a mode


def digest(path):
    """Return the SHA-256 of a file in hexadecimal, in constant memory; raise OSError."""
    found = hashlib.sha256()
    buffer = bytearray(512)
    view = memoryview(buffer)
    with open(root + path, "rb") as file:
        count = file.readinto(buffer)
        while count:
            found.update(view[:count])
            count = file.readinto(buffer)
    return binascii.hexlify(found.digest()).decode()


def name_of(path, sha256):
    """Return the name under which a file waits in /.mdot/new and /.mdot/old, from its path and its content's digest()."""
    found = hashlib.sha256(path.encode() + b"\0" + sha256.encode())
    return binascii.hexlify(found.digest()).decode()[:24]


def is_safe(path):
    """Tell whether a deploy may have a file there: absolute, plain, and neither ours nor the user's settings."""
    if not path.startswith("/") or len(path.encode()) > MAX_PATH or any(c < " " or c == "\x7f" for c in path):
        return False
    if any(part in ("", ".", "..") for part in path[1:].split("/")):
        return False
    # FAT takes capitals for the same letters.
    return path.lower() != _SETTINGS and path.lower().split("/")[1] != ".mdot"


def commit(operations=None):
    """Do operations, tuples (op, name, path), in such a way that an interruption leaves nothing or all of them done.

    None stands for those that lie in /.mdot/journal.new, as `lines` gives them.  ValueError says which file is missing or
    which line is wrong, before anything is changed; after an OSError `recover` carries on.
    """
    recover()
    if operations is not None:
        _make_folders(root + _PREPARED)
        with open(root + _PREPARED, "wb") as file:
            for line in lines(operations):
                file.write(line)
    _begin(_PREPARED)


def lines(operations):
    """Give the lines of a journal of these operations, as bytes."""
    for operation in operations:
        yield "{} {} {}\n".format(*operation).encode()
    yield b"end - -\n"


def undo():
    """Bring the deploy before back; return whether there was one.  Errors are those of `commit`."""
    recover()
    if not _kind(root + _UNDO):
        return False
    _begin(_UNDO)
    return True


def recover():
    """Carry an interrupted journal on to its end; return whether there was one.

    OSError leaves it there, to be carried on later.  A damaged one is put aside with nothing done, and ValueError says so.
    """
    if not _kind(root + _JOURNAL):
        return False
    try:
        _check(_JOURNAL)
    except ValueError:
        os.rename(root + _JOURNAL, root + _DAMAGED)
        raise
    with open(root + _JOURNAL, "rb") as file:
        for op, name, path in _operations(file):
            _do(op, name, path)
    # What was counted of the deploy before does not count against this one.
    _remove(root + _BOOTS)
    os.remove(root + _JOURNAL)
    return True


def _begin(prepared):
    _check(prepared, _obstacle)
    os.rename(root + prepared, root + _JOURNAL)
    recover()


def _check(journal, obstacle=None):
    with open(root + journal, "rb") as file:
        for op, name, path in _operations(file):
            problem = obstacle and obstacle(op, name, path)
            if problem:
                raise ValueError(f"journal: {path}: {problem}")


def _obstacle(op, name, path):
    # Once begun, a missing file means "done already", and an operation that fails leaves things half done for good.
    kind = _kind(root + path)
    if op == "put" and not _kind(root + _NEW + name):
        return "its upload is missing"
    if op == "back" and not _kind(root + _OLD + name):
        return "its kept file is missing"
    if op == "keep" and not (kind or _kind(root + _OLD + name)):
        return "the file to keep is missing"
    if op != "drop" and kind == _FOLDER:
        return "a folder is in its place"
    if op in ("put", "back") and _file_above(root + path):
        return "a file is in the place of its folder"


def _operations(file):
    number = 0
    while True:
        number += 1
        try:
            operation = _parsed(file.readline(_MAX_LINE + 1))
        except ValueError:
            raise ValueError(f"journal: damaged in line {number}")  # noqa: B904 (MicroPython warns of `raise from`)
        if operation[0] == "end":
            return
        yield operation


def _parsed(line):
    # Raises ValueError for anything but a whole line of a journal: also for the end of the file.
    op, name, path = line.decode().split(" ", 2)
    path, end = path[:-1], path[-1:]
    named = len(name) == 24 and all(c in _HEX for c in name)
    if op in ("keep", "put", "back"):
        good = named and (path in _OWN or is_safe(path))
    elif op == "del":
        good = name == "-" and (path in _OWN or is_safe(path))
    else:
        good = path == "-" and (named if op == "drop" else op == "end" and name == "-")
    if end != "\n" or not good:
        raise ValueError
    return op, name, path


def _do(op, name, path):
    path = root + path
    if op == "put":
        _move(root + _NEW + name, path)
    elif op == "back":
        _move(root + _OLD + name, path)
    elif op == "keep":
        if not _kind(root + _OLD + name):
            _move(path, root + _OLD + name)
    elif op == "del":
        _remove(path)
        _remove_empty_folders(path)
    else:
        _remove(root + _OLD + name)


def _kind(path):
    """Return the type in a path's mode, 0 when nothing is there."""
    try:
        return os.stat(path)[0] & 0xF000
    except OSError as exc:
        if exc.errno in (_NO_ENTRY, _NO_FOLDER):
            return 0
        raise


def _folders(path):
    """Give the folders above a path, the topmost first."""
    end = path.find("/", len(root) + 1)
    while end > 0:
        yield path[:end]
        end = path.find("/", end + 1)


def _file_above(path):
    return any(_kind(folder) not in (0, _FOLDER) for folder in _folders(path))


def _move(path, target):
    if _kind(path):
        _make_folders(target)
        os.rename(path, target)


def _remove(path):
    if _kind(path):
        os.remove(path)


def _make_folders(path):
    for folder in _folders(path):
        try:
            os.mkdir(folder)
        except OSError as exc:
            if exc.errno != _EXISTS:
                raise


def _remove_empty_folders(path):
    folder = path[: path.rfind("/")]
    while len(folder) > len(root):
        try:
            os.rmdir(folder)
        except OSError as exc:
            # What is gone already may have been the last thing in the folder above; every other reason means: keep it.
            if exc.errno != _NO_ENTRY:
                return
        folder = folder[: folder.rfind("/")]
