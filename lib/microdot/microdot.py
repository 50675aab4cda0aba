# The names that applications import as `microdot.microdot.X`, all of them loaded.
from microdot import Microdot, Request, Response, __version__, abort, redirect, send_file
from microdot.body import AsyncBytesIO
from microdot.dicts import MultiDict, NoCaseDict
from microdot.errors import MUTED_SOCKET_ERRORS, mro, print_exception
from microdot.helpers import invoke_handler, iscoroutine
from microdot.http import HTTPException
from microdot.routing import URLPattern
from microdot.text import urldecode, urlencode
