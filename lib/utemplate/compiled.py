# The loader for templates that were compiled before, on the host or by another loader: it imports them, from files (.py or
# .mpy), from ROM or frozen into the firmware, and nothing of the compiler.
#
# Whatever a name is, it can only mean a template below the loader's directory. But on a board each name that is asked for takes
# memory for good, as all that is imported does: let clients choose from a list of the application's.
import os
import sys

_MICROPYTHON = sys.implementation.name == "micropython"


def checked(name):
    """Return a template's name; raise ``ValueError`` for one that could mean anything outside the template directory."""
    for part in name.split("/"):
        if not part or part[0] == ".":
            name = ""
    if not name or "\\" in name or ":" in name or "\0" in name:
        raise ValueError("template name with an empty part, a hidden one or a character no template has")
    return name


class Loader:
    """Loads templates from a directory, or from a directory of a package."""

    def __init__(self, pkg, dir, autoescape=False):
        if pkg and pkg != "__main__":
            dir = pkg.replace(".", "/") + "/" + dir
        while dir[:2] == "./":
            dir = dir[2:]
        self.dir = dir.rstrip("/") or ("/" if dir else ".")
        self.autoescape = autoescape

    def load(self, name):
        """Return a template's ``render`` function.

        Raises ``OSError`` if there is no such template and ``ValueError`` for a name that is none, or when ``autoescape`` is
        wanted and the template was compiled without.
        """
        checked(name)
        try:
            render = self._ready(self._import(name.replace(".", "_")), name)
        except ImportError as e:
            raise self._missing(name, e)
        return render

    def _ready(self, names, name):
        # Take the template out of its module's names, and give it what it includes by expression.
        if self.autoescape and not names.get("_autoescape"):
            raise ValueError("template %s was compiled without autoescape: compile it again with it" % name)
        names["_load"] = self.load
        return names["render"]

    def _import(self, name):
        if not _MICROPYTHON:  # where the current directory need not be on the path
            try:
                return _run(self.dir + "/" + name + ".py")
            except OSError:
                pass
        path = name if self.dir in (".", "/") else self.dir.strip("/") + "/" + name
        base = "/" if self.dir[0] == "/" and os.getcwd() != "/" else ""
        there = base in sys.path
        if not there:
            sys.path.append(base)
        try:
            return __import__(path.replace("/", "."), None, None, ("render",)).__dict__
        finally:
            if not there:
                sys.path.remove(base)

    def _missing(self, name, error):
        try:
            os.stat(self.dir)
        except OSError:
            return OSError(2, "no template %s, and no directory %s: is the name relative to another one?" % (name, self.dir))
        return OSError(2, "no template %s in %s: %s" % (name, self.dir, error))


def _run(path):
    with open(path, encoding="utf-8") as file:
        code = compile(file.read(), path, "exec")
    names = {}
    exec(code, names)
    return names
