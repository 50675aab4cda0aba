# Files on disk for the tests of static files.

import os
import time

from support import MICROPYTHON


def plant(case, files):
    """Write files, {path: bytes}, making the directories they need; all of it goes when the test case ends."""
    for path, data in files.items():
        at = path.find("/")
        while at > 0:
            _make_folder(case, path[:at])
            at = path.find("/", at + 1)
        with open(path, "wb") as file:
            file.write(data)
        case.addCleanup(os.remove, path)


def _make_folder(case, path):
    try:
        os.mkdir(path)
    except OSError:  # it is there
        return
    case.addCleanup(os.rmdir, path)


def touch(path, moment):
    """Set a file's time of change to a UTC time, (year, month, day, hour, minute, second)."""
    if MICROPYTHON:
        text = "%04d-%02d-%02d %02d:%02d:%02d UTC" % moment
        if os.system("touch -d '{}' '{}'".format(text, path)):
            raise OSError("touch")
    else:
        import calendar

        seconds = calendar.timegm(moment)
        os.utime(path, (seconds, seconds))


def later(seconds):
    """Return the UTC time in as many seconds, as `touch` takes it."""
    return tuple(time.gmtime(int(time.time()) + seconds)[:6])
