# Deploys for the tests of what boards run first: the planning of one, as a tool does it, and a board's files that fail.

import os

from onboard import journal

_OWNED, _UNDO = "/.mdot/owned", "/.mdot/undo"


class Cut(BaseException):
    """The power failed."""


class Power:
    """Lets the power of a module fail, by the functions that it changes files with, in operation `after` + 1."""

    _CHANGES = ("rename", "remove", "rmdir", "mkdir")

    def __init__(self, module, after=1 << 30):
        self._module = module
        self._after = after
        self.operations = 0

    def __enter__(self):
        self._module.os = self
        self._module.open = self.open
        return self

    def __exit__(self, kind, exc, trace):
        self._module.os = os
        del self._module.open
        return kind is Cut

    def __getattr__(self, name):
        if name in self._CHANGES:
            self.operate()
        return getattr(os, name)

    def open(self, path, mode):
        if mode == "rb":
            return open(path, mode)
        self.operate()
        return _Writer(self, open(path, mode))

    def operate(self):
        if self.operations == self._after:
            raise Cut
        self.operations += 1


class _Writer:
    def __init__(self, power, file):
        self._power = power
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, kind, exc, trace):
        # A cut link leaves what was written so far: whatever holds the file closes it in the end.
        self._file.close()

    def write(self, data):
        try:
            self._power.operate()
        except Cut:
            self._file.write(data[: len(data) // 2])
            raise
        self._file.write(data)


def write(path, content):
    """Write a file on the board, in folders that are made."""
    journal._make_folders(journal.root + path)
    with open(journal.root + path, "wb") as file:
        file.write(content)


def read(path):
    """Return the content of a file on the board, None when there is no such file."""
    try:
        with open(journal.root + path, "rb") as file:
            return file.read()
    except OSError:
        return None


def erase(folder=""):
    """Remove all of the board's files."""
    for name in os.listdir(journal.root + folder):
        path = folder + "/" + name
        if os.stat(journal.root + path)[0] & 0x4000:
            erase(path)
            os.rmdir(journal.root + path)
        else:
            os.remove(journal.root + path)


def holds(folder=""):
    """Return {path: content} of the board, empty folders with content None; of our own files only what a deploy lists."""
    found = {}
    for name in os.listdir(journal.root + folder):
        path = folder + "/" + name
        if path == "/.mdot":
            found[_OWNED] = read(_OWNED)
        elif os.stat(journal.root + path)[0] & 0x4000:
            found.update(holds(path) or {path: None})
        else:
            found[path] = read(path)
    return found


def install(files):
    """Lay files on the board as a first deploy does, without doing one."""
    for path in files:
        write(path, files[path])
    write(_OWNED, _owned(files))


def expected(files, data):
    """Return what `holds` should say of a board with a deploy and the user's data."""
    return dict(list(files.items()) + list(data.items()) + [(_OWNED, _owned(files))])


def plan(old, new, keep):
    """Upload what is new, and return the operations of the commit; `old` is None when there was no deploy."""
    operations = [("drop", name, "-") for name in _kept() if keep]
    back = []
    for path in sorted(set(old or {}) | set(new), key=lambda path: (path == "/main.py", path)):
        _replace(path, (old or {}).get(path), new.get(path), keep, operations, back)
    _replace(_OWNED, None if old is None else _owned(old), _owned(new), keep, operations, back)
    undo = b"".join(journal.lines(back))
    if keep:
        operations.append(("put", _upload(_UNDO, undo), _UNDO))
    else:
        operations.append(("del", "-", _UNDO))
    return operations


def _kept():
    try:
        return sorted(os.listdir(journal.root + "/.mdot/old"))
    except OSError:
        return []


def _replace(path, old, new, keep, operations, back):
    if old == new:
        return
    if old is not None and keep:
        name = name_of(path, old)
        if ("drop", name, "-") in operations:
            operations.remove(("drop", name, "-"))
        operations.append(("keep", name, path))
    if new is not None:
        operations.append(("put", _upload(path, new), path))
    else:
        operations.append(("del", "-", path))
    back.append(("del", "-", path) if old is None else ("back", name_of(path, old), path))


def _upload(path, content):
    name = name_of(path, content)
    write("/.mdot/new/" + name, content)
    return name


def name_of(path, content):
    """Return the name of a file that is to wait."""
    write("/.hashed", content)
    sha256 = journal.digest("/.hashed")
    os.remove(journal.root + "/.hashed")
    return journal.name_of(path, sha256)


def _owned(files):
    lines = ["{} {}".format(len(files[path]), path) for path in sorted(files)]
    return "\n".join(["# app build"] + lines + [""]).encode()
