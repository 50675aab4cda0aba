# mypy: ignore-errors
# Runs on the unix firmware, in the folder of a built application: imports its main module as a board does and prints, after
# a mark, what each module of the application keeps of the heap, and those of the firmware that they import; see heap.py.
import asyncio
import builtins
import gc
import json
import os
import sys

# Every server has it; what comes on first use is in memory before.
_LOADED = (asyncio.start_server, asyncio.Event, asyncio.Lock, asyncio.wait_for)
gc.collect()
_framework = gc.mem_alloc()
from microdot import Microdot  # noqa: E402

gc.collect()
_framework = gc.mem_alloc() - _framework

_HARDWARE = ["machine", "network", "rp2", "esp", "esp32", "espnow", "bluetooth", "ntptime"]
_HARDWARE += ["neopixel", "dht", "onewire", "ds18x20", "lcd160cr"]
_standing_in = []
_FIRMWARE = "(the firmware's modules)"
_taken = {}
_inside = [0]  # bytes counted for what the current import imports itself


class _StandIn:
    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass


class _Serves(BaseException):
    pass


def _serve(*args, **kwargs):
    # What the application holds goes with the exception: it is measured before.
    __import__("microdot.server")
    _seen.append(_used())
    raise _Serves()


def _used():
    gc.collect()
    return gc.mem_alloc()


def _import(name, globals=None, locals=None, fromlist=None, level=0):
    if name in _HARDWARE:
        if name not in _standing_in:
            _standing_in.append(name)
        return _stand_in
    known = set(sys.modules)
    before = _used()
    _inside.append(0)
    try:
        return _real_import(name, globals, locals, fromlist, level)
    finally:
        taken = _used() - before
        own = taken - _inside.pop()
        _inside[-1] += taken
        new = sorted(each for each in sys.modules if each not in known and each not in _counted)
        if new:
            _counted.update(new)
            label = " ".join(each for each in new if _is_own(each)) or _FIRMWARE
            _taken[label] = _taken.get(label, 0) + own


def _is_own(name):
    file = getattr(sys.modules[name], "__file__", None)
    try:
        os.stat(file)
    except (OSError, TypeError):
        return False
    return True


def _main_module():
    try:
        os.stat("_main.mpy")
    except OSError:
        return "main"
    return "_main"


_counted = set()
_stand_in = _StandIn()
_real_import = __import__
_seen = []
_error = ""
_started = _used()
Microdot.run = Microdot.start_server = asyncio.run = _serve
builtins.__import__ = _import
try:
    _real_import(_main_module())  # counted by the rest
except _Serves:
    pass
except Exception as error:
    _error = f"{type(error).__name__}: {error}"
_total = (_seen or [_used()])[0] - _started + _framework
builtins.__import__ = _real_import
_taken[_FIRMWARE] = _taken.get(_FIRMWARE, 0) + _framework
_taken["main"] = _total - sum(_taken.values())
modules = sorted(_taken.items())
print("\x1e" + json.dumps({"modules": modules, "total": _total, "stand_ins": _standing_in, "error": _error}))
