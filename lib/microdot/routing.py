# From a path to a route, without regular expressions but where a route asks for one (`re:` and registered types), and
# there on one bounded segment: MicroPython's `re` recurses once a character, and a client chooses the path's length.
#
# A table finds the candidates in two or three dictionary look-ups however many routes there are, and keeps the rule that of
# several matching routes the one registered first wins. Cost: one dictionary entry a route.
#
# What only dynamic routes, OPTIONS and 405 need is in `routing_lazy.py`.
from microdot.helpers import borrow, fill


class URLPattern:
    """A route's path: static segments, ``<name>``, ``<int:name>``, ``<path:name>``, ``<re:REGEX:name>``, registered types."""

    segment_patterns = {"string": "[^/]+", "int": "-?\\d+", "path": ".+"}
    segment_parsers = {"int": int}
    _matchers = {}  # type -> what `_matcher` made of a registered pattern
    regex = None
    segments = ()
    static = None  # the whole path, when no segment is dynamic
    known = 0, 0  # the segments, and the length, of the static path ahead of the first dynamic segment

    def __init__(self, url_pattern):
        self.url_pattern = url_pattern

    @classmethod
    def register_type(cls, type_name, pattern="[^/]+", parser=None):
        """Add a segment type: a regular expression for one whole segment, and what makes the argument of its text.

        A parser that returns None says that the segment does not match.
        """
        from microdot.routing_lazy import matcher

        cls.segment_patterns[type_name] = pattern
        cls.segment_parsers[type_name] = parser
        cls._matchers[type_name] = matcher(pattern)

    def compile(self):
        """Split the pattern into segments; raise ``ValueError`` for an unknown type or an unclosed ``<``."""
        path = self.url_pattern.lstrip("/")
        if "/<" in path or path[:1] == "<":
            self._compile(path)
        else:
            self.segments = path.split("/")
            self.static = "/" + path

    def match(self, path):
        """Return the path's arguments, or None if the path does not match."""
        if not self.segments:
            self.compile()
        if path[:1] != "/":
            path = "/" + path
        args = {}
        if self.static:
            return args if path == self.static else None
        return args if self.match_from(path, 0, 0, args) else None

    def __getattr__(self, name):
        return borrow(self, name, "routing_lazy")


_INDIRECT = "HEAD", "OPTIONS"  # methods that the application answers by way of others


class Routes:
    """Finds routes in a list of ``(methods, pattern, handler, url_prefix, subapp)`` that may grow at any time."""

    def __init__(self, url_map):
        self.url_map = url_map
        self.size = 0
        self.static = {}  # path -> positions in url_map
        self.dynamic = {}  # path before the first dynamic segment -> positions
        self.depth = 0  # the most slashes in a key of `dynamic`

    def _index(self):
        for i in range(self.size, len(self.url_map)):
            pattern = self.url_map[i][1]
            pattern.compile()
            if pattern.static:
                self.static.setdefault(pattern.static, []).append(i)
            else:
                prefix = pattern.prefix()
                pattern.known = prefix.count("/"), len(prefix)
                self.dynamic.setdefault(prefix, []).append(i)
                self.depth = max(self.depth, pattern.known[0] + 1)
        self.size = len(self.url_map)

    def _candidates(self, path):
        # The positions of the routes that can match, in the order of their registration.
        found = self.static.get(path, ())
        at = 0
        for _ in range(self.depth):
            more = self.dynamic.get(path[:at])
            if more:
                found = sorted(found + more) if found else more
            at = path.find("/", at + 1)
            if at < 0:
                break
        return found

    def find(self, req):
        """Return the route of the request's path and method, its arguments set; None if another look is needed (`search`)."""
        if self.size != len(self.url_map):
            self._index()
        path = req.path
        for i in self._candidates(path) if self.depth else self.static.get(path, ()):
            route = self.url_map[i]
            if req.method in route[0] and req.method not in _INDIRECT:
                if route[1].static:
                    return route
                args = {}
                if route[1].match_from(path, *route[1].known, args):
                    req._url_args = args
                    return route
        return None

    def __getattr__(self, name):
        return borrow(self, name, "routing_lazy")


fill(URLPattern, "routing_lazy")
fill(Routes, "routing_lazy")
