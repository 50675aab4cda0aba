# mypy: ignore-errors
"""Runs on a board: tells what the board is and what lies on it, one tuple a line.

Nothing is told of the files, and nothing is touched, on a board that is not the one that is wanted.  A deploy that was
interrupted is first carried on, if the firmware has our journal or its source is given.
"""

import binascii
import gc
import hashlib
import os
import sys


def digest(path):
    hashed, buffer = hashlib.sha256(), bytearray(1024)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        while True:
            length = file.readinto(buffer)
            if not length:
                return binascii.hexlify(hashed.digest()).decode()
            hashed.update(view[:length])


def there(path):
    try:
        return os.stat(path)
    except OSError:
        return None


def identity():
    try:
        import machine

        return binascii.hexlify(machine.unique_id()).decode()
    except (ImportError, AttributeError):
        return ""


def has(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def journal(source):
    if source:
        space = {}
        exec(source, space)
        return space
    try:
        from onboard import journal

        return journal.__dict__
    except ImportError:
        return None


def recovered(source, allowed):
    """Tell whether a deploy that was interrupted is still to be carried on, and what is wrong with its journal."""
    if not there("/.mdot/journal"):
        return False, ""
    code = allowed and journal(source)
    if not code:
        return True, ""
    try:
        code["recover"]()
    except ValueError as error:
        return False, str(error)
    return False, ""


def about(pending, damage):
    """Say what the board is; the memory is what is free now, right after a start."""
    gc.collect()
    numbers = os.statvfs("/")
    implementation = sys.implementation
    return {
        "id": identity(),
        "platform": sys.platform,
        "release": tuple(implementation[1]),
        "machine": getattr(implementation, "_machine", ""),
        "build": getattr(implementation, "_build", ""),
        "mpy": getattr(implementation, "_mpy", 0),
        "heap": gc.mem_free() if hasattr(gc, "mem_free") else 65536,
        "block": numbers[1],
        "blocks": numbers[2],
        "free": numbers[3],
        "deflate": has("deflate"),
        "guard": has("onboard"),
        "pending": pending,
        "damage": damage,
    }


def tell_owned():
    paths = set()
    if there("/.mdot/owned"):
        with open("/.mdot/owned", "rb") as file:
            for line in file:
                path = None
                if line[:1] != b"#":
                    try:
                        path = line[:-1].split(b" ", 2)[-1].decode()
                    except ValueError:
                        pass  # damaged: who reads what we tell will say so
                    paths.add(path)
                status = path and there(path)
                print(("owned", line, digest(path) if status and not status[0] & 0x4000 else None))
    return paths


def tell_files(owned):
    folders = ["/"]
    while folders:
        folder = folders.pop()
        for entry in os.ilistdir(folder):
            path = folder + entry[0]
            if entry[1] & 0x4000:
                if path != "/.mdot":
                    print(("folder", path))
                    folders.append(path + "/")
            elif path not in owned:
                print(("file", path, there(path)[6]))


def tell_ours():
    if not there("/.mdot"):
        return
    for folder in ("new", "old"):
        if there("/.mdot/" + folder):
            for entry in os.ilistdir("/.mdot/" + folder):
                print((folder, entry[0], there("/.mdot/" + folder + "/" + entry[0])[6]))
    for name in ("undo", "trial", "boots"):
        if there("/.mdot/" + name):
            print(("mark", name))


def main(wanted, recover, source):
    """Tell all; `wanted` is the identity that the board must have, or nothing."""
    right = not wanted or wanted == identity()
    print(("board", about(*recovered(source, right and recover))))
    if right:
        tell_files(tell_owned())
        tell_ours()
