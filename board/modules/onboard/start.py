# What comes before and after the program: main.py calls it on a board that holds a deploy or settings, and for the printing
# of exceptions.

import sys

import micropython

import onboard

guard = None  # the module, once it counts the start


def begin():
    """Prepare the start; return whether the program may be started."""
    global guard
    ready = True
    if onboard.there("/.mdot"):
        from onboard import guard as found

        # Who knocks with Ctrl-C gets in a moment later, when the deploy is whole.
        micropython.kbd_intr(-1)
        try:
            ready = found.begin()
        finally:
            micropython.kbd_intr(3)
        guard = found if ready else None
    if onboard.there("/config.json"):
        _bring_up()
    if guard:
        # After the network: its portal has an event loop too.
        guard.watch()
    return ready


def end(exc=None):
    """Note how the program ended: by itself, or by an exception that is printed now."""
    if exc:
        _print(exc)
    if guard:
        guard.end(exc)


def _print(exc):
    import io

    text = io.StringIO()
    sys.print_exception(exc, text)
    lines = text.getvalue().split("\n")
    # The first frame is that of our main.py: stock MicroPython has none there.
    if len(lines) > 2 and lines[1].startswith('  File "main.py"'):
        del lines[1]
    print("\n".join(lines), end="")


def _bring_up():
    try:
        from onboard import settings

        found = settings.read()
        from onboard import network

        network.start(found)
    except Exception as exc:
        print(f"onboard: network not started: {type(exc).__name__}: {exc}")
