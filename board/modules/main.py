# What a board runs after boot.py: MicroPython prefers this frozen main.py to that of the filesystem.  It runs that one as
# stock MicroPython would; only where a deploy or settings lie on the board, `onboard` has a say before and after.
#
# The globals and the stack are those of the program: nothing of ours stays in the former, and little on the latter.

if __name__ == "__main__":

    def _mdot_begin():
        import os

        def kind(path):
            try:
                return os.stat(path)[0] & 0xF000
            except OSError:
                return 0

        if kind("/.mdot") or kind("/config.json"):
            from onboard import start

            if not start.begin():
                return False
        return kind("main.py") == 0x8000

    try:
        if globals().pop("_mdot_begin")():
            execfile("main.py")  # noqa: F821 (MicroPython's)
        if "onboard.start" in __import__("sys").modules:
            __import__("onboard.start", None, None, ("end",)).end()
    except SystemExit:
        raise
    except BaseException as _mdot_exception:
        # As MicroPython does: nothing interrupts what follows an exception.
        __import__("micropython").kbd_intr(-1)
        # There is one exception for want of memory: another one, in what we would import, would take the traceback's place.
        __import__("gc").collect()
        if __import__("gc").mem_free() < 4096:
            raise
        try:
            __import__("onboard.start", None, None, ("end",)).end(_mdot_exception)
        except MemoryError:
            raise _mdot_exception  # noqa: B904 (MicroPython has no `raise from`)

else:
    # `import main` finds this file ahead of those that MicroPython would find in /lib, or wherever sys.path leads after it.
    def _mdot_import():
        import os
        import sys

        for folder in sys.path[sys.path.index(".frozen") + 1 :]:
            try:
                os.stat(folder + "/main.py")
            except OSError:
                continue
            return execfile(folder + "/main.py")  # noqa: F821
        raise ImportError("no module named 'main'")

    globals().pop("_mdot_import")()
