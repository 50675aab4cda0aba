# Counts the starts of the application that nothing confirmed.  After three in a row the deploy before comes back, if the
# last one is on trial; otherwise nothing is started, so that a board whose program crashes or hangs stays within reach.
#
# The flash is written once at a start and once when it is confirmed.
#
# A deploy on trial came over the air, and nobody may be there to switch the board off and on.  So while it is on trial a
# program that ends is started again, and one that does not give the event loop its time is ended.

import os

import onboard

STRIKES = 3
seconds = 10  # that the application's event loop has to run; a program's own boot.py may change it
trial_seconds = 120  # after which a start on trial that is still not confirmed is over; boot.py may change that too
_PAUSE = 2  # seconds between the end of a program on trial and the next start: its last words are to get out

_BOOTS = "/.mdot/boots"
_TRIAL = "/.mdot/trial"
_JOURNAL = "/.mdot/journal"
_DIGITS = 3  # of the counter, at most
_timer = None
_left = False


def begin():
    """Carry on an interrupted deploy and count the start; return whether the application may be started."""
    global _left
    _left = False
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
    if onboard.there(_TRIAL):
        _limit()


def end(exc=None):
    """Judge a program that has ended: by itself, or by an exception.  Does not return from one on trial, on a board."""
    if isinstance(exc, KeyboardInterrupt):
        _unlimit()
        hold()
    elif onboard.there(_TRIAL):
        # Even if it did what it had to do: it is to be there for the next update.
        _start_again()
    elif exc is None:
        _try(confirm)


def confirm():
    """Note that the start went well; raise OSError."""
    if _left:
        return
    if _count():
        _set_count(0)
    if onboard.there(_TRIAL):
        os.remove(onboard.root + _TRIAL)
    _unlimit()


def leave():
    """Let nothing confirm any more: another application lies there now, and the one that still runs says nothing of it."""
    global _left
    _left = True


def hold():
    """Take the start out of the count: somebody is there, who needs no guard."""
    _try(_uncount)


def go_on():
    """Count the start again."""
    _try(lambda: _set_count(_count() + 1))


def _uncount():
    count = _count()
    if count:
        _set_count(count - 1)


def _start_again():
    try:
        from machine import reset
    except ImportError:
        return
    import time

    print("onboard: main.py ended on trial: starting again")
    time.sleep(_PAUSE)
    reset()


def _limit():
    # A timer comes through where an event loop that stands still does not.
    global _timer
    try:
        from machine import Timer, reset

        _timer = Timer(-1, mode=Timer.ONE_SHOT, period=int(trial_seconds * 1000), callback=lambda timer: reset())
    except (ImportError, ValueError, OSError):
        pass  # not every port has one to spare: there only a power cycle ends such a program


def _unlimit():
    global _timer
    if _timer:
        _timer.deinit()
        _timer = None


def _try(note):
    try:
        note()
    except OSError as exc:
        print(f"onboard: /.mdot/boots: not written: {exc}")


async def _confirm_later():
    import asyncio

    while True:
        await asyncio.sleep(seconds)
        try:
            return _try(confirm)
        except MemoryError:
            pass  # a server may need all there is for a moment


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
