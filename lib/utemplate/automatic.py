# The loader for applications that run everywhere, from their source on a computer and compiled on a board: a template whose
# source is there is compiled, again when it was edited; one that was compiled before, as `mdot build` does it, is only
# imported, and then nothing of the compiler takes memory.
import os

from utemplate import compiled


class Loader(compiled.Loader):
    """Loads templates from their source by `recompile`, others by `compiled`."""

    def __init__(self, pkg, dir, autoescape=False):
        super().__init__(pkg, dir, autoescape)
        self._imported = {}  # name -> render
        self._compiling = None

    def load(self, name):
        render = self._imported.get(name)
        if render:
            return render
        try:
            os.stat(self.dir + "/" + compiled.checked(name))
        except OSError:
            pass
        else:
            return self._compile(name)
        self._imported[name] = render = super().load(name)
        return render

    def _compile(self, name):
        if not self._compiling:
            from utemplate.recompile import Loader as Compiling

            self._compiling = Compiling(None, self.dir, self.autoescape)
        return self._compiling.load(name)
