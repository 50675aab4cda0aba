# Templates compiled to Python, by `lib/utemplate`. Pages leave while they are made: small pieces are joined into some of a size
# that is worth a packet, and no page is ever whole in memory unless it is asked for.
import sys

_loader = None


class Template:
    """A template; ``initialize`` says where from, else it is `templates` in the current directory.

    ``piece_size`` is the number of characters that ``generate`` yields at once, or few more.
    """

    piece_size = 512 if sys.implementation.name == "micropython" else 8192

    @classmethod
    def initialize(cls, template_dir="templates", loader_class=None, autoescape=False):
        """Say where templates are, and how they are loaded.

        The loader is by default ``utemplate.automatic.Loader``: it compiles what is there as source, again when it was edited,
        and imports what was compiled before, as ``mdot build`` does for boards. With ``autoescape`` every ``{{ }}`` is escaped
        for HTML, but for ``{{ markup(...) }}``.
        """
        global _loader
        if loader_class is None:
            from utemplate.automatic import Loader as loader_class
        _loader = loader_class(None, template_dir, autoescape=True) if autoescape else loader_class(None, template_dir)

    def __init__(self, template):
        if _loader is None:
            self.initialize()
        self.name = template
        self.template = _loader.load(template)

    def generate(self, *args, **kwargs):
        """Return a generator of the page's text."""
        return self._joined(self.template(*args, **kwargs))

    def render(self, *args, **kwargs):
        """Return the page as text."""
        return "".join(list(self.template(*args, **kwargs)))

    def generate_async(self, *args, **kwargs):
        """Return an asynchronous iterator of the page's text."""
        return _AsyncPieces(self.generate(*args, **kwargs))

    async def render_async(self, *args, **kwargs):
        """Return the page as text."""
        return self.render(*args, **kwargs)

    def _joined(self, pieces):
        some = []
        size = 0
        for piece in pieces:
            some.append(piece)
            size += len(piece)
            if size >= self.piece_size:
                yield "".join(some)
                some.clear()
                size = 0
        if size:
            yield "".join(some)


class _AsyncPieces:
    def __init__(self, pieces):
        self._pieces = pieces

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self._pieces)
        except StopIteration:
            raise StopAsyncIteration

    async def aclose(self):
        self._pieces.close()
