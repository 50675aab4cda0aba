# What is frozen into the firmware: the same file for every port, with no need to edit it.  MicroPython's
# tools/makemanifest.py runs it in this folder, with functions of its own (include, freeze) that know the
# build's $(VARIABLES).

import os
import sys

# Asserts go: they state invariants of our own, which CPython checks in the tests.  Line numbers stay.
_OPT = 1

# Front ends, templates and certificates of CPython's, of no use where there is only MicroPython.
_HOST_ONLY = {
    "asgi.py",
    "asgi_lifespan.py",
    "asgi_websocket.py",
    "hosted.py",
    "jinja.py",
    "mounted_asgi.py",
    "mounted_wsgi.py",
    "tls_host.py",
    "wsgi.py",
    "wsgi_loop.py",
    "wsgi_websocket.py",
}

# Machine code: mpy-cross must be told the processor, as the builds of boards do.  microdot works without.
_NATIVE = {"_scan.py", "_unmask.py"}


def there(path):
    # Only the manifest's functions know the variables, and none of the public ones answers this question.
    return os.path.exists(include.__self__._resolve_path(path))


def microdot():
    left_out = _HOST_ONLY if any("-march=" in argument for argument in sys.argv) else _HOST_ONLY | _NATIVE
    names = sorted(name for name in os.listdir("lib/microdot") if name.endswith(".py") and name not in left_out)
    return [f"microdot/{name}" for name in names]


# First what the board freezes by itself; its own manifest needs micropython-lib, which not every tree has.
if there("$(MPY_LIB_DIR)/micropython") and there("$(BOARD_DIR)/manifest.py"):
    include("$(BOARD_DIR)/manifest.py")
elif there("$(MPY_LIB_DIR)/micropython") and there("$(PORT_DIR)/boards/manifest.py"):
    include("$(PORT_DIR)/boards/manifest.py")
elif there("$(PORT_DIR)/modules"):
    freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")

freeze("lib", microdot(), opt=_OPT)
if os.path.isdir("lib/utemplate"):
    freeze("lib", "utemplate", opt=_OPT)
freeze("board/modules", "onboard", opt=_OPT)
# On a computer nothing would run it, and `import main` is the user's.
if os.path.basename(include.__self__._resolve_path("$(PORT_DIR)")) != "unix":
    freeze("board/modules", "main.py", opt=_OPT)
# A board may bring some of these by itself: twice the same name would not build.
for name in sorted(os.listdir("lib/shims")):
    if name.endswith(".py") and name not in (file.target_path for file in include.__self__.files()):
        freeze("lib/shims", name, opt=_OPT)
