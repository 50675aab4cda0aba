# Microdot's API, implemented independently. The names of the core are here, the rest in `microdot.microdot`, the extensions in
# modules of their own; what a hello world does not need is imported when it is first used.
from microdot.app import Microdot
from microdot.helpers import load
from microdot.request import Request
from microdot.response import Response

abort = Microdot.abort
redirect = Response.redirect
send_file = Response.send_file
__version__ = "0.1.0"

_LATER = {"AsyncBytesIO": "body", "URLPattern": "routing", "iscoroutine": "helpers"}


def __getattr__(name):
    if name == "__all__":  # which MicroPython never asks for
        return ["Microdot", "Request", "Response", "abort", "redirect", "send_file"] + list(_LATER)
    if name in _LATER:
        value = getattr(load(_LATER[name]), name)
        globals()[name] = value
        return value
    try:
        return load(name)  # MicroPython asks here for submodules too
    except ImportError:
        raise AttributeError(name)
