# Counts the starts of the application that nothing confirmed.  After three in a row the deploy before comes back, if the
# last one is on trial; otherwise nothing is started, so that a board whose program crashes or hangs stays within reach.
#
# The flash is written once at a start and once when it is confirmed.

import os

import onboard

STRIKES = 3
seconds = 10  # that the application's event loop has to run; a program's own boot.py may change it

_BOOTS = "/.mdot/boots"
_TRIAL = "/.mdot/trial"
_JOURNAL = "/.mdot/journal"
_DIGITS = 3  # of the counter, at most


def begin():
    """Carry on an interrupted deploy and count the start; return whether the application may be started."""
    try:
        if not _carried_on():
            return False
        count = _count()
        if count < STRIKES:
            _set_count(count + 1)
        elif onboard.there(_TRIAL):
            return _taken_back()
        else:
            print(f"onboard: main.py not started: {STRIKES} starts were not confirmed: deploy again, or onboard.app_ok()")
            return False
    except OSError as exc:
        # Without a filesystem to write to there is no counting; that is no reason to stand still.
        print(f"onboard: /.mdot/boots: start not counted: {exc}")
    return True


def watch():
    """Have the start confirmed when the application's event loop has run for some time."""
    import asyncio

    asyncio.create_task(_confirm_later())  # noqa: RUF006 (MicroPython keeps it)


def end(exc=None):
    """Judge a program that has ended: by itself, or by an exception."""
    if isinstance(exc, KeyboardInterrupt):
        _try(_uncount)
    elif exc is None and not onboard.there(_TRIAL):
        # It did what it had to do.  But a deploy on trial came over the air, and is to take the next one.
        _try(confirm)


def confirm():
    """Note that the start went well; raise OSError."""
    if _count():
        _set_count(0)
    if onboard.there(_TRIAL):
        os.remove(onboard.root + _TRIAL)


def _uncount():
    # Somebody is there, who needs no guard.
    count = _count()
    if count:
        _set_count(count - 1)


def _try(note):
    try:
        note()
    except OSError as exc:
        print(f"onboard: /.mdot/boots: not written: {exc}")


async def _confirm_later():
    import asyncio

    await asyncio.sleep(seconds)
    _try(confirm)


def _carried_on():
    if not onboard.there(_JOURNAL):
        return True
    try:
        _journal().recover()
    except ValueError as exc:
        print(f"onboard: deploy not finished: {exc}: deploy again")
    except OSError as exc:
        # What lies there is half old and half new: not to be run.
        print(f"onboard: deploy not finished, main.py not started: {exc}: deploy again")
        return False
    return True


def _taken_back():
    try:
        done = _journal().undo()
        print("onboard: {}".format("the deploy before is back" if done else "no deploy before to bring back"))
    except ValueError as exc:
        print(f"onboard: the deploy before is not back: {exc}: deploy again")
    except OSError as exc:
        print(f"onboard: the deploy before is not back, main.py not started: {exc}: deploy again")
        return False
    # In this order: without its trial and with the old count, what is back would not be started.
    _set_count(1)
    os.remove(onboard.root + _TRIAL)
    return True


def _journal():
    from onboard import journal

    journal.root = onboard.root
    return journal


def _count():
    try:
        with open(onboard.root + _BOOTS, "rb") as file:
            text = file.read(_DIGITS + 1)
    except OSError:
        return 0
    if text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    print("onboard: /.mdot/boots: damaged: counted anew")
    return 0


def _set_count(count):
    # In place: on littlefs a file keeps its old content until it is closed, and this is one write instead of three.
    with open(onboard.root + _BOOTS, "wb") as file:
        file.write(str(count).encode())
