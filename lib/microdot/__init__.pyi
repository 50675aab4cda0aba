from microdot.app import Microdot as Microdot
from microdot.body import AsyncBytesIO as AsyncBytesIO
from microdot.helpers import iscoroutine as iscoroutine
from microdot.request import Request as Request
from microdot.response import Response as Response
from microdot.routing import URLPattern as URLPattern

abort = Microdot.abort
redirect = Response.redirect
send_file = Response.send_file
__version__: str
__all__ = [
    "AsyncBytesIO",
    "Microdot",
    "Request",
    "Response",
    "URLPattern",
    "abort",
    "iscoroutine",
    "redirect",
    "send_file",
]
