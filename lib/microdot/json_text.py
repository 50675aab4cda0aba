# JSON text, by orjson where it is installed. Loaded when a handler first receives or returns JSON.
import sys

try:
    from orjson import dumps, loads
except ImportError:
    import json

    from microdot.utf8 import decode_utf8

    dumps = json.dumps

    if sys.implementation.name == "micropython":

        def loads(data):
            """Parse JSON from bytes or text; raise ``ValueError`` when it is malformed."""
            from microdot.json_check import check, joined

            data = data.encode() if isinstance(data, str) else data
            decode_utf8(data)
            check(data)
            return json.loads(joined(data) if b"\\u" in data else data)
    else:

        def loads(data):
            """Parse JSON from bytes or text; raise ``ValueError`` when it is malformed."""
            try:
                return json.loads(data if isinstance(data, str) else decode_utf8(data), parse_constant=_refuse)
            except RecursionError:
                raise ValueError("json nested too deep")

        def _refuse(name):
            raise ValueError("no such value in json")


__all__ = ["dumps", "loads"]
