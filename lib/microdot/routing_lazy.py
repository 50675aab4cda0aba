# Dynamic routes, and the looks at the route table that a plain request does not need: methods of URLPattern and of Routes (see
# helpers.py).
import re

METHODS = "_compile", "prefix", "match_from", "_match_path", "search", "methods", "_matches"

# A number, or a segment given to a regular expression, is no longer than this; a longer one does not match.
MAX_RE_SEGMENT = 256


# URLPattern


def _compile(self, path):
    # Make the segments of a pattern that has dynamic ones.
    self.segments = [_segment(self, text) for text in path.split("/")]


def _segment(pattern, text):
    # A static segment is its text; a dynamic one is (type, name, matcher).
    if text[:1] != "<":
        return text
    if text[-1] != ">":
        raise ValueError("invalid URL pattern: " + pattern.url_pattern)
    kind, _, name = text[1:-1].rpartition(":")
    kind = kind or "string"
    if kind[:3] == "re:":
        return "re", name, matcher(kind[3:])
    if kind not in pattern.segment_patterns:
        raise ValueError("invalid URL segment type: " + kind)
    return kind, name, pattern._matchers.get(kind) or _BUILT_IN.get(kind)


def prefix(self):
    """Return the path before the first dynamic segment."""
    static = []
    for segment in self.segments:
        if isinstance(segment, tuple):
            break
        static.append("/" + segment)
    return "".join(static)


def match_from(self, path, index, start, args):
    """Match segments from ``index`` with the path from ``start``, where a slash begins each; put arguments into ``args``."""
    end = len(path)
    for i in range(index, len(self.segments)):
        if start >= end or path[start] != "/":
            return False
        segment = self.segments[i]
        dynamic = isinstance(segment, tuple)
        if dynamic and segment[2] is _any:
            return self._match_path(path, i, start + 1, args)
        stop = path.find("/", start + 1)
        if stop < 0:
            stop = end
        text = path[start + 1 : stop]
        if not (_take(self, segment, text, args) if dynamic else text == segment):
            return False
        start = stop
    return start == end


def _match_path(self, path, i, start, args):
    # Give <path:> as much as leaves enough for what follows it.
    stop = len(path)
    while stop > start:
        if self.match_from(path, i + 1, stop, args):
            return _take(self, self.segments[i], path[start:stop], args)
        stop = path.rfind("/", start, stop)
    return False


def _take(pattern, segment, text, args):
    # Match one dynamic segment and keep its argument.
    kind, name, matcher = segment
    if not text or (matcher and not matcher(text)):
        return False
    parser = pattern.segment_parsers.get(kind)
    if parser:
        text = parser(text)
        if text is None:
            return False
    args[name] = text
    return True


def matcher(pattern):
    """Return a function that tells whether one whole segment matches a regular expression, None if every one does."""
    if pattern == "[^/]+":
        return None
    regex = re.compile("^(" + pattern + ")$")

    def matches(text):
        try:
            return len(text) <= MAX_RE_SEGMENT and regex.match(text)
        except RuntimeError:  # the expression recurses deeper than this board's stack: no match rather than no answer
            return False

    return matches


def _is_int(text):
    digits = text[1:] if text[0] == "-" else text
    return len(digits) <= MAX_RE_SEGMENT and digits.encode().isdigit()  # as bytes: text has other digits too


def _any(text):
    # The matcher of <path:>, the one type that slashes do not end.
    return True


_BUILT_IN = {"int": _is_int, "path": _any}


# Routes


def search(self, path, method):
    """Return ``(route, arguments)`` of the first route of the path and method.

    With None for arguments it is a route of the same path and another method; both are None when there is none.
    """
    other = None
    for route, args in self._matches(path):
        if method in route[0]:
            return route, args
        other = route
    return other, None


def methods(self, path):
    """Return the methods that the path has routes for, first registered first."""
    found = []
    for route, _ in self._matches(path):
        found += [method for method in route[0] if method not in found]
    return found


def _matches(self, path):
    if self.size != len(self.url_map):
        self._index()
    for i in self._candidates(path):
        args = self.url_map[i][1].match(path)
        if args is not None:
            yield self.url_map[i], args
