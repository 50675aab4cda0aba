"""The standard library's WSGI server with its validator: `python -m wsgiref_server PORT MODULE:NAME`."""

from __future__ import annotations

import importlib
import sys
import warnings
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator


class Handler(WSGIRequestHandler):
    """Says nothing about each request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    warnings.simplefilter("error")
    module, name = sys.argv[2].split(":")
    application = getattr(importlib.import_module(module), name)
    make_server("127.0.0.1", int(sys.argv[1]), validator(application), handler_class=Handler).serve_forever()
